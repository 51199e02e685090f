"""The decision that everything hangs on."""

import dataclasses
from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.domain.routing import AskPin, Connect, Lookup, Refuse, route
from bridge.domain.sessions import Manner, QuietHours, Side
from tests.people import A_STRANGER_CALLS, ALICE, ALICE_CALLS, BOB, MALLORY, SESSION, VIRTUAL

QUESTION = AskPin(
    session=SESSION.id,
    prompt="https://x.test/pin.mp3",
    incorrect=None,
    retries=1,
    wait=5,
    length=4,
)
FORCED = dataclasses.replace(SESSION, manner=Manner(forces_pin=True))
LOOKUPS = st.builds(
    Lookup,
    now=st.datetimes().map(lambda at: at.replace(tzinfo=SESSION.created_at.tzinfo)),
    number_in_service=st.booleans(),
    session=st.sampled_from(
        [None, SESSION, FORCED, dataclasses.replace(SESSION, closed_at=SESSION.created_at)]
    ),
    caller_side=st.sampled_from([None, Side.FIRST, Side.SECOND]),
    calls_up=st.integers(min_value=0, max_value=2),
    caller=st.sampled_from([None, ALICE, BOB, MALLORY]),
    caller_is_ours=st.booleans(),
    callee_is_ours=st.booleans(),
    number_is_full=st.booleans(),
    account_is_full=st.booleans(),
    identified=st.booleans(),
    unattested=st.booleans(),
    pin_question=st.sampled_from([None, QUESTION]),
    pin_locked=st.booleans(),
    unknown_caller_play=st.sampled_from([None, "https://x.test/unknown.mp3"]),
)


@given(lookup=LOOKUPS)
def test_only_a_party_of_a_live_session_is_connected_and_only_to_the_other(lookup: Lookup) -> None:
    match route(lookup):
        case Connect(session, callee, caller_id, limits):
            assert lookup.number_in_service
            assert lookup.caller_side is not None
            assert lookup.calls_up == 0
            assert not any((lookup.number_is_full, lookup.account_is_full))
            assert not any((lookup.caller_is_ours, lookup.callee_is_ours))
            assert session.closed_at is None
            assert lookup.now < session.expires_at
            assert lookup.identified or lookup.caller == session.party(lookup.caller_side)
            assert lookup.identified or not session.manner.forces_pin
            assert lookup.identified or not lookup.unattested
            assert callee == session.party(lookup.caller_side.other)
            assert caller_id == session.virtual_number
            assert 0 < limits.call_time_limit <= session.call_time_limit
        case AskPin():
            assert lookup.number_in_service
            assert not lookup.pin_locked
        case Refuse(reason, play):
            assert reason
            assert play is None or lookup.pin_question is None


def test_the_last_moment_of_a_session_is_still_its_own() -> None:
    last = dataclasses.replace(ALICE_CALLS, now=SESSION.expires_at - timedelta(microseconds=1))
    assert route(last) == Connect(
        SESSION, callee=BOB, caller_id=VIRTUAL, limits=SESSION.limits, caller_side=Side.FIRST
    )
    over = dataclasses.replace(ALICE_CALLS, now=SESSION.expires_at)
    assert route(over) == Refuse("session-expired")


ASKING: dict[str, Any] = {
    "pin_question": QUESTION,
    "unknown_caller_play": "https://x.test/unknown.mp3",
}
OVER = dataclasses.replace(SESSION, closed_at=SESSION.created_at)
BOB_BY_PIN = dataclasses.replace(
    A_STRANGER_CALLS, session=SESSION, caller_side=Side.SECOND, identified=True
)


@pytest.mark.parametrize(
    ("lookup", "decided"),
    [
        (dataclasses.replace(A_STRANGER_CALLS, **ASKING), QUESTION),
        (dataclasses.replace(A_STRANGER_CALLS, **ASKING, caller=None), QUESTION),
        (dataclasses.replace(ALICE_CALLS, **ASKING, session=OVER), QUESTION),
        (dataclasses.replace(ALICE_CALLS, **ASKING, session=FORCED), QUESTION),
        (dataclasses.replace(ALICE_CALLS, **ASKING, session=FORCED, calls_up=1), QUESTION),
        (dataclasses.replace(A_STRANGER_CALLS, **ASKING, pin_locked=True), Refuse("pin-locked")),
        (
            dataclasses.replace(ALICE_CALLS, **ASKING, session=FORCED, pin_locked=True),
            Refuse("pin-locked"),
        ),
        (
            dataclasses.replace(A_STRANGER_CALLS, **{**ASKING, "pin_question": None}),
            Refuse("unknown-caller", "https://x.test/unknown.mp3"),
        ),
        (
            dataclasses.replace(ALICE_CALLS, **{**ASKING, "pin_question": None}, session=OVER),
            Refuse("session-expired", "https://x.test/unknown.mp3"),
        ),
        (
            dataclasses.replace(A_STRANGER_CALLS, **ASKING, number_in_service=False),
            Refuse("number-not-in-service"),
        ),
        (dataclasses.replace(BOB_BY_PIN, calls_up=1), Refuse("session-busy")),
    ],
)
def test_who_is_asked_for_a_pin(lookup: Lookup, decided: AskPin | Refuse) -> None:
    assert route(lookup) == decided


@pytest.mark.parametrize("asking", [{}, ASKING])
def test_who_is_known_by_number_or_by_pin_is_connected(asking: dict[str, Any]) -> None:
    assert isinstance(route(dataclasses.replace(ALICE_CALLS, **asking)), Connect)
    by_pin = route(dataclasses.replace(BOB_BY_PIN, **asking))
    assert isinstance(by_pin, Connect)
    assert (by_pin.callee, by_pin.caller_id) == (ALICE, VIRTUAL)


@pytest.mark.parametrize(
    ("at", "start", "end", "quiet"),
    [
        ("21:59", "22:00", "07:00", False),
        ("22:00", "22:00", "07:00", True),
        ("03:00", "22:00", "07:00", True),
        ("07:00", "22:00", "07:00", False),
        ("12:00", "12:00", "14:00", True),
        ("14:00", "12:00", "14:00", False),
    ],
)
def test_in_quiet_hours_nobody_is_called(at: str, start: str, end: str, *, quiet: bool) -> None:
    """By the clock of their time zone: Berlin's summer is two hours ahead."""
    hours = QuietHours(time.fromisoformat(start), time.fromisoformat(end), "Europe/Berlin")
    session = dataclasses.replace(
        SESSION, manner=Manner(quiet_hours=hours), expires_at=SESSION.expires_at.replace(year=2030)
    )
    now = datetime.fromisoformat(f"2026-07-01T{at}:00+02:00").astimezone(UTC)
    decided = route(dataclasses.replace(ALICE_CALLS, session=session, now=now))
    assert isinstance(decided, Refuse) is quiet
    if isinstance(decided, Refuse):
        assert decided.reason == "quiet-hours"
