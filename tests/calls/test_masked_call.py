"""The story of an inbound call.  The test plays the phones."""

import asyncio
import dataclasses

import pytest

from bridge.ari.errors import AsteriskUnreachable
from bridge.ari.leg import Leg
from bridge.calls.live_call import LiveCall
from bridge.domain.announcements import Announcement
from bridge.domain.causes import Cause
from bridge.domain.errors import Unavailable
from bridge.domain.outcomes import Disposition, Fault, HungUpBy
from bridge.domain.sessions import Manner
from tests.calls.conftest import Exchange, settle
from tests.fakes.asterisk import SILENCE
from tests.people import A_STRANGER_CALLS, ALICE_CALLS, BOB, MALLORY, SESSION, VIRTUAL

pytestmark = pytest.mark.looptime


def callee_leg(call: LiveCall) -> Leg:
    assert call.b_leg
    return call.b_leg


async def talk(exchange: Exchange) -> LiveCall:
    """Alice calls, Bob answers."""
    call = await exchange.comes_in()
    exchange.asterisk.rings(callee_leg(call))
    exchange.asterisk.answers(callee_leg(call))
    await settle()
    return call


async def test_a_callee_is_bridged_only_once_his_leg_is_in_our_application(
    exchange: Exchange,
) -> None:
    """At a busy time Asterisk tells of the answer a moment earlier, and would refuse (422)."""
    call = await exchange.comes_in()
    exchange.asterisk.answers(callee_leg(call), enters=False)
    await settle()
    assert exchange.asterisk.bridges == set()
    assert not call.a_leg.state.answered
    exchange.asterisk.enters(callee_leg(call))
    await settle()
    assert exchange.asterisk.bridges
    assert call.a_leg.state.answered
    exchange.asterisk.hangs_up(call.a_leg)


async def test_the_callee_is_shown_the_virtual_number(exchange: Exchange) -> None:
    call = await exchange.comes_in()
    assert ("dial", BOB.e164, VIRTUAL.e164) in exchange.asterisk.log
    exchange.asterisk.hangs_up(call.a_leg)


async def test_the_caller_hears_ringback_and_is_answered_only_when_the_callee_answers(
    exchange: Exchange,
) -> None:
    call = await exchange.comes_in()
    assert ("ring", call.a_leg.channel_id) in exchange.asterisk.log
    assert not call.a_leg.state.answered
    exchange.asterisk.answers(callee_leg(call))
    await settle()
    assert call.a_leg.state.answered
    exchange.asterisk.hangs_up(call.a_leg)


async def test_what_the_caller_hears_ring_is_a_call_that_the_next_bridge_takes_up(
    exchange: Exchange,
) -> None:
    call = await exchange.comes_in()
    assert [command for command, *_ in exchange.asterisk.log][-2:] == ["couple", "ring"]
    exchange.asterisk.hangs_up(call.a_leg)


@pytest.mark.parametrize("who", [HungUpBy.CALLER, HungUpBy.CALLEE])
async def test_when_one_hangs_up_the_other_leg_ends(exchange: Exchange, who: HungUpBy) -> None:
    call = await talk(exchange)
    exchange.asterisk.hangs_up(call.a_leg if who is HungUpBy.CALLER else callee_leg(call))
    await settle()
    assert exchange.record.outcome.disposition is Disposition.COMPLETED
    assert exchange.record.outcome.hung_up_by is who
    assert exchange.record.answered_at is not None
    assert [leg.sip_code for leg in exchange.record.legs] == [200, 200]


async def test_that_the_phone_rings_is_told_once(exchange: Exchange) -> None:
    call = await exchange.comes_in()
    assert exchange.call_log.told == []
    for _ in range(2):
        exchange.asterisk.rings(callee_leg(call))
        await settle()
    assert exchange.call_log.told == [("ringing b", call.id)]
    exchange.asterisk.hangs_up(call.a_leg)


async def test_the_answer_is_written_down_while_they_talk(exchange: Exchange) -> None:
    call = await talk(exchange)
    assert exchange.call_log.answers == [call.id]
    exchange.asterisk.hangs_up(call.a_leg)


