"""What the two hear before they are connected, and what whoever answers must do."""

import asyncio
import dataclasses

import pytest

from bridge.ari.errors import AsteriskUnreachable
from bridge.ari.leg import Leg
from bridge.calls.live_call import LiveCall
from bridge.domain.announcements import Announcement
from bridge.domain.causes import Cause
from bridge.domain.outcomes import Disposition, HungUpBy
from bridge.domain.prompts import MissedPrompt
from bridge.domain.sessions import AnswerGuard, Manner
from tests.calls.conftest import Exchange, settle
from tests.people import ALICE_CALLS, SESSION

pytestmark = pytest.mark.looptime

TO_ALICE, TO_BOB = "https://example.test/alice.mp3", "https://example.test/bob.mp3"
SOUNDS = {TO_ALICE: "sound:/prompts/alice", TO_BOB: "sound:/prompts/bob"}
ASK = Announcement.PRESS_1_TO_ACCEPT.media


def with_manner(exchange: Exchange, **manner: object) -> None:
    session = dataclasses.replace(SESSION, manner=Manner(**manner))  # type: ignore[arg-type]
    exchange.call_log.lookup = dataclasses.replace(ALICE_CALLS, session=session)
    exchange.prompts.known = dict(SOUNDS)


def callee_leg(call: LiveCall) -> Leg:
    assert call.b_leg
    return call.b_leg


def played(exchange: Exchange, leg: Leg) -> list[tuple[str, ...]]:
    return [
        command[2:] for command in exchange.asterisk.log if command[:2] == ("play", leg.channel_id)
    ]


def are_joined(exchange: Exchange) -> bool:
    return bool(exchange.asterisk.bridges)


async def is_answered(exchange: Exchange) -> LiveCall:
    call = await exchange.comes_in()
    exchange.asterisk.answers(callee_leg(call))
    await settle()
    return call


@pytest.mark.parametrize("prompt", [TO_ALICE, None])
async def test_that_a_caller_is_answered_is_told_at_once_if_it_is_before_the_other(
    exchange: Exchange, prompt: str | None
) -> None:
    """And not twice: with the other's answer it is told anyway."""
    with_manner(exchange, first_prompt=prompt)
    call = await is_answered(exchange)
    if prompt:
        exchange.asterisk.has_played(call.a_leg)
        await settle()
    assert are_joined(exchange)
    told = [what for what, _ in exchange.call_log.told]
    assert told.count("caller answered") == (1 if prompt else 0)
    exchange.asterisk.hangs_up(call.a_leg)


async def test_the_caller_hears_its_prompt_while_the_callee_s_phone_rings(
    exchange: Exchange,
) -> None:
    with_manner(exchange, first_prompt=TO_ALICE)
    call = await exchange.comes_in()
    assert call.a_leg.state.answered, "a prompt cannot be heard before"
    assert played(exchange, call.a_leg) == [(SOUNDS[TO_ALICE],)]
    exchange.asterisk.rings(callee_leg(call))
    exchange.asterisk.has_played(call.a_leg)
    await settle()
    assert exchange.asterisk.log[-1] == ("ring", call.a_leg.channel_id), "then ringback"
    exchange.asterisk.answers(callee_leg(call))
    await settle()
    assert are_joined(exchange)
    assert ("stop_ringing", call.a_leg.channel_id) in exchange.asterisk.log
    exchange.asterisk.hangs_up(call.a_leg)


async def test_they_are_joined_when_the_caller_has_heard_its_prompt_to_the_end(
    exchange: Exchange,
) -> None:
    with_manner(exchange, first_prompt=TO_ALICE)
    call = await is_answered(exchange)
    assert not are_joined(exchange)
    exchange.asterisk.has_played(call.a_leg)
    await settle()
    assert are_joined(exchange)
    exchange.asterisk.hangs_up(call.a_leg)


async def test_the_callee_hears_its_own_before_it_is_connected_whoever_calls(
    exchange: Exchange,
) -> None:
    with_manner(exchange, second_prompt=TO_BOB)
    call = await is_answered(exchange)
    assert exchange.prompts.prefetched == [TO_BOB], "while the phone rang"
    assert played(exchange, callee_leg(call)) == [(SOUNDS[TO_BOB],)]
    assert not call.a_leg.state.answered, "the caller pays nothing yet"
    exchange.asterisk.has_played(callee_leg(call))
    await settle()
    assert are_joined(exchange)
    exchange.asterisk.hangs_up(call.a_leg)


