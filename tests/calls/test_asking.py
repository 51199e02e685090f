"""The application is asked before anybody is rung.  The test plays it, and the phones."""

import dataclasses
from typing import Any

import pytest

from bridge.calls.live_call import LiveCall
from bridge.domain.advice import Advice, Allow, Deny, Redirect, RefusedAs, Webhook
from bridge.domain.causes import Cause
from bridge.domain.outcomes import CANCELLED, Disposition
from bridge.domain.routing import Fallback
from bridge.domain.sessions import Side
from tests.calls.conftest import Exchange, settle
from tests.people import (
    A_STRANGER_CALLS,
    ALICE,
    ALICE_CALLS,
    BOB,
    CAROL,
    MALLORY,
    SESSION,
    VIRTUAL,
)

pytestmark = pytest.mark.looptime

ASK = Webhook(SESSION.account, "https://app.example.test/routing")
SOUND = "https://app.example.test/sorry.mp3"
OVER = dataclasses.replace(ALICE_CALLS, now=SESSION.expires_at)


def rung(call: LiveCall) -> object:
    return call.callee


async def alice_calls(exchange: Exchange, says: Advice | None, webhook: Webhook = ASK) -> LiveCall:
    exchange.application.says = says
    exchange.call_log.lookup = dataclasses.replace(ALICE_CALLS, about_parties=webhook)
    return await exchange.comes_in()


async def mallory_calls(exchange: Exchange, says: Advice | None) -> LiveCall:
    exchange.application.says = says
    exchange.call_log.lookup = dataclasses.replace(A_STRANGER_CALLS, about_strangers=ASK)
    return await exchange.comes_in(MALLORY)


async def hangs_up(exchange: Exchange, call: LiveCall) -> None:
    exchange.asterisk.hangs_up(call.a_leg)
    await settle()


async def test_a_party_that_is_allowed_reaches_the_other(exchange: Exchange) -> None:
    call = await alice_calls(exchange, Allow())
    assert rung(call) == BOB
    [(webhook, question)] = exchange.application.asked
    assert webhook == ASK
    assert (question.session, question.caller_side) == (SESSION.id, Side.FIRST)
    assert (question.caller, question.callee) == (ALICE, BOB)
    assert exchange.call_log.redirections == []
    await hangs_up(exchange, call)


@pytest.mark.parametrize("told", RefusedAs)
async def test_a_party_that_is_refused_is_told_what_the_application_says(
    exchange: Exchange, told: RefusedAs
) -> None:
    call = await alice_calls(exchange, Deny(told))
    assert rung(call) is None
    assert exchange.told(call.a_leg) == [told.cause]
    assert exchange.record.outcome.reason == "application-refused"


async def test_a_party_that_is_refused_may_hear_why(exchange: Exchange) -> None:
    exchange.prompts.known = {SOUND: "sound:/prompts/sorry"}
    call = await alice_calls(exchange, Deny(play=SOUND))
    assert ("play", call.a_leg.channel_id, "sound:/prompts/sorry") in exchange.asterisk.log
    exchange.asterisk.has_played(call.a_leg)
    await settle()
    assert call.a_leg.state.ended


async def test_a_party_is_sent_to_another_who_sees_the_virtual_number(exchange: Exchange) -> None:
    call = await alice_calls(exchange, Redirect(CAROL))
    assert rung(call) == CAROL
    [dial] = [command for command in exchange.asterisk.log if command[0] == "dial"]
    assert VIRTUAL.e164 in dial
    assert BOB.e164 not in dial
    assert exchange.call_log.redirections == [(CAROL, True)]
    await hangs_up(exchange, call)


@pytest.mark.parametrize("allows", [False, True])
async def test_where_nobody_answers_it_is_as_was_agreed(
    exchange: Exchange, *, allows: bool
) -> None:
    webhook = dataclasses.replace(ASK, allows_by_default=allows)
    call = await alice_calls(exchange, None, webhook)
    assert rung(call) == (BOB if allows else None)
    if allows:
        await hangs_up(exchange, call)
    else:
        assert exchange.record.outcome.reason == "application-silent"


@pytest.mark.parametrize("who", [alice_calls, mallory_calls])
async def test_who_gives_up_while_the_application_thinks_has_rung_nobody(
    exchange: Exchange, who: object
) -> None:
    exchange.application.thinks = True
    call = await who(exchange, None)  # type: ignore[operator]
    await hangs_up(exchange, call)
    assert rung(call) is None
    assert exchange.record.outcome == CANCELLED


