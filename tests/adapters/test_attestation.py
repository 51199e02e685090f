"""How far the carrier must vouch for a caller's number: by trunk, account and session."""

import uuid
from datetime import UTC, datetime
from typing import Any

import pytest

from bridge.domain.attestation import Attestation
from bridge.domain.numbers import PhoneNumber
from bridge.domain.pins import Guess, Pins
from bridge.domain.records import Arrival
from bridge.domain.routing import AskPin, Connect, Decision, Lookup, Refuse, route
from bridge.store.accounts import Accounts
from bridge.store.calls import Calls
from bridge.store.pool import Database
from tests.adapters.conftest import session_between
from tests.people import ALICE, BOB, VIRTUAL

WITH_PINS = {
    "is_pin_authentication_required": True,
    "pin_prompt_play": "https://x.test/pin.mp3",
    "first_party_pin": "1111",
    "second_party_pin": "2222",
}
LEVELS = [Attestation.FAILED, Attestation.NONE, Attestation.C, Attestation.B, Attestation.A]


def arrival(attestation: Attestation, caller: PhoneNumber | None = ALICE) -> Arrival:
    call_id = uuid.uuid4()
    return Arrival(
        call_id=call_id,
        channel_id=f"channel-{call_id}",
        caller=caller,
        dialled=VIRTUAL.e164,
        started_at=datetime.now(UTC),
        attestation=attestation,
    )


class Desk:
    """A session, and calls of its first party's number at every level."""

    def __init__(self, database: Database, account: str) -> None:
        self.database = database
        self.account = account

    async def decision(
        self, attestation: Attestation, *, trunk: Attestation = Attestation.NONE
    ) -> Decision:
        calls = Calls(self.database, node="here", least_attestation=trunk)
        call = arrival(attestation)
        decided = route(await calls.arrived(call))
        await self.over(call)
        return decided

    async def over(self, call: Arrival) -> None:
        async with self.database.connection() as connection:
            await connection.execute(
                "UPDATE call SET ended_at = now(), disposition = 'refused' WHERE id = $1",
                call.call_id,
            )

    async def connected_from(self, **trunk: Any) -> Attestation:
        """The least level that is connected; all that are better must be, and none below."""
        connected = [isinstance(await self.decision(level, **trunk), Connect) for level in LEVELS]
        assert connected == sorted(connected)
        assert True in connected
        return LEVELS[connected.index(True)]


@pytest.fixture
async def desk(database: Database, account: str) -> Desk:
    return Desk(database, account)


async def test_a_failed_check_is_never_enough_and_all_else_is_unless_more_is_wanted(
    desk: Desk,
) -> None:
    await session_between(desk.database, desk.account)
    assert await desk.connected_from() is Attestation.NONE
    assert await desk.decision(Attestation.FAILED) == Refuse("caller-unattested")


@pytest.mark.parametrize("least", ["C", "B", "A"])
async def test_trunk_account_and_session_can_each_want_more(desk: Desk, least: str) -> None:
    wanted = Attestation(least)
    await session_between(desk.database, desk.account)
    assert await desk.connected_from(trunk=wanted) is wanted
    await Accounts(desk.database).want_attestation(desk.account, wanted)
    assert await desk.connected_from() is wanted


@pytest.mark.parametrize(
    ("of_account", "of_session", "trunk", "least"),
    [
        ("A", "none", "none", "none"),  # a session has the last word on its account's
        ("none", "B", "none", "B"),
        ("A", "C", "none", "C"),
        ("A", None, "none", "A"),
        ("none", "none", "B", "B"),  # and the trunk's holds always
        ("C", "C", "A", "A"),
        ("A", "A", "C", "A"),
    ],
)
async def test_a_session_overrides_its_account_and_nobody_the_trunk(
    desk: Desk, of_account: str, of_session: str | None, trunk: str, least: str
) -> None:
    await Accounts(desk.database).want_attestation(desk.account, Attestation(of_account))
    await session_between(desk.database, desk.account, options={"min_attestation": of_session})
    assert await desk.connected_from(trunk=Attestation(trunk)) is Attestation(least)


async def test_a_party_below_it_is_asked_for_its_pin_and_connected_by_it(desk: Desk) -> None:
    options = {**WITH_PINS, "min_attestation": "B"}
    pins = Pins(first="1111", second="2222")
    made = await session_between(desk.database, desk.account, options=options, pins=pins)
    calls = Calls(desk.database, node="here")
    call = arrival(Attestation.C)
    question = route(await calls.arrived(call))
    assert isinstance(question, AskPin)
    assert question.session == made.session.id
    found = await calls.identify(call, Guess("1111", 0, asked_by=question.session))
    assert isinstance(found, Lookup)
    decided = route(found)
    assert isinstance(decided, Connect)
    assert decided.callee == BOB


async def test_an_application_s_word_makes_up_for_no_level(desk: Desk) -> None:
    """Of a stranger it may have made a session meanwhile: that wants its level, too."""
    await session_between(desk.database, desk.account, options={"min_attestation": "A"})
    calls = Calls(desk.database, node="here")
    call = arrival(Attestation.B)
    await calls.arrived(call)
    again = await calls.look_again(call)
    assert again
    assert route(again) == Refuse("caller-unattested")


async def test_the_record_says_how_far_the_carrier_vouched(desk: Desk) -> None:
    await session_between(desk.database, desk.account)
    calls = Calls(desk.database, node="here")
    await calls.arrived(arrival(Attestation.FAILED, caller=None))
    await calls.arrived(arrival(Attestation.B))
    async with desk.database.connection() as connection:
        rows = await connection.fetch("SELECT attestation FROM call ORDER BY started_at")
    assert [row["attestation"] for row in rows] == ["failed", "B"]