async def test_the_time_limit_ends_both_legs(exchange: Exchange) -> None:
    call = await talk(exchange)
    await callee_leg(call).ended()
    await settle()
    assert exchange.record.outcome.reason == "time-limit"
    assert call.a_leg.state.ended
    assert [leg.hangup_cause for leg in exchange.record.legs] == [Cause.NORMAL_CLEARING] * 2


@pytest.mark.parametrize("reason", ["bridge-full", "bridge-behind", "trunk-missing"])
async def test_a_bridge_that_can_carry_no_more_has_the_carrier_try_elsewhere(
    exchange: Exchange, reason: str
) -> None:
    exchange.overload = reason
    call = await exchange.comes_in()
    assert exchange.told(call.a_leg) == [Cause.CONGESTION]
    assert exchange.record.outcome.reason == reason
    assert call.b_leg is None


async def test_both_hear_a_minute_before_that_their_time_runs_out(exchange: Exchange) -> None:
    await talk(exchange)
    await asyncio.sleep(SESSION.call_time_limit - 61)
    assert exchange.asterisk.log[-1][0] != "announce"
    await asyncio.sleep(2)
    assert exchange.asterisk.log[-1] == ("announce", *Announcement.ONE_MINUTE_LEFT.media)
    await asyncio.sleep(60)
    assert exchange.record.outcome.reason == "time-limit"


async def test_nobody_is_told_who_does_not_want_to_be(exchange: Exchange) -> None:
    silent = dataclasses.replace(SESSION, manner=Manner(time_limit_warning=-1))
    exchange.call_log.lookup = dataclasses.replace(ALICE_CALLS, session=silent)
    await talk(exchange)
    await asyncio.sleep(SESSION.call_time_limit + 1)
    assert "announce" not in {command[0] for command in exchange.asterisk.log}
    assert exchange.record.outcome.reason == "time-limit"


async def test_the_ring_timeout_tells_the_caller_not_available(exchange: Exchange) -> None:
    call = await exchange.comes_in()
    exchange.asterisk.rings(callee_leg(call))
    await call.a_leg.ended()
    await settle()
    assert exchange.record.outcome.reason == "ring-timeout"
    assert [leg.sip_code for leg in exchange.record.legs] == [480, 487]


async def test_a_customer_ends_a_call_that_rings(exchange: Exchange) -> None:
    call = await exchange.comes_in()
    exchange.switchboard.hang_up(call.id)
    await settle()
    assert exchange.told(call.a_leg) == [Cause.NO_ANSWER]
    outcome = exchange.record.outcome
    assert (outcome.disposition, outcome.reason) == (Disposition.CANCELLED, "customer-hung-up")


async def test_a_customer_ends_a_call_in_which_they_talk(exchange: Exchange) -> None:
    call = await talk(exchange)
    exchange.switchboard.hang_up(call.id)
    await settle()
    assert exchange.told(call.a_leg) == [Cause.NORMAL_CLEARING]
    assert callee_leg(call).state.ended
    outcome = exchange.record.outcome
    assert (outcome.reason, outcome.hung_up_by) == ("customer-hung-up", HungUpBy.BRIDGE)
    exchange.switchboard.hang_up(call.id)  # over by now: no error


async def test_a_caller_who_gives_up_stops_the_ringing(exchange: Exchange) -> None:
    call = await exchange.comes_in()
    exchange.asterisk.hangs_up(call.a_leg)
    await settle()
    assert callee_leg(call).state.ended
    assert exchange.record.outcome.disposition is Disposition.CANCELLED
    assert exchange.record.outcome.hung_up_by is HungUpBy.CALLER


async def test_a_caller_hanging_up_at_the_very_moment_of_the_answer_wins(
    exchange: Exchange,
) -> None:
    call = await exchange.comes_in()
    exchange.asterisk.coupled.clear()  # the race is in our process, not in Asterisk
    exchange.asterisk.answers(callee_leg(call))
    exchange.asterisk.hangs_up(call.a_leg)
    await settle()
    assert exchange.record.outcome.disposition is Disposition.CANCELLED
    assert exchange.told(call.b_leg) == [Cause.NORMAL_CLEARING]


