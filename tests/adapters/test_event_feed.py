"""The live stream of events: in order, and nothing missed across a reconnect."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import pytest
from aiohttp import web

from bridge.api import event_stream
from bridge.api.event_stream import FEED, is_position
from bridge.store.accounts import Accounts
from bridge.store.calls import Calls
from bridge.store.event_feed import EventFeed
from bridge.store.pool import Database
from tests.adapters.conftest import Api
from tests.adapters.test_calls import arrival, end
from tests.adapters.test_lock_order import somebody_waits
from tests.adapters.test_webhooks import TALK, record


class Stream:
    """What an EventSource would make of it."""

    def __init__(self, lines: AsyncIterator[bytes]) -> None:
        self._lines = lines
        self.last_id = ""

    async def opened(self) -> None:
        """Its position is known."""
        while not self.last_id:
            await self._line()

    async def events(self, count: int) -> list[str]:
        """The names of the next ones."""
        return [(await self.event())["event_name"] for _ in range(count)]

    async def event(self) -> dict[str, Any]:
        """The next one, its id read."""
        while (field := await self._line())[0] != "data":
            pass
        event: dict[str, Any] = json.loads(field[1])
        await self._line()
        return event

    async def _line(self) -> tuple[str, str]:
        text = (await anext(self._lines)).decode().rstrip("\n")
        field, _, value = text.partition(": ")
        if field == "id":
            self.last_id = value
        return field, value


@pytest.fixture
async def session(api: Api) -> str:
    made: str = (await api.session())["session_uuid"]
    return made


@asynccontextmanager
async def listening(api: Api, last_id: str = "") -> AsyncIterator[Stream]:
    headers = {**api.auth, **({"Last-Event-ID": last_id} if last_id else {})}
    path = f"/v1/Account/{api.account}/Event/Stream/"
    async with asyncio.timeout(20), api.client.get(path, headers=headers) as response:
        assert response.status == 200
        assert response.content_type == "text/event-stream"
        assert response.headers["X-Accel-Buffering"] == "no"
        stream = Stream(aiter(response.content))
        await stream.opened()
        yield stream


async def a_call(database: Database) -> None:
    calls, one = Calls(database, node="here"), arrival()
    await calls.arrived(one)
    await end(calls, database, record(one))


def feed(api: Api) -> EventFeed:
    found = api.client.app[FEED] if api.client.app else None
    assert isinstance(found, EventFeed)
    return found


@pytest.mark.usefixtures("session")
async def test_events_come_as_they_happen(api: Api, database: Database) -> None:
    async with listening(api) as stream:
        await a_call(database)
        await feed(api).look()
        assert await stream.events(6) == TALK


@pytest.mark.usefixtures("session")
async def test_nothing_is_missed_while_nobody_listens(api: Api, database: Database) -> None:
    async with listening(api) as stream:
        await a_call(database)
        await feed(api).look()
        await stream.events(6)
    await a_call(database)
    async with listening(api, stream.last_id) as again:
        assert await again.events(6) == TALK
    async with listening(api, again.last_id) as idle:
        await a_call(database)
        await feed(api).look()
        assert await idle.events(6) == TALK, "and nothing twice"


@pytest.mark.usefixtures("session")
async def test_what_is_committed_late_is_not_missed(
    api: Api, database: Database, account: str
) -> None:
    """The first to be written is the last to be there."""
    feed = EventFeed(database)
    begun = await feed.position()
    insert = "INSERT INTO event (account, name) VALUES ($1, $2)"
    async with database.connection() as connection:
        late = connection.transaction()
        await late.start()
        await connection.execute(insert, account, "late")
        async with database.connection() as another:
            await another.execute(insert, account, "early")
        assert await read(feed, account, begun) == (["early"], position := await feed.position())
        await late.commit()
    assert await read(feed, account, position) == (["late"], position := await feed.position())
    assert is_position(position)
    assert await read(feed, account, position) == ([], await feed.position())


async def test_events_of_the_account_itself_come_as_they_happened(
    database: Database, account: str
) -> None:
    feed = EventFeed(database)
    begun = await feed.position()
    async with database.connection() as connection:
        for name, days in [("second", 2), ("third", 1), ("first", 3)]:
            await connection.execute(
                "INSERT INTO event (account, name, happened_at)"
                " VALUES ($1, $2, now() - make_interval(days => $3))",
                account,
                name,
                days,
            )
    assert (await read(feed, account, begun))[0] == ["first", "second", "third"]


async def read(feed: EventFeed, account: str, after: str) -> tuple[list[str] | None, str]:
    """Their names."""
    found, position = await feed.read(account, after)
    if found is None:
        return None, position
    return [one.event.name async for piece in found for one in piece], position


async def test_a_stream_ends_when_it_was_asked_to(api: Api) -> None:
    path = f"/v1/Account/{api.account}/Event/Stream/?duration=0"
    async with api.client.get(path, headers=api.auth) as response:
        assert response.status == 200
        await response.read()


async def test_what_is_written_while_a_stream_reads_waits_for_no_heartbeat(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads: list[str] = []
    read_again = asyncio.Event()
    whole = feed(api).read

    async def read(account: str, after: str) -> object:
        found = await whole(account, after)
        reads.append(after)
        if len(reads) == 1:
            await feed(api).look()  # written since
        else:
            read_again.set()
        return found

    monkeypatch.setattr(feed(api), "read", read)
    async with listening(api), asyncio.timeout(5):  # a third of what a heartbeat takes
        await read_again.wait()


async def test_a_stream_does_not_keep_the_service(api: Api) -> None:
    async with listening(api) as stream:
        assert api.client.app
        await api.client.app.shutdown()
        with pytest.raises(StopAsyncIteration):
            await stream.events(1)


async def test_a_token_that_is_revoked_hears_no_more(
    api: Api, database: Database, account: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(event_stream, "_TRUSTED_FOR", 0.0)
    async with listening(api) as stream:
        while await stream._line() != (":", ""):
            pass  # it has looked for the first time
        for token in await Accounts(database).tokens(account):
            await Accounts(database).revoke_token(account, token.id)
        await write(database, account, 1)
        await feed(api).look()
        with pytest.raises(StopAsyncIteration):
            await stream.events(1)


@pytest.mark.parametrize("last_id", ["x", "5:4:", "1:2:3"])
async def test_a_position_that_is_none_is_refused(api: Api, last_id: str) -> None:
    headers = {**api.auth, "Last-Event-ID": last_id}
    status, refused = await api("GET", "Event/Stream/", headers=headers)
    assert (status, refused["error"]) == (400, "Last-Event-ID is not one of an event.")


async def test_a_position_of_another_database_is_told_to_be_none_of_this(
    api: Api, database: Database, account: str
) -> None:
    """As after a restore: what was missed nobody knows."""
    ahead = "999999999:999999999:"
    async with listening(api, ahead) as stream:
        assert await stream._line() == ("", "")
        assert await stream._line() == ("event", "missed")
        assert await stream._line() == ("data", "see the list of events")
        assert (await stream._line())[0] == "id"
        assert stream.last_id != ahead
        await write(database, account, 1)
        await feed(api).look()
        assert await stream.events(1) == ["written"]


async def test_events_restored_from_a_copy_are_not_given_again_and_again(
    database: Database, account: str
) -> None:
    """Their transactions' numbers are of the cluster that was copied."""
    feed = EventFeed(database)
    begun = await feed.position()
    await write(database, account, 1)
    async with database.connection() as connection:
        await connection.execute("UPDATE event SET written_in = '999999999'")
    await write(database, account, 1)
    found, position = await read(feed, account, begun)
    assert found == ["written"]
    assert (await read(feed, account, position))[0] == []


