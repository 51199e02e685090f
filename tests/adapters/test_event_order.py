"""The order of a session's events: no number missing, whoever writes when; nothing left behind."""

import asyncio
from collections.abc import Collection
from urllib.parse import parse_qsl

import pytest
from aiohttp import web

from bridge.domain.delivery import Rules
from bridge.domain.events import RECORDING_INITIATED, Telling
from bridge.domain.reports import SessionReport
from bridge.domain.requests import SessionChange
from bridge.egress.client import Egress
from bridge.store.calls import Calls
from bridge.store.event_log import EventLog
from bridge.store.pool import Database
from bridge.store.teller import begin_tale
from tests.adapters.conftest import BY, sessions_of
from tests.adapters.test_calls import arrival, end
from tests.adapters.test_lock_order import somebody_waits
from tests.adapters.test_webhooks import (
    TALK,
    Sessions,
    a_call,
    calls,
    delivery_of,
    egress,
    origin,
    pass_time,
    received,
    record,
    sent_all,
    session,
    states,
)
from tests.fakes.asterisk import EPOCH
from tests.fakes.origin import Behaviour, Origin, hangs, says

__all__ = ["calls", "egress", "origin", "session"]  # fixtures


async def test_two_who_tell_the_same_at_the_same_moment_leave_no_number_out(
    calls: Calls, database: Database, session: Sessions
) -> None:
    """As a bridge that is killed while its last write is on its way, and the one after it."""
    await session(None)
    one, another = arrival(), arrival()
    await calls.arrived(one)
    async with asyncio.TaskGroup() as group, database.transaction() as connection:
        await calls.write_end(connection, record(one))
        group.create_task(end(calls, database, record(one)))
        await somebody_waits(connection)
    await calls.arrived(another)
    await end(calls, database, record(another))
    async with database.connection() as connection:
        rows = await connection.fetch("SELECT sequence, name FROM event ORDER BY sequence")
        counted = await connection.fetchval("SELECT event_count FROM session")
    assert [tuple(row) for row in rows] == list(enumerate(TALK * 2, start=1))
    assert counted == len(rows)


async def test_events_go_to_a_new_url_at_once_and_wait_for_nothing_at_the_old(
    calls: Calls, database: Database, session: Sessions, egress: Egress, origin: Origin
) -> None:
    async with Origin.serving() as old:
        old.answer = says(500)
        made = await session(old.url)
        await a_call(calls, database, made)
        delivery = delivery_of(database, egress)
        assert await delivery.send_one()
        assert not await delivery.send_one(), "the first is to be tried again, later"
        await redirect(database, made, origin.url)
        async with database.connection() as connection:
            hosts = await connection.fetch("SELECT DISTINCT host FROM delivery")
        assert [row["host"] for row in hosts] == [origin.url.removeprefix("http://")]
        await sent_all(delivery)
    assert received(origin) == TALK


async def test_a_url_is_changed_while_an_event_is_on_its_way(
    calls: Calls, database: Database, session: Sessions, egress: Egress, origin: Origin
) -> None:
    """It is locked for as long as its receiver takes."""
    origin.answer = hangs
    made = await session(origin.url)
    await a_call(calls, database, made)
    async with asyncio.TaskGroup() as group:
        delivery = delivery_of(database, egress, rules=Rules(within=60))
        sending = group.create_task(delivery.send_one())
        await origin.asked.wait()
        async with asyncio.timeout(30):
            await redirect(database, made, "https://x.test/")
        sending.cancel()
    async with database.connection() as connection:
        rows = await connection.fetch("SELECT host FROM delivery ORDER BY sequence")
    hosts = [row["host"] for row in rows]
    assert hosts == [origin.url.removeprefix("http://"), *["x.test"] * 5]


async def a_recorded_call(calls: Calls, database: Database) -> None:
    """As `a_call`, and it is told that it is recorded as the two are connected."""
    one = arrival()
    await calls.arrived(one)
    async with database.transaction() as connection:
        await calls.write_answer(connection, one.call_id, EPOCH, EPOCH)
        tale = await begin_tale(connection, one.call_id)
        await tale.tells(Telling(RECORDING_INITIATED, EPOCH))
    await end(calls, database, record(one))


