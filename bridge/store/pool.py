"""The connections to Postgres."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, TypeAlias, cast

import asyncpg
from asyncpg.exceptions import ClientConfigurationError

from bridge.store.errors import StoreMisconfigured, StoreUnavailable
from bridge.store.troubles import (
    AWAY,
    IS_AWAY,
    LEAST_VERSION,
    NOT_THERE,
    OLD_VERSION,
    WRONG,
    WRONG_ENCODING,
    Condition,
    what_is_wrong,
    why_away,
)

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"
Row = asyncpg.Record

_COMMAND_TIMEOUT = 5.0
_CONNECT_TIMEOUT = 5.0
_ACQUIRE_TIMEOUT = 2.0


class Database:
    """A pool that opens without Postgres and tells when it is away."""

    def __init__(
        self,
        url: str,
        *,
        size: int = 10,
        settings: Mapping[str, str] | None = None,
        condition: Condition | None = None,
    ) -> None:
        self._condition = condition
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
        cls,
        url: str,
        *,
        size: int = 10,
        settings: Mapping[str, str] | None = None,
        condition: Condition | None = None,
    ) -> AsyncIterator["Database"]:
        """A database for the length of the block; it connects when first used.

        Args:
            settings: of Postgres, for its connections.
            condition: is told how the pool stands with Postgres, and tells the log.
        """
        database = cls(url, size=size, settings=settings, condition=condition)
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
            StoreMisconfigured: it does not serve us, and will not until something is changed.
        """
        closed, held = True, None
        try:
            async with self._pool.acquire(timeout=_ACQUIRE_TIMEOUT) as proxy:
                held = cast(Connection, proxy)
                try:
                    yield held
                finally:
                    closed = held.is_closed()  # the pool's proxy does not say once it is back
            if self._condition:
                self._condition.connected()
        except (*AWAY, *WRONG) as error:
            _stay_cancelled(error)
            raise self._known(error, in_statement=held is not None) from error
        except StoreMisconfigured as error:  # found by `_prepare_connection`, or in the body
            if self._condition:
                self._condition.note(error.trouble, in_statement=held is not None)
            raise
        except (ValueError, OverflowError) as error:
            if held is None:  # asyncpg reads the URL when it connects
                raise self._known(
                    ClientConfigurationError("its URL"), in_statement=False
                ) from error
            raise
        except asyncpg.InterfaceError as error:
            _stay_cancelled(error)
            # Also raised for a wrong call of ours, which is no reason to try again.
            if closed:
                raise StoreUnavailable("the connection to Postgres was closed") from error
            raise

    def _known(self, error: Exception, *, in_statement: bool) -> StoreUnavailable:
        """What an error of asyncpg's is to the rest of the service."""
        wrong = what_is_wrong(error)
        trouble = wrong or why_away(error)
        if trouble and self._condition and not (trouble in NOT_THERE and self._is_crowded):
            in_statement = in_statement and trouble not in NOT_THERE
            self._condition.note(trouble, in_statement=in_statement)
        if wrong:
            return StoreMisconfigured(wrong)
        return StoreUnavailable("Postgres is away" if trouble in {None, IS_AWAY} else str(trouble))

    @property
    def _is_crowded(self) -> bool:
        """Whether others of ours have every connection: then to get none says nothing."""
        pool = self._pool
        return pool.get_size() >= pool.get_max_size() and pool.get_idle_size() == 0

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
    """Raises: StoreMisconfigured: this Postgres, or its database, is none that we can work with."""
    if connection.get_server_version().major < LEAST_VERSION:
        raise StoreMisconfigured(OLD_VERSION)
    if connection.get_settings().server_encoding.upper() != "UTF8":
        raise StoreMisconfigured(WRONG_ENCODING)
    await connection.set_type_codec(
        "jsonb", schema="pg_catalog", encoder=json.dumps, decoder=json.loads
    )


async def _give_back(_connection: Any) -> None:
    """Leave a connection as it is, for nothing of ours changes its session: locks, listeners and
    settings end with a transaction, or with the connection.  asyncpg's own way, which undoes all
    that might have been changed, costs a round trip for each use of a connection.
    """
