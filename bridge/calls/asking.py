"""Asking the application about a call, before anybody is rung."""

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


async def ask_about_party(
    call: LiveCall, decision: Connect, application: Application
) -> Connect | Refuse:
    """Whether, and to whom, the application wants a party connected."""
    if decision.webhook is None:
        return decision
    question = Question(
        call_id=call.id,
        account=decision.session.account,
        session=decision.session.id,
        caller=call.arrival.caller,
        caller_side=decision.caller_side,
        callee=decision.callee,
        virtual_number=call.arrival.dialled,
    )
    return advised(decision, await _asked(call, application, decision.webhook, question))


async def ask_about_stranger(
    call: LiveCall, decision: Refuse, application: Application, log: SessionFinder
) -> Connect | Forward | Refuse:
    """What the application wants done with a caller who has no session; it may have made one."""
    if decision.webhook is None or decision.account is None:
        return decision
    question = Question(
        call_id=call.id,
        account=decision.account,
        session=None,
        caller=call.arrival.caller,
        caller_side=None,
        callee=None,
        virtual_number=call.arrival.dialled,
    )
    advice = await _asked(call, application, decision.webhook, question)
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
