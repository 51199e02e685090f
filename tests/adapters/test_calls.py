"""Calls and legs in a real Postgres: written down as they come in, completed once."""

import asyncio
import dataclasses
import uuid
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from bridge.domain.numbers import PhoneNumber
from bridge.domain.outcomes import CANCELLED, HungUpBy, completed, refused
from bridge.domain.pool import NumberSettings
from bridge.domain.records import Arrival, CallRecord, LegRecord, Over, Role
from bridge.domain.reports import SessionReport, SessionStatus
from bridge.domain.requests import NewSession, Refusal
from bridge.domain.routing import Connect, Refuse, route
from bridge.domain.sessions import Side
from bridge.store.accounts import Accounts
from bridge.store.calls import Calls
from bridge.store.journal import Journal
from bridge.store.numbers import Numbers
from bridge.store.orders import Orders
from bridge.store.pool import Connection, Database
from tests.adapters.conftest import BY, session_between, sessions_of
from tests.fakes.asterisk import EPOCH
from tests.people import ALICE, BOB, MALLORY, VIRTUAL

OTHER_VIRTUAL = PhoneNumber("+12025550143")


def arrival(caller: PhoneNumber | None = ALICE, *, dialled: str = VIRTUAL.e164) -> Arrival:
    return Arrival(
        call_id=uuid.uuid4(),
        channel_id=f"channel-{uuid.uuid4()}",
        caller=caller,
        dialled=dialled,
        started_at=EPOCH,
    )


def record(call: Arrival, *, talked: float = 59.2) -> CallRecord:
    answered_at, ended_at = EPOCH + timedelta(seconds=4), EPOCH + timedelta(seconds=4 + talked)
    legs = [
        LegRecord(
            role=role,
            channel_id=f"{role}-{call.call_id}",
            party_number=number,
            started_at=EPOCH,
            answered_at=answered_at,
            ended_at=ended_at,
            hangup_cause=16,
            sip_code=200,
        )
        for role, number in ((Role.A, ALICE), (Role.B, BOB))
    ]
    return CallRecord(
        arrival=call,
        outcome=completed(HungUpBy.CALLEE),
        ringing_at=EPOCH + timedelta(seconds=1),
        answered_at=answered_at,
        ended_at=ended_at,
        legs=tuple(legs),
    )


@pytest.fixture
def calls(database: Database) -> Calls:
    return Calls(database, node="here")


@pytest.mark.parametrize(
    ("caller", "callee", "side"), [(ALICE, BOB, Side.FIRST), (BOB, ALICE, Side.SECOND)]
)
async def test_either_party_is_led_to_the_other(
    calls: Calls, session: SessionReport, caller: PhoneNumber, callee: PhoneNumber, side: Side
) -> None:
    lookup = await calls.arrived(arrival(caller))
    assert lookup.caller_side is side
    assert route(lookup) == Connect(
        session.session,
        callee=callee,
        caller_id=VIRTUAL,
        limits=session.session.limits,
        caller_side=side,
    )


@pytest.mark.parametrize(
    ("caller", "dialled", "reason"),
    [
        (MALLORY, VIRTUAL.e164, "unknown-caller"),
        (None, VIRTUAL.e164, "unknown-caller"),
        (ALICE, "+12025550199", "number-not-in-service"),
        (ALICE, "s", "number-not-in-service"),
        (ALICE, "'; DROP TABLE call; --", "number-not-in-service"),
    ],
)
@pytest.mark.usefixtures("session")
async def test_nobody_else_is_led_anywhere(
    calls: Calls, caller: PhoneNumber | None, dialled: str, reason: str
) -> None:
    assert route(await calls.arrived(arrival(caller, dialled=dialled))) == Refuse(reason)


async def test_a_removed_number_takes_no_call(
    calls: Calls, session: SessionReport, database: Database
) -> None:
    await Numbers(database, trunk="carrier").remove(session.session.account, VIRTUAL)
    assert route(await calls.arrived(arrival())) == Refuse("number-not-in-service")


