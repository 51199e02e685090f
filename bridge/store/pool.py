"""The connections to Postgres."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, TypeAlias, cast

import asyncpg

from bridge.store.errors import StoreUnavailable

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"
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
    asyncpg.DeadlockDetectedError,  # one of the two had to give way, and may try again
    asyncpg.SerializationError,
)
"""What asyncpg raises when Postgres cannot now, rather than when a statement is wrong."""


class Database:
    """A pool that opens without Postgres and tells when it is away."""

    def __init__(
        self, url: str, *, size: int = 10, settings: Mapping[str, str] | None = None
    ) -> None:
        self._pool = asyncpg.create_pool(
            url,
            min_size=0,
            max_size=size,
            timeout=_CONNECT_TIMEOUT,
            command_timeout=_COMMAND_TIMEOUT,
            init=_prepare_connection,
            reset=_give_back,
            server_settings={
                "application_name": "masking-bridge",
                "timezone": "UTC",
                **(settings or {}),
            },
        )

    @classmethod
    @asynccontextmanager
    async def opened(
        cls, url: str, *, size: int = 10, settings: Mapping[str, str] | None = None
    ) -> AsyncIterator["Database"]:
        """A database for the length of the block; it connects when first used.

        Args:
            settings: of Postgres, for its connections.
        """
        database = cls(url, size=size, settings=settings)
        await database._pool
        try:
            yield database
        finally:
            # Not close(), which waits for statements that a lost Postgres will never finish.
            database._pool.terminate()

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        """A connection of the pool, in no transaction.

        Raises:
            StoreUnavailable: Postgres is away, here or in the body.
        """
        closed = True
        try:
            async with self._pool.acquire(timeout=_ACQUIRE_TIMEOUT) as proxy:
                held = cast(Connection, proxy)
                try:
                    yield held
                finally:
                    closed = held.is_closed()  # the pool's proxy does not say once it is back
        except AWAY as error:
            _stay_cancelled(error)
            raise StoreUnavailable("Postgres is away") from error
        except asyncpg.InterfaceError as error:
            _stay_cancelled(error)
            # Also raised for a wrong call of ours, which is no reason to try again.
            if closed:
                raise StoreUnavailable("the connection to Postgres was closed") from error
            raise

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        """A connection in a transaction: all of the body, or none of it."""
        async with self.connection() as connection, connection.transaction():
            yield connection

    async def ping(self) -> None:
        """Raises: StoreUnavailable: Postgres does not answer."""
        async with self.connection() as connection:
            await connection.execute("SELECT 1")


def _stay_cancelled(error: Exception) -> None:
    """What a dead connection says as it is given back must not take the place of a cancellation:
    whoever tries again when Postgres is away would then never end.
    """
    task = asyncio.current_task()
    if task and task.cancelling():
        raise asyncio.CancelledError from error


async def _prepare_connection(connection: Any) -> None:
    await connection.set_type_codec(
        "jsonb", schema="pg_catalog", encoder=json.dumps, decoder=json.loads
    )


async def _give_back(_connection: Any) -> None:
    """Leave a connection as it is, for nothing of ours changes its session: locks, listeners and
    settings end with a transaction, or with the connection.  asyncpg's own way, which undoes all
    that might have been changed, costs a round trip for each use of a connection.
    """
