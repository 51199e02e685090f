"""Makes of what Asterisk wrote what was asked for, and erases what nobody may keep any more."""

import asyncio
import hashlib
import time
import uuid
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol

import structlog

from bridge import metrics
from bridge.audio import worker as audio
from bridge.audio.errors import Unusable
from bridge.domain.errors import Unavailable
from bridge.domain.recordings import (
    RawRecording,
    RecordingFailure,
    RecordingState,
    is_complete,
)
from bridge.domain.sessions import RecordingFormat
from bridge.recordings.files import Archive, ArchiveUnavailable, Spool

log = structlog.get_logger(__name__)

_INTERVAL = 1.0
_EXPIRE_INTERVAL = 60.0
_SWEEP_INTERVAL = 600.0
_RETRY = 60.0  # seconds until a recording that could not be converted is tried again
_SETTLED = 2  # seconds after the end of its call in which Asterisk has closed the file
_UNKNOWN_FOR = 3600.0  # seconds for which a file of Asterisk's may be nobody's
_SECOND = 32_000  # bytes of a raw recording


class Rows(Protocol):
    """What is known of recordings (`bridge.store.recordings`).  Any may raise `Unavailable`."""

    async def raw(self, node: str, *, settled: int) -> Sequence[RawRecording]: ...
    async def finish(
        self,
        raw: RawRecording,
        *,
        ended_at: datetime,
        size: int,
        sha256: bytes,
        failure: RecordingFailure | None,
    ) -> None: ...
    async def fail(
        self, raw: RawRecording, failure: RecordingFailure, *, ended_at: datetime
    ) -> None: ...
    async def delay(self, recording_id: uuid.UUID, failure: RecordingFailure) -> None: ...
    async def remove_overdue(self) -> None: ...
    async def unerased(self) -> Sequence[tuple[uuid.UUID, RecordingFormat]]: ...
    async def note_erased(self, recording_id: uuid.UUID) -> None: ...
    async def states(self, ids: Collection[uuid.UUID]) -> Mapping[uuid.UUID, RecordingState]: ...


