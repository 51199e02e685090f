"""Events as they are written, for whoever looks on; nothing is missed by looking away."""

import asyncio
from collections.abc import Sequence

from bridge.domain.events import EventReport
from bridge.store import queries
from bridge.store.event_log import report
from bridge.store.pool import Database

_MOST_AT_ONCE = 5000


class EventFeed:
    """A position in the feed is a snapshot of Postgres': it tells exactly which events were there.

    A number would not: transactions do not end in the order in which they begin, so one that is
    counted earlier can appear later.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._sql = queries.load()
        self._changed = asyncio.Event()

    async def look(self) -> None:
        """Something was written, as far as anybody knows; see `bridge.store.listener.Listener`."""
        self._changed.set()
        self._changed = asyncio.Event()

    @property
    def next_change(self) -> asyncio.Event:
        """Set when something is written from now on: take it before reading, and wait after."""
        return self._changed

    async def position(self) -> str:
        """Where the feed is now.

        Raises:
            StoreUnavailable: Postgres is away.
        """
        async with self._database.connection() as connection:
            position: str = await self._sql.current_position(connection)
        return position

    async def read(self, account: str, after: str) -> tuple[Sequence[EventReport] | None, str]:
        """An account's events since a position, oldest first, and the position then.

        ``None``: there are too many to be read at once.

        Raises:
            StoreUnavailable: Postgres is away.
        """
        async with self._database.connection() as connection:
            rows = [
                row
                async for row in self._sql.read_events(
                    connection, account=account, after=after, limit=_MOST_AT_ONCE + 1
                )
            ]
        # One row is there in any case, to say where the feed is.
        position: str = rows[0]["position"]
        if len(rows) > _MOST_AT_ONCE:
            return None, position
        return [report(row) for row in rows if row["id"]], position
