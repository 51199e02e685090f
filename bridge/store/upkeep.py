"""What is done from time to time, in every process, without one waiting for another."""

import asyncio
from typing import Protocol

import structlog

from bridge.store.errors import StoreUnavailable

log = structlog.get_logger(__name__)

_BATCH = 500


class Chore(Protocol):
    """Something that can be done a batch at a time, by whoever comes first."""

    async def __call__(self, *, at_most: int) -> int:
        """Do so many at most; how many were done.

        Raises:
            StoreUnavailable: Postgres is away; it is done later.
        """


async def keep_up(chore: Chore, *, every: float) -> None:
    """Do a chore every so many seconds until cancelled, and at once again after a full batch."""
    while True:
        done = 0
        try:
            done = await chore(at_most=_BATCH)
        except StoreUnavailable:
            log.debug("upkeep waits for postgres")
        except Exception:
            # What is wrong with a chore must not end calls; it is done as far as it goes.
            log.exception("upkeep failed")
        if done < _BATCH:
            await asyncio.sleep(every)
