"""Which virtual numbers a session gets, and what the pool never does."""

import dataclasses
import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bridge.domain.numbers import PhoneNumber
from bridge.domain.reports import DryRun, SessionReport
from bridge.domain.requests import NewSession, Refusal
from bridge.domain.sessions import Side
from bridge.store import queries
from bridge.store.numbers import Numbers
from bridge.store.pool import Database
from bridge.store.sessions import Sessions
from tests.adapters.conftest import BY, sessions_of
from tests.people import ALICE, BOB, CAROL, MALLORY, VIRTUAL

SECOND_VIRTUAL = PhoneNumber("+12025550143")
LONDON = PhoneNumber("+442079460123")
LONDON_VIRTUAL = PhoneNumber("+442079460999")


def wanted(account: str, first: PhoneNumber | None, second: PhoneNumber | None) -> NewSession:
    return NewSession(
        account=account,
        first_party=first,
        second_party=second,
        expiry=3600,
        ring_timeout=120,
        call_time_limit=3600,
        options={},
    )


@dataclasses.dataclass
class Pool:
    """An account with numbers, and what is asked of it."""

    account: str
    database: Database
    sessions: Sessions

    async def holds(self, *numbers: PhoneNumber) -> None:
        await Numbers(self.database, trunk="carrier").add(self.account, list(numbers))

    async def asked(
        self, first: PhoneNumber | None, second: PhoneNumber | None, **otherwise: Any
    ) -> SessionReport | DryRun | Refusal:
        new = dataclasses.replace(wanted(self.account, first, second), **otherwise)
        return await self.sessions.create(new, BY)

    async def gives(
        self, first: PhoneNumber | None, second: PhoneNumber | None, **otherwise: Any
    ) -> SessionReport:
        made = await self.asked(first, second, **otherwise)
        assert isinstance(made, SessionReport), made
        return made

    async def execute(self, statement: str, *arguments: Any) -> None:
        async with self.database.connection() as connection:
            await connection.execute(statement, *arguments)

    async def rows(self, statement: str) -> list[tuple[Any, ...]]:
        async with self.database.connection() as connection:
            return [tuple(row) for row in await connection.fetch(statement)]


@pytest.fixture
async def pool(account: str, database: Database) -> Pool:
    return Pool(account, database, sessions_of(database))


# --- a number for each party ---


async def test_each_party_gets_a_number_of_its_own_country(pool: Pool) -> None:
    await pool.holds(VIRTUAL, LONDON_VIRTUAL)
    made = (await pool.gives(ALICE, LONDON, per_party=True)).session
    assert (made.virtual_number, made.second_virtual_number) == (VIRTUAL, LONDON_VIRTUAL)
    assert made.number_for(Side.FIRST) == VIRTUAL
    assert made.number_for(Side.SECOND) == LONDON_VIRTUAL


async def test_a_party_without_a_number_of_its_country_leaves_nothing_half_made(
    pool: Pool,
) -> None:
    await pool.holds(VIRTUAL)
    assert await pool.asked(ALICE, LONDON, per_party=True) is Refusal.POOL_WITHOUT_COUNTRY
    assert await pool.rows("SELECT id FROM session") == []
    assert await pool.rows("SELECT session FROM route") == []


async def test_a_number_each_needs_half_the_pool_of_one_for_both(pool: Pool) -> None:
    """Three people who all talk with each other: 2N-1 shared numbers, but N of their own."""
    await pool.holds(VIRTUAL, SECOND_VIRTUAL)
    pairs = [(ALICE, BOB), (BOB, CAROL), (CAROL, ALICE)]
    for first, second in pairs:
        await pool.gives(first, second, per_party=True)
    for report in await pool.rows("SELECT id FROM session"):
        await pool.sessions.expire(pool.account, report[0], BY, hang_up=False)
    await pool.gives(*pairs[0])
    await pool.gives(*pairs[1])
    assert await pool.asked(*pairs[2]) is Refusal.POOL_IN_USE


async def test_a_pair_on_a_number_each_is_taken_like_any_other(pool: Pool) -> None:
    await pool.holds(VIRTUAL)
    await pool.gives(ALICE, BOB, per_party=True)
    assert await pool.asked(ALICE, CAROL, per_party=True) is Refusal.POOL_IN_USE
    assert await pool.asked(CAROL, BOB) is Refusal.POOL_IN_USE
    await pool.gives(CAROL, MALLORY, per_party=True)


# --- one party only ---


async def test_one_session_at_a_time_takes_whoever_calls_a_number(pool: Pool) -> None:
    await pool.holds(VIRTUAL)
    alone: dict[str, Any] = {"single_party": True, "takes_anybody": True}
    one = await pool.gives(ALICE, None, **alone)
    assert await pool.asked(BOB, None, **alone) is Refusal.POOL_IN_USE
    await pool.gives(BOB, CAROL)
    await pool.sessions.expire(pool.account, one.session.id, BY, hang_up=False)
    await pool.gives(None, ALICE, **alone)