async def test_without_a_webhook_nobody_is_asked(exchange: Exchange) -> None:
    call = await exchange.comes_in()
    await hangs_up(exchange, call)
    exchange.call_log.lookup = A_STRANGER_CALLS
    await exchange.comes_in(MALLORY)
    assert exchange.application.asked == []


async def test_a_stranger_for_whom_a_session_was_made_is_connected(exchange: Exchange) -> None:
    known = dataclasses.replace(ALICE_CALLS, caller=MALLORY, identified=True)
    exchange.call_log.now_known = dataclasses.replace(known, about_strangers=ASK)
    call = await mallory_calls(exchange, Allow())
    assert rung(call) == BOB
    [(webhook, question)] = exchange.application.asked
    assert (webhook.account, question.session) == (SESSION.account, None)
    await hangs_up(exchange, call)


async def test_to_be_allowed_is_no_session(exchange: Exchange) -> None:
    call = await mallory_calls(exchange, Allow())
    assert rung(call) is None
    assert exchange.told(call.a_leg) == [Cause.CALL_REJECTED]
    assert exchange.record.outcome.reason == "unknown-caller"


async def test_a_stranger_whom_nobody_vouches_for_is_refused(exchange: Exchange) -> None:
    call = await mallory_calls(exchange, None)
    assert exchange.told(call.a_leg) == [Cause.CALL_REJECTED]
    call = await mallory_calls(exchange, Deny(RefusedAs.BUSY))
    assert exchange.told(call.a_leg) == [Cause.USER_BUSY]


async def test_a_stranger_may_be_sent_to_a_desk(exchange: Exchange) -> None:
    call = await mallory_calls(exchange, Redirect(CAROL))
    assert rung(call) == CAROL
    assert exchange.call_log.redirections == [(CAROL, False)]
    assert call.b_leg
    exchange.asterisk.answers(call.b_leg)
    await settle()
    assert exchange.asterisk.bridges
    await hangs_up(exchange, call)
    assert exchange.record.outcome.disposition is Disposition.COMPLETED


async def test_whose_session_is_over_goes_where_the_number_says(exchange: Exchange) -> None:
    exchange.prompts.known = {SOUND: "sound:/prompts/sorry"}
    exchange.call_log.lookup = dataclasses.replace(OVER, fallback=Fallback(CAROL, SOUND))
    call = await exchange.comes_in()
    assert rung(call) == CAROL
    assert ("play", call.a_leg.channel_id, "sound:/prompts/sorry") in exchange.asterisk.log
    assert exchange.call_log.redirections == [(CAROL, False)]
    await hangs_up(exchange, call)


async def test_whose_session_is_over_hears_what_the_number_says(exchange: Exchange) -> None:
    exchange.prompts.known = {SOUND: "sound:/prompts/sorry"}
    exchange.call_log.lookup = dataclasses.replace(OVER, fallback=Fallback(play=SOUND))
    call = await exchange.comes_in()
    assert ("play", call.a_leg.channel_id, "sound:/prompts/sorry") in exchange.asterisk.log
    exchange.asterisk.has_played(call.a_leg)
    await settle()
    assert exchange.record.outcome.reason == "session-expired"


@pytest.mark.parametrize("full", ["number", "account"])
async def test_a_full_number_sends_nobody_on_and_asks_nobody(exchange: Exchange, full: str) -> None:
    is_full: dict[str, Any] = {f"{full}_is_full": True}
    exchange.call_log.lookup = dataclasses.replace(OVER, fallback=Fallback(CAROL), **is_full)
    await exchange.comes_in()
    assert exchange.record.outcome.reason == f"{full}-busy"
    exchange.call_log.lookup = dataclasses.replace(A_STRANGER_CALLS, about_strangers=ASK, **is_full)
    await exchange.comes_in(MALLORY)
    assert exchange.application.asked == []


async def test_a_stranger_never_gets_what_is_for_those_whose_session_is_over(
    exchange: Exchange,
) -> None:
    exchange.call_log.lookup = dataclasses.replace(A_STRANGER_CALLS, fallback=Fallback(CAROL))
    call = await exchange.comes_in(MALLORY)
    assert rung(call) is None
    assert exchange.record.outcome.reason == "unknown-caller"


async def test_who_is_rung_in_place_of_a_party_is_none_when_it_calls(exchange: Exchange) -> None:
    """Two parties who call each other at once are joined; a desk that calls is a stranger."""
    call = await alice_calls(exchange, Redirect(CAROL))
    exchange.call_log.lookup = dataclasses.replace(A_STRANGER_CALLS, caller=CAROL)
    desk = await exchange.comes_in(CAROL)
    assert exchange.told(desk.a_leg) == [Cause.CALL_REJECTED]
    assert not call.joined
    await hangs_up(exchange, call)
