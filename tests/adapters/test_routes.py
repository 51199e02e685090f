"""Whom a caller is led to, in sessions of every kind, over a real Postgres."""

import dataclasses
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bridge.domain.numbers import PhoneNumber
from bridge.domain.outcomes import CANCELLED, HungUpBy, Outcome, completed, refused
from bridge.domain.records import Arrival, CallRecord, LegRecord, Role
from bridge.domain.reports import SessionReport
from bridge.domain.requests import NewSession, Refusal, SessionChange
from bridge.domain.routing import Connect, Decision, Refuse, route
from bridge.domain.sessions import Direction
from bridge.store.calls import Calls
from bridge.store.numbers import Numbers
from bridge.store.pool import Database
from bridge.store.sessions import Sessions
from tests.adapters.conftest import BY, sessions_of
from tests.people import ALICE, BOB, CAROL, MALLORY, VIRTUAL

SECOND_VIRTUAL = PhoneNumber("+12025550143")


@dataclasses.dataclass
class Exchange:
    """An account with two numbers, its sessions, and calls to them."""

    account: str
    database: Database
    sessions: Sessions
    calls: Calls

    async def session(
        self, first: PhoneNumber | None, second: PhoneNumber | None, **otherwise: Any
    ) -> SessionReport:
        new = NewSession(
            account=self.account,
            first_party=first,
            second_party=second,
            expiry=3600,
            ring_timeout=30,
            call_time_limit=600,
            options={},
        )
        made = await self.sessions.create(dataclasses.replace(new, **otherwise), BY)
        assert isinstance(made, SessionReport), made
        return made

    async def call(
        self,
        caller: PhoneNumber | None,
        dialled: PhoneNumber = VIRTUAL,
        *,
        outcome: Outcome | None = None,
        talked: float = 60,
    ) -> Decision:
        """Where a call is led; it is over at once."""
        began = datetime.now(UTC)
        arrival = Arrival(
            call_id=uuid.uuid4(),
            channel_id=f"channel-{uuid.uuid4()}",
            caller=caller,
            dialled=dialled.e164,
            started_at=began,
        )
        decision = route(await self.calls.arrived(arrival))
        if isinstance(decision, Refuse):
            outcome = refused(decision.reason)[0]
        answered_at = None if outcome else began
        leg = LegRecord(
            role=Role.A,
            channel_id=arrival.channel_id,
            party_number=caller,
            started_at=began,
            answered_at=answered_at,
            ended_at=began + timedelta(seconds=talked),
        )
        record = CallRecord(
            arrival=arrival,
            outcome=outcome or completed(HungUpBy.CALLER),
            answered_at=answered_at,
            ended_at=began + timedelta(seconds=talked),
            legs=(leg,),
        )
        async with self.database.transaction() as connection:
            await self.calls.write_end(connection, record)
        return decision

    async def reaches(self, caller: PhoneNumber | None, dialled: PhoneNumber = VIRTUAL) -> Any:
        """Whom a caller reaches, and what that phone shows; or why nobody."""
        match await self.call(caller, dialled):
            case Connect(callee=callee, caller_id=shown):
                return callee, shown
            case Refuse(reason):
                return reason

    async def execute(self, statement: str) -> None:
        async with self.database.connection() as connection:
            await connection.execute(statement)


@pytest.fixture
async def exchange(account: str, database: Database) -> Exchange:
    numbers = Numbers(database, trunk="carrier")
    await numbers.add(account, [VIRTUAL, SECOND_VIRTUAL])
    return Exchange(
        account,
        database,
        sessions_of(database),
        Calls(database, node="here"),
    )


async def test_each_sees_the_number_that_it_can_call_back(exchange: Exchange) -> None:
    await exchange.session(
        ALICE, BOB, per_party=True, virtual_number=VIRTUAL, second_virtual_number=SECOND_VIRTUAL
    )
    assert await exchange.reaches(ALICE, VIRTUAL) == (BOB, SECOND_VIRTUAL)
    assert await exchange.reaches(BOB, SECOND_VIRTUAL) == (ALICE, VIRTUAL)
    assert await exchange.reaches(ALICE, SECOND_VIRTUAL) == "unknown-caller"
    assert await exchange.reaches(BOB, VIRTUAL) == "unknown-caller"
    assert await exchange.reaches(MALLORY, VIRTUAL) == "unknown-caller"


async def test_in_a_one_way_session_the_second_party_calls_nobody(exchange: Exchange) -> None:
    await exchange.session(ALICE, BOB, direction=Direction.ONE_WAY)
    assert await exchange.reaches(BOB) == "one-way-session"
    assert await exchange.reaches(ALICE) == (BOB, VIRTUAL)


async def test_a_party_calls_from_any_of_its_phones_and_the_first_rings(
    exchange: Exchange,
) -> None:
    await exchange.session(ALICE, BOB, first_party_alternates=[CAROL])
    assert await exchange.reaches(CAROL) == (BOB, VIRTUAL)
    assert await exchange.reaches(BOB) == (ALICE, VIRTUAL)


async def test_before_its_beginning_a_session_takes_no_call(exchange: Exchange) -> None:
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    report = await exchange.session(ALICE, BOB, valid_from=tomorrow)
    assert report.session.expires_at - tomorrow == timedelta(hours=1)
    assert await exchange.reaches(ALICE) == "session-not-begun"
    await exchange.execute("UPDATE session SET valid_from = now()")
    assert await exchange.reaches(ALICE) == (BOB, VIRTUAL)


