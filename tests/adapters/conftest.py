"""A real Postgres, an empty database of it for each test, and the API over it."""

import asyncio
import dataclasses
import itertools
import json
import re
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import asyncpg
import pytest
from aiohttp.test_utils import TestClient, TestServer

from bridge.api.answers.fields import Error
from bridge.api.app import make_app
from bridge.api.limits import RateLimit
from bridge.api.media import MediaAccess
from bridge.api.openapi import describe
from bridge.api.operations import OPERATIONS
from bridge.api.sessions import SessionDefaults
from bridge.domain.egress import EgressRules
from bridge.domain.grants import read_ranges
from bridge.domain.readiness import Need, Part, Parts, Trouble, by_name
from bridge.domain.reports import SessionReport
from bridge.domain.requests import By, NewSession
from bridge.domain.signed_urls import UrlSigner
from bridge.embedded.postgres import Postgres
from bridge.embedded.processes import free_port
from bridge.recordings.files import Archive, DirectoryArchive
from bridge.store.accounts import Accounts
from bridge.store.call_reports import CallReports
from bridge.store.event_feed import EventFeed
from bridge.store.event_log import EventLog
from bridge.store.grants import Grants
from bridge.store.migrations import migrate
from bridge.store.numbers import Numbers
from bridge.store.orders import Orders
from bridge.store.pool import Database
from bridge.store.recordings import Recordings
from bridge.store.replacements import Replacements
from bridge.store.sessions import Sessions
from bridge.store.subaccounts import Subaccounts
from tests.people import ALICE, BOB, VIRTUAL

TOKEN = "7" * 64
BY = By("a test")
PARTIES = {"first_party": ALICE.e164, "second_party": BOB.e164}

GRANTED = [
    *(f"+1{area}5550100-+1{area}5550199" for area in (202, 216, 303, 415)),
    "+12025551000-+12025551099",
    "+442079460000-+442079460999",
    "+18005550100-+18005550199",
]
"""What the account of `api` may add: most of the numbers of the tests, parties' among them."""

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
async def database_url(postgres: Postgres, migrated: str) -> AsyncIterator[str]:
    async with _new_database(postgres, template=migrated) as url:
        yield url


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    async with Database.opened(database_url, size=20) as database:
        yield database


@pytest.fixture
async def account(database: Database) -> str:
    return await Accounts(database).create("Acme", token=TOKEN)


def sessions_of(database: Database) -> Sessions:
    return Sessions(database, Orders(database, node="here"))


async def session_between(database: Database, account: str, **changes: Any) -> SessionReport:
    """A session of Alice and Bob on a number of its own account."""
    await Numbers(database, trunk="carrier").add(account, [VIRTUAL])
    wanted = NewSession(
        account=account,
        first_party=ALICE,
        second_party=BOB,
        expiry=3600,
        ring_timeout=30,
        call_time_limit=600,
        options={},
    )
    made = await sessions_of(database).create(dataclasses.replace(wanted, **changes), BY)
    assert isinstance(made, SessionReport)
    return made


@pytest.fixture
async def session(database: Database, account: str) -> SessionReport:
    return await session_between(database, account)


class Api:
    """An account's requests."""

    def __init__(self, client: "TestClient[Any, Any]", account: str) -> None:
        self.client = client
        self.account = account
        self.auth = {"Authorization": aiohttp.encode_basic_auth(account, TOKEN)}

    async def __call__(
        self, method: str, path: str, body: Any = None, **options: Any
    ) -> tuple[int, dict[str, Any]]:
        """Status and body; a path that does not begin with a slash is the account's own."""
        full = path if path.startswith("/") else f"/v1/Account/{self.account}/{path}"
        options.setdefault("headers", self.auth)
        if body is not None:
            options["data"] = body if isinstance(body, str | bytes) else json.dumps(body)
        async with self.client.request(method, full, **options) as response:
            text = await response.text()
            content = json.loads(text) if text else {}
            self._assert_as_described(method, response, content)
            return response.status, content

    def _assert_as_described(
        self, method: str, response: aiohttp.ClientResponse, content: dict[str, Any]
    ) -> None:
        """Every answer, of whatever test, is one that the API's description has."""
        operation = next(
            (
                one
                for one in OPERATIONS
                if one.method == method and _matches(one.path, response.url.raw_path)
            ),
            None,
        )
        if operation and response.status == operation.success:
            if operation.returns:
                operation.returns.model_validate(content)
            else:
                assert content == {}
        elif operation and operation.tries and response.status == 200:
            operation.tries.model_validate(content)
        elif operation is None or not operation.public:
            Error.model_validate(content)
        if operation and not operation.public:
            documented = describe([operation])["paths"][f"{operation.path}/"][method.lower()]
            assert str(response.status) in documented["responses"]

    async def session(self, **arguments: Any) -> dict[str, Any]:
        status, made = await self("POST", "Masking/Session/", {**PARTIES, **arguments})
        assert status == 201, made
        return made


def _matches(pattern: str, path: str) -> bool:
    return bool(re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", pattern) + "/?", path))


class NoPrompts:
    """Where nothing is kept at hand."""

    def prefetch(self, urls: Iterable[str]) -> None:
        pass


class Ready:
    """Readiness as a test sets it."""

    def __init__(self) -> None:
        self.parts = by_name(
            [
                Part("postgres", frozenset(Need)),
                Part("asterisk", frozenset({Need.CALLS})),
                Part("prompt_directory", frozenset()),
            ]
        )

    def lacks(self, name: str, trouble: Trouble) -> None:
        self.parts = {**self.parts, name: dataclasses.replace(self.parts[name], trouble=trouble)}

    async def __call__(self) -> Parts:
        return self.parts


@pytest.fixture
def ready() -> Ready:
    return Ready()


@pytest.fixture
def rate_limit() -> int:
    """Requests that an account may send; the clock of the limit stands still."""
    return 10_000


@dataclasses.dataclass
class Clock:
    """Unix time, as a test sets it."""

    time: float = 1_767_268_800.0

    def __call__(self) -> float:
        return self.time


@pytest.fixture
def clock() -> Clock:
    """By which URLs of recordings are over."""
    return Clock()


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    return DirectoryArchive(tmp_path / "recordings")


@pytest.fixture
async def api(
    database: Database,
    account: str,
    ready: Ready,
    rate_limit: int,
    archive: Archive,
    clock: Clock,
) -> AsyncIterator[Api]:
    await Numbers(database, trunk="carrier").add(account, [VIRTUAL])
    await Grants(database).grant(account, read_ranges(GRANTED), by="a test")
    app = make_app(
        accounts=Accounts(database),
        calls=CallReports(database),
        events=EventLog(database),
        feed=EventFeed(database),
        grants=Grants(database),
        limit=RateLimit(rate_limit, now=lambda: 0.0),
        media=MediaAccess(archive, UrlSigner(b"a secret", lifetime=60), "", now=clock),
        numbers=Numbers(database, trunk="carrier"),
        recordings=Recordings(database),
        replacements=Replacements(database),
        orders=Orders(database, node="here"),
        sessions=sessions_of(database),
        subaccounts=Subaccounts(database),
        defaults=SessionDefaults(expiry=3600, ring_timeout=120, call_time_limit=3600),
        egress_rules=EgressRules(),
        prompts=NoPrompts(),
        readiness=ready,
    )
    async with TestClient(TestServer(app)) as client:
        yield Api(client, account)


@pytest.fixture(autouse=True)
def _what_failed_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """An event is sent again when the test says so, and not because a second has passed."""
    monkeypatch.setattr("bridge.domain.delivery._FIRST_DELAY", 300.0)
