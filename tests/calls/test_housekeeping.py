"""What is done about calls that an earlier process carried, or that ended unseen."""

import asyncio
import dataclasses
import uuid
from datetime import timedelta

import pytest

from bridge.ari.errors import RequestRefused
from bridge.ari.last_words import Said
from bridge.ari.leg import Leg
from bridge.ari.legs import b_channel_id
from bridge.calls.housekeeping import Housekeeping
from bridge.domain.causes import Cause
from bridge.domain.errors import Unavailable
from bridge.domain.outcomes import Disposition, HungUpBy
from bridge.domain.records import Arrival, OpenCall
from bridge.domain.sessions import AnswerGuard, RecordingPlan
from tests.calls.conftest import Exchange, settle
from tests.fakes.asterisk import EPOCH
from tests.people import ALICE, BOB, SESSION, VIRTUAL

pytestmark = pytest.mark.looptime


def housekeeping(exchange: Exchange, *, now: float = 10.0) -> Housekeeping:
    """``now``: seconds after the call began."""
    return Housekeeping(
        open_calls=exchange.call_log,
        unwritten=exchange.call_log,
        remains=exchange.asterisk,
        switchboard=exchange.switchboard,
        call_log=exchange.call_log,
        switch=exchange.asterisk,
        now=lambda: EPOCH + timedelta(seconds=now),
    )


def open_call(exchange: Exchange, *, answered: bool = True, refused: bool = False) -> OpenCall:
    """A call that the log holds open."""
    call_id = uuid.uuid4()
    found = OpenCall(
        arrival=Arrival(
            call_id=call_id,
            channel_id=f"a-{call_id}",
            caller=ALICE,
            dialled=VIRTUAL.e164,
            started_at=EPOCH,
        ),
        callee=None if refused else BOB,
        limits=None if refused else SESSION.limits,
        guard=AnswerGuard.NONE,
        ringing_at=EPOCH,
        answered_at=EPOCH if answered else None,
    )
    exchange.call_log.open.append(found)
    return found


def still_there(exchange: Exchange, call: OpenCall) -> tuple[Leg, Leg]:
    """Both its legs, as Asterisk has them."""
    return (
        exchange.asterisk.comes_in(call.arrival.channel_id),
        exchange.asterisk.is_placed(b_channel_id(call.arrival.call_id)),
    )


async def test_a_call_that_is_still_up_goes_on_and_ends_as_any_other(exchange: Exchange) -> None:
    call = open_call(exchange)
    a_leg, b_leg = still_there(exchange, call)
    exchange.asterisk.answers(a_leg)
    exchange.asterisk.answers(b_leg)
    await housekeeping(exchange).tidy()
    await settle()
    assert exchange.call_log.records == []
    exchange.asterisk.hangs_up(b_leg)
    await settle()
    assert exchange.record.outcome.disposition is Disposition.COMPLETED
    assert exchange.record.outcome.hung_up_by is HungUpBy.CALLEE


async def test_one_that_ends_in_the_moment_in_which_it_is_taken_up_says_whose_doing_it_was(
    exchange: Exchange,
) -> None:
    call = open_call(exchange)
    a_leg, b_leg = still_there(exchange, call)
    exchange.asterisk.coupled[a_leg.channel_id] = b_leg.channel_id
    exchange.asterisk.answers(a_leg)
    exchange.asterisk.answers(b_leg)
    await housekeeping(exchange).tidy()
    exchange.asterisk.hangs_up(a_leg)
    await settle()
    assert exchange.record.outcome.hung_up_by is HungUpBy.CALLER


async def test_then_a_phone_s_own_hang_up_decides_and_not_whose_end_asterisk_dated_first(
    exchange: Exchange,
) -> None:
    call = open_call(exchange)
    a_leg, b_leg = still_there(exchange, call)
    exchange.asterisk.answers(a_leg)
    exchange.asterisk.answers(b_leg)
    await housekeeping(exchange).tidy()
    exchange.asterisk.feed(a_leg, "ChannelHangupRequest", cause=16)
    exchange.asterisk.hangs_up(b_leg)
    b_leg.state = dataclasses.replace(b_leg.state, far_end_hung_up=False)
    exchange.asterisk.hangs_up(a_leg)
    await settle()
    assert exchange.record.outcome.hung_up_by is HungUpBy.CALLER