async def test_one_call_of_a_session_at_a_time(
    calls: Calls, session: SessionReport, database: Database
) -> None:
    first = arrival()
    await calls.arrived(first)
    assert route(await calls.arrived(arrival(BOB))) == Refuse("session-busy")
    await end(calls, database, record(first))
    # The refused one was written down too, and is still open until its record is complete.
    [busy] = [call for call in await calls.open_calls() if call.arrival.caller == BOB]
    await end(calls, database, dataclasses.replace(record(busy.arrival), outcome=CANCELLED))
    assert isinstance(route(await calls.arrived(arrival())), Connect)


async def test_of_calls_that_come_in_at_the_same_moment_one_is_connected(
    calls: Calls, session: SessionReport, database: Database
) -> None:
    assert session
    for _ in range(20):
        async with asyncio.TaskGroup() as group:
            arrivals = [arrival(caller) for caller in (ALICE, BOB, ALICE, BOB)]
            found = [group.create_task(calls.arrived(one)) for one in arrivals]
        decisions = [route(one.result()) for one in found]
        assert sum(isinstance(one, Connect) for one in decisions) == 1
        assert decisions.count(Refuse("session-busy")) == 3
        for one in arrivals:
            ended = dataclasses.replace(record(one), outcome=CANCELLED)
            await end(calls, database, ended)


async def test_a_number_and_an_account_have_so_many_calls_at_once_and_no_more(
    calls: Calls, session: SessionReport, database: Database
) -> None:
    """Whoever's they are; and a call that is over counts no more."""
    account, numbers = session.session.account, Numbers(database, trunk="carrier")
    await numbers.add(account, [OTHER_VIRTUAL])
    await numbers.update(account, VIRTUAL, NumberSettings(max_concurrent_calls=1))
    stranger = arrival(MALLORY)
    await calls.arrived(stranger)
    assert route(await calls.arrived(arrival())) == Refuse("number-busy")
    await numbers.update(account, VIRTUAL, NumberSettings(max_concurrent_calls=0))
    for call in await calls.open_calls():
        await end(calls, database, dataclasses.replace(record(call.arrival), outcome=CANCELLED))
    await Accounts(database).limit_calls(account, 1)
    elsewhere = arrival(MALLORY, dialled=OTHER_VIRTUAL.e164)
    await calls.arrived(elsewhere)
    refused = arrival()
    assert route(await calls.arrived(refused)) == Refuse("account-busy")
    for one in (elsewhere, refused):
        await end(calls, database, dataclasses.replace(record(one), outcome=CANCELLED))
    assert isinstance(route(await calls.arrived(arrival())), Connect)


async def test_a_call_that_would_come_back_is_not_made(
    calls: Calls, session: SessionReport, database: Database
) -> None:
    """A party that is a virtual number by now, and a call from one."""
    async with database.connection() as connection:
        await connection.execute(
            "INSERT INTO virtual_number (number, account, country) VALUES ($1, $2, 'US')",
            BOB.e164,
            session.session.account,
        )
    assert route(await calls.arrived(arrival(ALICE))) == Refuse("loop-detected")
    assert route(await calls.arrived(arrival(BOB))) == Refuse("loop-detected")
    assert route(await calls.arrived(arrival(VIRTUAL))) == Refuse("loop-detected")
    orders = Orders(database, node="here")
    for side in Side:
        ordered = await orders.order(session.session.account, session.session.id, side)
        assert ordered in (Refusal.LOOP_DETECTED, Refusal.SESSION_BUSY)


async def test_a_pair_whose_session_is_over_stays_held_while_its_call_is_up(
    calls: Calls, session: SessionReport, database: Database
) -> None:
    sessions = sessions_of(database)
    call = arrival()
    await calls.arrived(call)
    await sessions.expire(session.session.account, session.session.id, BY, hang_up=False)
    again = NewSession(
        account=session.session.account,
        first_party=ALICE,
        second_party=MALLORY,
        geomatch=False,
        expiry=60,
        ring_timeout=5,
        call_time_limit=60,
        options={},
    )
    assert not isinstance(await sessions.create(again, BY), SessionReport)
    await end(calls, database, record(call))
    assert isinstance(await sessions.create(again, BY), SessionReport)


