"""Applying ``sql/migrations``: forward only, each once, never a changed one.

The libraries for this either bring an ORM or a second, blocking driver, or keep no checksum; what
is needed is one file.
"""

import hashlib
import re
from pathlib import Path

import structlog

from bridge.store.errors import SchemaError
from bridge.store.pool import Connection, Database
from bridge.store.queries import sql_root

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
    await connection.execute(_JOURNAL)
    rows = await connection.fetch("SELECT version, sha256 FROM schema_migration")
    applied = {row["version"]: row["sha256"] for row in rows}
    for version, sha256 in applied.items():
        if version not in files:
            raise SchemaError(f"the database is at version {version}, which is not known here")
        if _sha256(files[version]) != sha256:
            raise SchemaError(f"migration {version:04} was changed after it was applied")
    new = sorted(files.keys() - applied.keys())
    for version in new:
        async with connection.transaction():
            await connection.execute(files[version], timeout=_LONGEST)
            await connection.execute(
                "INSERT INTO schema_migration (version, sha256) VALUES ($1, $2)",
                version,
                _sha256(files[version]),
            )
        log.info("migration applied", version=version)
    return new


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
