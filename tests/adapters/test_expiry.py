"""The end of a session: by the database's clock, noted and told once."""

import asyncio
import random
import uuid
from collections.abc import Awaitable, Callable

import pytest

from bridge.domain.reports import SessionReport, SessionStatus
from bridge.domain.requests import Refusal, SessionChange
from bridge.store.pool import Database
from tests.adapters.conftest import BY, Api, session_between, sessions_of
from tests.people import CAROL, VIRTUAL


@pytest.fixture
async def session(database: Database, account: str) -> SessionReport:
    return await session_between(database, account, expiry_after_last_call=60)


async def pass_time(database: Database) -> None:
    async with database.connection() as connection:
        await connection.execute("UPDATE session SET expires_at = now() - interval '1 s'")


async def events(database: Database) -> list[tuple[str, int]]:
    async with database.connection() as connection:
        rows = await connection.fetch("SELECT name, sequence FROM event WHERE session IS NOT NULL")
    return [tuple(row) for row in rows]


async def test_a_session_is_over_whether_or_not_anybody_notes_it(
    database: Database, session: SessionReport
) -> None:
    await pass_time(database)
    found = await sessions_of(database).get(session.session.account, session.session.id)
    assert found
    assert found.status is SessionStatus.EXPIRED
    assert await events(database) == []


async def test_many_processes_note_and_tell_each_end_once(
    database: Database, session: SessionReport
) -> None:
    sessions = sessions_of(database)
    assert await sessions.note_expired(at_most=10) == 0
    await pass_time(database)
    async with asyncio.TaskGroup() as group:
        noted = [group.create_task(sessions.note_expired(at_most=10)) for _ in range(8)]
    assert sum(one.result() for one in noted) == 1
    assert await events(database) == [("SessionTimeout", 1)]
    steps = await sessions.history(session.session.account, session.session.id)
    assert steps
    assert [(step.what, step.actor) for step in steps] == [
        ("created", BY.actor),
        ("expired", "clock"),
    ]


async def test_one_that_was_closed_does_not_expire_as_well(
    database: Database, session: SessionReport
) -> None:
    sessions = sessions_of(database)
    one = session.session
    assert await sessions.expire(one.account, one.id, BY, hang_up=False) is None
    await pass_time(database)
    assert await sessions.note_expired(at_most=10) == 0
    assert await events(database) == [("SessionTimeout", 1)]


async def test_one_that_its_calls_prolong_waits_for_the_end_of_the_one_that_is_up(
    database: Database, session: SessionReport
) -> None:
    sessions = sessions_of(database)
    async with database.connection() as connection:
        await connection.execute(
            "INSERT INTO call (id, node, session, caller_side, virtual_number, started_at)"
            " VALUES ($1, 'a', $2, 'first', $3, now())",
            uuid.uuid4(),
            session.session.id,
            VIRTUAL.e164,
        )
    await pass_time(database)
    assert await sessions.note_expired(at_most=10) == 0
    async with database.connection() as connection:
        await connection.execute(
            "UPDATE call SET ended_at = now(), disposition = 'failed', reason = '', fault = 'us'"
        )
    assert await sessions.note_expired(at_most=10) == 1


async def test_what_one_process_could_not_finish_another_does(
    database: Database, session: SessionReport
) -> None:
    """All of it is one statement: a process that dies in it has done nothing."""
    await pass_time(database)
    async with database.connection() as connection:
        dying = connection.transaction()
        await dying.start()
        assert await sessions_of(database)._sql.note_expired(connection, limit=10) == 1
        assert await sessions_of(database).note_expired(at_most=10) == 0, "it is the other's"
        await dying.rollback()
    assert await sessions_of(database).note_expired(at_most=10) == 1
    assert await events(database) == [("SessionTimeout", 1)]


# --- every way in which a session ends ---


async def _deleted(api: Api, _: Database, session: str) -> None:
    assert (await api("DELETE", f"Masking/Session/{session}/"))[0] == 200


async def _deleted_with_its_call(api: Api, _: Database, session: str) -> None:
    assert (await api("DELETE", f"Masking/Session/{session}/?hangup=true"))[0] == 200


async def _ended_with_others(api: Api, _: Database, session: str) -> None:
    """The same session twice in one request: the second finds it over."""
    status, answer = await api("POST", "Masking/Bulk/Expire/", {"session_uuids": [session] * 2})
    assert (status, [one["status"] for one in answer["results"]]) == (200, [200, 400])


async def _timed_out(api: Api, database: Database, session: str) -> None:
    await pass_time(database)


async def _timed_out_after_an_update(api: Api, database: Database, session: str) -> None:
    body = {"session_expiry": 60}
    assert (await api("POST", f"Masking/Session/{session}/", body))[0] == 200
    await pass_time(database)


