"""``masking-bridge events``, as an operator types it wrongly, and while Postgres is away."""

import asyncio
import contextlib
import json
import os
import re
import secrets
import signal
import sys
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
import pytest

from bridge.embedded.postgres import Postgres
from bridge.store.pool import Database
from tests.adapters.test_command_line import NOBODY, Terminal, masking_bridge

__all__ = ["masking_bridge"]  # a fixture


class Relay:
    """Postgres at another port, which can be away."""

    def __init__(self, to_port: int) -> None:
        self._to_port = to_port
        self._server: asyncio.Server | None = None
        self._lines: list[asyncio.StreamWriter] = []
        self.port = 0

    async def opens(self) -> None:
        self._server = await asyncio.start_server(self._join, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def closes(self) -> None:
        assert self._server
        self._server.close()
        for line in self._lines:
            line.close()
        await self._server.wait_closed()

    async def _join(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._to_port)
        self._lines += [writer, far_writer]
        async with asyncio.TaskGroup() as both:
            both.create_task(_pass_on(reader, far_writer))
            both.create_task(_pass_on(far_reader, writer))


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(65536):
            writer.write(data)
    except OSError:
        pass
    writer.close()


@asynccontextmanager
async def tail(
    account: str, database_url: str, piped: str = ""
) -> AsyncIterator[asyncio.subprocess.Process]:
    """``events tail``, once it listens."""
    terminal = await asyncio.create_subprocess_shell(
        f"{sys.executable} -m bridge events tail {account} {piped}",
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        start_new_session=True,
        env={
            **os.environ,
            "BRIDGE_DATABASE_URL": database_url,
            "BRIDGE_ARI_PASSWORD": secrets.token_hex(16),
        },
    )
    try:
        async with asyncio.timeout(30):
            assert await said(terminal.stderr) == "listening"
            yield terminal
    finally:
        if terminal.returncode is None:
            os.killpg(terminal.pid, signal.SIGKILL)
        await terminal.communicate()


async def said(stream: asyncio.StreamReader | None) -> str:
    assert stream
    return (await stream.readline()).decode().rstrip("\n")


async def happens(database: Database, account: str, name: str) -> None:
    async with database.connection() as connection:
        await connection.execute("INSERT INTO event (account, name) VALUES ($1, $2)", account, name)


async def test_what_happens_while_postgres_is_away_is_shown_when_it_is_back(
    database: Database, database_url: str, account: str
) -> None:
    relay = Relay(int(re.findall(r":(\d+)/", database_url)[0]))
    await relay.opens()
    url = re.sub(r":\d+/", f":{relay.port}/", database_url)
    async with tail(account, url) as terminal:
        await relay.closes()
        assert await said(terminal.stderr) == "Postgres is away; waiting"
        await happens(database, account, "meanwhile")
        await relay.opens()
        assert (await said(terminal.stdout)).endswith("account  meanwhile")
    await relay.closes()


async def test_whoever_reads_no_more_ends_it_without_a_traceback(
    database: Database, database_url: str, account: str
) -> None:
    async with tail(account, database_url, "| head -n 1") as terminal:
        while terminal.returncode is None:
            await happens(database, account, "something")
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(0.5):
                    await terminal.wait()
        assert (await said(terminal.stdout)).endswith("something")
        assert await said(terminal.stderr) == ""


@pytest.mark.parametrize(
    "arguments",
    [
        ("list", NOBODY),
        ("tail", NOBODY),
        ("reveals", NOBODY),
        ("replay", NOBODY, "--dead"),
        ("replay", NOBODY, str(uuid.uuid4())),
        ("reveal", NOBODY, str(uuid.uuid4()), "--reason", "x"),
    ],
    ids=lambda arguments: arguments[0],
)
def test_an_account_that_is_none_is_an_error(
    masking_bridge: Terminal, arguments: tuple[str, ...]
) -> None:
    done = masking_bridge("events", *arguments)
    assert done.returncode == 1
    assert (done.stdout, done.stderr) == ("", f"masking-bridge: there is no account {NOBODY}\n")


def test_postgres_that_is_away_is_one_line() -> None:
    done = Terminal("postgresql://bridge:secret@127.0.0.1:1/x")("events", "tail", NOBODY)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "masking-bridge: Postgres is away\n"


async def test_what_a_script_reads_has_no_log_in_it(postgres: Postgres) -> None:
    """Not even of the migrations that the first command of all applies."""
    name = f"fresh_{uuid.uuid4().hex}"
    server = await asyncpg.connect(postgres.url)
    await server.execute(f"CREATE DATABASE {name} TEMPLATE template0")
    url = postgres.url.removesuffix("postgres") + name
    done = await asyncio.to_thread(Terminal(url), "account", "create", "Acme", "--json")
    await server.execute(f"DROP DATABASE {name} WITH (FORCE)")
    await server.close()
    assert json.loads(done.stdout).keys() == {"auth_id", "auth_token"}
