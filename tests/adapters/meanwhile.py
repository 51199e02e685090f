"""What happens meanwhile, behind the API's back."""

import uuid

import asyncpg

from bridge.store.pool import Database
from tests.adapters.test_api import A_CALL
from tests.people import ALICE, BOB, VIRTUAL


async def alice_calls_bob(database: Database, session: str) -> None:
    """A call of that session, of three seconds and two legs."""
    async with database.connection() as connection:
        await connection.execute(A_CALL, uuid.UUID(session), VIRTUAL.e164, ALICE.e164, BOB.e164)


async def postgres_fails_over(database_url: str) -> None:
    """Every connection is lost; from now on Postgres answers, but takes no changes."""
    connection = await asyncpg.connect(database_url)
    name = await connection.fetchval("SELECT current_database()")
    await connection.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    await connection.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    await connection.close()