async def test_a_caller_gone_before_our_answer_reached_him_has_cancelled(
    exchange: Exchange,
) -> None:
    call = await exchange.comes_in()

    async def too_late(channel_id: str) -> None:
        exchange.asterisk.hangs_up(call.a_leg)

    exchange.asterisk.answer = too_late  # type: ignore[method-assign]
    exchange.asterisk.answers(callee_leg(call))
    await settle()
    assert exchange.record.outcome.disposition is Disposition.CANCELLED
    assert exchange.call_log.answers == [], "nobody is told that the caller was answered"


@pytest.mark.parametrize(
    ("cause", "sip_code", "disposition", "told"),
    [
        (Cause.USER_BUSY, 486, Disposition.BUSY, 486),
        (Cause.NO_ANSWER, 480, Disposition.NO_ANSWER, 480),
        (Cause.CALL_REJECTED, 603, Disposition.NO_ANSWER, 480),
        (Cause.NO_USER_RESPONSE, 408, Disposition.FAILED, 503),
        (Cause.CALL_REJECTED, 401, Disposition.FAILED, 503),
        (Cause.CALL_REJECTED, 403, Disposition.FAILED, 503),
        (127, 607, Disposition.FAILED, 503),
        (Cause.UNALLOCATED, 404, Disposition.FAILED, 480),
        (22, 410, Disposition.FAILED, 480),
        (28, 484, Disposition.FAILED, 480),
        (Cause.CONGESTION, 503, Disposition.FAILED, 503),
        (Cause.NETWORK_OUT_OF_ORDER, 500, Disposition.FAILED, 503),
        (23, 302, Disposition.FAILED, 480),
        (99, 699, Disposition.FAILED, 480),
    ],
)
async def test_a_callee_who_cannot_be_reached_tells_the_caller_nothing_of_the_real_number(
    exchange: Exchange, cause: int, sip_code: int, disposition: Disposition, told: int
) -> None:
    call = await exchange.comes_in()
    exchange.asterisk.hangs_up(callee_leg(call), cause, sip_code)
    await settle()
    assert exchange.record.outcome.disposition is disposition
    a_record, b_record = exchange.record.legs
    assert a_record.sip_code == told
    assert (b_record.hangup_cause, b_record.sip_code) == (cause, sip_code)


@pytest.mark.parametrize(
    ("lookup", "reason", "cause"),
    [
        (A_STRANGER_CALLS, "unknown-caller", Cause.CALL_REJECTED),
        (
            dataclasses.replace(ALICE_CALLS, number_in_service=False),
            "number-not-in-service",
            Cause.UNALLOCATED,
        ),
        (
            dataclasses.replace(ALICE_CALLS, now=SESSION.expires_at),
            "session-expired",
            Cause.CALL_REJECTED,
        ),
        (dataclasses.replace(ALICE_CALLS, calls_up=1), "session-busy", Cause.USER_BUSY),
        (dataclasses.replace(ALICE_CALLS, number_is_full=True), "number-busy", Cause.USER_BUSY),
        (dataclasses.replace(ALICE_CALLS, account_is_full=True), "account-busy", Cause.CONGESTION),
        (dataclasses.replace(ALICE_CALLS, caller_is_ours=True), "loop-detected", Cause.NO_ANSWER),
        (dataclasses.replace(ALICE_CALLS, callee_is_ours=True), "loop-detected", Cause.NO_ANSWER),
    ],
)
async def test_who_is_not_to_be_connected_is_refused_unanswered(
    exchange: Exchange, lookup: object, reason: str, cause: Cause
) -> None:
    exchange.call_log.lookup = lookup  # type: ignore[assignment]
    call = await exchange.comes_in(MALLORY)
    assert [command for command, *_ in exchange.asterisk.log] == ["hangup"]
    assert exchange.told(call.a_leg) == [cause]
    assert exchange.record.outcome.reason == reason
    assert exchange.record.answered_at is None


async def test_without_postgres_the_caller_is_refused_and_the_record_is_kept_for_later(
    exchange: Exchange,
) -> None:
    exchange.call_log.fails = Unavailable()
    call = await exchange.comes_in()
    assert exchange.told(call.a_leg) == [Cause.CONGESTION]
    assert exchange.record.outcome.reason == "postgres-away"


