"""Hearing of what other processes have written: Postgres tells, and we look."""

import asyncio
from collections.abc import Awaitable, Callable, Collection

import structlog

from bridge.store.errors import StoreUnavailable
from bridge.store.pool import Connection, Database

log = structlog.get_logger(__name__)

_LOOK_INTERVAL = 5.0  # seconds; for what was written while nobody could hear it
_RETRY_DELAY = 1.0


class Listener:
    """Looks when there may be something to see: at first, when told, and from time to time.

    Args:
        channels: what to hear, as in ``NOTIFY channel``.
        look: finds what there is; what it says is told again at the next look is its own affair.
    """

    def __init__(
        self, database: Database, channels: Collection[str], look: Callable[[], Awaitable[None]]
    ) -> None:
        self._database = database
        self._channels = channels
        self._look = look

    async def run(self) -> None:
        """Listen until cancelled."""
        while True:
            try:
                async with self._database.connection() as connection:
                    await self._listen(connection)
            except StoreUnavailable:
                log.debug("hears nothing of other processes")
            except Exception:
                # What is wrong with one look must not end calls; the next may find all well.
                log.exception("could not look", channels=self._channels)
            await asyncio.sleep(_RETRY_DELAY)

    async def _listen(self, connection: Connection) -> None:
        """Raises: StoreUnavailable: Postgres went away."""
        told = asyncio.Event()

        def hear(*_notification: object) -> None:
            told.set()

        for channel in self._channels:
            await connection.add_listener(channel, hear)
        try:
            while True:
                told.clear()
                await self._look()
                try:
                    async with asyncio.timeout(_LOOK_INTERVAL):
                        await told.wait()
                except TimeoutError:
                    await connection.execute("SELECT 1")  # whether it still hears
        finally:
            # Not given back, for what listens on it would be; and not asked to stop first, for a
            # Postgres that was killed never answers.
            connection.terminate()
