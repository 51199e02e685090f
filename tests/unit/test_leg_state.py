"""A leg's state, folded from events."""

import dataclasses
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from bridge.ari.leg_state import RECORDED, LegState, apply

AT = "2026-01-01T12:00:00.000+0000"


def event(kind: str, **details: Any) -> dict[str, Any]:
    return {"type": kind, "timestamp": AT, **details}


def channel(state: str) -> dict[str, Any]:
    return {"id": "x", "name": "PJSIP/carrier-1", "state": state, "creationtime": AT}


EVENTS = st.one_of(
    st.sampled_from(["Ring", "Ringing", "Up", "Down"]).map(
        lambda state: event("ChannelStateChange", channel=channel(state))
    ),
    st.builds(
        lambda soft, cause: event("ChannelHangupRequest", soft=soft, cause=cause),
        st.booleans(),
        st.integers(0, 127),
    ),
    st.integers(0, 127).map(lambda cause: event("ChannelDestroyed", cause=cause)),
    st.just(event("StasisEnd")),
    st.text().map(event),
)


@given(placed=st.booleans(), events=st.lists(EVENTS))
def test_a_leg_never_comes_back_and_forgets_nothing(
    placed: bool, events: list[dict[str, Any]]
) -> None:
    state = LegState(placed=placed)
    for one in events:
        after = apply(state, one)
        if state.ended:
            assert after == state
        if state.answered:
            assert after.answered_at == state.answered_at
        if state.ringing:
            assert after.ringing_at == state.ringing_at
        if state.far_end_hung_up:
            assert after.far_end_hung_up
        state = after


def test_what_we_asked_for_ourselves_is_not_the_far_end_s_doing() -> None:
    """Asterisk's ``cause`` of a soft hang-up is a flag of its own, and no Q.850 cause."""
    state = apply(LegState(), event("ChannelHangupRequest", soft=True, cause=32))
    assert not state.far_end_hung_up
    assert state.hangup_cause is None
    assert not state.switch_restarted


def test_an_asterisk_that_is_stopped_says_so_before_it_ends_its_channels() -> None:
    state = apply(LegState(), event("ChannelHangupRequest", soft=True, cause=4))
    assert state.switch_restarted
    assert not state.ended


def test_the_last_event_of_a_leg_that_came_in_is_stasis_end_and_of_a_placed_one_destroyed() -> None:
    assert apply(LegState(), event("StasisEnd")).ended
    assert not apply(LegState(placed=True), event("StasisEnd")).ended
    assert apply(LegState(placed=True), event("ChannelDestroyed", cause=17)).hangup_cause == 17


def test_a_leg_that_goes_to_the_dialplan_can_be_bridged_once_it_is_back() -> None:
    state = apply(
        LegState(placed=True), event("StasisStart", channel=channel("Up"), args=["placed"])
    )
    assert state.in_stasis
    state = apply(state, event("StasisEnd", channel=channel("Up")))
    assert (state.in_stasis, state.ended, state.recorded_at) == (False, False, None)
    state = apply(state, event("StasisStart", channel=channel("Up"), args=RECORDED))
    assert state.in_stasis
    assert state.recorded_at


def test_a_leg_that_came_in_ends_when_it_leaves_us_unless_it_is_watched() -> None:
    came_in = apply(LegState(), event("StasisStart", channel=channel("Up"), args=["in"]))
    assert apply(came_in, event("StasisEnd")).ended
    away = apply(dataclasses.replace(came_in, watched=True), event("StasisEnd"))
    assert not away.ended
    assert not away.in_stasis
    back = apply(away, event("StasisStart", channel=channel("Up"), args=RECORDED))
    assert back.in_stasis
    assert back.recorded_at
    over = apply(apply(back, event("StasisEnd")), event("ChannelDestroyed", cause=16))
    assert (over.ended, over.hangup_cause) == (True, 16)
