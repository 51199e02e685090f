"""``sql/role.sh``, on a Postgres of its own: the service's role is no superuser."""

import os
import secrets
import subprocess
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from bridge.embedded.postgres import Postgres, _binaries
from bridge.embedded.processes import free_port
from bridge.store.accounts import Accounts
from bridge.store.migrations import migrate
from bridge.store.pool import Database

ROOT = Path(__file__).parents[2]
TOKEN = secrets.token_hex(32)


@pytest.fixture
def postgres(tmp_path: Path) -> Iterator[Postgres]:
    """Its superuser is called bridge, as in a volume of before November 2026."""
    tmp_path.chmod(0o755)
    made = Postgres(tmp_path / "postgres", port=free_port(), durable=False)
    made.start()
    yield made
    made.stop()


def role(postgres: Postgres, superuser: str, service: str) -> "subprocess.CompletedProcess[str]":
    environment = {
        "PATH": f"{_binaries()}:{os.environ['PATH']}",
        "PGHOST": "127.0.0.1",
        "PGPORT": str(postgres.port),
        "POSTGRES_PASSWORD": superuser,
        "DATABASE_PASSWORD": service,
    }
    return subprocess.run(
        [ROOT / "sql/role.sh"], env=environment, capture_output=True, text=True, check=False
    )


def url(postgres: Postgres, user: str, password: str, database: str) -> str:
    return f"postgresql://{user}:{password}@127.0.0.1:{postgres.port}/{database}"


async def test_the_service_works_as_a_role_that_is_no_superuser_in_old_volumes_and_new(
    postgres: Postgres,
) -> None:
    superuser = postgres.url.split(":")[2].partition("@")[0]
    old = await asyncpg.connect(postgres.url)
    await old.execute("CREATE DATABASE masking")
    await old.close()
    async with Database.opened(url(postgres, "bridge", superuser, "masking")) as database:
        await migrate(database)
        auth_id = await Accounts(database).create("Acme", token=TOKEN)

    service = secrets.token_hex(32)
    for _ in range(2):  # the second time there is nothing to do
        done = role(postgres, superuser, service)
        assert (done.returncode, done.stderr) == (0, "")
        async with Database.opened(url(postgres, "bridge", service, "masking")) as database:
            assert await migrate(database) == []
            assert await Accounts(database).authenticate(auth_id, TOKEN)
            async with database.connection() as connection:
                assert await connection.fetchval("SHOW is_superuser") == "off"
                assert not await connection.fetchval(
                    "SELECT bool_or(rolcreatedb OR rolcreaterole OR rolreplication OR rolbypassrls)"
                    " FROM pg_roles WHERE rolname = current_user"
                )

    above = await asyncpg.connect(url(postgres, "postgres", superuser, "postgres"))
    for name in ("masking", "masking_before"):
        await above.execute(f"DROP DATABASE {name}")
    await above.execute("DROP ROLE bridge")
    await above.close()
    assert role(postgres, superuser, service).returncode == 0
    async with Database.opened(url(postgres, "bridge", service, "masking")) as database:
        assert await migrate(database)
        assert await Accounts(database).create("Acme", token=TOKEN)

    changed = secrets.token_hex(32)
    assert role(postgres, superuser, changed).returncode == 0
    async with Database.opened(url(postgres, "bridge", changed, "masking")) as database:
        await database.ping()


@pytest.mark.parametrize("weak", ["short", "a" * 40])
def test_a_password_that_can_be_guessed_is_refused(postgres: Postgres, weak: str) -> None:
    done = role(postgres, secrets.token_hex(32), weak)
    assert done.returncode == 1
    assert done.stderr.startswith("DATABASE_PASSWORD can be guessed: `openssl rand -hex 32`")
    assert weak not in done.stderr
