"""What was recorded of calls."""

import uuid
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from bridge.domain import events
from bridge.domain.numbers import PhoneNumber
from bridge.domain.recordings import (
    Media,
    NewRecording,
    Pause,
    RawRecording,
    Recording,
    RecordingFailure,
    RecordingFilter,
    RecordingState,
    RecordingStep,
)
from bridge.domain.reports import Page
from bridge.domain.sessions import RecordingFormat
from bridge.store import queries
from bridge.store.pool import Connection, Database, Row
from bridge.store.session_rows import consent_json, consents, number
from bridge.store.teller import Tale, begin_tale


class Recordings:
    """Recordings by account, whichever bridge made them.

    Args:
        public_url: what the API is called from outside, for the URLs in events; may be empty.
    """

    def __init__(self, database: Database, *, public_url: str = "") -> None:
        self._database = database
        self._public_url = public_url
        self._sql = queries.load()

    async def get(self, account: str, recording_id: uuid.UUID) -> Recording | None:
        async with self._database.connection() as connection:
            row = await self._sql.find_recording(connection, account=account, id=recording_id)
        return _recording(row) if row else None

    async def list(
        self, account: str, wanted: RecordingFilter, *, limit: int, offset: int
    ) -> Page[Recording]:
        """Newest first."""
        conditions = {
            "account": account,
            "leg": wanted.leg,
            "subaccount": wanted.subaccount,
            "caller": wanted.caller.e164 if wanted.caller else None,
            "virtual_number": wanted.virtual_number.e164 if wanted.virtual_number else None,
            "added_from": wanted.added.low,
            "added_to": wanted.added.high,
        }
        async with self._database.connection() as connection:
            rows = [
                row
                async for row in self._sql.list_recordings(
                    connection, **conditions, limit=limit, offset=offset
                )
            ]
            total = await self._sql.count_recordings(connection, **conditions)
        return Page(items=[_recording(row) for row in rows], total=total)

    async def find(self, recording_id: uuid.UUID) -> Media | None:
        """Whoever's it is: for one that has proved its right to it otherwise."""
        async with self._database.connection() as connection:
            row = await self._sql.find_any_recording(connection, id=recording_id)
        return Media(**{**row, "state": RecordingState(row["state"])}) if row else None

    async def remove(self, account: str, recording_id: uuid.UUID) -> bool:
        """Give it out no more; `False`: there is none, or its call is still up."""
        async with self._database.connection() as connection:
            row = await self._sql.remove_recording(connection, account=account, id=recording_id)
        return row is not None

    async def pause(self, account: str, recording_id: uuid.UUID, *, paused: bool) -> bool:
        """Have its bridge pause it soon, or let it go on; `False`: it is not being made."""
        async with self._database.connection() as connection:
            row = await self._sql.ask_pause(
                connection, account=account, id=recording_id, paused=paused
            )
        return row is not None

    async def write_new(self, connection: Connection, new: NewRecording) -> None:
        """Write down that a recording has begun or could not, and tell of it."""
        state = RecordingState.FAILED if new.failure else RecordingState.IN_PROGRESS
        tale = await begin_tale(connection, new.call_id)
        row = await self._sql.insert_recording(
            connection,
            id=new.id,
            call_id=new.call_id,
            format=new.format,
            state=state.value,
            failure=new.failure.value if new.failure else None,
            started_at=new.started_at,
            consent=consent_json(new.consent, tale.caller),
        )
        name = events.RECORDING_FAILED if new.failure else events.RECORDING_INITIATED
        await self._tell(tale, name, row)

    async def write_pause(self, connection: Connection, pause: Pause, at: datetime) -> None:
        """Write down that one was paused, or goes on, since ``at``."""
        await self._sql.note_pause(connection, id=pause.recording_id, paused=pause.paused, at=at)

    async def raw(self, node: str, *, settled: int) -> Sequence[RawRecording]:
        """What a node has still to convert, of calls that ended ``settled`` seconds ago."""
        async with self._database.connection() as connection:
            found = self._sql.find_raw_recordings(connection, node=node, settled=settled)
            return [RawRecording(**row) async for row in found]

    async def finish(
        self,
        raw: RawRecording,
        *,
        ended_at: datetime,
        size: int,
        sha256: bytes,
        failure: RecordingFailure | None,
    ) -> None:
        """There is a file of it; told once, however often it is said."""
        async with self._database.transaction() as connection:
            tale = await begin_tale(connection, raw.call_id)
            row = await self._sql.finish_recording(
                connection,
                id=raw.id,
                ended_at=ended_at,
                paused_for=raw.paused_for,
                size=size,
                sha256=sha256,
                failure=failure.value if failure else None,
            )
            await self._tell(tale, events.RECORDING_COMPLETED, row)

    async def fail(
        self, raw: RawRecording, failure: RecordingFailure, *, ended_at: datetime
    ) -> None:
        """Nothing came of it; told once, however often it is said."""
        async with self._database.transaction() as connection:
            tale = await begin_tale(connection, raw.call_id)
            row = await self._sql.fail_recording(
                connection, id=raw.id, failure=failure.value, ended_at=ended_at
            )
            await self._tell(tale, events.RECORDING_FAILED, row)

    async def delay(self, recording_id: uuid.UUID, failure: RecordingFailure) -> None:
        """It could not be converted for now, and will be tried again."""
        async with self._database.connection() as connection:
            await self._sql.delay_recording(connection, id=recording_id, failure=failure.value)

    async def remove_overdue(self) -> None:
        """Those that their accounts keep no longer."""
        async with self._database.connection() as connection:
            await self._sql.remove_overdue_recordings(connection)

    async def unerased(self) -> Sequence[tuple[uuid.UUID, RecordingFormat]]:
        """Those that were removed, and whose files may still be there."""
        async with self._database.connection() as connection:
            found = self._sql.find_unerased_recordings(connection)
            return [(row["id"], row["format"]) async for row in found]

    async def note_erased(self, recording_id: uuid.UUID) -> None:
        async with self._database.connection() as connection:
            await self._sql.note_erased(connection, id=recording_id)

    async def states(self, ids: Collection[uuid.UUID]) -> Mapping[uuid.UUID, RecordingState]:
        """Of those that there are."""
        async with self._database.connection() as connection:
            found = self._sql.find_recording_states(connection, ids=list(ids))
            return {row["id"]: RecordingState(row["state"]) async for row in found}

    async def _tell(self, tale: Tale, name: str, row: Row | None) -> None:
        """Nothing, without a row: somebody has done the same before."""
        if row:
            step = RecordingStep(**{**row, "failure": _failure(row)})
            account_url = f"{self._public_url}/v1/Account/{tale.account}"
            await tale.tells(step.telling(name, account_url))


def _failure(row: Row) -> RecordingFailure | None:
    return RecordingFailure(row["failure"]) if row["failure"] else None


def _recording(row: Row) -> Recording:
    return Recording(
        **{
            **row,
            "caller": number(row["caller"]),
            "virtual_number": PhoneNumber(row["virtual_number"]),
            "state": RecordingState(row["state"]),
            "failure": _failure(row),
            "consent": consents(row["consent"]),
        }
    )
