"""What was recorded of calls."""

import uuid

from bridge.domain.numbers import PhoneNumber
from bridge.domain.recordings import Recording, RecordingFilter
from bridge.domain.reports import Page
from bridge.store import queries
from bridge.store.pool import Database, Row


class Recordings:
    """Recordings by account, whichever bridge made them."""

    def __init__(self, database: Database) -> None:
        self._database = database
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


def _recording(row: Row) -> Recording:
    return Recording(
        **{
            **row,
            "caller": PhoneNumber(row["caller"]) if row["caller"] else None,
            "virtual_number": PhoneNumber(row["virtual_number"]),
        }
    )
