"""The live stream of events: in order, and nothing missed across a reconnect."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from bridge.api.event_stream import FEED, is_position
from bridge.store.calls import Calls
from bridge.store.event_feed import EventFeed
from bridge.store.pool import Database
from tests.adapters.conftest import Api
from tests.adapters.test_calls import arrival, end
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
        names: list[str] = []
        while len(names) < count:
            field, value = await self._line()
            if field == "data":
                names.append(json.loads(value)["event_name"])
        await self._line()  # its id
        return names

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
        found, position = await feed.read(account, begun)
        assert found is not None
        assert [one.event.name for one in found] == ["early"]
        await late.commit()
    found, position = await feed.read(account, position)
    assert found is not None
    assert [one.event.name for one in found] == ["late"]
    assert is_position(position)
    assert await feed.read(account, position) == ([], await feed.position())


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


@pytest.mark.parametrize("last_id", ["x", "5:4:", "1:2:3"])
async def test_a_position_that_is_none_is_refused(api: Api, last_id: str) -> None:
    headers = {**api.auth, "Last-Event-ID": last_id}
    status, refused = await api("GET", "Event/Stream/", headers=headers)
    assert (status, refused["error"]) == (400, "Last-Event-ID is not one of an event.")