async def test_its_time_limit_counts_from_the_answer(exchange: Exchange) -> None:
    call = open_call(exchange)
    a_leg, b_leg = still_there(exchange, call)
    exchange.asterisk.answers(a_leg)
    exchange.asterisk.answers(b_leg)
    await housekeeping(exchange, now=SESSION.call_time_limit + 5).tidy()
    await settle()
    await a_leg.ended()
    await settle()
    assert exchange.record.outcome.reason == "time-limit"


async def test_a_phone_that_still_rings_can_still_be_answered(exchange: Exchange) -> None:
    call = open_call(exchange, answered=False)
    a_leg, b_leg = still_there(exchange, call)
    exchange.asterisk.coupled[call.arrival.channel_id] = b_leg.channel_id
    await housekeeping(exchange).tidy()
    exchange.asterisk.answers(b_leg)
    await settle()
    assert a_leg.state.answered
    assert exchange.call_log.answers == [call.arrival.call_id]
    exchange.asterisk.hangs_up(b_leg)


async def test_a_call_that_ended_unseen_is_completed_with_the_latest_time_it_can_have_ended(
    exchange: Exchange,
) -> None:
    open_call(exchange)
    await housekeeping(exchange).tidy()
    await settle()
    assert exchange.record.outcome.disposition is Disposition.COMPLETED
    assert exchange.record.outcome.hung_up_by is HungUpBy.UNKNOWN
    assert exchange.record.end_is_estimate


@pytest.mark.parametrize("first", [HungUpBy.CALLER, HungUpBy.CALLEE])
async def test_one_of_whose_end_asterisk_kept_word_has_its_true_end_and_who_made_it(
    exchange: Exchange, first: HungUpBy
) -> None:
    call = open_call(exchange)
    a, b = call.arrival.channel_id, b_channel_id(call.arrival.call_id)
    if first is HungUpBy.CALLEE:
        a, b = b, a
    end = EPOCH + timedelta(seconds=61)
    exchange.asterisk.ended_alone = {a: end, b: end + timedelta(microseconds=200)}
    await housekeeping(exchange, now=5000).tidy()
    await settle()
    assert exchange.record.outcome.hung_up_by is first
    assert exchange.record.ended_at == end + timedelta(microseconds=200)
    assert not exchange.record.end_is_estimate


async def test_one_that_asterisk_ended_at_its_limit_meanwhile_says_so(exchange: Exchange) -> None:
    call = open_call(exchange)
    end = EPOCH + timedelta(seconds=SESSION.call_time_limit + 30)
    a, b = call.arrival.channel_id, b_channel_id(call.arrival.call_id)
    exchange.asterisk.ended_alone = {a: end, b: end}
    await housekeeping(exchange, now=5000).tidy()
    await settle()
    assert exchange.record.outcome.reason == "time-limit"


async def test_an_answer_that_could_not_be_written_is_known_from_asterisk(
    exchange: Exchange,
) -> None:
    """Nobody is asked to accept the call again, or answered a second time."""
    call = open_call(exchange, answered=False)
    a_leg, b_leg = still_there(exchange, call)
    joined_at = EPOCH + timedelta(seconds=4)
    for leg in (a_leg, b_leg):
        leg.was_joined(joined_at)
        exchange.asterisk.answers(leg)
    await housekeeping(exchange).tidy()
    await settle()
    assert exchange.call_log.answers == [call.arrival.call_id]
    exchange.asterisk.hangs_up(a_leg)
    await settle()
    assert exchange.record.answered_at == joined_at
    assert [leg.answered_at for leg in exchange.record.legs] == [joined_at, joined_at]


