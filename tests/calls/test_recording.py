"""A call of a session that wants its calls recorded."""

import asyncio
import dataclasses

import pytest

from bridge.ari.errors import AsteriskUnreachable, RequestRefused
from bridge.calls.live_call import LiveCall
from bridge.domain.announcements import Announcement
from bridge.domain.outcomes import Disposition
from bridge.domain.recordings import NewRecording, Pause, RecordingFailure
from bridge.domain.sessions import RecordingAnnouncement, RecordingPlan
from tests.calls.conftest import Exchange, settle
from tests.calls.test_masked_call import callee_leg, talk
from tests.people import ALICE_CALLS, SESSION

pytestmark = pytest.mark.looptime


@pytest.fixture
def recorded(exchange: Exchange) -> Exchange:
    session = dataclasses.replace(SESSION, recording=RecordingPlan("wav"))
    exchange.call_log.lookup = dataclasses.replace(ALICE_CALLS, session=session)
    return exchange


async def announced(exchange: Exchange, announcement: RecordingAnnouncement) -> LiveCall:
    """A call that was answered, and of whose recording the two are told or asked."""
    session = dataclasses.replace(SESSION, recording=RecordingPlan("wav", announcement))
    exchange.call_log.lookup = dataclasses.replace(ALICE_CALLS, session=session)
    return await talk(exchange)


def said_by(recording: NewRecording) -> list[tuple[str, str, bool | None, str | None]]:
    """What each of the two was told or asked, and what it said."""
    return [(one.role, one.announcement, one.given, one.digit) for one in recording.consent]


def commands(exchange: Exchange) -> list[str]:
    return [command[0] for command in exchange.asterisk.log]


async def test_it_is_recorded_from_the_join_on_when_both_have_answered(recorded: Exchange) -> None:
    call = await recorded.comes_in()
    recorded.asterisk.rings(callee_leg(call))
    await settle()
    assert "record" not in commands(recorded)
    recorded.asterisk.answers(callee_leg(call))
    await settle()
    assert commands(recorded)[-3:] == ["answer", "record", "join"]
    [recording] = recorded.call_log.recordings
    assert (recording.call_id, recording.format, recording.failure) == (call.id, "wav", None)
    assert recording.started_at == callee_leg(call).state.recorded_at
    assert ("record", callee_leg(call).channel_id, recording.id) in recorded.asterisk.log
    recorded.asterisk.hangs_up(call.a_leg)
    await settle()
    assert recorded.record.outcome.disposition is Disposition.COMPLETED


async def test_no_other_session_s_calls_are_recorded(exchange: Exchange) -> None:
    call = await talk(exchange)
    assert "record" not in commands(exchange)
    assert exchange.call_log.recordings == []
    exchange.asterisk.hangs_up(call.a_leg)


@pytest.mark.parametrize(
    ("error", "failure"),
    [
        (None, RecordingFailure.NOT_POSSIBLE),
        (RequestRefused("continueInDialplan", 500), RecordingFailure.REFUSED),
        (AsteriskUnreachable("away"), RecordingFailure.REFUSED),
    ],
)
async def test_a_recording_that_fails_ends_no_call(
    recorded: Exchange, error: Exception | None, failure: RecordingFailure
) -> None:
    recorded.asterisk.can_record = False
    if isinstance(error, RequestRefused | AsteriskUnreachable):
        recorded.asterisk.fails_to["record"] = error
    call = await talk(recorded)
    assert recorded.asterisk.bridges
    [recording] = recorded.call_log.recordings
    assert recording.failure is failure
    assert recording.started_at == callee_leg(call).state.answered_at
    recorded.asterisk.hangs_up(call.a_leg)
    await settle()
    assert recorded.record.outcome.disposition is Disposition.COMPLETED


async def test_a_callee_who_hangs_up_on_the_way_leaves_no_recording(recorded: Exchange) -> None:
    call = await recorded.comes_in()
    callee = callee_leg(call)
    recorded.asterisk.answers(callee)
    recorded.asterisk.hangs_up(callee)
    await settle()
    assert recorded.call_log.recordings == []


