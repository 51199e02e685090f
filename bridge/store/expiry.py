"""Noting the end of sessions whose time is over, and telling it."""

import asyncio

import structlog

from bridge.store.errors import StoreUnavailable
from bridge.store.sessions import Sessions

log = structlog.get_logger(__name__)

_INTERVAL = 1.0  # seconds
_BATCH = 500


class Expiry:
    """Every process does this, and each end is noted once.  Nothing depends on it but the telling:
    a session is over by the database's clock, whether or not anybody notes it.
    """

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions

    async def run(self) -> None:
        """Note ends until cancelled."""
        while True:
            noted = 0
            try:
                noted = await self._sessions.note_expired(at_most=_BATCH)
            except StoreUnavailable:
                log.debug("ends of sessions not noted yet")
            if noted < _BATCH:
                await asyncio.sleep(_INTERVAL)
