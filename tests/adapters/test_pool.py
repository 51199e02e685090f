"""The pool in a real Postgres: what becomes of numbers, whoever else is at it."""

import asyncio
import uuid
from datetime import timedelta

import pytest

from bridge.domain.grants import ranges_of
from bridge.domain.numbers import NumberType, PhoneNumber
from bridge.domain.pool import (
    NotAdded,
    NumberFilter,
    NumberSettings,
    NumberState,
    VirtualNumber,
)
from bridge.domain.records import Arrival
from bridge.domain.reports import SessionReport
from bridge.domain.requests import NewSession, Refusal
from bridge.domain.routing import Connect, Refuse, route
from bridge.store.accounts import Accounts
from bridge.store.calls import Calls
from bridge.store.grants import Grants
from bridge.store.numbers import Numbers
from bridge.store.pool import Database
from bridge.store.sessions import Sessions
from bridge.store.subaccounts import Subaccounts
from tests.adapters.conftest import BY, sessions_of
from tests.fakes.asterisk import EPOCH
from tests.people import ALICE, BOB, MALLORY, VIRTUAL

SECOND_VIRTUAL = PhoneNumber("+12025550143")


@pytest.fixture
def numbers(database: Database) -> Numbers:
    return Numbers(database, trunk="carrier")


@pytest.fixture
def sessions(database: Database) -> Sessions:
    return sessions_of(database)


@pytest.fixture
async def other(database: Database) -> str:
    return await Accounts(database).create("Other", token="8" * 64)


def between(account: str, first: PhoneNumber, second: PhoneNumber) -> NewSession:
    return NewSession(
        account=account,
        first_party=first,
        second_party=second,
        geomatch=False,
        expiry=600,
        ring_timeout=30,
        call_time_limit=600,
        options={},
    )


async def one(numbers: Numbers, account: str, number: PhoneNumber = VIRTUAL) -> VirtualNumber:
    found = await numbers.get(account, number)
    assert found is not None
    return found


async def retired(numbers: Numbers, account: str) -> list[PhoneNumber]:
    wanted = NumberFilter(state=NumberState.RETIRED)
    page = await numbers.list(account, wanted, limit=20, offset=0)
    return [found.number for found in page.items]


async def test_a_new_number_is_active_and_of_its_country_and_type(
    numbers: Numbers, account: str
) -> None:
    assert await numbers.add(account, [VIRTUAL, PhoneNumber("+447400123456")]) is None
    new = await one(numbers, account)
    assert (new.state, new.reserved, new.subaccount) == (NumberState.ACTIVE, False, None)
    assert (new.country, new.number_type, new.trunk) == ("US", NumberType.LOCAL, "carrier")
    mobile = await one(numbers, account, PhoneNumber("+447400123456"))
    assert (mobile.country, mobile.number_type) == ("GB", NumberType.MOBILE)


async def test_adding_a_number_again_changes_only_what_is_named(
    numbers: Numbers, account: str
) -> None:
    first = NumberSettings(alias="depot", reserved=True, state=NumberState.QUARANTINED)
    await numbers.add(account, [VIRTUAL], first)
    before = await one(numbers, account)
    assert await numbers.add(account, [VIRTUAL, SECOND_VIRTUAL]) is None
    assert await one(numbers, account) == before
    await numbers.add(account, [VIRTUAL], NumberSettings(state=NumberState.ACTIVE))
    after = await one(numbers, account)
    assert (after.state, after.alias, after.reserved) == (NumberState.ACTIVE, "depot", True)


async def test_a_retired_number_comes_back_as_if_it_were_new(
    numbers: Numbers, account: str
) -> None:
    await numbers.add(account, [VIRTUAL], NumberSettings(alias="depot", reserved=True))
    before = await one(numbers, account)
    assert await numbers.remove(account, VIRTUAL) is None
    assert await numbers.get(account, VIRTUAL) is None
    assert await retired(numbers, account) == [VIRTUAL]
    active = NumberSettings(state=NumberState.ACTIVE)
    assert await numbers.update(account, VIRTUAL, active) is Refusal.NOT_FOUND
    await numbers.add(account, [VIRTUAL])
    after = await one(numbers, account)
    assert (after.state, after.alias, after.reserved) == (NumberState.ACTIVE, "", False)
    assert after.added_at > before.added_at


async def test_what_another_account_has_is_not_added_and_nothing_else_is_either(
    numbers: Numbers, account: str, other: str
) -> None:
    await numbers.add(account, [VIRTUAL])
    refused = await numbers.add(other, [SECOND_VIRTUAL, VIRTUAL])
    assert refused == NotAdded(taken=(VIRTUAL,))
    assert await numbers.get(other, SECOND_VIRTUAL) is None