async def test_where_it_is_wanted_both_are_told_before_it_begins(exchange: Exchange) -> None:
    call = await announced(exchange, RecordingAnnouncement.PLAY)
    told = ("play", *Announcement.BEING_RECORDED.media)
    said = [(one[0], *one[2:]) for one in exchange.asterisk.log if one[0] == "play"]
    assert said == [told, told]
    assert "record" not in commands(exchange)
    for leg in (call.a_leg, callee_leg(call)):
        exchange.asterisk.has_played(leg)
    await settle()
    assert commands(exchange)[-2:] == ["record", "join"]
    [recording] = exchange.call_log.recordings
    assert said_by(recording) == [("a", "play", True, None), ("b", "play", True, None)]
    exchange.asterisk.hangs_up(call.a_leg)


@pytest.mark.parametrize("refused", [True, False])
async def test_who_could_not_be_told_is_not_recorded_and_is_said_not_to_have_been_told(
    exchange: Exchange, *, refused: bool
) -> None:
    """Asterisk refuses to play, or begins and fails: both have the same end, and are connected."""
    if refused:
        exchange.asterisk.fails_to["play"] = AsteriskUnreachable("away")
    call = await announced(exchange, RecordingAnnouncement.PLAY)
    if not refused:
        exchange.asterisk.has_played(call.a_leg)
        exchange.asterisk.has_played(callee_leg(call), state="failed")
    await settle()
    assert exchange.asterisk.bridges
    assert "record" not in commands(exchange)
    [recording] = exchange.call_log.recordings
    assert recording.failure is RecordingFailure.NOT_ANNOUNCED
    first = None if refused else True
    assert said_by(recording) == [("a", "play", first, None), ("b", "play", None, None)]
    exchange.asterisk.hangs_up(call.a_leg)


async def test_who_hangs_up_at_the_announcement_is_not_recorded(exchange: Exchange) -> None:
    call = await announced(exchange, RecordingAnnouncement.PLAY)
    exchange.asterisk.hangs_up(callee_leg(call))
    await settle()
    assert call.a_leg.state.ended
    assert exchange.call_log.recordings == []


# --- consent ---


async def test_who_agree_are_recorded(exchange: Exchange) -> None:
    call = await announced(exchange, RecordingAnnouncement.PRESS_1)
    asked = ("play", *Announcement.AGREE_TO_RECORDING.media)
    said = [(one[0], *one[2:]) for one in exchange.asterisk.log if one[0] == "play"]
    assert said == [asked, asked], "both, at the same time"
    exchange.asterisk.presses(call.a_leg, "1")
    exchange.asterisk.has_played(callee_leg(call))
    await asyncio.sleep(4)
    assert "join" not in commands(exchange), "one has not said"
    exchange.asterisk.presses(callee_leg(call), "1")
    await settle()
    assert commands(exchange)[-2:] == ["record", "join"]
    [recording] = exchange.call_log.recordings
    assert recording.failure is None
    assert said_by(recording) == [("a", "press_1", True, "1"), ("b", "press_1", True, "1")]
    for one in recording.consent:
        assert one.sounds == Announcement.AGREE_TO_RECORDING.media
    exchange.asterisk.hangs_up(call.a_leg)


@pytest.mark.parametrize("who", ["caller", "callee"])
async def test_one_who_presses_another_key_is_connected_and_nobody_is_recorded(
    exchange: Exchange, who: str
) -> None:
    call = await announced(exchange, RecordingAnnouncement.PRESS_1)
    one, other = call.a_leg, callee_leg(call)
    exchange.asterisk.presses(other if who == "caller" else one, "1")
    exchange.asterisk.presses(one if who == "caller" else other, "2")
    await settle()
    assert exchange.asterisk.bridges
    assert "record" not in commands(exchange)
    [recording] = exchange.call_log.recordings
    assert recording.failure is RecordingFailure.DECLINED
    assert exchange.asterisk.playing == {}
    roles = ("b", "a") if who == "caller" else ("a", "b")
    agreed, declined = ((role, "press_1") for role in roles)
    said = {(*agreed, True, "1"), (*declined, False, "2")}
    assert set(said_by(recording)) == said, "who pressed what is kept"
    exchange.asterisk.hangs_up(call.a_leg)


