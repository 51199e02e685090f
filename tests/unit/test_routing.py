"""The decision that everything hangs on."""

import dataclasses
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from bridge.domain.routing import Connect, Lookup, Refuse, route
from bridge.domain.sessions import Side
from tests.people import ALICE, ALICE_CALLS, BOB, MALLORY, SESSION, VIRTUAL

LOOKUPS = st.builds(
    Lookup,
    now=st.datetimes().map(lambda at: at.replace(tzinfo=SESSION.created_at.tzinfo)),
    number_in_service=st.booleans(),
    session=st.sampled_from(
        [None, SESSION, dataclasses.replace(SESSION, closed_at=SESSION.created_at)]
    ),
    caller_side=st.sampled_from([None, Side.FIRST, Side.SECOND]),
    calls_up=st.integers(min_value=0, max_value=2),
    caller=st.sampled_from([None, ALICE, BOB, MALLORY]),
)


@given(lookup=LOOKUPS)
def test_only_a_party_of_a_live_session_is_connected_and_only_to_the_other(lookup: Lookup) -> None:
    match route(lookup):
        case Connect(session, callee, caller_id, limits):
            assert lookup.number_in_service
            assert lookup.caller_side is not None
            assert lookup.calls_up == 0
            assert session.closed_at is None
            assert lookup.now < session.expires_at
            assert lookup.caller == session.party(lookup.caller_side)
            assert callee == session.party(lookup.caller_side.other)
            assert caller_id == session.virtual_number
            assert 0 < limits.call_time_limit <= session.call_time_limit
        case Refuse(reason):
            assert reason


def test_the_last_moment_of_a_session_is_still_its_own() -> None:
    last = dataclasses.replace(ALICE_CALLS, now=SESSION.expires_at - timedelta(microseconds=1))
    assert route(last) == Connect(
        SESSION, callee=BOB, caller_id=VIRTUAL, limits=SESSION.limits, caller_side=Side.FIRST
    )
    over = dataclasses.replace(ALICE_CALLS, now=SESSION.expires_at)
    assert route(over) == Refuse("session-expired")
