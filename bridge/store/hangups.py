"""Calls that their customers want ended, brought to the bridge that carries them."""

from collections.abc import Callable
from uuid import UUID

from bridge.store import queries
from bridge.store.pool import Database

HANGUP_CHANNEL = "bridge_hangup"


class Hangups:
    """What was asked for over the API, of whatever process, about the calls of one bridge.

    Args:
        node: the bridge's name.
        hang_up: called with the id of each call that is to end; must not block.  Called again
            for one that is still up.
    """

    def __init__(self, database: Database, *, node: str, hang_up: Callable[[UUID], None]) -> None:
        self._database = database
        self._node = node
        self._hang_up = hang_up
        self._sql = queries.load()

    async def look(self) -> None:
        """Raises: StoreUnavailable: Postgres is away."""
        async with self._database.connection() as connection:
            async for row in self._sql.find_hangups(connection, node=self._node):
                self._hang_up(row["id"])
