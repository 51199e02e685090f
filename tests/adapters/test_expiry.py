"""The end of a session: by the database's clock, noted and told once."""

import asyncio
import uuid

import pytest

from bridge.domain.reports import SessionReport, SessionStatus
from bridge.store.pool import Database
from tests.adapters.conftest import BY, session_between, sessions_of
from tests.people import VIRTUAL


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