async def test_sessions_that_ask_for_a_pin_share_a_number(pool: Pool) -> None:
    await pool.holds(VIRTUAL)
    await pool.gives(ALICE, None, single_party=True)
    await pool.gives(BOB, None, single_party=True)


# --- several phones of one party ---


async def test_every_phone_of_a_party_holds_its_pair(pool: Pool) -> None:
    await pool.holds(VIRTUAL)
    made = await pool.gives(ALICE, BOB, first_party_alternates=[CAROL])
    assert made.session.numbers(Side.FIRST) == [ALICE, CAROL]
    assert await pool.asked(CAROL, MALLORY) is Refusal.POOL_IN_USE


# --- which number ---


async def test_a_number_that_is_named_is_given_and_no_other(pool: Pool) -> None:
    await pool.holds(VIRTUAL, SECOND_VIRTUAL, LONDON_VIRTUAL)
    made = await pool.gives(ALICE, BOB, virtual_number=LONDON_VIRTUAL)
    assert made.session.virtual_number == LONDON_VIRTUAL
    again = await pool.asked(ALICE, BOB, virtual_number=LONDON_VIRTUAL)
    assert again is Refusal.NAMED_NUMBER_IN_USE
    unknown = await pool.asked(ALICE, BOB, virtual_number=PhoneNumber("+12025550199"))
    assert unknown is Refusal.NAMED_NUMBER_UNKNOWN


async def test_a_reserved_number_is_given_only_when_it_is_named(pool: Pool) -> None:
    await pool.holds(VIRTUAL)
    await pool.execute("UPDATE virtual_number SET reserved = true")
    assert await pool.asked(ALICE, BOB) is Refusal.POOL_INACTIVE
    await pool.gives(ALICE, BOB, virtual_number=VIRTUAL)


@pytest.mark.parametrize("state", ["draining", "quarantined"])
async def test_a_number_on_its_way_out_is_given_to_nobody(pool: Pool, state: str) -> None:
    await pool.holds(VIRTUAL)
    await pool.execute("UPDATE virtual_number SET state = $1", state)
    assert await pool.asked(ALICE, BOB) is Refusal.POOL_INACTIVE
    named = await pool.asked(ALICE, BOB, virtual_number=VIRTUAL)
    assert named is Refusal.NAMED_NUMBER_INACTIVE


async def test_a_subaccount_has_its_own_numbers_and_no_others(pool: Pool) -> None:
    sub = "SA" + "X" * 18
    await pool.holds(VIRTUAL, SECOND_VIRTUAL)
    await pool.execute(
        "INSERT INTO subaccount (auth_id, account, name) VALUES ($1, $2, 'x')", sub, pool.account
    )
    await pool.execute(
        "UPDATE virtual_number SET subaccount = $1 WHERE number = $2", sub, VIRTUAL.e164
    )
    assert (await pool.gives(ALICE, BOB, subaccount=sub)).session.virtual_number == VIRTUAL
    assert await pool.asked(ALICE, BOB, subaccount=sub) is Refusal.POOL_IN_USE
    assert (await pool.gives(ALICE, BOB)).session.virtual_number == SECOND_VIRTUAL


@pytest.mark.parametrize("sticky", [True, False])
async def test_the_two_get_the_number_that_they_had_unless_told_otherwise(
    pool: Pool, *, sticky: bool
) -> None:
    await pool.holds(VIRTUAL, SECOND_VIRTUAL)
    had = await pool.gives(ALICE, BOB, virtual_number=SECOND_VIRTUAL)
    await pool.sessions.expire(pool.account, had.session.id, BY, hang_up=False)
    again = await pool.gives(BOB, ALICE, sticky=sticky)
    assert again.session.virtual_number == (SECOND_VIRTUAL if sticky else VIRTUAL)


async def test_a_dry_run_says_which_it_would_be_and_takes_nothing(pool: Pool) -> None:
    await pool.holds(VIRTUAL)
    for _ in range(2):
        tried = await pool.asked(ALICE, BOB, dry_run=True)
        assert tried == DryRun(virtual_number=VIRTUAL, second_virtual_number=None)
    for table in ("session", "route", "session_history", "event"):
        assert await pool.rows(f"SELECT FROM {table}") == []
    await pool.gives(ALICE, BOB)
    assert await pool.asked(ALICE, BOB, dry_run=True) is Refusal.POOL_IN_USE


# --- warnings ---


async def test_an_account_is_warned_before_its_pool_is_empty_and_when_it_is_once_an_hour(
    pool: Pool,
) -> None:
    await pool.holds(VIRTUAL, SECOND_VIRTUAL)
    events = "SELECT name, attributes ->> 'left' FROM event ORDER BY happened_at"
    await pool.gives(ALICE, BOB)
    assert await pool.rows(events) == []
    await pool.gives(ALICE, CAROL)
    assert await pool.rows(events) == [("NumberPoolLow", "0")]
    for _ in range(2):
        assert await pool.asked(ALICE, MALLORY) is Refusal.POOL_IN_USE
    assert await pool.rows(events) == [("NumberPoolLow", "0"), ("NumberPoolExhausted", "0")]