async def test_what_another_account_retired_is_anybody_s_once_its_sessions_are_over(
    numbers: Numbers, sessions: Sessions, database: Database, account: str, other: str
) -> None:
    await numbers.add(account, [VIRTUAL], NumberSettings(alias="theirs", reserved=False))
    made = await sessions.create(between(account, ALICE, BOB), BY)
    assert isinstance(made, SessionReport)
    await numbers.remove(account, VIRTUAL)
    assert await numbers.add(other, [VIRTUAL]) == NotAdded(taken=(VIRTUAL,))
    await sessions.expire(account, made.session.id, BY, hang_up=False)
    assert await numbers.add(other, [VIRTUAL]) == NotAdded(taken=(VIRTUAL,)), "it is granted still"
    await Grants(database).revoke(account, ranges_of([VIRTUAL]))
    assert await numbers.add(other, [VIRTUAL]) is None
    assert (await one(numbers, other)).alias == ""
    assert await retired(numbers, account) == []


async def test_a_party_of_a_live_session_of_anybody_is_no_virtual_number(
    numbers: Numbers, sessions: Sessions, account: str, other: str
) -> None:
    await numbers.add(account, [VIRTUAL])
    made = await sessions.create(between(account, ALICE, BOB), BY)
    assert isinstance(made, SessionReport)
    for somebody in (account, other):
        refused = await numbers.add(somebody, [SECOND_VIRTUAL, BOB, ALICE])
        assert refused == NotAdded(parties=(BOB, ALICE))
        assert await numbers.get(somebody, SECOND_VIRTUAL) is None
    await sessions.expire(account, made.session.id, BY, hang_up=False)
    assert await numbers.add(other, [BOB]) is None


async def test_a_session_and_a_number_made_at_once_for_one_party_do_not_both_come_about(
    numbers: Numbers, sessions: Sessions, database: Database, account: str
) -> None:
    await numbers.add(account, [VIRTUAL])
    people = [PhoneNumber(f"+130355501{place:02}") for place in range(40)]
    partners = [PhoneNumber(f"+141555501{place:02}") for place in range(40)]
    await Grants(database).grant(account, ranges_of([*people, SECOND_VIRTUAL]), by="a test")
    async with asyncio.TaskGroup() as group:
        attempts = [
            (
                group.create_task(sessions.create(between(account, person, partner), BY)),
                group.create_task(
                    numbers.add_granted(account, [person, SECOND_VIRTUAL], NumberSettings())
                ),
            )
            for person, partner in zip(people, partners, strict=True)
        ]
    for person, (session, number) in zip(people, attempts, strict=True):
        if number.result() is None:
            assert session.result() is Refusal.PARTY_IS_VIRTUAL
        else:
            assert number.result() == NotAdded(parties=(person,))
            assert isinstance(session.result(), SessionReport)


async def test_who_add_the_same_numbers_at_once_do_not_stop_each_other(
    numbers: Numbers, account: str, other: str
) -> None:
    pool = [PhoneNumber(f"+120255501{place:02}") for place in range(50)]
    async with asyncio.TaskGroup() as group:
        added = [
            group.create_task(numbers.add(somebody, pool[::step]))
            for somebody in (account, other)
            for step in (1, -1)
        ]
    assert sorted(task.result() is None for task in added) == [False, False, True, True]


@pytest.mark.parametrize(
    ("state", "connected"),
    [
        (NumberState.ACTIVE, True),
        (NumberState.DRAINING, True),
        (NumberState.QUARANTINED, False),
        (NumberState.RETIRED, False),
    ],
)
async def test_the_state_says_whether_a_number_takes_calls(
    numbers: Numbers,
    sessions: Sessions,
    database: Database,
    account: str,
    state: NumberState,
    connected: bool,
) -> None:
    await numbers.add(account, [VIRTUAL])
    await sessions.create(between(account, ALICE, BOB), BY)
    assert await numbers.update(account, VIRTUAL, NumberSettings(state=state)) is None
    decided = route(
        await Calls(database, node="here").arrived(
            Arrival(
                call_id=uuid.uuid4(),
                channel_id="a",
                caller=ALICE,
                dialled=VIRTUAL.e164,
                started_at=EPOCH,
            )
        )
    )
    assert state.takes_calls is connected
    if connected:
        assert isinstance(decided, Connect)
    else:
        assert decided == Refuse("number-not-in-service")


@pytest.mark.parametrize("state", [one for one in NumberState if one is not NumberState.ACTIVE])
async def test_only_active_numbers_are_given_to_new_sessions(
    numbers: Numbers, sessions: Sessions, account: str, state: NumberState
) -> None:
    await numbers.add(account, [VIRTUAL])
    await numbers.update(account, VIRTUAL, NumberSettings(state=state))
    refused = await sessions.create(between(account, ALICE, BOB), BY)
    retired = state is NumberState.RETIRED
    assert refused is (Refusal.POOL_EMPTY if retired else Refusal.POOL_INACTIVE)