async def _deleted_while_a_call_prolongs_it(api: Api, database: Database, session: str) -> None:
    """Its time is over, and it would go on: for good it ends by the customer's word."""
    await call_up(database, session)
    await pass_time(database)
    await _deleted(api, database, session)


async def call_up(database: Database, session: object) -> None:
    async with database.connection() as connection:
        await connection.execute(
            "INSERT INTO call (id, node, session, caller_side, virtual_number, started_at)"
            " VALUES ($1, 'a', $2, 'first', $3, now())",
            uuid.uuid4(),
            session,
            VIRTUAL.e164,
        )


@pytest.mark.parametrize(
    "end",
    [
        _deleted,
        _deleted_with_its_call,
        _ended_with_others,
        _timed_out,
        _timed_out_after_an_update,
        _deleted_while_a_call_prolongs_it,
    ],
)
async def test_however_a_session_ends_its_application_is_told_once(
    api: Api, database: Database, end: Callable[[Api, Database, str], Awaitable[None]]
) -> None:
    url = {"callback_url": "https://app.test/", "expiry_after_last_call": 60}
    made = await api.session(**url)
    session = made["session_uuid"]
    await end(api, database, session)
    sessions = sessions_of(database)
    await sessions.note_expired(at_most=10)
    status, answer = await api("DELETE", f"Masking/Session/{session}/")
    assert (status, answer["error"]) == (400, "Session already expired.")
    await pass_time(database)
    assert await sessions.note_expired(at_most=10) == 0
    assert await events(database) == [("SessionTimeout", 1)]
    _, listed = await api("GET", f"Masking/Session/{session}/Event/")
    [event] = listed["objects"]
    _, found = await api("GET", f"Masking/Session/{session}/")
    assert (event["event_name"], event["session_uuid"]) == ("SessionTimeout", session)
    assert event["delivery"]["state"] == "pending"
    assert found["response"]["status"] != "active"


async def test_what_is_only_tried_or_refused_tells_no_end(api: Api, database: Database) -> None:
    made = await api.session()
    for body in ({"dry_run": True}, {"client_reference_id": "x", "first_party": "1"}):
        await api("POST", "Masking/Session/", {"first_party": CAROL.e164, **body})
    await api("DELETE", f"Masking/Session/{uuid.uuid4()}/")
    assert await events(database) == []
    assert made["session"]["status"] == "active"


@pytest.mark.parametrize("what", ["delete", "update"])
async def test_whoever_waits_while_the_clock_ends_a_session_finds_it_over(
    database: Database, session: SessionReport, what: str
) -> None:
    """The transaction that waits began before the end, and its now() stays there."""
    one, sessions = session.session, sessions_of(database)
    async with database.connection() as clock:
        ending = clock.transaction()
        await ending.start()
        await clock.execute("SELECT FROM session WHERE id = $1 FOR UPDATE", one.id)
        async with asyncio.TaskGroup() as group:
            waiting = group.create_task(
                sessions.expire(one.account, one.id, BY, hang_up=False)
                if what == "delete"
                else sessions.update(one.account, one.id, SessionChange(ring_timeout=5), BY)
            )
            while not await clock.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted"):
                pass  # each look lets the other go on
            await clock.execute(
                "UPDATE session SET over_at = now(), event_count = event_count + 1 WHERE id = $1",
                one.id,
            )
            await ending.commit()
    assert waiting.result() is Refusal.ALREADY_EXPIRED
    assert await events(database) == []


@pytest.mark.parametrize("seed", range(6))
async def test_whatever_happens_in_whatever_order_there_is_one_end_and_no_gap(
    database: Database, session: SessionReport, seed: int
) -> None:
    """Everything that may end a session or keep it alive, at random, a few at once."""
    one, sessions = session.session, sessions_of(database)
    chance = random.Random(seed)  # noqa: S311 - no secret
    await call_up(database, one.id)

    async def hang_up() -> None:
        async with database.connection() as connection:
            await connection.execute(
                "UPDATE call SET ended_at = now(), disposition = 'failed', reason = '',"
                " fault = 'us' WHERE ended_at IS NULL"
            )

    steps = [
        lambda: sessions.expire(one.account, one.id, BY, hang_up=chance.random() < 0.5),
        lambda: sessions.update(one.account, one.id, SessionChange(expiry=60), BY),
        lambda: sessions.note_expired(at_most=10),
        lambda: pass_time(database),
        hang_up,
    ]
    for _ in range(12):
        async with asyncio.TaskGroup() as group:
            for step in chance.choices(steps, k=3):
                group.create_task(step())
    await hang_up()
    await pass_time(database)
    await sessions.note_expired(at_most=10)
    assert await events(database) == [("SessionTimeout", 1)]
    steps_noted = await sessions.history(one.account, one.id)
    assert steps_noted
    ends = [step.what for step in steps_noted if step.what in {"closed", "expired"}]
    assert len(ends) == 1
