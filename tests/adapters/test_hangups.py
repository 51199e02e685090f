"""A call that its customer wants ended, brought to the bridge that carries it."""

import asyncio
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from bridge.domain.reports import SessionReport
from bridge.store.call_reports import CallReports
from bridge.store.hangups import HANGUP_CHANNEL, Hangups
from bridge.store.listener import Listener
from bridge.store.pool import Database
from tests.adapters.conftest import BY, sessions_of
from tests.people import ALICE, VIRTUAL

A_LIVE_CALL = """
WITH new AS (
    INSERT INTO call (id, node, session, caller_side, virtual_number, caller, started_at)
    VALUES ($1, $2, $3, 'first', $4, $5, now())
    RETURNING id)
INSERT INTO leg (call, role, channel_id, party_number, started_at)
SELECT id, 'a', 'channel', $5, now() FROM new
RETURNING leg.id
"""


class Calls:
    """Live calls of a session, and what was asked for about them."""

    def __init__(self, database: Database, session: SessionReport) -> None:
        self.database = database
        self.session = session.session
        self.asked: asyncio.Queue[uuid.UUID] = asyncio.Queue()

    async def up(self, *, node: str) -> tuple[uuid.UUID, uuid.UUID]:
        """Ids of a call that is up, and of its leg."""
        call_id = uuid.uuid4()
        async with self.database.connection() as connection:
            leg: uuid.UUID = await connection.fetchval(
                A_LIVE_CALL, call_id, node, self.session.id, VIRTUAL.e164, ALICE.e164
            )
        return call_id, leg

    async def next_asked(self) -> uuid.UUID:
        async with asyncio.timeout(10):
            return await self.asked.get()

    @asynccontextmanager
    async def heard_by(self, node: str) -> AsyncIterator[None]:
        hangups = Hangups(self.database, node=node, hang_up=self.asked.put_nowait)
        listener = Listener(self.database, [HANGUP_CHANNEL], hangups.look)
        async with asyncio.TaskGroup() as group:
            listening = group.create_task(listener.run())
            yield
            listening.cancel()


@pytest.fixture
def calls(database: Database, session: SessionReport) -> Calls:
    return Calls(database, session)


async def test_who_ends_a_session_may_end_its_call_too(calls: Calls, database: Database) -> None:
    call_id, _ = await calls.up(node="here")
    async with calls.heard_by("here"):
        one = calls.session
        assert not await sessions_of(database).expire(one.account, one.id, BY, hang_up=True)
        assert await calls.next_asked() == call_id


async def test_a_call_is_ended_by_any_leg_of_it(calls: Calls, database: Database) -> None:
    call_id, leg = await calls.up(node="here")
    reports = CallReports(database)
    async with calls.heard_by("here"):
        assert await reports.hang_up(calls.session.account, leg)
        assert await calls.next_asked() == call_id
    assert not await reports.hang_up("MA" + "X" * 18, leg), "another account's"
    assert not await reports.hang_up(calls.session.account, uuid.uuid4())
    async with database.connection() as connection:
        await connection.execute(
            "UPDATE call SET ended_at = now(), disposition = 'failed', reason = '', fault = 'us'"
        )
    assert not await reports.hang_up(calls.session.account, leg), "it is over"


async def test_what_was_asked_for_while_nobody_listened_is_found(
    calls: Calls, database: Database
) -> None:
    call_id, leg = await calls.up(node="here")
    assert await CallReports(database).hang_up(calls.session.account, leg)
    async with calls.heard_by("here"):
        assert await calls.next_asked() == call_id


async def test_another_bridge_s_call_is_left_alone(calls: Calls, database: Database) -> None:
    _, elsewhere = await calls.up(node="elsewhere")
    mine, here = await calls.up(node="here")
    async with calls.heard_by("here"):
        for leg in (elsewhere, here):
            assert await CallReports(database).hang_up(calls.session.account, leg)
        assert await calls.next_asked() == mine
    assert calls.asked.empty()


async def test_a_lost_connection_is_made_anew(calls: Calls, database: Database) -> None:
    call_id, leg = await calls.up(node="here")
    async with calls.heard_by("here"), database.connection() as connection:
        end_them = (
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        await connection.fetch(end_them)
        assert await CallReports(database).hang_up(calls.session.account, leg)
        assert await calls.next_asked() == call_id


async def test_a_look_that_fails_is_not_the_last(database: Database) -> None:
    looked_again = asyncio.Event()
    looks = []

    async def look() -> None:
        looks.append(1)
        if len(looks) == 1:
            raise ValueError("a defect of ours")
        looked_again.set()

    async with asyncio.TaskGroup() as group:
        listening = group.create_task(Listener(database, [HANGUP_CHANNEL], look).run())
        async with asyncio.timeout(10):
            await looked_again.wait()
        listening.cancel()