async def test_a_number_counts_the_live_sessions_it_is_in(
    numbers: Numbers, sessions: Sessions, database: Database, account: str
) -> None:
    await numbers.add(account, [VIRTUAL])
    made = [
        await sessions.create(between(account, *pair), BY)
        for pair in [(ALICE, BOB), (MALLORY, PhoneNumber("+13035550101"))]
    ]
    assert (await one(numbers, account)).live_sessions == 2
    first, second = (report.session for report in made if isinstance(report, SessionReport))
    await sessions.expire(account, first.id, BY, hang_up=False)
    assert (await one(numbers, account)).live_sessions == 1
    async with database.connection() as connection:
        await connection.execute(
            "UPDATE session SET expires_at = now() - $1::interval WHERE id = $2",
            timedelta(seconds=1),
            second.id,
        )
    assert (await one(numbers, account)).live_sessions == 0


async def test_a_number_is_of_a_subaccount_of_its_own_account_only(
    numbers: Numbers, database: Database, account: str, other: str
) -> None:
    subaccounts = Subaccounts(database)
    theirs = await subaccounts.create(other, "East", enabled=True)
    ours = await subaccounts.create(account, "West", enabled=True)
    for unknown in (theirs, "SA" + "X" * 18):
        wanted = NumberSettings(subaccount=unknown)
        assert await numbers.add(account, [VIRTUAL], wanted) == NotAdded(subaccount_is_unknown=True)
    await numbers.add(account, [VIRTUAL], NumberSettings(subaccount=ours))
    assert (await one(numbers, account)).subaccount == ours
    refused = await numbers.update(account, VIRTUAL, NumberSettings(subaccount=theirs))
    assert refused is Refusal.SUBACCOUNT_UNKNOWN
    assert await numbers.update(account, VIRTUAL, NumberSettings(subaccount="")) is None
    assert (await one(numbers, account)).subaccount is None


@pytest.mark.parametrize("retire", [False, True])
async def test_a_removed_subaccount_s_numbers_are_the_account_s_or_retired(
    numbers: Numbers, database: Database, account: str, retire: bool
) -> None:
    subaccounts = Subaccounts(database)
    west = await subaccounts.create(account, "West", enabled=True)
    await numbers.add(account, [VIRTUAL], NumberSettings(subaccount=west))
    await numbers.add(account, [SECOND_VIRTUAL])
    assert await subaccounts.remove(account, west, retire_numbers=retire) is None
    assert await subaccounts.get(account, west) is None
    assert await retired(numbers, account) == ([VIRTUAL] if retire else [])
    assert (await one(numbers, account, SECOND_VIRTUAL)).state is NumberState.ACTIVE
    if not retire:
        assert (await one(numbers, account)).subaccount is None
    again = NumberSettings(subaccount=west)
    assert await numbers.add(account, [VIRTUAL], again) == NotAdded(subaccount_is_unknown=True)


async def test_a_subaccount_with_live_sessions_stays(
    numbers: Numbers, sessions: Sessions, database: Database, account: str, other: str
) -> None:
    subaccounts = Subaccounts(database)
    west = await subaccounts.create(account, "West", enabled=True)
    await numbers.add(account, [VIRTUAL])
    made = await sessions.create(between(account, ALICE, BOB), BY)
    assert isinstance(made, SessionReport)
    async with database.connection() as connection:
        await connection.execute("UPDATE session SET subaccount = $1", west)
    refused = await subaccounts.remove(account, west, retire_numbers=True)
    assert refused is Refusal.SUBACCOUNT_IN_USE
    assert await subaccounts.get(account, west) is not None
    await sessions.expire(account, made.session.id, BY, hang_up=False)
    assert await subaccounts.remove(other, west, retire_numbers=True) is Refusal.NOT_FOUND
    assert await subaccounts.remove(account, west, retire_numbers=True) is None
    assert await subaccounts.remove(account, west, retire_numbers=True) is Refusal.NOT_FOUND


async def test_no_number_is_left_with_a_subaccount_that_is_removed_meanwhile(
    numbers: Numbers, database: Database, account: str
) -> None:
    subaccounts = Subaccounts(database)
    for place in range(20):
        west = await subaccounts.create(account, "West", enabled=True)
        number = PhoneNumber(f"+120255501{place:02}")
        async with asyncio.TaskGroup() as group:
            group.create_task(numbers.add(account, [number], NumberSettings(subaccount=west)))
            group.create_task(subaccounts.remove(account, west, retire_numbers=False))
        found = await numbers.get(account, number)
        assert found is None or found.subaccount is None