class RecordingWorker:
    """One a process.  It converts what its own Asterisk wrote, and erases whoever's it is.

    Every step can be done again: what a crash leaves is found by its row, or by its file.
    """

    def __init__(self, rows: Rows, spool: Spool, archive: Archive, *, node: str) -> None:
        self._rows = rows
        self._spool = spool
        self._archive = archive
        self._node = node
        self._not_before: dict[uuid.UUID, float] = {}
        self._archive_not_before = 0.0

    async def run(self) -> None:
        """Work until cancelled."""
        expire_at = sweep_at = time.monotonic()
        while True:
            try:
                await self.convert()
                if time.monotonic() >= expire_at:
                    await self._rows.remove_overdue()
                    expire_at = time.monotonic() + _EXPIRE_INTERVAL
                await self.erase()
                if time.monotonic() >= sweep_at:
                    await self.sweep()
                    sweep_at = time.monotonic() + _SWEEP_INTERVAL
            except ArchiveUnavailable as error:
                log.warning("recordings wait for their archive", error=error)
            except Unavailable:
                log.debug("recordings wait for postgres")
                # What is known of them is still on its way there: what looks like nobody's is not.
                sweep_at = time.monotonic() + _SWEEP_INTERVAL
            except OSError as error:
                log.warning("recordings wait for their directory", error=error)
            except Exception:
                # What is wrong with one must not end calls; it is there at the next look too.
                log.exception("recordings not worked on")
            await asyncio.sleep(_INTERVAL)

    async def convert(self) -> None:
        """Finish the recordings whose calls are over.

        Raises:
            Unavailable: Postgres is away.
        """
        for raw in await self._rows.raw(self._node, settled=_SETTLED):
            if time.monotonic() < max(self._not_before.get(raw.id, 0.0), self._archive_not_before):
                continue
            with structlog.contextvars.bound_contextvars(recording=str(raw.id)):
                await self._finish(raw)

    async def erase(self) -> None:
        """Remove the files of the recordings that are removed.

        Raises:
            Unavailable: Postgres is away, or the archive.
            OSError: a file could not be removed.
        """
        for recording_id, format in await self._rows.unerased():
            await self._archive.erase(recording_id, format)
            await self._rows.note_erased(recording_id)
            log.info("recording erased", recording=str(recording_id))

    async def sweep(self) -> None:
        """Remove the files that no recording needs.

        A file of Asterisk's that nobody knows is of a call whose bridge was killed in the very
        moment in which it began.

        Raises:
            Unavailable: Postgres is away.
            OSError: a file could not be removed.
        """
        kept = dict(await self._archive.ids())
        written = dict(await asyncio.to_thread(lambda: list(self._spool.files())))
        states = await self._rows.states({*kept, *written})
        for recording_id, format in kept.items():
            state = states.get(recording_id)
            if state in {RecordingState.REMOVED, None}:
                await self._archive.erase(recording_id, format)
                log.warning("stray recording erased", recording=str(recording_id))
        for recording_id, path in written.items():
            state = states.get(recording_id)
            if state is RecordingState.IN_PROGRESS or not path.exists():
                continue
            if state is None and time.time() - path.stat().st_mtime < _UNKNOWN_FOR:
                continue
            path.unlink(missing_ok=True)
            log.warning("stray raw recording erased", recording=str(recording_id))

    async def _finish(self, raw: RawRecording) -> None:
        source = self._spool.path(raw.id)
        try:
            size = source.stat().st_size
        except OSError:
            size = 0
        if size < 4:  # not one sample of each
            source.unlink(missing_ok=True)
            await self._rows.fail(
                raw, RecordingFailure.NOTHING_RECORDED, ended_at=raw.call_ended_at
            )
            metrics.RECORDINGS.labels("failed").inc()
            log.error("nothing was recorded")
            return
        try:
            seconds, made = await self._converted(raw, source, longest=size / _SECOND + 1)
            digest = await asyncio.to_thread(_sha256, made)
            made_size = made.stat().st_size
            await self._archive.keep(raw.id, raw.format)
        except ArchiveUnavailable as error:
            # Most likely for all of them: the next is not even converted before it is time.
            self._archive_not_before = time.monotonic() + _RETRY
            metrics.RECORDINGS.labels("delayed").inc()
            log.error("recording not kept", error=error)
            await self._rows.delay(raw.id, RecordingFailure.ARCHIVE_AWAY)
            return
        except (Unusable, OSError) as error:
            # A full disk, most likely: the raw file is kept, and tried again.
            self._not_before[raw.id] = time.monotonic() + _RETRY
            metrics.RECORDINGS.labels("delayed").inc()
            log.error("recording not converted", error=error)
            await self._rows.delay(raw.id, RecordingFailure.CONVERSION_FAILED)
            return
        finally:
            self._archive.forsake(raw.id)
        ended_at = raw.started_at + timedelta(seconds=seconds) + raw.paused_for
        complete = is_complete(raw, seconds)
        await self._rows.finish(
            raw,
            ended_at=min(ended_at, raw.call_ended_at),
            size=made_size,
            sha256=digest,
            failure=None if complete else RecordingFailure.INCOMPLETE,
        )
        source.unlink(missing_ok=True)
        self._not_before.pop(raw.id, None)
        metrics.RECORDINGS.labels("ready" if complete else "incomplete").inc()
        log.info("recording ready", seconds=round(seconds, 1), size=made_size, complete=complete)

    async def _converted(
        self, raw: RawRecording, source: Path, *, longest: float
    ) -> tuple[float, Path]:
        """Raises: Unusable, OSError: it could not be written."""
        within = 60.0 + longest
        wav = self._archive.room_for(raw.id, "wav")
        seconds = await audio.to_wav(source, wav, longest=longest, within=within)
        if raw.format == "wav":
            return seconds, wav
        mp3 = self._archive.room_for(raw.id, "mp3")
        await audio.to_mp3(wav, mp3, longest=longest, within=within)
        return seconds, mp3


def _sha256(path: Path) -> bytes:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").digest()