async def end(calls: Calls, database: Database, finished: CallRecord) -> None:
    async with database.transaction() as connection:
        await calls.write_end(connection, finished)


async def test_the_session_shows_its_calls_in_seconds_begun(
    calls: Calls, session: SessionReport, database: Database
) -> None:
    sessions, one = sessions_of(database), session.session
    call = arrival(BOB)
    await calls.arrived(call)
    up = await sessions.get(one.account, one.id)
    assert up
    assert up.status is SessionStatus.IN_PROGRESS
    await end(calls, database, record(call, talked=59.2))
    report = await sessions.get(one.account, one.id)
    assert report
    [interaction] = report.interactions
    assert (interaction.leg_count, interaction.seconds) == (2, 120)
    assert (report.leg_count, report.billed_seconds) == (2, 120)
    assert report.last_interaction_at == record(call).ended_at
    rows = await legs(database, call)
    assert (interaction.first_leg, interaction.second_leg) == (rows["b"], rows["a"])


async def legs(database: Database, call: Arrival) -> dict[str, uuid.UUID]:
    async with database.connection() as connection:
        rows = await connection.fetch("SELECT role, id FROM leg WHERE call = $1", call.call_id)
    return {row["role"]: row["id"] for row in rows}


async def test_a_complete_record_is_never_changed(
    calls: Calls, database: Database, session: SessionReport
) -> None:
    call = arrival()
    await calls.arrived(call)
    await end(calls, database, record(call))
    await end(calls, database, dataclasses.replace(record(call), outcome=CANCELLED))
    async with database.connection() as connection:
        [row] = await connection.fetch("SELECT disposition FROM call")
    assert row["disposition"] == "completed"


async def test_a_record_is_written_even_if_its_arrival_was_not(
    calls: Calls, database: Database
) -> None:
    await end(calls, database, record(arrival()))
    async with database.connection() as connection:
        assert await connection.fetchval("SELECT count(*) FROM leg") == 2


async def test_only_its_own_open_calls_are_given_to_a_restarted_bridge(
    calls: Calls, database: Database, session: SessionReport
) -> None:
    mine, finished = arrival(), arrival(MALLORY)
    await calls.arrived(mine)
    await calls.arrived(finished)
    await end(calls, database, record(finished))
    await Calls(database, node="elsewhere").arrived(arrival(MALLORY))
    [found] = await calls.open_calls()
    assert found.arrival == mine
    assert found.callee == BOB
    assert found.limits == session.session.limits


@pytest.mark.usefixtures("session")
async def test_what_was_told_of_an_open_call_is_known_to_whoever_takes_it_up(
    calls: Calls, database: Database
) -> None:
    """Or its rows would say less, at its end, than its events have."""
    call = arrival()
    await calls.arrived(call)
    rang_at, answered_at = EPOCH + timedelta(seconds=1), EPOCH + timedelta(seconds=2)
    async with database.transaction() as connection:
        await calls.write_ringing(connection, call.call_id, Role.A, EPOCH)
        await calls.write_caller_answer(connection, call.call_id, answered_at)
        await calls.write_ringing(connection, call.call_id, Role.B, rang_at)
    [found] = await calls.open_calls()
    assert (found.caller_ringing_at, found.caller_answered_at) == (EPOCH, answered_at)
    assert (found.ringing_at, found.answered_at) == (rang_at, None)
    async with database.transaction() as connection:
        await calls.write_answer(connection, call.call_id, EPOCH, None)
    [found] = await calls.open_calls()
    assert found.ringing_at == rang_at


async def test_the_journal_waits_for_postgres_and_loses_nothing(
    database: Database, calls: Calls, session: SessionReport
) -> None:
    journal = Journal(database, calls)
    call = arrival()
    await journal.arrived(call)
    async with asyncio.TaskGroup() as group, _nobody_may_write(database):
        run = group.create_task(journal.run())
        journal.answered(call.call_id, EPOCH, ringing_at=None)
        journal.ended(record(call))
        assert journal.unwritten == {call.call_id}
        group.create_task(_written(journal, run))
    assert journal.unwritten == set()
    assert await calls.open_calls() == []


