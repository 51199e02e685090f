"""The database that a command works on."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from bridge.config import Settings, load
from bridge.store.migrations import migrate
from bridge.store.pool import Database

T = TypeVar("T")


def on_database(work: Callable[[Database], Awaitable[T]]) -> T:
    """What ``work`` gives on the database of the settings, brought up to date first."""

    async def run() -> T:
        async with Database.opened(database_url()) as database:
            await migrate(database)
            return await work(database)

    return asyncio.run(run())


def database_url() -> str:
    """As the settings have it.  Secret: it holds the password."""
    return load(Settings).database_url.get_secret_value()