async def test_a_prompt_that_cannot_be_had_is_skipped(exchange: Exchange) -> None:
    with_manner(exchange, first_prompt=TO_ALICE, second_prompt=TO_BOB)
    exchange.prompts.known = {}
    call = await is_answered(exchange)
    assert are_joined(exchange)
    exchange.asterisk.hangs_up(call.a_leg)
    await settle()
    assert sorted(exchange.record.missed_prompts, key=lambda missed: missed.url) == [
        MissedPrompt(TO_ALICE, "http-404"),
        MissedPrompt(TO_BOB, "http-404"),
    ]


async def test_a_prompt_that_asterisk_does_not_play_is_skipped(exchange: Exchange) -> None:
    with_manner(exchange, first_prompt=TO_ALICE, second_prompt=TO_BOB)
    exchange.asterisk.fails_to["play"] = AsteriskUnreachable("away")
    call = await is_answered(exchange)
    assert are_joined(exchange)
    exchange.asterisk.hangs_up(call.a_leg)


@pytest.mark.parametrize("who", ["caller", "callee"])
async def test_who_hangs_up_during_a_prompt_ends_the_call(exchange: Exchange, who: str) -> None:
    with_manner(exchange, second_prompt=TO_BOB)
    call = await is_answered(exchange)
    exchange.asterisk.hangs_up(call.a_leg if who == "caller" else callee_leg(call))
    await settle()
    outcome = exchange.record.outcome
    if who == "caller":
        assert outcome.disposition is Disposition.CANCELLED
    else:
        assert (outcome.reason, outcome.hung_up_by) == ("not-accepted", HungUpBy.CALLEE)
        assert exchange.told(call.a_leg) == [Cause.NO_ANSWER]
    assert exchange.record.answered_at is None, "they never talked"


async def test_a_callee_that_is_busy_cuts_the_caller_s_prompt_short(exchange: Exchange) -> None:
    with_manner(exchange, first_prompt=TO_ALICE)
    call = await exchange.comes_in()
    exchange.asterisk.hangs_up(callee_leg(call), Cause.USER_BUSY)
    await settle()
    assert exchange.told(call.a_leg) == [Cause.USER_BUSY]
    assert exchange.record.outcome.disposition is Disposition.BUSY


# --- the guard ---


async def test_a_person_presses_1_and_is_connected(exchange: Exchange) -> None:
    with_manner(exchange, second_prompt=TO_BOB, answer_guard=AnswerGuard.PRESS_1)
    call = await is_answered(exchange)
    exchange.asterisk.has_played(callee_leg(call))
    await settle()
    assert played(exchange, callee_leg(call)) == [(SOUNDS[TO_BOB],), ASK]
    assert not call.a_leg.state.answered, "the caller hears ringback meanwhile"
    exchange.asterisk.presses(callee_leg(call), "1")
    await settle()
    assert callee_leg(call).channel_id not in exchange.asterisk.playing, "the key ends the sound"
    assert are_joined(exchange)
    exchange.asterisk.hangs_up(call.a_leg)


async def test_whoever_presses_another_key_does_not_want_the_call(exchange: Exchange) -> None:
    with_manner(exchange, answer_guard=AnswerGuard.PRESS_1)
    call = await is_answered(exchange)
    exchange.asterisk.presses(callee_leg(call), "2")
    await settle()
    assert exchange.record.outcome.reason == "not-accepted"
    assert exchange.told(call.a_leg) == [Cause.NO_ANSWER]


async def test_a_mailbox_is_asked_twice_and_never_connected(exchange: Exchange) -> None:
    with_manner(exchange, answer_guard=AnswerGuard.PRESS_1)
    call = await is_answered(exchange)
    for _ in range(2):
        exchange.asterisk.has_played(callee_leg(call))
        await asyncio.sleep(6)
    assert played(exchange, callee_leg(call)) == [ASK, ASK]
    assert exchange.record.outcome.reason == "not-accepted"
    assert ("join", call.a_leg.channel_id, callee_leg(call).channel_id) not in exchange.asterisk.log


async def test_a_key_after_the_question_is_not_too_late(exchange: Exchange) -> None:
    with_manner(exchange, answer_guard=AnswerGuard.PRESS_1)
    call = await is_answered(exchange)
    exchange.asterisk.has_played(callee_leg(call))
    await asyncio.sleep(4)
    exchange.asterisk.presses(callee_leg(call), "1")
    await settle()
    assert are_joined(exchange)
    exchange.asterisk.hangs_up(call.a_leg)


async def test_a_caller_who_gives_up_during_the_question_ends_it(exchange: Exchange) -> None:
    with_manner(exchange, answer_guard=AnswerGuard.PRESS_1)
    call = await is_answered(exchange)
    exchange.asterisk.hangs_up(call.a_leg)
    await settle()
    assert callee_leg(call).state.ended
    assert exchange.record.outcome.disposition is Disposition.CANCELLED