@pytest.mark.parametrize("who_knows", [0, 1])
async def test_then_it_is_enough_if_one_of_the_legs_can_still_be_asked(
    exchange: Exchange, who_knows: int
) -> None:
    """The other had ended by then, and Asterisk kept no word of it."""
    call = open_call(exchange, answered=False)
    legs = still_there(exchange, call)
    joined_at = EPOCH + timedelta(seconds=4)
    legs[who_knows].was_joined(joined_at)
    tidying = housekeeping(exchange)
    await tidying.tidy()
    for leg in legs:
        exchange.asterisk.hangs_up(leg)
    await settle()
    assert exchange.record.outcome.disposition is Disposition.COMPLETED
    assert exchange.call_log.answers == [call.arrival.call_id]
    assert exchange.record.answered_at == joined_at
    assert [leg.answered_at for leg in exchange.record.legs] == [joined_at, joined_at]


async def test_one_that_is_answered_only_then_is_recorded_if_it_is_to_be(
    exchange: Exchange,
) -> None:
    call = open_call(exchange, answered=False)
    exchange.call_log.open = [dataclasses.replace(call, recording=RecordingPlan("wav"))]
    _, b_leg = still_there(exchange, call)
    exchange.asterisk.coupled[call.arrival.channel_id] = b_leg.channel_id
    await housekeeping(exchange).tidy()
    await settle()
    exchange.asterisk.answers(b_leg)
    await settle()
    [recording] = exchange.call_log.recordings
    assert (recording.format, recording.failure) == ("wav", None)
    exchange.asterisk.hangs_up(b_leg)


async def test_a_phone_that_rings_is_waited_for_though_the_two_were_not_coupled_yet(
    exchange: Exchange,
) -> None:
    """The bridge died in the moment between the two; whoever gives up then ends both."""
    call = open_call(exchange, answered=False)
    a_leg, b_leg = still_there(exchange, call)
    exchange.asterisk.rings(b_leg)
    await housekeeping(exchange).tidy()
    await settle()
    assert exchange.asterisk.coupled[a_leg.channel_id] == b_leg.channel_id
    exchange.asterisk.answers(b_leg)
    await settle()
    assert exchange.asterisk.bridges
    exchange.asterisk.hangs_up(b_leg)
    await settle()
    assert exchange.record.outcome.reason == "hung-up"


async def test_a_phone_that_was_perhaps_never_called_is_not_waited_for(exchange: Exchange) -> None:
    """Its leg was made, and the bridge died before it had coupled the two."""
    call = open_call(exchange, answered=False)
    a_leg, b_leg = still_there(exchange, call)
    await housekeeping(exchange).tidy()
    await settle()
    assert exchange.record.outcome.reason == "bridge-restart"
    assert ("hangup", a_leg.channel_id, Cause.CONGESTION) in exchange.asterisk.log
    assert b_leg.state.ended


@pytest.mark.parametrize("who", ["caller", "customer"])
async def test_whoever_gives_up_while_the_callee_is_asked_to_accept_is_heard(
    exchange: Exchange, who: str
) -> None:
    call = open_call(exchange, answered=False)
    exchange.call_log.open = [dataclasses.replace(call, guard=AnswerGuard.PRESS_1)]
    a_leg, b_leg = still_there(exchange, call)
    exchange.asterisk.coupled[a_leg.channel_id] = b_leg.channel_id
    await housekeeping(exchange).tidy()
    exchange.asterisk.answers(b_leg)
    await settle()
    if who == "caller":
        exchange.asterisk.hangs_up(a_leg)
    else:
        exchange.switchboard.hang_up(call.arrival.call_id)
    await settle()
    reason = {"caller": "caller-gave-up", "customer": "customer-hung-up"}[who]
    assert exchange.record.outcome.reason == reason


async def test_one_that_had_only_rung_was_lost_by_us(exchange: Exchange) -> None:
    open_call(exchange, answered=False)
    await housekeeping(exchange).tidy()
    await settle()
    assert exchange.record.outcome.reason == "bridge-restart"


