"""Calls that meet: of both at the same moment, and one that comes back."""

import asyncio
import dataclasses
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from bridge.ari.errors import RequestRefused
from bridge.ari.leg import Leg
from bridge.calls.live_call import LiveCall
from bridge.domain.causes import Cause
from bridge.domain.hangups import hangup_cause
from bridge.domain.numbers import PhoneNumber
from bridge.domain.outcomes import Disposition
from bridge.domain.routing import Lookup
from bridge.domain.sessions import AnswerGuard, Manner, Side
from tests.calls.conftest import Exchange, settle
from tests.fakes.asterisk import EPOCH
from tests.people import ALICE_CALLS, BOB, MALLORY, SESSION, VIRTUAL

pytestmark = pytest.mark.looptime


async def bob_calls(exchange: Exchange, *, calls_up: int = 1) -> LiveCall:
    exchange.call_log.lookup = dataclasses.replace(
        ALICE_CALLS, caller=BOB, caller_side=Side.SECOND, calls_up=calls_up
    )
    return await exchange.comes_in(BOB)


@pytest.mark.parametrize("calls_up", [0, 1], ids=["unseen", "seen"])
async def test_they_are_joined_and_neither_is_busy(exchange: Exchange, calls_up: int) -> None:
    first = await exchange.comes_in()
    second = await bob_calls(exchange, calls_up=calls_up)
    assert first.b_leg
    assert first.b_leg.state.ended, "the phone that calls need not ring"
    assert first.a_leg.state.answered
    assert second.a_leg.state.answered
    assert ("join", first.a_leg.channel_id, second.a_leg.channel_id) in exchange.asterisk.log
    exchange.asterisk.hangs_up(second.a_leg)
    await settle()
    assert first.a_leg.state.ended
    by_id = {record.arrival.call_id: record for record in exchange.call_log.records}
    assert len(by_id) == 2
    for record in by_id.values():
        assert record.outcome.disposition is Disposition.COMPLETED
        assert record.answered_at is not None
    assert by_id[first.id].outcome.hung_up_by == "callee"
    assert by_id[second.id].outcome.hung_up_by == "caller"


