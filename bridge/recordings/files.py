"""Where recordings are: the spool that Asterisk writes, and the archive.  Named by ids only."""

import asyncio
import contextlib
import os
import uuid
from collections.abc import AsyncIterator, Collection, Iterator
from pathlib import Path
from typing import Protocol

from bridge.domain.errors import Unavailable
from bridge.domain.sessions import RecordingFormat

_PART = ".part"
_PIECE = 256 * 1024  # bytes read at once


class ArchiveUnavailable(Unavailable):
    """The archive is away for now, or does not let us in."""


class Archive(Protocol):
    """Where finished recordings are kept: a directory, or an object store.

    What asks it may raise `ArchiveUnavailable`, or `OSError` of a directory.
    """

    def room_for(self, recording_id: uuid.UUID, format: RecordingFormat) -> Path:
        """Where to write one that is not finished yet; cleared up by `forsake`."""

    async def keep(self, recording_id: uuid.UUID, format: RecordingFormat) -> None:
        """What was written there is finished, and surely kept from now on."""

    def forsake(self, recording_id: uuid.UUID) -> None:
        """Remove what was begun and is not needed there any more."""

    async def read(
        self, recording_id: uuid.UUID, format: RecordingFormat, part: range
    ) -> AsyncIterator[bytes] | None:
        """Some of its bytes, of which there must be one at least; ``None``: it is not there."""

    async def erase(self, recording_id: uuid.UUID, format: RecordingFormat) -> None:
        """No error if it is not there."""

    async def ids(self) -> Collection[tuple[uuid.UUID, RecordingFormat]]:
        """Everything that is kept, as far as nobody else can have put it there."""


class Workroom:
    """A directory of ours, in which recordings are made before they are kept."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def room_for(self, recording_id: uuid.UUID, format: RecordingFormat) -> Path:
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        return self._directory / f"{recording_id}.{format}{_PART}"

    def forsake(self, recording_id: uuid.UUID) -> None:
        for part in self._directory.glob(f"{recording_id}.*{_PART}"):
            part.unlink(missing_ok=True)


class DirectoryArchive(Workroom):
    """Files in a directory that every bridge on the database shares."""

    async def keep(self, recording_id: uuid.UUID, format: RecordingFormat) -> None:
        await asyncio.to_thread(self._keep, recording_id, format)

    def locate(self, recording_id: uuid.UUID, format: RecordingFormat) -> Path | None:
        """Its file, if it is there."""
        path = self._path(recording_id, format)
        return path if path.is_file() else None

    async def read(
        self, recording_id: uuid.UUID, format: RecordingFormat, part: range
    ) -> AsyncIterator[bytes] | None:
        path = self.locate(recording_id, format)
        return _pieces(path, part) if path else None

    async def erase(self, recording_id: uuid.UUID, format: RecordingFormat) -> None:
        await asyncio.to_thread(self._path(recording_id, format).unlink, missing_ok=True)

    async def ids(self) -> Collection[tuple[uuid.UUID, RecordingFormat]]:
        return await asyncio.to_thread(lambda: list(self._ids()))

    def _keep(self, recording_id: uuid.UUID, format: RecordingFormat) -> None:
        part = self.room_for(recording_id, format)
        with part.open("rb") as written:
            os.fsync(written.fileno())  # the raw one is removed next
        part.chmod(0o600)
        part.replace(self._path(recording_id, format))

    def _ids(self) -> Iterator[tuple[uuid.UUID, RecordingFormat]]:
        formats: tuple[RecordingFormat, ...] = ("mp3", "wav")
        for format in formats:
            for path in self._directory.glob(f"*.{format}"):
                with contextlib.suppress(ValueError):
                    yield uuid.UUID(path.stem), format

    def _path(self, recording_id: uuid.UUID, format: RecordingFormat) -> Path:
        return self._directory / f"{recording_id}.{format}"


async def _pieces(path: Path, part: range) -> AsyncIterator[bytes]:
    with path.open("rb") as file:
        file.seek(part.start)
        left = len(part)
        while left and (piece := await asyncio.to_thread(file.read, min(left, _PIECE))):
            left -= len(piece)
            yield piece


class Spool:
    """The directory that Asterisk writes: raw, two channels of 16 bits at 8 kHz."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def path(self, recording_id: uuid.UUID) -> Path:
        return self._directory / f"{recording_id}.raw"

    def files(self) -> Iterator[tuple[uuid.UUID, Path]]:
        """Everything there, whether or not anybody knows of it."""
        for path in self._directory.glob("*.raw"):
            with contextlib.suppress(ValueError):
                yield uuid.UUID(path.stem), path
