"""A stranger is asked for a PIN.  The test plays its phone."""

import asyncio
import dataclasses

import pytest

from bridge.calls.live_call import LiveCall
from bridge.domain.announcements import Announcement
from bridge.domain.outcomes import Disposition
from bridge.domain.pins import Wrong
from bridge.domain.routing import AskPin
from bridge.domain.sessions import Manner
from tests.calls.conftest import Exchange, settle
from tests.people import A_STRANGER_CALLS, ALICE_CALLS, MALLORY, SESSION

pytestmark = pytest.mark.looptime

ASKS, WRONG = "https://example.test/pin.mp3", "https://example.test/wrong.mp3"
SOUNDS = {ASKS: "sound:/prompts/asks", WRONG: "sound:/prompts/wrong"}
QUESTION = AskPin(session=SESSION.id, prompt=ASKS, incorrect=WRONG, retries=1, wait=5, length=6)


@pytest.fixture
async def caller(exchange: Exchange) -> LiveCall:
    """Mallory calls a number whose session asks for PINs; Alice's is 1234."""
    exchange.call_log.lookup = dataclasses.replace(A_STRANGER_CALLS, pin_question=QUESTION)
    known = dataclasses.replace(ALICE_CALLS, caller=MALLORY, identified=True)
    exchange.call_log.pins = {"1234": known, "123456": known}
    exchange.prompts.known = dict(SOUNDS)
    return await exchange.comes_in(MALLORY)


def plays(exchange: Exchange) -> list[tuple[str, ...]]:
    return [command for command in exchange.asterisk.log if command[0] == "play"]


def commands(exchange: Exchange, call: LiveCall) -> list[str]:
    """What was asked of the caller's leg."""
    return [command[0] for command in exchange.asterisk.log if call.a_leg.channel_id in command]


def last_played(exchange: Exchange) -> tuple[str, ...]:
    return [command for command in exchange.asterisk.log if command[0] == "play"][-1][2:]


def typed(exchange: Exchange) -> list[tuple[str, int]]:
    """Each PIN, and how often its caller had been asked before."""
    guesses = exchange.call_log.guesses
    assert {guess.asked_by for guess in guesses} == {SESSION.id}
    return [(guess.pin, guess.retry) for guess in guesses]


async def types(exchange: Exchange, call: LiveCall, keys: str) -> None:
    exchange.asterisk.presses(call.a_leg, keys)
    await settle()


async def is_rung(exchange: Exchange, call: LiveCall) -> None:
    assert call.b_leg
    exchange.asterisk.answers(call.b_leg)
    await settle()
    assert exchange.asterisk.bridges
    exchange.asterisk.hangs_up(call.a_leg)
    await settle()
    assert exchange.record.outcome.disposition is Disposition.COMPLETED


async def test_the_right_pin_is_as_good_as_the_right_number(
    exchange: Exchange, caller: LiveCall
) -> None:
    assert caller.a_leg.state.answered
    assert last_played(exchange) == (SOUNDS[ASKS],)
    await types(exchange, caller, "1234#")
    assert caller.a_leg.channel_id not in exchange.asterisk.playing, "a key ends the question"
    await is_rung(exchange, caller)


async def test_with_its_last_digit_a_pin_is_complete(exchange: Exchange, caller: LiveCall) -> None:
    await types(exchange, caller, "123456")
    await is_rung(exchange, caller)


async def test_a_pause_ends_a_pin(exchange: Exchange, caller: LiveCall) -> None:
    await types(exchange, caller, "1234")
    assert exchange.call_log.guesses == []
    await asyncio.sleep(3.5)
    await is_rung(exchange, caller)


async def test_a_wrong_pin_may_be_mended(exchange: Exchange, caller: LiveCall) -> None:
    await types(exchange, caller, "9999#")
    assert last_played(exchange) == (SOUNDS[WRONG],)
    exchange.asterisk.has_played(caller.a_leg)
    await settle()
    assert last_played(exchange) == (SOUNDS[ASKS],)
    await types(exchange, caller, "1234#")
    await is_rung(exchange, caller)


async def test_after_the_last_try_the_caller_is_hung_up_and_nobody_was_rung(
    exchange: Exchange, caller: LiveCall
) -> None:
    for _ in range(2):
        await types(exchange, caller, "9999#")
        exchange.asterisk.has_played(caller.a_leg)
        await settle()
    assert caller.a_leg.state.ended
    assert caller.b_leg is None
    assert exchange.record.outcome.reason == "wrong-pin"
    assert typed(exchange) == [("9999", 0), ("9999", 1)]


async def test_the_key_that_ends_a_complete_pin_is_not_the_next_answer(
    exchange: Exchange, caller: LiveCall
) -> None:
    await types(exchange, caller, "999999#")
    exchange.asterisk.has_played(caller.a_leg)
    await settle()
    await types(exchange, caller, "123456#")
    assert typed(exchange) == [("999999", 0), ("123456", 1)]
    await is_rung(exchange, caller)


async def test_who_types_nothing_is_asked_again_and_then_hung_up(
    exchange: Exchange, caller: LiveCall
) -> None:
    for _ in range(2):
        assert last_played(exchange) == (SOUNDS[ASKS],)
        exchange.asterisk.has_played(caller.a_leg)
        await asyncio.sleep(6)
    assert caller.a_leg.state.ended
    assert exchange.call_log.guesses == []
    assert [what for what, _ in exchange.call_log.told] == [
        "caller answered",
        "no PIN at retry 0",
        "no PIN at retry 1",
    ]