async def test_to_warn_costs_no_more_the_more_events_an_hour_has(pool: Pool) -> None:
    await pool.holds(VIRTUAL)
    await pool.gives(ALICE, BOB)
    await pool.execute(
        "INSERT INTO event (account, session, sequence, name)"
        " SELECT account, id, number, 'SessionEvent'"
        "   FROM session, generate_series(1, 20000) AS number"
    )
    await pool.execute("ANALYZE event")
    async with pool.database.connection() as connection:
        plan = await connection.fetchval(
            f"EXPLAIN (ANALYZE, FORMAT JSON) {queries.load().warn_of_pool.sql}",
            pool.account,
            "NumberPoolExhausted",
            {"country": "US", "subaccount": None},
            0,
        )
    assert _rows_read(json.loads(plan)[0]["Plan"]) < 100


def _rows_read(node: dict[str, Any]) -> int:
    """Of tables, by a plan."""
    own = (
        node["Actual Rows"] + node.get("Rows Removed by Filter", 0)
        if "Scan" in node["Node Type"]
        else 0
    )
    return int(own) + sum(map(_rows_read, node.get("Plans", ())))


# --- whatever is asked, in whatever order ---

PEOPLE = [PhoneNumber(f"+1303555010{digit}") for digit in range(4)]
NUMBERS = [PhoneNumber(f"+1202555015{digit}") for digit in range(3)]

STEPS = st.lists(
    st.one_of(
        st.tuples(
            st.sampled_from(["shared", "per_party"]),
            st.permutations(range(len(PEOPLE))).map(lambda order: order[:2]),
        ),
        st.tuples(st.just("single"), st.integers(0, len(PEOPLE) - 1).map(lambda one: [one])),
        st.tuples(st.sampled_from(["close", "expire"]), st.integers(0, 20).map(lambda n: [n])),
    ),
    max_size=14,
)


@dataclasses.dataclass
class Held:
    """A live session as the model knows it."""

    report: SessionReport
    pairs: set[tuple[PhoneNumber, PhoneNumber]]
    """(virtual number, caller)."""
    anybody: PhoneNumber | None


def pairs_of(report: SessionReport) -> set[tuple[PhoneNumber, PhoneNumber]]:
    one = report.session
    return {(one.number_for(side), caller) for side in Side for caller in one.numbers(side)}


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(size=st.integers(1, len(NUMBERS)), steps=STEPS)
async def test_no_pair_is_live_twice_and_no_free_number_is_refused(
    pool: Pool, size: int, steps: list[tuple[str, list[int]]]
) -> None:
    await pool.execute("TRUNCATE session, route, open_route, virtual_number CASCADE")
    await pool.holds(*NUMBERS[:size])
    live: list[Held] = []
    for what, which in steps:
        if what in {"close", "expire"}:
            if which[0] < len(live):
                await end(pool, live.pop(which[0]), by_clock=what == "expire")
            continue
        people = [PEOPLE[one] for one in which]
        await a_session_is_asked_for(pool, live, what, people, NUMBERS[:size])
        rows = await pool.rows(
            "SELECT virtual_number, party_number FROM route WHERE held_until > now()"
        )
        assert len(rows) == sum(len(held.pairs) for held in live)


async def a_session_is_asked_for(
    pool: Pool, live: list[Held], what: str, people: list[PhoneNumber], numbers: list[PhoneNumber]
) -> None:
    taken = {pair for held in live for pair in held.pairs}
    open_numbers = {held.anybody for held in live}
    first, second = (*people, None)[:2]
    groups = [[person] for person in people] if what == "per_party" else [people]
    possible = all(
        any(
            all((number, person) not in taken for person in group)
            and not (what == "single" and number in open_numbers)
            for number in numbers
        )
        for group in groups
    )
    made = await pool.asked(
        first,
        second,
        per_party=what == "per_party",
        single_party=what == "single",
        takes_anybody=what == "single",
    )
    if not possible:
        assert made is Refusal.POOL_IN_USE
        return
    assert isinstance(made, SessionReport)
    pairs = pairs_of(made)
    assert len(pairs) == len(people)
    assert not pairs & taken, "a pair is live twice"
    anybody = made.session.virtual_number if what == "single" else None
    assert anybody is None or anybody not in open_numbers
    live.append(Held(made, pairs, anybody))


async def end(pool: Pool, held: Held, *, by_clock: bool) -> None:
    session_id = held.report.session.id
    if not by_clock:
        assert not await pool.sessions.expire(pool.account, session_id, BY, hang_up=False)
        return
    await pool.execute("UPDATE session SET expires_at = now() WHERE id = $1", session_id)
    await pool.execute("UPDATE route SET held_until = now() WHERE session = $1", session_id)
    await pool.execute("UPDATE open_route SET held_until = now() WHERE session = $1", session_id)
