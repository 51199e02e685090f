"""Who is woken for what: whoever looks on for every event, whoever sends for what is to be sent."""

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import pytest

from bridge.aio import alongside
from bridge.domain.requests import SessionChange
from bridge.store import listener
from bridge.store.calls import Calls
from bridge.store.event_log import EventLog
from bridge.store.listener import Listener
from bridge.store.outbox import DELIVERY_CHANNEL, EVENT_CHANNEL
from bridge.store.pool import Connection, Database
from tests.adapters.conftest import BY, sessions_of
from tests.adapters.test_webhooks import Sessions, a_call, calls, session

__all__ = ["calls", "session"]  # fixtures

URL = "https://x.test/"


class Ear:
    """What Postgres tells, on a connection of its own."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._told: asyncio.Queue[str] = asyncio.Queue()

    async def listen(self) -> None:
        for channel in (EVENT_CHANNEL, DELIVERY_CHANNEL, "that_is_all"):
            await self._connection.add_listener(channel, self._hear)

    async def heard(self) -> set[str]:
        """The channels on which something was told since this was asked last."""
        await self._connection.execute("NOTIFY that_is_all")
        told = set()
        while (channel := await self._told.get()) != "that_is_all":
            told.add(channel)
        return told

    def _hear(self, _connection: object, _pid: int, channel: str, _payload: object) -> None:
        self._told.put_nowait(channel)


@pytest.fixture
async def ear(database_url: str) -> AsyncIterator[Ear]:
    connection = await asyncpg.connect(database_url)
    ear = Ear(connection)
    await ear.listen()
    yield ear
    await connection.close()


async def test_nobody_who_sends_is_woken_for_what_goes_nowhere(
    calls: Calls, database: Database, session: Sessions, ear: Ear
) -> None:
    await a_call(calls, database, await session(None))
    assert await ear.heard() == {EVENT_CHANNEL}


async def test_whoever_sends_is_woken_for_what_is_new_and_what_goes_elsewhere(
    calls: Calls, database: Database, session: Sessions, ear: Ear
) -> None:
    made = await session(URL)
    await a_call(calls, database, made)
    assert await ear.heard() == {EVENT_CHANNEL, DELIVERY_CHANNEL}
    change = SessionChange(options={"callback_url": "https://y.test/"})
    await sessions_of(database).update(made.session.account, made.session.id, change, BY)
    assert await ear.heard() == {DELIVERY_CHANNEL}


async def test_whoever_sends_is_woken_for_what_is_to_be_sent_again(
    calls: Calls, database: Database, session: Sessions, ear: Ear
) -> None:
    made = await session(URL)
    await a_call(calls, database, made)
    async with database.connection() as connection:
        dead = [
            row["event"]
            for row in await connection.fetch("UPDATE delivery SET state = 'dead' RETURNING event")
        ]
    await ear.heard()
    log = EventLog(database)
    assert await log.replay(made.session.account, dead[0]) is None
    assert await ear.heard() == {DELIVERY_CHANNEL}
    assert await log.replay_dead(made.session.account) == len(dead) - 1
    assert await ear.heard() == {DELIVERY_CHANNEL}


async def test_whoever_is_told_all_the_time_need_not_ask_whether_it_still_hears(
    database: Database, database_url: str
) -> None:
    looks: asyncio.Queue[None] = asyncio.Queue()

    async def look() -> None:
        looks.put_nowait(None)

    asked: list[str] = []
    async with Database.opened(database_url, size=1) as its_own:
        async with its_own.connection() as connection:
            connection.add_query_logger(lambda logged: asked.append(logged.query))
        async with alongside(Listener(its_own, [EVENT_CHANNEL], look).run()):
            await looks.get()
            for _ in range(3):
                async with database.connection() as another:
                    await another.execute(f"NOTIFY {EVENT_CHANNEL}")
                await looks.get()
    assert asked == [f'LISTEN "{EVENT_CHANNEL}"']


async def test_a_connection_that_is_lost_in_silence_is_made_anew(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listener, "_LOOK_INTERVAL", 0.01)
    looked = asyncio.Event()

    async def look() -> None:
        looked.set()

    theirs = (
        "SELECT pid FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    async with alongside(Listener(database, [EVENT_CHANNEL], look).run()):
        await looked.wait()
        async with database.connection() as connection, asyncio.timeout(10):
            lost = await connection.fetchval(theirs)
            await connection.execute("SELECT pg_terminate_backend($1, 5000)", lost)
            while await connection.fetchval(theirs) in (lost, None):
                pass