async def test_whoever_takes_recordings_and_is_away_holds_up_nobody_who_takes_the_rest(
    calls: Calls, database: Database, session: Sessions, egress: Egress, origin: Origin
) -> None:
    async with Origin.serving() as away:
        away.answer = says(500)
        await session(origin.url, recording_callback_url=away.url)
        for _ in range(2):
            await a_recorded_call(calls, database)
        await sent_all(delivery_of(database, egress))
        assert received(away) == [RECORDING_INITIATED]
        assert received(origin) == TALK * 2
        away.answer = says(200)
        await pass_time(database)
        await sent_all(delivery_of(database, egress))
        assert received(away) == [RECORDING_INITIATED] * 3
    assert {state for _, state, *_ in await states(database)} == {"delivered"}


@pytest.mark.parametrize("turned_away", [3, 4, 5])
async def test_where_one_receiver_takes_all_recordings_keep_their_place(
    calls: Calls,
    database: Database,
    session: Sessions,
    egress: Egress,
    origin: Origin,
    turned_away: int,
) -> None:
    await session(origin.url, recording_callback_url=origin.url)
    await a_recorded_call(calls, database)
    origin.answer = turns_away(origin, [turned_away])
    delivery = delivery_of(database, egress)
    await sent_all(delivery)
    assert sequences(origin) == list(range(1, turned_away + 1))
    origin.answer = says(200)
    await pass_time(database)
    await sent_all(delivery)
    assert sequences(origin) == [*range(1, turned_away + 1), *range(turned_away, 8)]


async def test_what_is_sent_again_holds_up_nothing_that_is_new(
    calls: Calls, database: Database, session: Sessions, egress: Egress, origin: Origin
) -> None:
    made = await session(origin.url)
    await a_call(calls, database, made)
    async with database.connection() as connection:
        await connection.execute("UPDATE delivery SET state = 'dead' WHERE sequence IN (2, 4)")
    delivery = delivery_of(database, egress)
    await sent_all(delivery)
    origin.answer = turns_away(origin, [2])
    assert await EventLog(database).replay_dead(made.session.account) == 2
    await sent_all(delivery)
    await a_call(calls, database, made)
    await sent_all(delivery)
    assert sequences(origin) == [1, 3, 5, 6, 2, *range(7, 13)], "4 waits for 2, and nothing else"
    origin.answer = says(200)
    await pass_time(database)
    await sent_all(delivery)
    assert sequences(origin)[-2:] == [2, 4]


def turns_away(origin: Origin, unwanted: Collection[int]) -> Behaviour:
    """An application that has a mistake where it comes to events of these numbers."""

    async def answer(_request: web.Request) -> web.StreamResponse:
        return web.Response(status=500 if sequences(origin)[-1] in unwanted else 200)

    return answer


def sequences(origin: Origin) -> list[int]:
    return [int(dict(parse_qsl(body.decode()))["SequenceNumber"]) for body in origin.bodies]


@pytest.mark.parametrize("all_dead", [True, False])
async def test_what_is_sent_again_waits_for_the_host_that_it_goes_to_now(
    calls: Calls, database: Database, session: Sessions, all_dead: bool
) -> None:
    made = await session("https://old.test/")
    await a_call(calls, database, made)
    async with database.connection() as connection:
        dead = await connection.fetchval(
            "UPDATE delivery SET state = 'dead' WHERE sequence = 1 RETURNING event"
        )
    await redirect(database, made, "https://new.test/")
    log = EventLog(database)
    if all_dead:
        assert await log.replay_dead(made.session.account) == 1
    else:
        assert await log.replay(made.session.account, dead) is None
    async with database.connection() as connection:
        hosts = await connection.fetch("SELECT DISTINCT host FROM delivery")
    assert [row["host"] for row in hosts] == ["new.test"]


async def test_what_fails_as_its_url_is_changed_is_tried_at_the_new_one(
    calls: Calls, database: Database, session: Sessions, egress: Egress, origin: Origin
) -> None:
    made = await session(origin.url)
    await a_call(calls, database, made)

    async def changes_it(_request: web.Request) -> web.StreamResponse:
        await redirect(database, made, "https://new.test/")
        return web.Response(status=500)

    origin.answer = changes_it
    assert await delivery_of(database, egress).send_one()
    async with database.connection() as connection:
        hosts = await connection.fetch("SELECT DISTINCT host FROM delivery")
    assert [row["host"] for row in hosts] == ["new.test"]


async def redirect(database: Database, made: SessionReport, url: str) -> None:
    change = SessionChange(options={"callback_url": url})
    changed = await sessions_of(database).update(made.session.account, made.session.id, change, BY)
    assert isinstance(changed, SessionReport)
