"""A leg's state, folded from events."""

import dataclasses
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.ari.leg_state import RECORDED, LegState, apply
from bridge.domain.verdicts import Gone

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


def joined(second: int) -> dict[str, Any]:
    return event("Joined", joined_at=datetime(2026, 1, 1, 12, 0, second, tzinfo=UTC))


def at(second: int, kind: str, **details: Any) -> dict[str, Any]:
    return {"type": kind, "timestamp": f"2026-01-01T12:00:{second:02}.000+0000", **details}


def test_whoever_was_joined_had_been_answered_by_then_and_not_only_when_we_looked() -> None:
    """The other leg may be the only one that still could be asked."""
    seen = apply(LegState(), at(30, "ChannelStateChange", channel=channel("Up")))
    over = apply(seen, at(31, "StasisEnd"))
    for state in (seen, over):
        known = apply(state, joined(4))
        assert known.answered_at == known.joined_at == datetime(2026, 1, 1, 12, 0, 4, tzinfo=UTC)


def test_of_two_who_know_since_when_it_was_joined_the_earlier_is_right() -> None:
    """Its bridge was made a moment after the other had answered."""
    state = apply(apply(LegState(), joined(5)), joined(4))
    assert state == apply(apply(LegState(), joined(4)), joined(5))
    assert state.joined_at == datetime(2026, 1, 1, 12, 0, 4, tzinfo=UTC)


def test_nobody_is_answered_after_the_end_though_the_end_is_a_guess() -> None:
    """A bridge that was too busy to say that it was alive still saw the answer."""
    lost = at(3, "Lost", switch_restarted=False)
    before = apply(apply(LegState(), joined(5)), lost)
    after = apply(apply(LegState(), lost), joined(5))
    assert before == after
    assert before.ended_at == before.answered_at


def test_nobody_rings_after_the_answer_though_we_looked_only_then() -> None:
    state = apply(LegState(), at(3, "ChannelStateChange", channel=channel("Ringing")))
    state = apply(state, at(2, "ChannelStateChange", channel=channel("Up")))
    assert state.ringing_at == state.answered_at


@pytest.mark.parametrize("status", ["RINGING", "PROGRESS"])
def test_a_183_is_heard_of_though_the_channel_s_state_says_nothing(status: str) -> None:
    state = apply(LegState(placed=True), event("Dial", dialstatus=status, peer=channel("Down")))
    assert state.progressed
    assert not state.ringing


@pytest.mark.parametrize("status", ["", "ANSWER", "CANCEL"])
def test_nothing_else_of_a_dial_says_that_the_carrier_took_the_call(status: str) -> None:
    state = apply(LegState(placed=True), event("Dial", dialstatus=status, peer=channel("Down")))
    assert not state.progressed


def test_a_phone_that_rings_has_been_reached() -> None:
    ringing = event("ChannelStateChange", channel=channel("Ringing"))
    assert apply(LegState(placed=True), ringing).progressed


UP = apply(LegState(placed=True), event("ChannelStateChange", channel=channel("Up")))


@pytest.mark.parametrize(
    ("details", "gone"),
    [
        ({}, None),
        ({"cause": 16}, None),
        ({"cause": 31, "tech_cause": 480}, None),  # BYE with a Reason
        ({"cause": 102}, None),
        ({"cause": 18, "tech_cause": 408}, Gone.SIGNALLING),  # nothing answered
        ({"cause": 127, "tech_cause": 481}, Gone.SIGNALLING),
        ({"cause": 1, "soft": True}, Gone.MEDIA),  # an endpoint of the operator's with rtp_timeout
    ],
)
def test_a_phone_that_is_gone_is_told_from_one_that_hangs_up(
    details: dict[str, Any], gone: Gone | None
) -> None:
    """As Asterisk 22.10 tells of each."""
    state = apply(UP, event("ChannelHangupRequest", **details))
    assert state.gone is gone
    assert state.far_end_hung_up is (gone is None)
    assert state.ending


def test_before_the_answer_the_same_status_is_no_loss_of_a_phone() -> None:
    state = apply(LegState(placed=True), event("ChannelHangupRequest", cause=18, tech_cause=408))
    assert state.gone is None
    assert state.far_end_hung_up


@pytest.mark.parametrize(("cause", "gone"), [(44, Gone.MEDIA), (18, Gone.SIGNALLING), (16, None)])
def test_of_an_end_that_nobody_saw_asked_for_the_cause_says_whether_the_phone_was_gone(
    cause: int, gone: Gone | None
) -> None:
    """As the dialplan keeps it."""
    assert apply(UP, event("ChannelDestroyed", cause=cause)).gone is gone
    hung_up = apply(UP, event("ChannelHangupRequest"))
    assert apply(hung_up, event("ChannelDestroyed", cause=cause)).gone is None


def test_a_phone_that_was_silent_when_it_did_not_answer_is_media_lost() -> None:
    lost = event("ChannelHangupRequest", cause=18, tech_cause=408)
    silent = apply(UP, event("Silent"))
    assert apply(silent, lost).gone is Gone.MEDIA
    assert apply(apply(silent, event("Heard")), lost).gone is Gone.SIGNALLING