async def test_they_have_talked_even_if_the_end_is_known_before_the_join(
    exchange: Exchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They hear each other from the first of the commands that join them on."""
    whole = exchange.asterisk.joined

    @asynccontextmanager
    async def joined(a_leg: Leg, b_leg: Leg, **how: Any) -> AsyncIterator[None]:
        async with whole(a_leg, b_leg, **how):
            exchange.asterisk.hangs_up(b_leg)
            await settle()
            yield

    monkeypatch.setattr(exchange.asterisk, "joined", joined)
    await exchange.comes_in()
    await bob_calls(exchange)
    for _ in range(2):
        await settle()
    outcomes = [record.outcome for record in exchange.call_log.records]
    assert {outcome.disposition for outcome in outcomes} == {Disposition.COMPLETED}
    assert {outcome.hung_up_by for outcome in outcomes} == {"caller", "callee"}


async def test_who_gives_up_at_that_very_moment_leaves_the_other_unanswered(
    exchange: Exchange,
) -> None:
    first = await exchange.comes_in()
    exchange.asterisk.hangs_up(first.a_leg)
    second = await bob_calls(exchange)
    assert not second.a_leg.state.answered
    assert exchange.told(second.a_leg) == [Cause.USER_BUSY] or exchange.told(second.a_leg) == [
        Cause.NO_ANSWER
    ]


async def test_a_second_call_of_the_same_party_is_busy(exchange: Exchange) -> None:
    first = await exchange.comes_in()
    exchange.call_log.lookup = dataclasses.replace(ALICE_CALLS, calls_up=1)
    second = await exchange.comes_in()
    assert exchange.told(second.a_leg) == [Cause.USER_BUSY]
    exchange.asterisk.hangs_up(first.a_leg)


async def test_a_stranger_is_never_joined(exchange: Exchange) -> None:
    first = await exchange.comes_in()
    exchange.call_log.lookup = dataclasses.replace(
        ALICE_CALLS, caller=MALLORY, session=None, caller_side=None
    )
    stranger = await exchange.comes_in(MALLORY)
    assert exchange.told(stranger.a_leg) == [Cause.CALL_REJECTED]
    elsewhere = await exchange.comes_in(BOB, dialled="+12025550199")
    assert not elsewhere.a_leg.state.answered, VIRTUAL
    exchange.asterisk.hangs_up(first.a_leg)


async def comes_back(exchange: Exchange) -> LiveCall:
    """The callee's phone sends the call on to a virtual number; its network shows what it saw."""
    exchange.call_log.lookup = Lookup(
        now=EPOCH, number_in_service=True, caller=VIRTUAL, caller_is_ours=True
    )
    return await exchange.comes_in(VIRTUAL)


async def test_a_callee_that_forwards_to_a_virtual_number_is_a_loop(exchange: Exchange) -> None:
    first = await exchange.comes_in()
    again = await comes_back(exchange)
    assert exchange.told(again.a_leg) == [Cause.NO_ANSWER]
    assert first.b_leg
    exchange.asterisk.hangs_up(first.b_leg, cause=Cause.CALL_REJECTED)
    await settle()
    assert exchange.told(first.a_leg) == [Cause.NO_ANSWER]
    assert {record.outcome.reason for record in exchange.call_log.records} == {"loop-detected"}
    by_id = {record.arrival.call_id: record for record in exchange.call_log.records}
    cause = hangup_cause(by_id[first.id].outcome)
    assert (cause.name, cause.code) == ("Loop Detected", 2060)


async def test_a_callee_that_answers_all_the_same_is_connected(exchange: Exchange) -> None:
    """Its phone may ring while its network tries the other number."""
    first = await exchange.comes_in()
    await comes_back(exchange)
    assert first.b_leg
    exchange.asterisk.answers(first.b_leg)
    await settle()
    assert first.joined
    exchange.asterisk.hangs_up(first.b_leg)


async def test_where_two_calls_show_the_number_neither_is_blamed(exchange: Exchange) -> None:
    calls = [await exchange.comes_in() for _ in range(2)]
    await comes_back(exchange)
    for call in calls:
        assert call.b_leg
        exchange.asterisk.hangs_up(call.b_leg, cause=Cause.CALL_REJECTED)
    await settle()
    reasons = [record.outcome.reason for record in exchange.call_log.records]
    assert sorted(reasons) == ["declined", "declined", "loop-detected"]


async def test_a_mailbox_that_has_answered_already_is_not_connected_because_its_owner_calls(
    exchange: Exchange,
) -> None:
    """It is asked to press 1 all the same, and its owner is busy as in any second call."""
    guarded = dataclasses.replace(
        SESSION, manner=dataclasses.replace(SESSION.manner, answer_guard=AnswerGuard.PRESS_1)
    )
    exchange.call_log.lookup = dataclasses.replace(ALICE_CALLS, session=guarded)
    first = await exchange.comes_in()
    assert first.b_leg
    exchange.asterisk.answers(first.b_leg)
    await settle()
    second = await bob_calls(exchange)
    assert exchange.told(second.a_leg) == [Cause.USER_BUSY]
    for _ in range(2):  # it lets itself be asked
        exchange.asterisk.has_played(first.b_leg)
        await asyncio.sleep(6)
    assert not first.joined
    assert exchange.told(first.a_leg) == [Cause.NO_ANSWER]


async def test_who_calls_at_the_moment_of_his_own_answer_is_not_left_ringing(
    exchange: Exchange,
) -> None:
    first = await exchange.comes_in()
    assert first.b_leg
    exchange.asterisk.answers(first.b_leg)
    second = await bob_calls(exchange)
    assert first.joined
    assert exchange.told(second.a_leg) == [Cause.USER_BUSY]
    assert not second.joined
    exchange.asterisk.hangs_up(first.b_leg)


async def test_a_leg_that_asterisk_will_not_answer_is_asterisk_s_failure_and_no_crash(
    exchange: Exchange,
) -> None:
    """Though it is asked while the two are waited for."""
    prompted = dataclasses.replace(SESSION, manner=Manner(second_prompt="https://x.test/hear.mp3"))
    exchange.prompts.known = {"https://x.test/hear.mp3": "sound:/prompts/hear"}
    exchange.call_log.lookup = dataclasses.replace(ALICE_CALLS, session=prompted)
    await exchange.comes_in()
    exchange.asterisk.fails_to["answer"] = RequestRefused("POST channels", 500)
    await bob_calls(exchange)
    reasons = [record.outcome.reason for record in exchange.call_log.records]
    assert reasons == ["asterisk-failed", "caller-gave-up"]


async def test_a_number_that_the_carrier_does_not_vouch_for_takes_nobody_s_place(
    exchange: Exchange,
) -> None:
    first = await exchange.comes_in()
    exchange.call_log.lookup = dataclasses.replace(
        ALICE_CALLS, caller=BOB, caller_side=Side.SECOND, calls_up=1, unattested=True
    )
    second = await exchange.comes_in(BOB)
    assert second.a_leg.state.ended
    assert not second.a_leg.state.answered
    assert first.b_leg
    assert not first.b_leg.state.ended, "the phone of the real one still rings"


async def test_two_who_call_each_other_are_joined_whatever_form_their_networks_give_a_number(
    exchange: Exchange,
) -> None:
    mobile, shown = PhoneNumber("+5491123456789"), PhoneNumber("+541123456789")
    session = dataclasses.replace(SESSION, second_party=mobile)
    exchange.call_log.lookup = dataclasses.replace(ALICE_CALLS, session=session)
    first = await exchange.comes_in()
    exchange.call_log.lookup = dataclasses.replace(
        ALICE_CALLS, session=session, caller=shown, caller_side=Side.SECOND, calls_up=1
    )
    second = await exchange.comes_in(shown)
    assert ("join", first.a_leg.channel_id, second.a_leg.channel_id) in exchange.asterisk.log
    exchange.asterisk.hangs_up(second.a_leg)
    await settle()


@pytest.mark.parametrize("who", ["caller", "callee"])
async def test_whoever_calls_back_as_a_call_ends_is_not_lent_to_it(
    exchange: Exchange, who: str
) -> None:
    """It is being cleared up still: a phone that is to be rung has just been given up."""
    first = await exchange.comes_in()
    assert first.b_leg
    leg = first.a_leg if who == "caller" else first.b_leg
    cause = {} if who == "caller" else {"cause": Cause.USER_BUSY, "tech_cause": 486}
    exchange.asterisk.feed(leg, "ChannelHangupRequest", **cause)
    second = await bob_calls(exchange, calls_up=0)
    assert second.b_leg, "a call of its own"
    assert exchange.switchboard.over.calls == {first.id}
    exchange.asterisk.hangs_up(leg, cause.get("cause"), cause.get("tech_cause"))
    await settle()
    assert exchange.switchboard.over.calls == frozenset()
    exchange.asterisk.answers(second.b_leg)
    await settle()
    assert second.joined
    exchange.asterisk.hangs_up(second.b_leg)


async def test_two_who_were_joined_are_up_until_one_of_them_leaves(exchange: Exchange) -> None:
    """Also where the leg that was to ring is given up, because its phone called."""
    first = await exchange.comes_in()
    second = await bob_calls(exchange)
    assert exchange.switchboard.over.calls == frozenset()
    exchange.asterisk.feed(second.a_leg, "ChannelHangupRequest")
    assert exchange.switchboard.over.calls == {first.id, second.id}
    exchange.asterisk.hangs_up(second.a_leg)


@pytest.mark.parametrize("way", ["customer", "limit", "phone"])
async def test_a_call_that_we_end_is_over_before_asterisk_has_said_so(
    exchange: Exchange, way: str
) -> None:
    call = await exchange.comes_in()
    assert call.b_leg
    exchange.asterisk.answers(call.b_leg)
    await settle()
    assert exchange.switchboard.over.calls == frozenset()
    if way == "customer":
        exchange.switchboard.hang_up(call.id)
    elif way == "limit":
        call.a_leg.asked_to_hang_up = Cause.NORMAL_CLEARING
    else:
        exchange.asterisk.feed(call.b_leg, "ChannelHangupRequest")
    assert exchange.switchboard.over.calls == exchange.switchboard.over.made == {call.id}
    call.a_leg.asked_to_hang_up = None
    exchange.asterisk.hangs_up(call.a_leg)