async def test_an_asterisk_that_does_not_place_the_leg_costs_one_call(exchange: Exchange) -> None:
    exchange.asterisk.fails_to["dial"] = AsteriskUnreachable("away")
    call = await exchange.comes_in()
    assert exchange.told(call.a_leg) == [Cause.CONGESTION]
    assert exchange.record.outcome.fault is Fault.US
    exchange.asterisk.fails_to.clear()
    call = await exchange.comes_in()
    exchange.asterisk.hangs_up(call.a_leg)


async def test_a_bug_in_one_call_ends_that_call_only(exchange: Exchange) -> None:
    talking = await talk(exchange)
    exchange.call_log.fails = ZeroDivisionError()
    await exchange.comes_in()
    assert [record.outcome.reason for record in exchange.call_log.records] == ["crash"]
    assert not talking.a_leg.state.ended
    exchange.asterisk.hangs_up(talking.a_leg)


async def test_legs_lost_in_a_restart_of_asterisk_end_the_call_as_our_fault(
    exchange: Exchange,
) -> None:
    call = await talk(exchange)
    exchange.asterisk.loses(call.a_leg, switch_restarted=True)
    exchange.asterisk.loses(callee_leg(call), switch_restarted=True)
    await settle()
    assert exchange.record.outcome.reason == "asterisk-restart"
    assert exchange.record.end_is_estimate


async def test_one_leg_that_a_stopping_asterisk_ends_ends_the_other(exchange: Exchange) -> None:
    call = await talk(exchange)
    exchange.asterisk.loses(callee_leg(call), switch_restarted=True)
    await settle()
    assert call.a_leg.state.ended
    assert not call.a_leg.state.switch_restarted
    assert exchange.record.outcome.reason == "asterisk-restart"


async def test_a_drain_lets_live_calls_finish(exchange: Exchange) -> None:
    call = await talk(exchange)
    exchange.switchboard.close()
    await settle()
    assert not call.a_leg.state.ended
    exchange.asterisk.hangs_up(call.a_leg)
    await settle()
    assert exchange.record.outcome.reason == "hung-up"


async def test_a_drain_ends_calls_that_do_not_finish_in_time(exchange: Exchange) -> None:
    talking = await talk(exchange)
    exchange.switchboard.close()
    await talking.a_leg.ended()
    await settle()
    assert exchange.record.outcome.reason == "bridge-stopped"
    assert [leg.hangup_cause for leg in exchange.record.legs] == [Cause.NORMAL_CLEARING] * 2


async def test_a_refusal_is_the_callee_s_only_if_its_phone_rang(exchange: Exchange) -> None:
    """Before that it is the trunk that does not let us call."""
    call = await exchange.comes_in()
    exchange.asterisk.rings(callee_leg(call))
    exchange.asterisk.hangs_up(callee_leg(call), Cause.CALL_REJECTED, 403)
    await settle()
    assert (exchange.record.outcome.reason, exchange.told(call.a_leg)) == (
        "declined",
        [Cause.NO_ANSWER],
    )


async def test_a_callee_of_whom_nothing_was_heard_in_time_is_not_to_blame(
    exchange: Exchange,
) -> None:
    call = await exchange.comes_in()
    await asyncio.sleep(SESSION.ring_timeout + 1)
    assert exchange.record.outcome.reason == "never-rang"
    assert exchange.record.outcome.fault is Fault.CARRIER
    assert exchange.told(call.a_leg) == [Cause.CONGESTION]


@pytest.mark.parametrize("who", ["caller", "callee"])
@pytest.mark.parametrize("gone", [408, 481])
async def test_a_phone_that_is_gone_has_not_hung_up(
    exchange: Exchange, who: str, gone: int
) -> None:
    call = await talk(exchange)
    leg = call.a_leg if who == "caller" else callee_leg(call)
    exchange.asterisk.hangs_up(leg, Cause.NO_USER_RESPONSE, gone)
    await settle()
    outcome = exchange.record.outcome
    assert (outcome.disposition, outcome.reason) == (Disposition.COMPLETED, "signalling-lost")
    assert outcome.hung_up_by is HungUpBy.BRIDGE