async def test_a_record_that_waits_holds_up_no_other_call(database: Database) -> None:
    slow, quick = uuid.uuid4(), uuid.uuid4()
    told: list[uuid.UUID] = []
    quick_is_told, may_go_on = asyncio.Event(), asyncio.Event()

    class OneWaits(Calls):
        async def write_ringing(self, _: object, call_id: uuid.UUID, *_what: object) -> None:
            if call_id == slow:
                await may_go_on.wait()
            else:
                quick_is_told.set()
            told.append(call_id)

    journal = Journal(database, OneWaits(database, node="here"))
    async with asyncio.TaskGroup() as group, asyncio.timeout(10):
        run = group.create_task(journal.run())
        for call_id in (slow, slow, quick):
            journal.ringing(call_id, Role.B, EPOCH)
        await quick_is_told.wait()
        assert slow in journal.unwritten
        may_go_on.set()
        await _written(journal, run)
    assert told == [quick, slow, slow]


async def test_a_fact_that_postgres_never_takes_takes_none_with_it(
    database: Database, session: SessionReport
) -> None:
    """They wait together, and would be written at once."""

    class NeverRings(Calls):
        async def write_ringing(self, connection: Connection, *_what: object) -> None:
            await connection.execute("SELECT 1 / 0")

    calls = NeverRings(database, node="here")
    journal, call = Journal(database, calls), arrival()
    await journal.arrived(call)
    journal.ringing(call.call_id, Role.B, EPOCH)
    journal.answered(call.call_id, EPOCH, ringing_at=None)
    async with asyncio.TaskGroup() as group:
        await _written(journal, group.create_task(journal.run()))
    [found] = await calls.open_calls()
    assert found.answered_at == EPOCH


async def test_how_far_the_journal_is_behind_is_how_long_a_call_waits_for_a_writer(
    database: Database,
) -> None:
    """Not how long Postgres takes over one, which may be stuck while all others go on."""
    begun, may_go_on, clock = asyncio.Event(), asyncio.Event(), iter(range(100, 200, 7))

    class Waits(Calls):
        async def write_ringing(self, *_what: object) -> None:
            begun.set()
            await may_go_on.wait()

    journal = Journal(database, Waits(database, node="here"), now=lambda: next(clock))
    assert journal.behind == 0
    journal.ringing(uuid.uuid4(), Role.B, EPOCH)
    assert [journal.behind, journal.behind] == [7, 14]
    async with asyncio.TaskGroup() as group:
        run = group.create_task(journal.run())
        await begun.wait()
        assert journal.behind == 0
        assert journal.unwritten
        may_go_on.set()
        await _written(journal, run)


async def _written(journal: Journal, run: "asyncio.Task[None]") -> None:
    await journal.written()
    run.cancel()


