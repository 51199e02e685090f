"""A Postgres that is wrong, and not away: it is said at once what must be changed."""

import asyncio
import contextlib
import itertools
import os
import secrets
import signal
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import pytest
import structlog

from bridge.domain.numbers import PhoneNumber
from bridge.domain.readiness import Trouble
from bridge.embedded.install import install_pooler
from bridge.embedded.postgres import Postgres
from bridge.embedded.processes import Child, free_port, is_free, until
from bridge.store import troubles
from bridge.store.checkup import Checkup
from bridge.store.errors import StoreMisconfigured, StoreUnavailable
from bridge.store.migrations import migrate
from bridge.store.numbers import Numbers
from bridge.store.outbox import BY_INDEX
from bridge.store.pool import Database, _prepare_connection

PASSWORD = "not-in-any-message"  # noqa: S105 - of roles that live for a test


class Wrong:
    """What a test makes wrong, and undoes at the end.  Each way gives the URL to be used."""

    def __init__(self, postgres: Postgres, url: str, server: Any) -> None:
        self.url = url
        self._postgres = postgres
        self._server = server
        self._undo = contextlib.AsyncExitStack()

    async def __aenter__(self) -> "Wrong":
        await self._undo.__aenter__()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._undo.aclose()

    @property
    def database_name(self) -> str:
        return urlsplit(self.url).path[1:]

    def of(self, user: str, *, password: str = PASSWORD, query: str = "", name: str = "") -> str:
        place = f"127.0.0.1:{self._postgres.port}/{name or self.database_name}"
        return f"postgresql://{user}:{password}@{place}{query}"

    async def role(self, *rights: str, options: str = "LOGIN") -> str:
        """A new role with some rights in the database."""
        name = f"role_{secrets.token_hex(4)}"
        await self._server.execute(f"CREATE ROLE {name} {options} PASSWORD '{PASSWORD}'")
        self._undo.push_async_callback(self._drop, name)
        connection = await asyncpg.connect(self.url)
        for right in rights:
            await connection.execute(f"GRANT {right} TO {name}")
        await connection.close()
        return name

    async def _drop(self, role: str) -> None:
        connection = await asyncpg.connect(self.url)
        await connection.execute(f"DROP OWNED BY {role}")
        await connection.close()
        await self._server.execute(f"DROP ROLE {role}")

    # --- the ways ---

    async def password(self) -> str:
        return self.of(await self.role(), password="guessed-" + PASSWORD)

    async def user(self) -> str:
        return self.of("nobody-knows")

    async def login(self) -> str:
        return self.of(await self.role(options="NOLOGIN"))

    async def database(self) -> str:
        return self.of(await self.role(), name="nothing_here")

    async def rights_to_make_tables(self) -> str:
        return self.of(await self.role())

    async def rights_to_connect(self) -> str:
        await self._server.execute(f"REVOKE CONNECT ON DATABASE {self.database_name} FROM PUBLIC")
        return self.of(await self.role())

    async def search_path(self) -> str:
        name = await self.role()
        await self._server.execute(f"ALTER ROLE {name} SET search_path = nowhere")
        return self.of(name)

    async def encoding(self) -> str:
        await self._server.execute(
            "CREATE DATABASE in_latin ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0"
        )
        self._undo.push_async_callback(self._server.execute, "DROP DATABASE in_latin WITH (FORCE)")
        return self.of(await self.role("ALL ON SCHEMA public"), name="in_latin")

    async def port(self) -> str:
        """Of a server of something else, which speaks first."""

        async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(b"SSH-2.0-OpenSSH_9.2\r\n")
            await reader.read(100)
            writer.close()

        server = await asyncio.start_server(greet, "127.0.0.1", 0)
        self._undo.callback(server.close)
        port = server.sockets[0].getsockname()[1]
        return f"postgresql://bridge:{PASSWORD}@127.0.0.1:{port}/masking"

    async def tls(self) -> str:
        return self.of(await self.role(), query="?sslmode=require")

    async def ssl_mode(self) -> str:
        return self.of("bridge", query="?sslmode=perhaps")

    async def pooler(self) -> str:
        return await self._pgbouncer()

    async def pooler_without_the_database(self) -> str:
        return (await self._pgbouncer()).rpartition("/")[0] + "/nothing_here"

    async def _pgbouncer(self) -> str:
        """A PgBouncer as Debian has it, before the test's own database."""
        program, port = await asyncio.to_thread(install_pooler), free_port()
        there = urlsplit(self.url)
        # Another user, for PgBouncer refuses to be root, cannot read what is below pytest's own.
        directory = Path(self._undo.enter_context(tempfile.TemporaryDirectory()))
        directory.chmod(0o755)
        options = directory / "pgbouncer.ini"
        options.write_text(
            f"[databases]\n{self.database_name} = host=127.0.0.1 port={there.port}"
            f" user={there.username} password={there.password}\n"
            f"[pgbouncer]\nlisten_addr=127.0.0.1\nlisten_port={port}\nauth_type=any\n"
            "unix_socket_dir=\npool_mode=session\nlogfile=\n"
        )
        options.chmod(0o644)
        child = Child(
            "PgBouncer",
            [program, "-q", str(options)],
            log_file=directory / "log",
            user=["--reuid=65534", "--regid=65534", "--clear-groups"] if os.geteuid() == 0 else (),
        )
        await asyncio.to_thread(child.start, lambda: not is_free("127.0.0.1", port), within=30)
        self._undo.callback(child.stop)
        return f"postgresql://bridge:{PASSWORD}@127.0.0.1:{port}/{self.database_name}"


