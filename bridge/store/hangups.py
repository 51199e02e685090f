"""Calls that their customers want ended, brought to the bridge that carries them."""

import asyncio
import contextlib
from collections.abc import Callable
from uuid import UUID

import structlog

from bridge.store import queries
from bridge.store.errors import StoreUnavailable
from bridge.store.pool import Connection, Database

log = structlog.get_logger(__name__)

_CHANNEL = "bridge_hangup"
_LOOK_INTERVAL = 5.0  # seconds; for what was asked while nobody could hear it
_RETRY_DELAY = 1.0


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

    async def run(self) -> None:
        """Listen until cancelled."""
        while True:
            try:
                async with self._database.connection() as connection:
                    await self._listen(connection)
            except StoreUnavailable:
                log.debug("cannot hear of calls to hang up")
            await asyncio.sleep(_RETRY_DELAY)

    async def _listen(self, connection: Connection) -> None:
        """Raises: StoreUnavailable: Postgres went away."""
        asked = asyncio.Event()

        def heard(*notification: object) -> None:
            if notification[-1] == self._node:
                asked.set()

        await connection.add_listener(_CHANNEL, heard)
        try:
            while True:
                asked.clear()
                async for row in self._sql.find_hangups(connection, node=self._node):
                    self._hang_up(row["id"])
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(_LOOK_INTERVAL):
                        await asked.wait()
        finally:
            with contextlib.suppress(Exception):  # a connection that is gone hears nothing anyway
                await connection.remove_listener(_CHANNEL, heard)