async def test_who_had_not_answered_when_the_other_declined_has_said_nothing(
    exchange: Exchange,
) -> None:
    call = await announced(exchange, RecordingAnnouncement.PRESS_1)
    exchange.asterisk.presses(callee_leg(call), "9")
    await settle()
    [recording] = exchange.call_log.recordings
    assert said_by(recording) == [("a", "press_1", None, None), ("b", "press_1", False, "9")]
    exchange.asterisk.hangs_up(call.a_leg)


async def test_silence_is_no_consent(exchange: Exchange) -> None:
    call = await announced(exchange, RecordingAnnouncement.PRESS_1)
    exchange.asterisk.presses(call.a_leg, "1")
    exchange.asterisk.has_played(callee_leg(call))
    await asyncio.sleep(6)
    assert exchange.asterisk.bridges
    assert "record" not in commands(exchange)
    [recording] = exchange.call_log.recordings
    assert recording.failure is RecordingFailure.DECLINED
    assert said_by(recording) == [("a", "press_1", True, "1"), ("b", "press_1", False, None)]
    exchange.asterisk.hangs_up(call.a_leg)


async def test_a_key_that_was_pressed_before_is_no_answer(exchange: Exchange) -> None:
    session = dataclasses.replace(
        SESSION, recording=RecordingPlan("wav", RecordingAnnouncement.PRESS_1)
    )
    exchange.call_log.lookup = dataclasses.replace(ALICE_CALLS, session=session)
    call = await exchange.comes_in()
    for leg in (call.a_leg, callee_leg(call)):
        exchange.asterisk.presses(leg, "1")
    exchange.asterisk.answers(callee_leg(call))
    await settle()
    assert "join" not in commands(exchange)
    exchange.asterisk.hangs_up(call.a_leg)


@pytest.mark.parametrize("announcement", ["play", "press_1"])
async def test_a_customer_need_not_wait_for_the_announcement_s_end(
    exchange: Exchange, announcement: str
) -> None:
    call = await announced(exchange, RecordingAnnouncement(announcement))
    call.asked_to_end.set()
    await settle()
    assert call.a_leg.state.ended
    assert exchange.record.outcome.reason == "customer-hung-up"
    assert exchange.call_log.recordings == []


# --- pauses ---


def pauses(exchange: Exchange) -> list[bool]:
    """What Asterisk was asked for: to pause, or to go on."""
    return [one[2] for one in exchange.asterisk.log if one[0] == "pause"]


async def asks(exchange: Exchange, call: LiveCall, *, paused: bool) -> None:
    [recording] = exchange.call_log.recordings
    exchange.switchboard.pause_recording(Pause(recording.id, call.id, paused))
    await settle()


async def test_a_recording_is_paused_and_goes_on(recorded: Exchange) -> None:
    call = await talk(recorded)
    for paused in (True, False):
        await asks(recorded, call, paused=paused)
        assert recorded.call_log.pauses[-1].paused is paused
    assert pauses(recorded) == [True, False]
    assert recorded.asterisk.bridges
    recorded.asterisk.hangs_up(call.a_leg)


async def test_what_is_asked_for_twice_is_done_once(recorded: Exchange) -> None:
    call = await talk(recorded)
    for _ in range(2):
        await asks(recorded, call, paused=True)
    assert pauses(recorded) == [True]
    recorded.asterisk.hangs_up(call.a_leg)
    await settle()
    await asks(recorded, call, paused=False)
    assert pauses(recorded) == [True], "it is over"


async def test_a_pause_that_fails_ends_no_call_and_is_tried_again(recorded: Exchange) -> None:
    call = await talk(recorded)
    recorded.asterisk.fails_to["pause"] = AsteriskUnreachable("away")
    await asks(recorded, call, paused=True)
    assert recorded.call_log.pauses == [], "nobody is told what is not so"
    recorded.asterisk.fails_to.clear()
    await asks(recorded, call, paused=True)
    assert pauses(recorded) == [True, True]
    assert [one.paused for one in recorded.call_log.pauses] == [True]
    recorded.asterisk.hangs_up(call.a_leg)


async def test_an_asterisk_that_cannot_pause_is_asked_once(recorded: Exchange) -> None:
    call = await talk(recorded)
    recorded.asterisk.can_record = False
    for _ in range(2):
        await asks(recorded, call, paused=True)
    assert pauses(recorded) == [True]
    assert recorded.call_log.pauses == []
    recorded.asterisk.hangs_up(call.a_leg)