async def test_a_session_takes_so_many_calls_and_no_more(exchange: Exchange) -> None:
    """Those that were refused are none."""
    await exchange.session(ALICE, BOB, max_calls=2)
    assert await exchange.reaches(MALLORY) == "unknown-caller"
    await exchange.call(ALICE, outcome=CANCELLED)
    assert await exchange.reaches(BOB) == (ALICE, VIRTUAL)
    assert await exchange.reaches(ALICE) == "calls-used-up"


async def test_a_call_lasts_no_longer_than_the_time_that_its_session_has_left(
    exchange: Exchange,
) -> None:
    await exchange.session(ALICE, BOB, max_total_duration=100)
    first = await exchange.call(ALICE, talked=60)
    second = await exchange.call(BOB, talked=40)
    assert isinstance(first, Connect)
    assert isinstance(second, Connect)
    assert first.limits.call_time_limit == 100
    assert second.limits.call_time_limit == 40
    assert await exchange.reaches(ALICE) == "time-used-up"


# --- one party only ---


async def test_whoever_calls_reaches_the_one_party(exchange: Exchange) -> None:
    await exchange.session(ALICE, None, single_party=True, takes_anybody=True)
    assert await exchange.reaches(ALICE) == "nobody-to-call"
    for stranger in (MALLORY, BOB, None):
        assert await exchange.reaches(stranger) == (ALICE, VIRTUAL)


async def test_the_one_party_reaches_whom_it_talked_to_last(exchange: Exchange) -> None:
    await exchange.session(None, ALICE, single_party=True, takes_anybody=True)
    for stranger in (MALLORY, BOB):
        await exchange.call(stranger)
        assert await exchange.reaches(ALICE) == (stranger, VIRTUAL)
    await exchange.call(None)
    assert await exchange.reaches(ALICE) == "nobody-to-call", "not the one before"


async def test_a_party_of_another_session_on_the_number_keeps_its_own(exchange: Exchange) -> None:
    alone = await exchange.session(
        ALICE, None, single_party=True, takes_anybody=True, virtual_number=VIRTUAL
    )
    own = await exchange.session(BOB, CAROL, virtual_number=VIRTUAL)
    assert await exchange.reaches(BOB) == (CAROL, VIRTUAL)
    await exchange.sessions.expire(exchange.account, own.session.id, BY, hang_up=False)
    assert await exchange.reaches(BOB) == (ALICE, VIRTUAL), "his own is over"
    await exchange.sessions.expire(exchange.account, alone.session.id, BY, hang_up=False)
    assert await exchange.reaches(MALLORY) == "session-expired"


async def test_once_the_missing_party_is_known_nobody_else_gets_through(
    exchange: Exchange,
) -> None:
    report = await exchange.session(ALICE, None, single_party=True, takes_anybody=True)
    known = SessionChange(second_party=BOB)
    changed = await exchange.sessions.update(exchange.account, report.session.id, known, BY)
    assert isinstance(changed, SessionReport)
    assert await exchange.reaches(BOB) == (ALICE, VIRTUAL)
    assert await exchange.reaches(ALICE) == (BOB, VIRTUAL)
    assert await exchange.reaches(MALLORY) == "unknown-caller"
    another = SessionChange(second_party=CAROL)
    await exchange.sessions.update(exchange.account, report.session.id, another, BY)
    assert await exchange.reaches(CAROL) == (ALICE, VIRTUAL)
    assert await exchange.reaches(BOB) == "unknown-caller"


async def test_a_party_that_has_a_session_on_the_number_cannot_be_the_missing_one(
    exchange: Exchange,
) -> None:
    report = await exchange.session(
        ALICE, None, single_party=True, takes_anybody=True, virtual_number=VIRTUAL
    )
    await exchange.session(BOB, CAROL, virtual_number=VIRTUAL)
    update = exchange.sessions.update
    for party, refusal in ((BOB, Refusal.PARTY_BUSY_ELSEWHERE), (ALICE, Refusal.SAME_PARTY)):
        change = SessionChange(second_party=party)
        assert await update(exchange.account, report.session.id, change, BY) is refusal
    assert await exchange.reaches(MALLORY) == (ALICE, VIRTUAL), "nothing has changed"
    two = await exchange.session(ALICE, BOB, virtual_number=SECOND_VIRTUAL)
    change = SessionChange(second_party=CAROL)
    refused = await update(exchange.account, two.session.id, change, BY)
    assert refused is Refusal.NOT_SINGLE_PARTY


# --- an end that moves ---


async def test_each_call_prolongs_a_session_that_is_to_outlive_its_last(
    exchange: Exchange,
) -> None:
    report = await exchange.session(ALICE, BOB, expiry_after_last_call=7200)
    before = report.session.expires_at
    await exchange.call(MALLORY)
    assert await exchange.reaches(ALICE) == (BOB, VIRTUAL)
    after = await exchange.sessions.get(exchange.account, report.session.id)
    assert after
    assert after.session.expires_at - before >= timedelta(seconds=3600)
    async with exchange.database.connection() as connection:
        held = await connection.fetchval("SELECT min(held_until) FROM route")
    assert held == after.session.expires_at
    steps = await exchange.sessions.history(exchange.account, report.session.id)
    assert steps
    assert [step.what for step in steps] == ["created", "prolonged"]
    assert steps[1].actor.startswith("call ")


async def test_no_call_shortens_a_session(exchange: Exchange) -> None:
    report = await exchange.session(ALICE, BOB, expiry_after_last_call=60)
    await exchange.call(ALICE)
    after = await exchange.sessions.get(exchange.account, report.session.id)
    assert after
    assert after.session.expires_at == report.session.expires_at
