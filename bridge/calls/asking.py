"""Asking the application about a call, before anybody is rung."""

import dataclasses
from typing import Protocol

from bridge.aio import race
from bridge.calls.live_call import LiveCall
from bridge.domain.advice import Advice, Allow, Question, Webhook
from bridge.domain.records import Arrival
from bridge.domain.routing import AskPin, Connect, Forward, Lookup, Refuse, advised, route, sent_on


class Application(Protocol):
    """What a customer runs to be asked."""

    async def advice(self, webhook: Webhook, question: Question) -> Advice | None:
        """What it says, in a few seconds at the latest; ``None``: nothing that can be done."""


class SessionFinder(Protocol):
    """What may have come of asking."""

    async def look_again(self, arrival: Arrival) -> Lookup | None:
        """What is known of a call's two numbers by now; ``None``: no live session has them."""


async def ask_application(
    call: LiveCall,
    decision: Connect | Forward | Refuse,
    application: Application,
    log: SessionFinder,
) -> Connect | Forward | Refuse | None:
    """What becomes of a call once its application was asked, where there is one.

    Of a stranger it may have made a session meanwhile.  ``None``: the caller gave up.
    """
    asked = Question(
        call_id=call.id, caller=call.arrival.caller, virtual_number=call.arrival.dialled
    )
    if isinstance(decision, Refuse) and decision.webhook:
        advice = await _asked(call, application, decision.webhook, asked)
        if call.a_leg.state.ended:
            return None
        decision = await _of_stranger(call, decision, advice, log)
    if isinstance(decision, Connect) and decision.webhook:
        about_party = dataclasses.replace(
            asked,
            session=decision.session.id,
            caller_side=decision.caller_side,
            callee=decision.callee,
        )
        advice = await _asked(call, application, decision.webhook, about_party)
        if call.a_leg.state.ended:
            return None
        decision = advised(decision, advice)
    return decision


async def _of_stranger(
    call: LiveCall, decision: Refuse, advice: Advice | None, log: SessionFinder
) -> Connect | Forward | Refuse:
    """What becomes of a stranger: one who is allowed has a session by now, or is refused."""
    if not isinstance(advice, Allow):
        return sent_on(decision, call.arrival.dialled, advice)
    found = await log.look_again(call.arrival)
    again = route(found) if found else decision
    return decision if isinstance(again, AskPin) else again


async def _asked(
    call: LiveCall, application: Application, webhook: Webhook, question: Question
) -> Advice | None:
    """Raises nothing; ``None`` also if the caller hangs up meanwhile."""
    said: list[Advice | None] = []

    async def ask() -> None:
        said.append(await application.advice(webhook, question))

    await race(ended=call.a_leg.ended(), said=ask())
    return said[0] if said else None