async def test_a_refusal_that_was_not_written_is_closed(exchange: Exchange) -> None:
    open_call(exchange, answered=False, refused=True)
    await housekeeping(exchange).tidy()
    await settle()
    assert exchange.record.outcome.reason == "bridge-restart"


async def test_calls_that_are_carried_are_left_alone(exchange: Exchange) -> None:
    live = await exchange.comes_in()
    exchange.call_log.open.append(
        OpenCall(
            arrival=live.arrival,
            callee=BOB,
            limits=SESSION.limits,
            guard=AnswerGuard.NONE,
            ringing_at=None,
            answered_at=None,
        )
    )
    await housekeeping(exchange).tidy()
    await settle()
    assert exchange.call_log.records == []
    exchange.asterisk.hangs_up(live.a_leg)


async def test_calls_whose_record_is_on_its_way_are_left_alone(exchange: Exchange) -> None:
    call = open_call(exchange)
    exchange.call_log.unwritten = {call.arrival.call_id}
    await housekeeping(exchange).tidy()
    await settle()
    assert exchange.call_log.records == []


async def test_nothing_is_removed_before_the_open_calls_are_known(exchange: Exchange) -> None:
    """To sweep first would end calls that are only waiting to be taken up."""
    exchange.call_log.fails = Unavailable("away")
    with pytest.raises(Unavailable):
        await housekeeping(exchange).tidy()
    assert ("sweep",) not in exchange.asterisk.log
    exchange.call_log.fails = None
    await housekeeping(exchange).tidy()
    assert exchange.asterisk.log[-1] == ("sweep",)


async def test_what_may_be_nobodys_is_looked_at_again_soon(exchange: Exchange) -> None:
    """Behind it somebody may be at a phone who hears nothing."""
    keeping = housekeeping(exchange)
    exchange.asterisk.is_swept = False
    async with asyncio.TaskGroup() as group:
        running = group.create_task(keeping.run())
        keeping.connected()
        await asyncio.sleep(5)
        assert exchange.asterisk.log.count(("sweep",)) == 3
        exchange.asterisk.is_swept = True
        await asyncio.sleep(10)
        running.cancel()
    assert exchange.asterisk.log.count(("sweep",)) == 4


async def test_an_asterisk_that_refuses_to_list_its_channels_ends_no_bridge(
    exchange: Exchange,
) -> None:
    """It does as long as it has a channel that it cannot describe."""
    keeping = housekeeping(exchange)
    exchange.asterisk.fails_to["resynchronise"] = RequestRefused("GET channels", 500)
    async with asyncio.TaskGroup() as group:
        running = group.create_task(keeping.run())
        keeping.connected()
        await asyncio.sleep(5)
        assert ("sweep",) not in exchange.asterisk.log
        exchange.asterisk.fails_to.clear()
        await asyncio.sleep(5)
        assert exchange.asterisk.log[-1] == ("sweep",)
        running.cancel()


@pytest.mark.parametrize(
    ("said", "reason", "told"),
    [
        (Said(486), "busy", Cause.USER_BUSY),
        (Said(401), "carrier-refused", Cause.CONGESTION),
        (Said(403), "declined", Cause.NO_ANSWER),  # it had rung, as is written down
        (Said(603, network_blocked=True), "blocked-as-spam", Cause.CONGESTION),
    ],
)
async def test_why_a_callee_was_not_reached_is_known_though_nobody_saw_it(
    exchange: Exchange, said: Said, reason: str, told: Cause
) -> None:
    """The dialplan keeps what the far end said; and the caller still waits."""
    call = open_call(exchange, answered=False)
    a_leg, b_leg = still_there(exchange, call)
    exchange.asterisk.legs.pop(b_leg.channel_id)
    exchange.asterisk.ended_saying[b_leg.channel_id] = said
    exchange.asterisk.coupled[a_leg.channel_id] = b_leg.channel_id
    await housekeeping(exchange).tidy()
    await settle()
    assert exchange.record.outcome.reason == reason
    assert exchange.told(a_leg) == [told]
