"""What calls tell the application, and in which words."""

import uuid
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from bridge.domain import outcomes
from bridge.domain.events import OLDER_SET, Event, attributes, ends
from bridge.domain.hangups import hangup_cause
from bridge.domain.outcomes import HungUpBy, Outcome, completed, refused
from bridge.domain.privacy import OPEN
from bridge.domain.rates import UNANSWERED, Charge
from bridge.domain.records import Arrival, CallRecord, LegRecord, Origin, Role
from bridge.domain.sessions import Side
from bridge.domain.verdicts import Evidence, callee_failed, caller_failed
from tests.fakes.asterisk import EPOCH
from tests.people import ALICE, BOB, VIRTUAL

CHARGE = Charge(billed_seconds=60, price_per_minute=Decimal("0.01"), amount=Decimal("0.010000"))
CHARGES = {Role.A: CHARGE, Role.B: CHARGE}


def at(seconds: float) -> datetime:
    return EPOCH + timedelta(seconds=seconds)


def leg(
    role: Role, *, rang: float | None = None, answered: float | None = None, ended: float
) -> LegRecord:
    return LegRecord(
        role=role,
        channel_id=role,
        party_number=ALICE if role is Role.A else BOB,
        started_at=EPOCH,
        ringing_at=None if rang is None else at(rang),
        answered_at=None if answered is None else at(answered),
        ended_at=at(ended),
        hangup_cause=16,
    )


def record(outcome: Outcome, *legs: LegRecord, origin: Origin = Origin.INBOUND) -> CallRecord:
    return CallRecord(
        arrival=Arrival(
            call_id=uuid.UUID(int=1),
            channel_id="a",
            caller=ALICE,
            dialled=VIRTUAL.e164,
            started_at=EPOCH,
            origin=origin,
        ),
        outcome=outcome,
        ended_at=max(leg.ended_at or EPOCH for leg in legs),
        legs=legs,
    )


def all_names(finished: CallRecord, caller: Side = Side.FIRST) -> list[str]:
    charges = dict.fromkeys(Role, UNANSWERED)
    return [one.name for one in ends(finished, charges, caller=caller)]


def names(finished: CallRecord, caller: Side = Side.FIRST) -> list[str]:
    """As sessions are told that do not ask for all."""
    return [name for name in all_names(finished, caller) if name not in OLDER_SET]


TALK = record(
    completed(HungUpBy.CALLEE),
    leg(Role.A, rang=0.1, answered=5.1, ended=35.2),
    leg(Role.B, rang=1, answered=5, ended=35),
)


def test_a_conversation_is_told_in_the_order_in_which_it_happened() -> None:
    assert names(TALK) == [
        "SessionSecondPartyRing",
        "SessionSecondPartyAnswer",
        "SessionFirstPartyAnswer",
        "SessionSecondPartyHangup",
        "SessionFirstPartyHangup",
        "SessionPartiesHangup",
    ]


def test_first_and_second_are_those_of_the_session_whoever_calls() -> None:
    assert names(TALK, Side.SECOND) == [
        "SessionFirstPartyRinging",
        "SessionFirstPartyAnswer",
        "SessionSecondPartyAnswer",
        "SessionFirstPartyHangup",
        "SessionSecondPartyHangup",
        "SessionPartiesHangup",
    ]


def test_of_an_ordered_call_the_first_phone_rings_too() -> None:
    ordered = record(
        completed(HungUpBy.CALLER),
        leg(Role.A, rang=1, answered=2, ended=20),
        leg(Role.B, rang=3, answered=4, ended=20.1),
        origin=Origin.CALL_ME,
    )
    assert names(ordered)[:4] == [
        "SessionFirstPartyRinging",
        "SessionFirstPartyAnswer",
        "SessionSecondPartyRing",
        "SessionSecondPartyAnswer",
    ]


def test_a_call_that_nobody_answered_tells_that_it_ended() -> None:
    missed = record(outcomes.RING_TIMEOUT, leg(Role.A, ended=30), leg(Role.B, rang=1, ended=30))
    assert names(missed) == [
        "SessionSecondPartyRing",
        "SessionSecondPartyHangup",
        "SessionFirstPartyHangup",
        "SessionPartiesHangup",
    ]


def test_whoever_asks_for_all_is_told_who_was_called_and_how_each_party_s_part_ended() -> None:
    assert all_names(TALK) == [
        "SessionSecondPartyInitiated",
        "SessionSecondPartyRing",
        "SessionSecondPartyAnswer",
        "SessionFirstPartyAnswer",
        "SessionSecondPartyHangup",
        "SessionSecondPartyComplete",
        "SessionFirstPartyHangup",
        "SessionFirstPartyComplete",
        "SessionPartiesHangup",
    ]


