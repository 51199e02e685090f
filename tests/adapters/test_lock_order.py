"""Changes of a session and its calls at the same moment: no two wait crosswise."""

import asyncio
import dataclasses
import uuid
from collections.abc import Callable, Coroutine

import asyncpg
import pytest

from bridge.domain.numbers import PhoneNumber
from bridge.domain.pins import Guess
from bridge.domain.records import Arrival, Role
from bridge.domain.routing import Lookup
from bridge.store.calls import Calls
from bridge.store.errors import StoreUnavailable
from bridge.store.journal import Journal
from bridge.store.pool import Connection, Database
from tests.adapters.conftest import session_between
from tests.adapters.test_calls import arrival, record
from tests.fakes.asterisk import EPOCH
from tests.people import ALICE, MALLORY, VIRTUAL

PIN = "1111"
WITH_PIN = {
    "is_pin_authentication_required": True,
    "pin_prompt_play": "https://x.test/pin.mp3",
    "remember_caller": True,
}


@dataclasses.dataclass
class Scene:
    calls: Calls
    database: Database
    call: Arrival
    session: uuid.UUID


async def is_answered(scene: Scene) -> None:
    async with scene.database.transaction() as connection:
        await scene.calls.write_answer(connection, scene.call.call_id, EPOCH, EPOCH)


async def ends(scene: Scene) -> None:
    async with scene.database.transaction() as connection:
        await scene.calls.write_end(connection, record(scene.call))


async def shows_its_pin(scene: Scene) -> None:
    found = await scene.calls.identify(scene.call, Guess(PIN, 0, asked_by=scene.session))
    assert isinstance(found, Lookup)


@pytest.mark.parametrize(
    ("caller", "does"), [(ALICE, is_answered), (ALICE, ends), (MALLORY, shows_its_pin)]
)
async def test_a_call_goes_on_while_its_session_and_its_calls_are_changed(
    database: Database,
    account: str,
    caller: PhoneNumber,
    does: Callable[[Scene], Coroutine[None, None, None]],
) -> None:
    """As an end of the session with its calls does it: first the session, then the calls."""
    session = await session_between(database, account, options=WITH_PIN)
    calls, call = Calls(database, node="here"), arrival(caller)
    async with database.connection() as connection:
        await connection.execute(
            "INSERT INTO pin (virtual_number, pin, session, side, held_until)"
            " VALUES ($1, $2, $3, 'first', now() + interval '1 hour')",
            VIRTUAL.e164,
            PIN,
            session.session.id,
        )
    await calls.arrived(call)
    async with asyncio.TaskGroup() as group, database.transaction() as connection:
        await connection.execute(
            "UPDATE session SET modified_at = now() WHERE id = $1", session.session.id
        )
        group.create_task(does(Scene(calls, database, call, session.session.id)))
        await somebody_waits(connection)
        await connection.execute(
            "UPDATE call SET hangup_asked_at = now() WHERE id = $1", call.call_id
        )


async def test_a_fact_that_had_to_give_way_to_another_change_is_written_all_the_same(
    database: Database,
) -> None:
    """Postgres ends one of two that wait crosswise, and it may be the journal's."""
    tries: list[str] = []

    class GivesWay(Calls):
        async def write_ringing(self, *_: object) -> None:
            tries.append("again" if tries else "first")
            if tries == ["first"]:
                raise asyncpg.DeadlockDetectedError("deadlock detected")

    journal = Journal(database, GivesWay(database, node="here"))
    async with asyncio.TaskGroup() as group:
        writing = group.create_task(journal.run())
        journal.ringing(uuid.uuid4(), Role.B, EPOCH)
        async with asyncio.timeout(10):
            await journal.written()
        writing.cancel()
    assert tries == ["first", "again"]


async def test_what_was_told_while_a_call_waited_for_its_session_is_not_told_again(
    database: Database, account: str
) -> None:
    """By the process that had the call before, and was still writing."""
    await session_between(database, account)
    calls, call = Calls(database, node="here"), arrival(ALICE)
    await calls.arrived(call)
    async with asyncio.TaskGroup() as group, database.transaction() as connection:
        await calls.write_answer(connection, call.call_id, EPOCH, EPOCH)
        group.create_task(is_answered(Scene(calls, database, call, uuid.uuid4())))
        await somebody_waits(connection)
    async with database.connection() as connection:
        told = await connection.fetch("SELECT FROM event WHERE session IS NOT NULL")
        assert len(told) == await connection.fetchval("SELECT event_count FROM session") == 3


@pytest.mark.parametrize("error", [asyncpg.DeadlockDetectedError, asyncpg.SerializationError])
async def test_what_postgres_had_to_undo_may_be_tried_again(
    database: Database, error: type[Exception]
) -> None:
    with pytest.raises(StoreUnavailable):
        async with database.transaction():
            raise error


async def somebody_waits(connection: Connection) -> None:
    """Return once another connection waits for what this one has locked."""
    waiting = (
        "SELECT EXISTS (SELECT FROM pg_locks"
        " WHERE NOT granted AND pg_backend_pid() = ANY (pg_blocking_pids(pid)))"
    )
    async with asyncio.timeout(10):
        while not await connection.fetchval(waiting):  # noqa: ASYNC110  Postgres tells nobody
            await asyncio.sleep(0.01)
