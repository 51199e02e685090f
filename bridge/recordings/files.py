"""Where recordings are: the spool that Asterisk writes, and the archive.  Named by ids only."""

import contextlib
import os
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from bridge.domain.sessions import RecordingFormat

_PART = ".part"


class Archive(Protocol):
    """Where finished recordings are kept: a directory today, an object store some day."""

    def room_for(self, recording_id: uuid.UUID, format: RecordingFormat) -> Path:
        """Where to write one that is not finished yet; cleared up by `forsake`."""

    def keep(self, recording_id: uuid.UUID, format: RecordingFormat) -> None:
        """What was written there is finished."""

    def forsake(self, recording_id: uuid.UUID) -> None:
        """Remove what was begun and not finished."""

    def locate(self, recording_id: uuid.UUID, format: RecordingFormat) -> Path | None:
        """Its file, if it is there."""

    def erase(self, recording_id: uuid.UUID, format: RecordingFormat) -> None:
        """No error if it is not there."""

    def ids(self) -> Iterator[tuple[uuid.UUID, RecordingFormat]]:
        """Everything that is kept."""


class DirectoryArchive:
    """Files in a directory that every bridge on the database shares."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def room_for(self, recording_id: uuid.UUID, format: RecordingFormat) -> Path:
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        return self._directory / f"{recording_id}.{format}{_PART}"

    def keep(self, recording_id: uuid.UUID, format: RecordingFormat) -> None:
        part = self.room_for(recording_id, format)
        with part.open("rb") as written:
            os.fsync(written.fileno())  # the raw one is removed next
        part.chmod(0o600)
        part.replace(self._path(recording_id, format))

    def forsake(self, recording_id: uuid.UUID) -> None:
        for part in self._directory.glob(f"{recording_id}.*{_PART}"):
            part.unlink(missing_ok=True)

    def locate(self, recording_id: uuid.UUID, format: RecordingFormat) -> Path | None:
        path = self._path(recording_id, format)
        return path if path.is_file() else None

    def erase(self, recording_id: uuid.UUID, format: RecordingFormat) -> None:
        self._path(recording_id, format).unlink(missing_ok=True)

    def ids(self) -> Iterator[tuple[uuid.UUID, RecordingFormat]]:
        formats: tuple[RecordingFormat, ...] = ("mp3", "wav")
        for format in formats:
            for path in self._directory.glob(f"*.{format}"):
                with contextlib.suppress(ValueError):
                    yield uuid.UUID(path.stem), format

    def _path(self, recording_id: uuid.UUID, format: RecordingFormat) -> Path:
        return self._directory / f"{recording_id}.{format}"


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
