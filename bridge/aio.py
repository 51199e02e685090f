"""The only concurrency helpers.  Imports the standard library only."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any

TIMED_OUT = "timed_out"


async def race(*, within: float | None = None, **contenders: Coroutine[Any, Any, Any]) -> str:
    """Name of the first contender to finish; the others are cancelled and awaited.

    ``within`` seconds pass without one: `TIMED_OUT`.  Ties go to the contender written first, so
    write hang-ups before good news.  A contender that raises ends the race with its exception, as
    it is and not in a group.
    """
    try:
        async with asyncio.TaskGroup() as group:
            tasks = {name: group.create_task(coro, name=name) for name, coro in contenders.items()}
            done, pending = await asyncio.wait(
                tasks.values(), timeout=within, return_when=asyncio.FIRST_COMPLETED
            )
            for task in pending:
                task.cancel()
    except ExceptionGroup as losers:
        error = losers.exceptions[0]
        raise error from error.__cause__
    return next((name for name, task in tasks.items() if task in done), TIMED_OUT)


@asynccontextmanager
async def alongside(work: Coroutine[Any, Any, None]) -> AsyncIterator["asyncio.Task[None]"]:
    """Let ``work``, which must not raise, go on for the length of the block and no longer.

    What the block raises comes out as it is, and not in a group.
    """
    try:
        async with asyncio.TaskGroup() as group:
            task = group.create_task(work)
            try:
                yield task
            finally:
                task.cancel()
    except ExceptionGroup as group_of_one:
        raise group_of_one.exceptions[0] from None
