"""A call of a session that wants its calls recorded."""

import dataclasses

import pytest

from bridge.ari.errors import AsteriskUnreachable, RequestRefused
from bridge.domain.announcements import Announcement
from bridge.domain.outcomes import Disposition
from bridge.domain.recordings import RecordingFailure
from bridge.domain.sessions import RecordingPlan
from tests.calls.conftest import Exchange, settle
from tests.calls.test_masked_call import callee_leg, talk
from tests.people import ALICE_CALLS, SESSION

pytestmark = pytest.mark.looptime


@pytest.fixture
def recorded(exchange: Exchange) -> Exchange:
    session = dataclasses.replace(SESSION, recording=RecordingPlan("wav"))
    exchange.call_log.lookup = dataclasses.replace(ALICE_CALLS, session=session)
    return exchange


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
    plan = RecordingPlan("wav", announced=True)
    session = dataclasses.replace(SESSION, recording=plan)
    exchange.call_log.lookup = dataclasses.replace(ALICE_CALLS, session=session)
    call = await talk(exchange)
    told = ("play", *Announcement.BEING_RECORDED.media)
    said = [(one[0], *one[2:]) for one in exchange.asterisk.log if one[0] == "play"]
    assert said == [told, told]
    assert "record" not in commands(exchange)
    for leg in (call.a_leg, callee_leg(call)):
        exchange.asterisk.has_played(leg)
    await settle()
    assert commands(exchange)[-2:] == ["record", "join"]
    exchange.asterisk.hangs_up(call.a_leg)


async def test_who_hangs_up_at_the_announcement_is_not_recorded(exchange: Exchange) -> None:
    session = dataclasses.replace(SESSION, recording=RecordingPlan("wav", announced=True))
    exchange.call_log.lookup = dataclasses.replace(ALICE_CALLS, session=session)
    call = await talk(exchange)
    exchange.asterisk.hangs_up(callee_leg(call))
    await settle()
    assert call.a_leg.state.ended
    assert exchange.call_log.recordings == []
