"""The connections to Postgres."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg

from bridge.store.errors import StoreUnavailable

Connection = asyncpg.Connection[asyncpg.Record]
Row = asyncpg.Record

_COMMAND_TIMEOUT = 5.0
_CONNECT_TIMEOUT = 5.0
_ACQUIRE_TIMEOUT = 2.0

AWAY = (
    OSError,
    TimeoutError,
    asyncpg.PostgresConnectionError,
    asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.TooManyConnectionsError,
    asyncpg.ReadOnlySQLTransactionError,  # the primary was demoted under us
    asyncpg.InterfaceError,  # the connection was closed under us
)
"""What asyncpg raises when Postgres is away rather than when a statement is wrong."""


class Database:
    """A pool that opens without Postgres and tells when it is away."""

    def __init__(self, url: str, *, size: int = 10) -> None:
        self._pool = asyncpg.create_pool(
            url,
            min_size=0,
            max_size=size,
            timeout=_CONNECT_TIMEOUT,
            command_timeout=_COMMAND_TIMEOUT,
            init=_prepare_connection,
            server_settings={"application_name": "masking-bridge", "timezone": "UTC"},
        )

    async def open(self) -> None:
        """Make the pool ready; it connects when first used."""
        await self._pool

    async def close(self) -> None:
        await self._pool.close()

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        """A connection of the pool, in no transaction.

        Raises:
            StoreUnavailable: Postgres is away, here or in the body.
        """
        try:
            async with self._pool.acquire(timeout=_ACQUIRE_TIMEOUT) as connection:
                yield connection
        except AWAY as error:
            raise StoreUnavailable("Postgres is away") from error

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        """A connection in a transaction: all of the body, or none of it."""
        async with self.connection() as connection, connection.transaction():
            yield connection

    async def ping(self) -> None:
        """Raises: StoreUnavailable: Postgres does not answer."""
        async with self.connection() as connection:
            await connection.execute("SELECT 1")


async def _prepare_connection(connection: Any) -> None:
    await connection.set_type_codec(
        "jsonb", schema="pg_catalog", encoder=json.dumps, decoder=json.loads
    )
