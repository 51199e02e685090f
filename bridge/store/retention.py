"""Forgetting old events, so that the outbox does not grow for ever."""

import asyncio

import structlog

from bridge.store.errors import StoreUnavailable
from bridge.store.outbox import Outbox

log = structlog.get_logger(__name__)

_INTERVAL = 600.0  # seconds
_BATCH = 1000


class Retention:
    """Every process does this; none waits for another.

    Args:
        days: that an event is kept for once it is not on its way any more.
    """

    def __init__(self, outbox: Outbox, *, days: int) -> None:
        self._outbox = outbox
        self._days = days

    async def run(self) -> None:
        """Forget until cancelled."""
        while True:
            removed = 0
            try:
                removed = await self._outbox.remove_old(days=self._days, at_most=_BATCH)
            except StoreUnavailable:
                log.debug("old events not removed yet")
            if removed < _BATCH:
                await asyncio.sleep(_INTERVAL)
