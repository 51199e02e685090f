"""What is done from time to time, and goes on being done."""

import asyncio

import pytest

from bridge.store.errors import StoreUnavailable
from bridge.store.upkeep import keep_up


@pytest.mark.parametrize("error", [StoreUnavailable("away"), ValueError("a defect of ours")])
async def test_a_chore_that_fails_is_done_again_and_ends_nothing_else(error: Exception) -> None:
    done = asyncio.Event()
    tries = []

    async def chore(*, at_most: int) -> int:
        tries.append(at_most)
        if len(tries) == 1:
            raise error
        done.set()
        return 0

    async with asyncio.TaskGroup() as group:
        keeping = group.create_task(keep_up(chore, every=0))
        async with asyncio.timeout(10):
            await done.wait()
        keeping.cancel()
