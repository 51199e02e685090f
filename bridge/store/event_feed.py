"""Events as they are written, for whoever looks on; nothing is missed by looking away."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from uuid import UUID

from bridge.domain.events import EventReport
from bridge.store import queries
from bridge.store.event_log import report
from bridge.store.pool import Database

_AT_ONCE = 2  # readings, however many look on: calls need the other connections
_MOST = 100_000  # since a position; their ids are in memory
_PIECE = 200  # events


class EventFeed:
    """A position in the feed is a snapshot of Postgres': it tells exactly which events were there.

    A number would not: transactions do not end in the order in which they begin, so one that is
    counted earlier can appear later.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._sql = queries.load()
        self._changed = asyncio.Event()
        self._turns = asyncio.Semaphore(_AT_ONCE)

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

    async def read(
        self, account: str, after: str
    ) -> tuple[AsyncIterator[Sequence[EventReport]] | None, str]:
        """An account's events since a position, oldest first and some at a time; the position now.

        ``None``: there are too many to be read, or nobody knows which they are, for the position is
        none of this database's.

        Raises:
            StoreUnavailable: Postgres is away; also while they are read.
        """
        async with self._turns, self._database.connection() as connection:
            row = await self._sql.read_events(
                connection, account=account, after=after, too_many=_MOST + 1
            )
        ids, position = row["ids"], row["position"]
        if row["is_ahead"] or len(ids) > _MOST:
            return None, position
        return self._pieces(ids), position

    async def _pieces(self, ids: Sequence[UUID]) -> AsyncIterator[Sequence[EventReport]]:
        for first in range(0, len(ids), _PIECE):
            async with self._turns, self._database.connection() as connection:
                rows = self._sql.find_events(connection, ids=ids[first : first + _PIECE])
                piece = [report(row) async for row in rows]
            yield piece