def test_what_nobody_answered_failed_for_both() -> None:
    missed = record(outcomes.RING_TIMEOUT, leg(Role.A, ended=30), leg(Role.B, rang=1, ended=30))
    assert all_names(missed, Side.SECOND) == [
        "SessionFirstPartyInitiated",
        "SessionFirstPartyRinging",
        "SessionFirstPartyHangup",
        "SessionFirstPartyFailed",
        "SessionSecondPartyHangup",
        "SessionSecondPartyFailed",
        "SessionPartiesHangup",
    ]


def test_of_an_ordered_call_that_the_second_missed_only_its_part_failed() -> None:
    ordered = record(
        outcomes.RING_TIMEOUT,
        leg(Role.A, rang=1, answered=2, ended=30),
        replace(leg(Role.B, rang=3, ended=29), started_at=at(2.1)),
        origin=Origin.CALL_ME,
    )
    assert all_names(ordered) == [
        "SessionFirstPartyInitiated",
        "SessionFirstPartyRinging",
        "SessionFirstPartyAnswer",
        "SessionSecondPartyInitiated",
        "SessionSecondPartyRing",
        "SessionSecondPartyHangup",
        "SessionSecondPartyFailed",
        "SessionFirstPartyHangup",
        "SessionFirstPartyComplete",
        "SessionPartiesHangup",
    ]


def test_two_who_called_each_other_complete_though_the_leg_that_was_placed_did_not() -> None:
    crossed = replace(
        record(
            completed(HungUpBy.CALLEE),
            leg(Role.A, answered=1, ended=20),
            leg(Role.B, ended=1),
        ),
        answered_at=at(1),
    )
    assert "SessionSecondPartyComplete" in all_names(crossed)


def test_a_refused_call_tells_nothing() -> None:
    assert names(record(refused("session-busy")[0], leg(Role.A, ended=0))) == []


def test_the_end_says_why_how_long_and_for_how_much() -> None:
    told = {one.name: one for one in ends(TALK, CHARGES, caller=Side.FIRST)}
    assert told["SessionSecondPartyHangup"].attributes == {
        "Amount": "0.010000",
        "BilledDuration": 60,
        "Duration": 30,
        "PlivoHangupCause": "Normal Hangup",
        "PlivoHangupCauseCode": 4000,
    }
    whole = told["SessionPartiesHangup"]
    assert whole.happened_at == TALK.ended_at
    assert whole.attributes["Amount"] == "0.020000"
    assert whole.attributes["Duration"] == 61  # of two legs, each in seconds begun


def test_a_receiver_gets_plivos_attributes_and_nothing_that_is_not_known() -> None:
    event = Event(
        id=uuid.UUID(int=1),
        account="MA",
        session=uuid.UUID(int=2),
        sequence=3,
        name="SessionSecondPartyRing",
        happened_at=datetime(2026, 1, 2, 3, 4, 5, 60000, UTC),
        attributes={},
        caller=ALICE,
        callee=BOB,
        virtual_number=VIRTUAL.e164,
        privacy=OPEN,
    )
    assert list(attributes(event).items()) == [
        ("EventName", "SessionSecondPartyRing"),
        ("EventTimestamp", "2026-01-02 03:04:05.060000 +0000 UTC"),
        ("SessionUUID", str(uuid.UUID(int=2))),
        ("From", "14155550123"),
        ("To", "12165550145"),
        ("VirtualNumber", "12025550142"),
        ("SequenceNumber", 3),
    ]


@pytest.mark.parametrize(
    ("outcome", "code"),
    [
        (completed(HungUpBy.CALLER), 4000),
        (outcomes.CUSTOMER_HUNG_UP, 4000),
        (outcomes.TIME_LIMIT, 6000),
        (outcomes.CANCELLED, 1000),
        (outcomes.CUSTOMER_CANCELLED, 1000),
        (outcomes.RING_TIMEOUT, 3040),
        (outcomes.FIRST_RING_TIMEOUT, 3040),
        *(
            (made, code)
            for evidence, code in [
                (Evidence(sip_code=486), 3010),
                (Evidence(sip_code=480), 3000),
                (Evidence(sip_code=408, progressed=True), 2010),
                (Evidence(sip_code=603), 3020),
                (Evidence(sip_code=404), 2000),
                (Evidence(sip_code=503), 5010),
                (Evidence(), 0),
            ]
            for made in (callee_failed(evidence)[0], caller_failed(evidence))
        ),
        (outcomes.CRASHED, 5010),
        (outcomes.DRAINED, 5010),
        (outcomes.ASTERISK_FAILED, 5010),
        (outcomes.STORE_FAILED, 5010),
        (outcomes.LOST, 5010),
        (outcomes.LOST_WHILE_RINGING, 5010),
    ],
)
def test_every_end_has_plivos_code(outcome: Outcome, code: int) -> None:
    assert hangup_cause(outcome).code == code
