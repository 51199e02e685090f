"""Applying ``sql/migrations``: forward only, each once, never a changed one.

The libraries for this either bring an ORM or a second, blocking driver, or keep no checksum; what
is needed is one file.
"""

import hashlib
import re
from pathlib import Path

import asyncpg
import structlog

from bridge.domain.readiness import Trouble
from bridge.store.errors import SchemaError
from bridge.store.pool import Connection, Database
from bridge.store.queries import sql_root
from bridge.store.troubles import AWAY, WRONG

log = structlog.get_logger(__name__)

_FILE = re.compile(r"(\d{4})_[a-z0-9_]+\.sql")
_LOCK = 0x6D61736B  # "mask": two processes must not migrate at once
_LONGEST = 3600.0  # seconds for one file: a new index takes more than any query may

_JOURNAL = """
CREATE TABLE IF NOT EXISTS schema_migration (
    version    integer PRIMARY KEY,
    sha256     text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now()
)
"""


async def migrate(database: Database, *, directory: Path | None = None) -> list[int]:
    """Bring the schema up to date; the versions that were applied.

    Raises:
        SchemaError: an applied file was changed or is missing, so that nobody knows what the
            schema is; or the database is newer than this program.
        StoreUnavailable: Postgres is away.
    """
    files = _files(directory or sql_root() / "migrations")
    async with database.connection() as connection:
        await connection.execute("SELECT pg_advisory_lock($1)", _LOCK, timeout=_LONGEST)
        try:
            return await _apply(connection, files)
        finally:
            await connection.execute("SELECT pg_advisory_unlock($1)", _LOCK)


async def _apply(connection: Connection, files: dict[int, str]) -> list[int]:
    if not await _has_journal(connection):  # to ask for it anew takes the right to make tables
        await connection.execute(_JOURNAL)
    applied = await _applied(connection)
    for version, sha256 in applied.items():
        if version not in files:
            raise SchemaError(f"the database is at version {version}, which is not known here")
        if _sha256(files[version]) != sha256:
            raise SchemaError(f"migration {version:04} was changed after it was applied")
    new = sorted(files.keys() - applied.keys())
    for version in new:
        try:
            async with connection.transaction():
                await connection.execute(files[version], timeout=_LONGEST)
                await connection.execute(
                    "INSERT INTO schema_migration (version, sha256) VALUES ($1, $2)",
                    version,
                    _sha256(files[version]),
                )
        except (*AWAY, *WRONG):
            raise
        except asyncpg.PostgresError as error:
            raise SchemaError(
                f"migration {version:04} cannot be applied (SQLSTATE {error.sqlstate}):"
                " the database holds something that this program has not made"
            ) from error
        log.info("migration applied", version=version)
    return new


async def schema_trouble(database: Database) -> Trouble | None:
    """What is wrong with the schema of a database that was brought up to date before.

    Another program may have changed it: a newer one, or whoever brought back an old backup.

    Raises:
        StoreUnavailable: Postgres is away.
    """
    files = _files(sql_root() / "migrations")
    async with database.connection() as connection:
        applied = await _applied(connection) if await _has_journal(connection) else {}
    if ahead := sorted(applied.keys() - files.keys()):
        return Trouble(
            "schema-ahead",
            f"The database is at version {ahead[-1]}, which this program does not know",
            "Run the version of this program that was here last",
        )
    changed = [version for version, text in files.items() if applied.get(version) != _sha256(text)]
    if changed:
        return Trouble(
            "schema-behind",
            f"The database lacks migration {changed[0]:04}, or has another of that number",
            "Run `masking-bridge migrate`",
        )
    return None


async def _has_journal(connection: Connection) -> bool:
    found: bool = await connection.fetchval("SELECT to_regclass('schema_migration') IS NOT NULL")
    return found


async def _applied(connection: Connection) -> dict[int, str]:
    rows = await connection.fetch("SELECT version, sha256 FROM schema_migration")
    return {row["version"]: row["sha256"] for row in rows}


def _files(directory: Path) -> dict[int, str]:
    files: dict[int, str] = {}
    for path in sorted(directory.glob("*.sql")):
        match = _FILE.fullmatch(path.name)
        if not match or int(match[1]) in files:
            raise SchemaError(f"{path.name}: must be NNNN_verb_noun.sql, with a number of its own")
        files[int(match[1])] = path.read_text()
    return files


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