class _nobody_may_write:  # noqa: N801 - reads as a sentence
    """Every transaction is read-only, as on a primary that was demoted, for the block."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def __aenter__(self) -> None:
        await self._set("on")

    async def __aexit__(self, *_: object) -> None:
        await self._set("off")

    async def _set(self, value: str) -> None:
        async with self._database.connection() as connection:
            name = await connection.fetchval("SELECT current_database()")
            await connection.execute("SET default_transaction_read_only = off")  # or it could not
            await connection.execute(
                f"ALTER DATABASE {name} SET default_transaction_read_only = {value}"
            )
            me = await connection.fetchval("SELECT pg_backend_pid()")
            await connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = $1 AND pid <> $2",
                name,
                me,
            )
            await connection.execute(f"SET default_transaction_read_only = {value}")


async def test_the_schema_refuses_what_must_not_be(database: Database, account: str) -> None:
    """The promise is kept by Postgres, not by care."""
    async with database.connection() as connection:
        for statement in (
            "INSERT INTO virtual_number (number, account, country) VALUES ('1202', $1, 'US')",
            "INSERT INTO call (id, node, virtual_number, started_at, ended_at)"
            " SELECT gen_random_uuid(), 'here', 'x', now(), now() FROM account WHERE auth_id = $1",
        ):
            with pytest.raises(asyncpg.CheckViolationError):
                await connection.execute(statement, account)


def record_that_knows_of_no_answer(call: Arrival) -> CallRecord:
    unknowing = record(call)
    legs = tuple(dataclasses.replace(leg, answered_at=None) for leg in unknowing.legs)
    return dataclasses.replace(unknowing, outcome=CANCELLED, legs=legs)


@pytest.mark.usefixtures("session")
async def test_an_answer_that_is_written_is_not_lost_to_whoever_ends_the_call_without_knowing_it(
    calls: Calls, database: Database
) -> None:
    """A bridge that another has taken over from was still writing, and has told it."""
    call = arrival()
    await calls.arrived(call)
    async with database.transaction() as connection:
        await calls.write_ringing(connection, call.call_id, Role.A, EPOCH)
        await calls.write_caller_answer(connection, call.call_id, EPOCH)
    await end(calls, database, record_that_knows_of_no_answer(call))
    async with database.connection() as connection:
        [a_leg] = await connection.fetch("SELECT * FROM leg WHERE role = 'a'")
    assert (a_leg["ringing_at"], a_leg["answered_at"]) == (EPOCH, EPOCH)


@pytest.mark.usefixtures("session")
async def test_after_the_end_of_a_call_nothing_is_told_of_it(
    calls: Calls, database: Database
) -> None:
    """As by a bridge that another has taken over from; the last event is the last."""
    call = arrival()
    await calls.arrived(call)
    await end(calls, database, record_that_knows_of_no_answer(call))
    async with database.transaction() as connection:
        await calls.write_answer(connection, call.call_id, EPOCH, EPOCH)
    async with database.connection() as connection:
        names = await connection.fetch(
            "SELECT name FROM event WHERE call IS NOT NULL ORDER BY sequence"
        )
    assert names[-1]["name"] == "SessionPartiesHangup"
    assert not [one for one in names if "Answer" in one["name"]]


async def test_two_who_called_each_other_are_known_by_one_having_been_answered_as_both_were_up(
    calls: Calls, session: SessionReport, database: Database
) -> None:
    assert session
    first, second = arrival(ALICE), arrival(BOB)
    for call in (first, second):
        await calls.arrived(call)
    assert [one.crossed for one in await calls.open_calls()] == [False, False]
    async with database.transaction() as connection:
        await calls.write_answer(connection, first.call_id, EPOCH, None)
    known = {one.arrival.call_id: one.crossed for one in await calls.open_calls()}
    assert known == {first.call_id: False, second.call_id: True}
    async with database.transaction() as connection:
        await calls.write_answer(connection, second.call_id, EPOCH, None)
    assert [one.crossed for one in await calls.open_calls()] == [True, True]
    joined = dataclasses.replace(record(second), answered_at=EPOCH)
    await end(calls, database, joined)
    [left] = await calls.open_calls()
    assert left.crossed


DELETE_ALL_BUT = """
WITH legs AS (DELETE FROM leg WHERE call <> $1)
DELETE FROM call WHERE id <> $1
"""


@dataclasses.dataclass
class Bridge:
    """One that has seen calls end before it could write that down."""

    database: Database
    over: Over = dataclasses.field(default_factory=Over)

    @property
    def calls(self) -> Calls:
        return Calls(self.database, node="here", over=lambda: self.over)

    @property
    def orders(self) -> Orders:
        return Orders(self.database, node="here", over=lambda: self.over)

    def sees_end(self, call: Arrival, *, made: bool = True) -> None:
        ids = frozenset({call.call_id})
        self.over |= Over(ids, ids if made else frozenset())


@pytest.fixture
def bridge(database: Database) -> Bridge:
    return Bridge(database)


@pytest.mark.parametrize("back", [ALICE, BOB])
async def test_a_call_that_was_seen_to_end_is_not_up_whatever_is_written_down(
    bridge: Bridge, session: SessionReport, back: PhoneNumber
) -> None:
    first = arrival(ALICE)
    await bridge.calls.arrived(first)
    assert route(await bridge.calls.arrived(arrival(back))) == Refuse("session-busy")
    bridge = Bridge(bridge.database)
    again = arrival(back)
    async with bridge.database.connection() as connection:
        await connection.execute(DELETE_ALL_BUT, first.call_id)
    bridge.sees_end(first)
    assert isinstance(route(await bridge.calls.arrived(again)), Connect)
    assert route(await bridge.calls.arrived(arrival(back))) == Refuse("session-busy"), "one is up"


async def test_nor_does_it_fill_its_number_or_its_account(
    bridge: Bridge, session: SessionReport, account: str
) -> None:
    numbers = Numbers(bridge.database, trunk="carrier")
    await numbers.update(account, VIRTUAL, NumberSettings(max_concurrent_calls=1))
    await Accounts(bridge.database).limit_calls(account, 1)
    first = arrival(MALLORY)  # of no session
    await bridge.calls.arrived(first)
    full = await bridge.calls.arrived(arrival(ALICE))
    assert (full.number_is_full, full.account_is_full) == (True, True)
    async with bridge.database.connection() as connection:
        await connection.execute(DELETE_ALL_BUT, first.call_id)
    bridge.sees_end(first, made=False)
    free = await bridge.calls.arrived(arrival(ALICE))
    assert (free.number_is_full, free.account_is_full) == (False, False)
    assert isinstance(route(free), Connect)


async def test_a_call_can_be_ordered_in_the_moment_in_which_another_ended(
    bridge: Bridge, session: SessionReport
) -> None:
    first = arrival(ALICE)
    await bridge.calls.arrived(first)
    one = session.session
    assert await bridge.orders.order(one.account, one.id, Side.FIRST) is Refusal.SESSION_BUSY
    bridge.sees_end(first)
    assert not isinstance(await bridge.orders.order(one.account, one.id, Side.FIRST), Refusal)
    order = await bridge.orders.take()
    assert order
    assert isinstance(route(order.lookup), Connect)


@pytest.mark.parametrize("made", [True, False], ids=["made", "refused"])
async def test_it_was_made_all_the_same_and_its_time_is_used_up(
    bridge: Bridge, database: Database, account: str, made: bool
) -> None:
    await session_between(database, account, max_calls=1, max_total_duration=3600)
    first = dataclasses.replace(arrival(ALICE), started_at=datetime.now(UTC))
    await bridge.calls.arrived(first)
    talking_since = datetime.now(UTC) - timedelta(minutes=10)
    async with database.transaction() as connection:
        await bridge.calls.write_answer(connection, first.call_id, talking_since, None)
    bridge.sees_end(first, made=made)
    lookup = await bridge.calls.arrived(arrival(BOB))
    assert (lookup.calls_up, lookup.calls_made) == (0, int(made))
    assert lookup.seconds_talked in (range(600, 660) if made else [0])
    assert isinstance(route(lookup), Refuse if made else Connect)


async def test_the_journal_knows_which_calls_are_over_until_that_is_written(
    database: Database, calls: Calls, session: SessionReport
) -> None:
    journal, talk, other = Journal(database, calls), arrival(), arrival(MALLORY)
    for one in (talk, other):
        await journal.arrived(one)
    journal.answered(talk.call_id, EPOCH, ringing_at=None)
    assert journal.over == Over()
    journal.ended(record(talk))
    turned_away, _ = refused("unknown-caller")
    journal.ended(dataclasses.replace(record(other), outcome=turned_away))
    assert journal.over == Over(frozenset({talk.call_id, other.call_id}), frozenset({talk.call_id}))
    async with asyncio.TaskGroup() as group:
        writing = group.create_task(journal.run())
        await journal.written()
        writing.cancel()
    assert journal.over == Over()