@pytest.fixture
async def wrong(postgres: Postgres, empty_database: Database) -> AsyncIterator[Wrong]:
    """On a database without a schema."""
    async with empty_database.connection() as connection:
        name = await connection.fetchval("SELECT current_database()")
    server = await asyncpg.connect(postgres.url)
    url = postgres.url.removesuffix("/postgres") + f"/{name}"
    async with Wrong(postgres, url, server) as made:
        yield made
    await server.close()


WAYS: Mapping[str, Trouble] = {
    "password": troubles.WRONG_PASSWORD,
    "user": troubles.WRONG_PASSWORD,
    "login": troubles.LOGIN_REFUSED,
    "database": troubles.NO_DATABASE,
    "rights_to_make_tables": troubles.NO_RIGHTS,
    "rights_to_connect": troubles.NO_RIGHTS,
    "search_path": troubles.NO_SCHEMA,
    "encoding": troubles.WRONG_ENCODING,
    "port": troubles.NOT_POSTGRES,
    "tls": troubles.NOT_POSTGRES,
    "ssl_mode": troubles.WRONG_URL,
    "pooler": troubles.POOLER_REFUSES,
    "pooler_without_the_database": troubles.POOLER_UNKNOWING,
}


@pytest.mark.parametrize("way", WAYS)
async def test_a_bridge_does_not_start_on_a_wrong_postgres_and_says_in_a_line_what_to_do(
    wrong: Wrong, way: str, tmp_path: Path
) -> None:
    url = await getattr(wrong, way)()
    done = await asyncio.to_thread(bridge, url, tmp_path, "serve")
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == f"masking-bridge: {WAYS[way]}"
    assert "Traceback" not in done.stderr
    assert PASSWORD not in done.stderr


