"""The named statements of ``sql/queries``, loaded once."""

import functools
from pathlib import Path
from typing import Any

import aiosql


def sql_root() -> Path:
    """``sql/`` beside the package in a checkout, inside it in an installed wheel."""
    packaged = Path(__file__).parents[1] / "_sql"
    return packaged if packaged.is_dir() else Path(__file__).parents[2] / "sql"


@functools.cache
def load() -> Any:
    """Every statement as a coroutine function: ``load().name(connection, argument=...)``."""
    return aiosql.from_path(sql_root() / "queries", "asyncpg", mandatory_parameters=False)