async def test_too_many_wrong_ones_of_late_end_it_at_once(
    exchange: Exchange, caller: LiveCall
) -> None:
    exchange.call_log.pins["9999"] = dataclasses.replace(A_STRANGER_CALLS, pin_locked=True)
    await types(exchange, caller, "9999#")
    assert caller.a_leg.state.ended
    assert exchange.record.outcome.reason == "pin-locked"


async def test_without_a_prompt_of_its_own_asterisk_asks(exchange: Exchange) -> None:
    exchange.call_log.lookup = dataclasses.replace(A_STRANGER_CALLS, pin_question=QUESTION)
    call = await exchange.comes_in(MALLORY)
    assert last_played(exchange) == Announcement.ENTER_PIN.media
    exchange.asterisk.hangs_up(call.a_leg)


async def test_a_stranger_hears_why_where_the_session_says_so(exchange: Exchange) -> None:
    exchange.call_log.lookup = dataclasses.replace(A_STRANGER_CALLS, unknown_caller_play=ASKS)
    exchange.prompts.known = dict(SOUNDS)
    call = await exchange.comes_in(MALLORY)
    assert last_played(exchange) == (SOUNDS[ASKS],)
    exchange.asterisk.has_played(call.a_leg)
    await settle()
    assert call.a_leg.state.ended
    assert exchange.record.outcome.reason == "unknown-caller"


async def test_who_calls_from_its_own_number_is_told_of_as_known(exchange: Exchange) -> None:
    with_pins = dataclasses.replace(SESSION, manner=Manner(asks_pin=True))
    exchange.call_log.lookup = dataclasses.replace(ALICE_CALLS, session=with_pins)
    call = await exchange.comes_in()
    assert ("needs no PIN", call.id) in exchange.call_log.told
    exchange.asterisk.hangs_up(call.a_leg)


# --- where too many PINs were wrong of late ---


async def test_a_stranger_hears_ringback_before_it_is_asked(exchange: Exchange) -> None:
    question = dataclasses.replace(QUESTION, pause=20.0)
    exchange.call_log.lookup = dataclasses.replace(A_STRANGER_CALLS, pin_question=question)
    exchange.call_log.pins = {"1234": dataclasses.replace(ALICE_CALLS, identified=True)}
    call = await exchange.comes_in(MALLORY)
    await asyncio.sleep(19.5)
    assert not call.a_leg.state.answered
    assert commands(exchange, call) == ["ring"]
    await asyncio.sleep(1)
    assert call.a_leg.state.answered
    assert commands(exchange, call) == ["ring", "answer", "play"]
    await types(exchange, call, "1234#")
    await is_rung(exchange, call)


async def test_who_hangs_up_meanwhile_was_not_asked(exchange: Exchange) -> None:
    question = dataclasses.replace(QUESTION, pause=20.0)
    exchange.call_log.lookup = dataclasses.replace(A_STRANGER_CALLS, pin_question=question)
    call = await exchange.comes_in(MALLORY)
    await asyncio.sleep(5)
    exchange.asterisk.hangs_up(call.a_leg)
    await settle()
    assert exchange.record.outcome.disposition is Disposition.CANCELLED
    assert exchange.call_log.guesses == []


async def test_the_next_question_comes_after_a_pause_and_none_after_the_last(
    exchange: Exchange, caller: LiveCall
) -> None:
    exchange.call_log.wrong = Wrong(wait=8.0)
    await types(exchange, caller, "9999#")
    exchange.asterisk.has_played(caller.a_leg)
    await settle()
    asked = len(plays(exchange))
    await asyncio.sleep(7.5)
    assert len(plays(exchange)) == asked
    assert commands(exchange, caller)[-1] == "ring"
    await asyncio.sleep(1)
    assert len(plays(exchange)) == asked + 1
    assert commands(exchange, caller)[-2:] == ["stop_ringing", "play"]
    await types(exchange, caller, "9999#")
    exchange.asterisk.has_played(caller.a_leg)
    await settle()
    assert caller.a_leg.state.ended


async def test_a_pin_whose_turn_is_yet_to_come_is_looked_at_then_and_not_asked_for_again(
    exchange: Exchange, caller: LiveCall
) -> None:
    exchange.call_log.waits = [12.0]
    await types(exchange, caller, "1234#")
    asked = len(plays(exchange))
    assert [guess.turn for guess in exchange.call_log.guesses] == [None]
    await asyncio.sleep(11.5)
    assert len(exchange.call_log.guesses) == 1
    await asyncio.sleep(1)
    assert [(guess.pin, guess.turn) for guess in exchange.call_log.guesses][1:] == [("1234", 1)]
    assert len(plays(exchange)) == asked
    await is_rung(exchange, caller)


async def test_who_hangs_up_before_its_turn_is_not_looked_at(
    exchange: Exchange, caller: LiveCall
) -> None:
    exchange.call_log.waits = [12.0]
    await types(exchange, caller, "1234#")
    exchange.asterisk.hangs_up(caller.a_leg)
    await settle()
    assert len(exchange.call_log.guesses) == 1
    assert caller.b_leg is None