async def test_an_account_has_so_many_streams_and_no_more(api: Api) -> None:
    async with AsyncExitStack() as streams:
        for _ in range(20):
            await streams.enter_async_context(listening(api))
        status, refused = await api("GET", "Event/Stream/")
        assert (status, refused["error"]) == (
            429,
            "This account has 20 streams of events already.",
        )
    async with asyncio.timeout(10):
        while (await api.client.get(**stream_of(api, duration=0))).status == 429:
            await feed(api).look()  # and whoever is gone is noticed


async def test_whoever_reads_no_more_does_not_keep_the_service(
    api: Api, database: Database, account: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_on, is_told = event_stream._write, asyncio.Event()

    async def note(response: web.StreamResponse, text: str) -> None:
        if len(text) > 10_000_000:  # more than lies between us
            is_told.set()
        await write_on(response, text)

    monkeypatch.setattr(event_stream, "_TAKEN_WITHIN", 0.2)
    monkeypatch.setattr(event_stream, "_write", note)
    asked = stream_of(api)
    head = f"GET {asked['path']} HTTP/1.1\r\nHost: x\r\nAuthorization: "
    with socket.socket() as reader:
        reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        reader.connect((api.client.host, api.client.port))
        reader.sendall(f"{head}{api.auth['Authorization']}\r\n\r\n".encode())
        async with asyncio.timeout(20):
            assert await asyncio.to_thread(reader.recv, 100)
            await write(database, account, 201, long=100_000)
            await feed(api).look()
            await is_told.wait()
            assert api.client.server.runner
            await api.client.server.runner.cleanup()


async def test_whoever_was_away_for_long_is_given_all_of_it(
    api: Api, database: Database, account: str
) -> None:
    begun = await feed(api).position()
    await write(database, account, 1234, long=10)
    async with database.connection() as connection:
        ids = await connection.fetch("SELECT id::text FROM event WHERE name = 'written'")
    async with listening(api, begun) as stream:
        given = [await stream.event() for _ in ids]
        assert {one["event_id"] for one in given} == {row["id"] for row in ids}
        assert len(given) == 1234
        assert stream.last_id != begun
    async with listening(api, stream.last_id) as again:
        await write(database, account, 1)
        await feed(api).look()
        assert (await again.event())["event_name"] == "written"


async def test_of_more_than_can_be_remembered_it_is_told(
    database: Database, account: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bridge.store.event_feed._MOST", 3)
    feed = EventFeed(database)
    begun = await feed.position()
    await write(database, account, 3)
    assert (await read(feed, account, begun))[0] == ["written"] * 3
    await write(database, account, 1)
    assert (await read(feed, account, begun)) == (None, await feed.position())


async def test_whoever_streams_leaves_others_their_connections(
    database: Database, database_url: str, account: str
) -> None:
    """Calls have the same ones; and much may be read for one who comes back again and again."""
    async with Database.opened(database_url, size=4) as shared, asyncio.TaskGroup() as group:
        feed = EventFeed(shared)
        begun = await feed.position()
        async with database.transaction() as connection:
            await connection.execute("LOCK TABLE event")
            for _ in range(8):
                group.create_task(feed.read(account, begun))
            await somebody_waits(connection)
            await shared.ping()


def stream_of(api: Api, **query: int) -> dict[str, Any]:
    path = f"/v1/Account/{api.account}/Event/Stream/"
    return {"path": path, "headers": api.auth, "params": query}


async def write(database: Database, account: str, count: int, *, long: int = 2000) -> None:
    async with database.connection() as connection:
        await connection.execute(
            "INSERT INTO event (account, name, attributes)"
            " SELECT $1, 'written', jsonb_build_object('so', repeat('y', $3))"
            " FROM generate_series(1, $2)",
            account,
            count,
            long,
        )