@pytest.mark.parametrize("way", [way for way in WAYS if way != "pooler"])
async def test_so_does_every_command(
    wrong: Wrong, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All of them open the database by `migrate` first.  By a pooler, what they do can be done."""
    condition = troubles.Condition("test")
    async with Database.opened(await getattr(wrong, way)(), condition=condition) as database:
        with pytest.raises(StoreMisconfigured) as error:
            await migrate(database)
    assert error.value.trouble == condition.trouble == WAYS[way]
    assert PASSWORD not in str(error.value)


async def test_a_command_says_it_in_one_line(wrong: Wrong, tmp_path: Path) -> None:
    url = await wrong.password()
    for command in (["migrate"], ["account", "list"], ["rates", "list"]):
        done = await asyncio.to_thread(bridge, url, tmp_path, *command)
        assert done.returncode == 1
        assert done.stderr == f"masking-bridge: {troubles.WRONG_PASSWORD}\n"


async def test_webhooks_behind_a_pooler_that_refuses_them_are_not_silent(wrong: Wrong) -> None:
    """Calls and requests go through it, and events do not: they ask for settings of Postgres."""
    url = await wrong.pooler()
    condition = troubles.Condition("events")
    async with Database.opened(url, settings=BY_INDEX, condition=condition) as events:
        with structlog.testing.capture_logs() as logs:
            for _ in range(3):
                with pytest.raises(StoreUnavailable):
                    await events.ping()
    assert condition.trouble is troubles.POOLER_REFUSES
    assert [(one["event"], one["trouble"]) for one in logs] == [
        ("postgres cannot be used", "pooler-refuses")
    ]
    async with Database.opened(url) as calls:
        await calls.ping()


async def test_a_right_that_is_missing_loses_nothing_and_is_named(
    wrong: Wrong, empty_database: Database
) -> None:
    await migrate(empty_database)
    role = await wrong.role("SELECT ON ALL TABLES IN SCHEMA public")
    condition = troubles.Condition("test")
    async with Database.opened(wrong.of(role), condition=condition) as database:
        assert await migrate(database) == []  # nothing is to be made: no right to make it is needed
        with pytest.raises(StoreMisconfigured):
            await Numbers(database, trunk="carrier").add("MA", [PhoneNumber("+12025550150")])
        assert condition.trouble is troubles.NO_RIGHTS
        await database.ping()
        assert condition.trouble is troubles.NO_RIGHTS  # to read is no proof
        connection = await asyncpg.connect(wrong.url)
        await connection.execute(f"GRANT ALL ON ALL TABLES IN SCHEMA public TO {role}")
        await connection.execute(f"GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO {role}")
        await connection.close()
        await Checkup(database, condition).look()
        assert condition.trouble is None


async def test_a_bridge_waits_for_a_database_that_takes_no_writes_and_says_so(
    wrong: Wrong, tmp_path: Path
) -> None:
    """A standby may be about to be made the primary."""
    server = await asyncpg.connect(wrong.url)
    name = wrong.database_name
    await server.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    with serving(wrong.url, tmp_path) as ask:
        assert await asyncio.to_thread(until, lambda: '"read-only"' in ask("/readyz/api")[1])
        await server.execute("SET default_transaction_read_only = off")
        await server.execute(f"ALTER DATABASE {name} RESET default_transaction_read_only")
        # Connections keep the setting with which they began.
        await server.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = $1 AND pid <> pg_backend_pid()",
            name,
        )
        assert await asyncio.to_thread(until, lambda: ask("/readyz/api")[0] == 200)
        # And it sees one that becomes so, and a schema that is not ours any more.
        await server.execute("UPDATE schema_migration SET sha256 = '' WHERE version = 1")
        await server.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
        await server.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = $1 AND pid <> pg_backend_pid()",
            name,
        )
        assert await asyncio.to_thread(
            until,
            lambda: all(word in ask("/readyz")[1] for word in ('"read-only"', '"schema-behind"')),
        )
        assert 'masking_part_trouble{part="postgres",trouble="read-only"} 1.0' in ask("/metrics")[1]
    await server.close()


async def test_a_newer_schema_is_not_ours_and_a_table_of_another_s_is_told(
    empty_database: Database,
) -> None:
    await migrate(empty_database)
    checkup = Checkup(empty_database, troubles.Condition("test"))
    assert (await checkup.schema()).is_well
    async with empty_database.connection() as connection:
        await connection.execute("INSERT INTO schema_migration VALUES (9999, '', now())")
    assert str((await checkup.schema()).trouble).startswith("The database is at version 9999")


@pytest.mark.parametrize(
    ("version", "encoding", "trouble"),
    [
        (13, "UTF8", troubles.OLD_VERSION),
        (14, "SQL_ASCII", troubles.WRONG_ENCODING),
    ],
)
async def test_a_postgres_that_is_too_old_or_keeps_no_utf_8_is_not_used(
    version: int, encoding: str, trouble: Trouble
) -> None:
    connection = SimpleNamespace(
        get_server_version=lambda: SimpleNamespace(major=version),
        get_settings=lambda: SimpleNamespace(server_encoding=encoding),
    )
    with pytest.raises(StoreMisconfigured) as error:
        await _prepare_connection(connection)
    assert error.value.trouble is trouble


async def test_what_is_away_is_told_from_what_is_wrong() -> None:
    """And has a name, too, by which one finds what to do."""
    for place, trouble in {
        f"127.0.0.1:{free_port()}": troubles.IS_AWAY,
        "nowhere.invalid": troubles.NO_HOST,
        "/masking?host=/nowhere": troubles.NO_FILE,
    }.items():
        condition = troubles.Condition("test")
        async with Database.opened(
            f"postgresql://bridge:{PASSWORD}@{place}", condition=condition
        ) as database:
            with pytest.raises(StoreUnavailable) as error:
                await database.ping()
        assert not isinstance(error.value, StoreMisconfigured)
        assert condition.trouble is trouble


def test_what_is_wrong_is_logged_when_it_begins_once_a_minute_and_when_it_is_over() -> None:
    seconds = itertools.count()
    condition = troubles.Condition("test", now=lambda: next(seconds))
    with structlog.testing.capture_logs() as logs:
        for _ in range(150):
            condition.note(troubles.WRONG_PASSWORD)
        condition.connected()
        condition.connected()
    assert [one["event"] for one in logs] == [
        "postgres cannot be used",
        "postgres still cannot be used",
        "postgres still cannot be used",
        "postgres can be used again",
    ]


def bridge(url: str, directory: Path, *command: str) -> "subprocess.CompletedProcess[str]":
    """What a command says on that database."""
    return subprocess.run(
        [sys.executable, "-m", "bridge", *command],
        env=environment(url, directory, free_port()),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def environment(url: str, directory: Path, port: int) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "BRIDGE_DATABASE_URL": url,
        "BRIDGE_ARI_PASSWORD": "3f9c1e7ab2d84056c9e1b7",
        "BRIDGE_ARI_URL": "http://127.0.0.1:9",
        "BRIDGE_API_PORT": str(port),
        "BRIDGE_PROMPT_DIRECTORY": str(directory / "prompts"),
    }


@contextlib.contextmanager
def serving(url: str, directory: Path) -> Iterator[Callable[[str], tuple[int, str]]]:
    """A bridge that is up; gives what asks it for a path: status and text, or 0."""
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "bridge", "serve"],
        env=environment(url, directory, port),
        stderr=subprocess.DEVNULL,
    )

    def ask(path: str) -> tuple[int, str]:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()
        except OSError:
            return 0, ""

    try:
        yield ask
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
