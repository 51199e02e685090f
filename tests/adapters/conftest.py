"""A real Postgres, and an empty database of it for each test."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import asyncpg
import pytest

from bridge.embedded.postgres import Postgres
from bridge.embedded.processes import free_port
from bridge.store.accounts import Accounts
from bridge.store.migrations import migrate
from bridge.store.pool import Database

TOKEN = "7" * 64

_NAMES = (f"test_{number}" for number in itertools.count())


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    postgres = Postgres(tmp_path_factory.mktemp("postgres"), port=free_port(), durable=False)
    postgres.start()
    yield postgres
    postgres.stop()


@asynccontextmanager
async def _new_database(postgres: Postgres, *, template: str) -> AsyncIterator[str]:
    """URL of a new database, which is dropped at the end."""
    name = next(_NAMES)
    server = await asyncpg.connect(postgres.url)
    await server.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
    yield postgres.url.removesuffix("/postgres") + f"/{name}"
    await server.execute(f"DROP DATABASE {name} WITH (FORCE)")
    await server.close()


@pytest.fixture
async def empty_database(postgres: Postgres) -> AsyncIterator[Database]:
    """Without a schema."""
    async with (
        _new_database(postgres, template="template0") as url,
        Database.opened(url) as database,
    ):
        yield database


@pytest.fixture(scope="session")
def migrated(postgres: Postgres) -> str:
    """Name of a database that has the schema, to be copied."""

    async def make() -> None:
        server = await asyncpg.connect(postgres.url)
        await server.execute("CREATE DATABASE migrated")
        await server.close()
        async with Database.opened(postgres.url.removesuffix("postgres") + "migrated") as database:
            await migrate(database)

    with asyncio.Runner(loop_factory=asyncio.new_event_loop) as runner:
        runner.run(make())
    return "migrated"


@pytest.fixture
async def database(postgres: Postgres, migrated: str) -> AsyncIterator[Database]:
    async with (
        _new_database(postgres, template=migrated) as url,
        Database.opened(url, size=20) as database,
    ):
        yield database


@pytest.fixture
async def account(database: Database) -> str:
    return await Accounts(database).create("Acme", token=TOKEN)
