"""The named statements of ``sql/queries``, loaded once."""

import functools
from collections.abc import AsyncGenerator, Sequence
from pathlib import Path
from typing import Any

import aiosql
from aiosql.adapters.asyncpg import AsyncPGAdapter


def sql_root() -> Path:
    """``sql/`` beside the package in a checkout, inside it in an installed wheel."""
    packaged = Path(__file__).parents[1] / "_sql"
    return packaged if packaged.is_dir() else Path(__file__).parents[2] / "sql"


class _OnConnections(AsyncPGAdapter):
    """aiosql's own lists all that a connection has for each statement, to see whether it is a pool.

    That took 2 % of the bridge's time.
    """

    async def select(
        self, conn: Any, query_name: str, sql: str, parameters: Any, record_class: Any = None
    ) -> AsyncGenerator[Any, None]:
        for row in await conn.fetch(sql, *self._ordered(query_name, parameters)):
            yield row

    async def select_one(
        self, conn: Any, query_name: str, sql: str, parameters: Any, record_class: Any = None
    ) -> Any:
        return await conn.fetchrow(sql, *self._ordered(query_name, parameters))

    async def select_value(self, conn: Any, query_name: str, sql: str, parameters: Any) -> Any:
        return await conn.fetchval(sql, *self._ordered(query_name, parameters))

    async def insert_update_delete(
        self, conn: Any, query_name: str, sql: str, parameters: Any
    ) -> None:
        await conn.execute(sql, *self._ordered(query_name, parameters))

    async def insert_update_delete_many(
        self, conn: Any, query_name: str, sql: str, parameters: Any
    ) -> None:
        await conn.executemany(sql, [self._ordered(query_name, one) for one in parameters])

    def _ordered(self, query_name: str, parameters: Any) -> Sequence[Any]:
        return [parameters[name] for name in self.var_sorted[query_name]]


@functools.cache
def load() -> Any:
    """Every statement as a coroutine function: ``load().name(connection, argument=...)``."""
    return aiosql.from_path(sql_root() / "queries", _OnConnections, mandatory_parameters=False)