@pytest.mark.parametrize("who", ["caller", "callee", "both"])
async def test_a_phone_that_is_only_silent_is_not_cut(exchange: Exchange, who: str) -> None:
    """Muted, on hold, or listening: it answers when it is asked, for as long as the call may be."""
    call = await talk(exchange)
    legs = {"caller": [call.a_leg], "callee": [callee_leg(call)]}
    legs["both"] = [call.a_leg, callee_leg(call)]
    exchange.asterisk.silent |= {leg.channel_id for leg in legs[who]}
    await asyncio.sleep(20 * 60)
    assert call.joined
    assert not call.a_leg.state.ended
    asked = [command[1] for command in exchange.asterisk.log if command[0] == "ask"]
    assert set(asked) == exchange.asterisk.silent
    exchange.asterisk.hangs_up(call.a_leg)
    await settle()
    outcome = exchange.record.outcome
    assert (outcome.reason, outcome.hung_up_by) == ("hung-up", HungUpBy.CALLER)


@pytest.mark.parametrize("who", ["caller", "callee"])
async def test_a_phone_that_is_gone_is_found_and_neither_has_hung_up(
    exchange: Exchange, who: str
) -> None:
    call = await talk(exchange)
    leg = call.a_leg if who == "caller" else callee_leg(call)
    exchange.asterisk.silent.add(leg.channel_id)
    exchange.asterisk.deaf.add(leg.channel_id)
    await asyncio.sleep(2 * SILENCE)
    outcome = exchange.record.outcome
    assert (outcome.disposition, outcome.reason) == (Disposition.COMPLETED, "media-lost")
    assert outcome.hung_up_by is HungUpBy.BRIDGE
    assert outcome.fault is Fault.UNKNOWN
    causes = {one.role.value: one.hangup_cause for one in exchange.record.legs}
    assert causes["a" if who == "caller" else "b"] == Cause.CHANNEL_UNAVAILABLE


async def test_a_phone_that_talks_is_not_asked_though_its_signalling_is_gone(
    exchange: Exchange,
) -> None:
    call = await talk(exchange)
    exchange.asterisk.deaf |= {call.a_leg.channel_id, callee_leg(call).channel_id}
    await asyncio.sleep(20 * 60)
    assert not [command for command in exchange.asterisk.log if command[0] == "ask"]
    exchange.asterisk.hangs_up(callee_leg(call))
    await settle()
    assert exchange.record.outcome.hung_up_by is HungUpBy.CALLEE


async def test_an_end_that_asterisk_s_own_limit_made_is_no_hang_up_of_the_caller(
    exchange: Exchange,
) -> None:
    """The bridge was stopped for so long: it wakes to an end that nobody asked for."""
    call = await talk(exchange)
    clock = asyncio.get_running_loop().time()
    asyncio.get_running_loop().call_at(
        clock + SESSION.call_time_limit, exchange.asterisk.feed, call.a_leg, "StasisEnd"
    )
    await asyncio.sleep(SESSION.call_time_limit + 1)
    await settle()
    assert exchange.record.outcome.reason == "time-limit"
    assert exchange.record.outcome.hung_up_by is HungUpBy.BRIDGE


async def test_whom_somebody_at_asterisk_s_console_hangs_up_has_not_hung_up(
    exchange: Exchange,
) -> None:
    call = await talk(exchange)
    for leg in (call.a_leg, callee_leg(call)):
        exchange.asterisk.feed(leg, "ChannelHangupRequest", soft=True, cause=32)
    exchange.asterisk.feed(call.a_leg, "StasisEnd")
    exchange.asterisk.feed(callee_leg(call), "ChannelDestroyed", cause=16)
    exchange.asterisk.legs.clear()
    await settle()
    assert exchange.record.outcome.hung_up_by is HungUpBy.BRIDGE


async def test_a_caller_who_never_acknowledged_its_answer_has_not_given_up(
    exchange: Exchange,
) -> None:
    """It was answered before the other, for a prompt; Asterisk ends it after 32 s."""
    call = await exchange.comes_in()
    exchange.asterisk.answers(call.a_leg)
    exchange.asterisk.hangs_up(call.a_leg, Cause.NO_USER_RESPONSE, 408)
    await settle()
    outcome = exchange.record.outcome
    assert (outcome.disposition, outcome.reason) == (Disposition.CANCELLED, "signalling-lost")
    assert outcome.hung_up_by is HungUpBy.BRIDGE
