"""Recordings that their customers want paused, brought to the bridge that carries their calls."""

from collections.abc import Callable

from bridge.domain.recordings import Pause
from bridge.store import queries
from bridge.store.pool import Database

PAUSE_CHANNEL = "bridge_recording"


class Pauses:
    """What was asked for over the API, of whatever process, about the recordings of one bridge.

    Args:
        node: the bridge's name.
        pause: called with each pause that is to begin or to end; must not block.  Called again
            until it is written down that it has.
    """

    def __init__(self, database: Database, *, node: str, pause: Callable[[Pause], None]) -> None:
        self._database = database
        self._node = node
        self._pause = pause
        self._sql = queries.load()

    async def look(self) -> None:
        """Raises: StoreUnavailable: Postgres is away."""
        async with self._database.connection() as connection:
            async for row in self._sql.find_pauses(connection, node=self._node):
                self._pause(Pause(**row))
