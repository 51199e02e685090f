"""Connections to Postgres that end while they are in use."""

from collections.abc import Awaitable, Callable

import asyncpg
import pytest

from bridge.store.errors import StoreUnavailable
from bridge.store.pool import Connection, Database


async def is_terminated(connection: Connection, database: Database) -> None:
    me = await connection.fetchval("SELECT pg_backend_pid()")
    async with database.connection() as another:
        await another.execute("SELECT pg_terminate_backend($1, 5000)", me)
    await connection.execute("SELECT 1")


async def idles_for_too_long(connection: Connection, database: Database) -> None:
    me = await connection.fetchval("SELECT pg_backend_pid()")
    await connection.execute("SET LOCAL idle_in_transaction_session_timeout = 1")
    async with database.connection() as another:
        gone = "SELECT count(*) = 0 FROM pg_stat_activity WHERE pid = $1"
        while not await another.fetchval(gone, me):
            pass
    await connection.execute("SELECT 1")


async def is_asked_wrongly(connection: Connection, _database: Database) -> None:
    await connection.execute("SELECT $1", 1, 2)


async def in_a_transaction(
    database: Database, what: Callable[[Connection, Database], Awaitable[None]]
) -> None:
    async with database.transaction() as connection:
        await what(connection, database)


@pytest.mark.parametrize("what", [is_terminated, idles_for_too_long])
async def test_a_connection_that_was_ended_is_postgres_away(
    database: Database, what: Callable[[Connection, Database], Awaitable[None]]
) -> None:
    with pytest.raises(StoreUnavailable):
        await in_a_transaction(database, what)
    await database.ping()


async def test_a_wrong_call_of_ours_is_not(database: Database) -> None:
    with pytest.raises(asyncpg.InterfaceError):
        await in_a_transaction(database, is_asked_wrongly)
