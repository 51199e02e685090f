"""A masked call: one that comes in, or one that was ordered; from its beginning to its end."""

import asyncio
import dataclasses
import functools
from collections.abc import Awaitable, Callable, Collection

import structlog

from bridge.aio import TIMED_OUT, alongside, race
from bridge.ari.leg import Leg
from bridge.calls.asking import Application, ask_application
from bridge.calls.crossing import came_back, crossed, crosses
from bridge.calls.dialogue import (
    NotingPrompts,
    Prompts,
    accepts,
    ask_pin,
    entertain,
    ring_for,
    say,
    time_left,
)
from bridge.calls.live_call import LiveCall, gave_up, talk_over
from bridge.calls.ports import CallLog, Switch
from bridge.calls.recording import begin_recording, obey_pauses
from bridge.domain.causes import Cause
from bridge.domain.outcomes import (
    CALLEE_LEFT,
    CANCELLED,
    CUSTOMER_CANCELLED,
    CUSTOMER_HUNG_UP,
    FIRST_NOT_ACCEPTED,
    LOOPED,
    NOT_ACCEPTED,
    TIME_LIMIT,
    HungUpBy,
    Outcome,
    refused,
)
from bridge.domain.pins import Guess, NotYet, Wrong
from bridge.domain.records import Role
from bridge.domain.routing import AskPin, Connect, Forward, Lookup, Refuse, route
from bridge.domain.sessions import AnswerGuard, Limits
from bridge.domain.verdicts import (
    callee_failed,
    callee_given_up,
    caller_failed,
    caller_given_up,
)

logger = structlog.get_logger(__name__)


async def masked_call(
    call: LiveCall,
    *,
    log: CallLog,
    switch: Switch,
    prompts: Prompts,
    application: Application,
    calls: Collection[LiveCall],
    overload: Callable[[], str | None],
) -> Outcome:
    """Carry one inbound call to its end, and say how it ended.

    The caller hears ringback and is answered when the callee is, or earlier if it must hear a
    prompt.  The caller's leg is the switchboard's to end, if it is still up on return.

    ``application`` is asked first where its customer wants that.  ``calls``: those that are up
    here, this one included; ``overload``: the reason for which no more can be carried now.

    Raises:
        Unavailable: Postgres or Asterisk went away before the call was connected.
        AriError: Asterisk refused what we asked.
    """
    logger.info("call started", virtual_number=call.arrival.dialled)
    prompts = NotingPrompts(prompts, call.missed_prompts)
    lookup = await log.arrived(call.arrival)
    decision = route(lookup)
    if other := came_back(call, calls):
        other.came_back = True
    if not lookup.unattested and (other := crosses(call, calls)):
        return await crossed(call, other)
    if isinstance(decision, AskPin):
        async with alongside(_tell_of_answer(call, known=False, log=log)):
            identified = await _identified(call, decision, log=log, prompts=prompts)
        if identified is None:
            return CANCELLED
        decision = identified
    elif isinstance(decision, Connect) and decision.session.manner.asks_pin:
        log.needs_no_pin(call.id, decision.session.id, call.arrival.started_at)
    asked = await ask_application(call, decision, application, log)
    if asked is None:
        return gave_up(call.a_leg.state)
    reason = overload()
    decision = Refuse(reason) if reason and not isinstance(asked, Refuse) else asked
    if isinstance(decision, Refuse):
        outcome, cause = refused(decision.reason, decision.cause)
        await say(call.a_leg, decision.play, prompts)
        await call.a_leg.hangup(None if call.a_leg.state.answered else cause)
        return outcome
    return await _connect(call, decision, log=log, switch=switch, prompts=prompts)


async def ordered_call(
    call: LiveCall, lookup: Lookup, *, log: CallLog, switch: Switch, prompts: Prompts
) -> Outcome:
    """Call the party that ordered it, and when it answers the other; say how it ended.

    Each sees the number that it would call itself.  Nothing is tried a second time.

    Raises:
        Unavailable, AriError: as `masked_call`.
    """
    logger.info("call ordered", virtual_number=call.arrival.dialled)
    prompts = NotingPrompts(prompts, call.missed_prompts)
    decision = route(lookup)
    if not isinstance(decision, Connect):
        return refused(decision.reason if isinstance(decision, Refuse) else "unknown-caller")[0]
    a_leg, session, side = call.a_leg, decision.session, decision.caller_side
    party = session.party(side)
    if party is None:
        return refused("nobody-to-call")[0]
    if call.asked_to_end.is_set():
        return CUSTOMER_CANCELLED
    await switch.place(a_leg, party, caller_id=session.number_for(side), limits=decision.limits)
    async with alongside(_tell_of_ringing(call, a_leg, Role.A, session.tells_all, log=log)):
        match await race(
            ended=a_leg.ended(),
            customer_hung_up=call.asked_to_end.wait(),
            answered=a_leg.answered(),
            within=decision.limits.ring_timeout,
        ):
            case "ended":
                return caller_failed(a_leg.state.evidence)
            case "customer_hung_up":
                return CUSTOMER_CANCELLED
            case "timed_out":
                return caller_given_up(progressed=a_leg.state.evidence.progressed)
    if a_leg.state.answered_at:
        log.caller_answered(call.id, a_leg.state.answered_at)
    accepted = []

    async def accept() -> None:
        accepted.append(await accepts(a_leg, session.manner.answer_guard))

    if await race(customer=call.asked_to_end.wait(), accepted=accept()) == "customer":
        return CUSTOMER_CANCELLED
    if not all(accepted):
        return FIRST_NOT_ACCEPTED
    return await _connect(call, decision, log=log, switch=switch, prompts=prompts)


async def _identified(
    call: LiveCall, question: AskPin, *, log: CallLog, prompts: Prompts
) -> Connect | Forward | Refuse | None:
    """Have a stranger show who it is: by a PIN, which tells session and side.

    The caller is answered, because it must hear and be heard.  ``None``: it gave up before that,
    while it waited for its turn.
    """

    async def check(pin: str, retry: int) -> Lookup | Wrong:
        if not pin:
            log.no_pin(call.id, question.session, retry=retry)
            return Wrong()
        guess = Guess(pin, retry, asked_by=question.session)
        found = await log.identify(call.arrival, guess)
        if isinstance(found, NotYet):
            await ring_for(call.a_leg, found.wait)
            if call.a_leg.state.ended:
                return Wrong()
            found = await log.identify(call.arrival, dataclasses.replace(guess, turn=found.turn))
        return Wrong() if isinstance(found, NotYet) else found

    found = await ask_pin(call.a_leg, question, prompts, check)
    if call.a_leg.state.ended and not call.a_leg.state.answered:
        return None
    decision = route(found) if found else Refuse("wrong-pin")
    return Refuse("wrong-pin") if isinstance(decision, AskPin) else decision


async def _connect(
    call: LiveCall, to: Connect | Forward, *, log: CallLog, switch: Switch, prompts: Prompts
) -> Outcome:
    """From the decision whom to ring to the end of the call."""
    call.to, call.callee, a_leg = to, to.callee, call.a_leg
    call.recording = to.recording
    if isinstance(to, Forward) or to.redirected:
        log.redirected(call.id, to.callee, in_session=isinstance(to, Connect))
    async with switch.dial(
        to.callee, caller_id=to.caller_id, call_id=call.id, limits=to.limits
    ) as b_leg:
        call.b_leg = b_leg
        # Before anybody hears it ring: the next bridge takes up what is coupled.
        await switch.couple(a_leg, b_leg)
        if not a_leg.state.answered:
            await a_leg.ring()
        if to.callee_prompt:
            prompts.prefetch([to.callee_prompt])
        async with (
            alongside(entertain(a_leg, to.caller_prompt, prompts)) as caller_hears,
            alongside(_tell_of_ringing(call, b_leg, Role.B, to.tells_all, log=log)),
            alongside(_tell_of_answer(call, known=a_leg.state.answered, log=log)),
        ):
            outcome = await answered(call, b_leg, to.limits)
            if outcome is None and call.crossed_by:
                await b_leg.hangup()
                b_leg = call.crossed_by.a_leg
                await switch.couple(a_leg, b_leg)
            prepare = functools.partial(_prepared, call, b_leg, to, caller_hears, prompts)
            outcome = outcome or await ready(call, b_leg, to.limits, prepare)
        return outcome or await join(call, b_leg, to.limits, log=log, switch=switch)


async def _tell_of_ringing(
    call: LiveCall, leg: Leg, role: Role, tells_all: bool, *, log: CallLog
) -> None:
    """That a phone is called, where all is to be told, and that it rings."""
    if tells_all and leg.state.started_at:
        log.placed(call.id, role, leg.state.started_at)
    await leg.rings()
    if at := leg.state.ringing_at:
        log.ringing(call.id, role, at)


async def _tell_of_answer(call: LiveCall, *, known: bool, log: CallLog) -> None:
    """That the caller is answered before the other is: for a prompt, or to type its PIN."""
    await call.a_leg.answered()
    if (at := call.a_leg.state.answered_at) and not known:
        log.caller_answered(call.id, at)


async def answered(call: LiveCall, b_leg: Leg, limits: Limits) -> Outcome | None:
    """From the callee's phone ringing to its answer; an outcome if it comes to none."""
    a_leg = call.a_leg
    match await race(
        caller_gave_up=a_leg.ended(),
        callee_calls=call.crossed.wait(),
        callee_ended=b_leg.ended(),
        customer_hung_up=call.asked_to_end.wait(),
        callee_answered=b_leg.answered(),
        within=limits.ring_timeout,
    ):
        case "caller_gave_up":
            return gave_up(call.a_leg.state)
        case "callee_ended":
            outcome, cause = callee_failed(b_leg.state.evidence)
            await a_leg.hangup(Cause.NO_ANSWER if call.came_back else cause)
            return LOOPED if call.came_back else outcome
        case "customer_hung_up":
            await a_leg.hangup(Cause.NO_ANSWER)
            return CUSTOMER_CANCELLED
        case "timed_out":
            outcome, cause = callee_given_up(progressed=b_leg.state.evidence.progressed)
            await a_leg.hangup(cause)
            return outcome
        case _:
            return None


async def _prepared(
    call: LiveCall,
    b_leg: Leg,
    to: Connect | Forward,
    caller_hears: "asyncio.Task[None]",
    prompts: Prompts,
) -> bool:
    """The callee hears its prompt and accepts the call, or does not (``False``).

    The caller hears its own to the end meanwhile.
    """
    await say(b_leg, to.callee_prompt, prompts)
    # Who calls is no mailbox.
    guard = AnswerGuard.NONE if call.crossed_by else to.answer_guard
    accepted = await accepts(b_leg, guard)
    if accepted:
        await asyncio.wait([caller_hears])
    return accepted


async def ready(
    call: LiveCall, b_leg: Leg, limits: Limits, prepare: Callable[[], Awaitable[bool]]
) -> Outcome | None:
    """From the callee's answer to both being ready to talk; an outcome if one is not.

    ``prepare``: whatever they hear and press before; ``False``: the call is not accepted.
    """
    accepted = []

    async def prepared() -> None:
        accepted.append(await prepare())

    match await race(
        caller_gave_up=call.a_leg.ended(),
        callee_left=b_leg.ended(),
        customer_hung_up=call.asked_to_end.wait(),
        ready=prepared(),
        within=limits.call_time_limit,
    ):
        case "caller_gave_up":
            return gave_up(call.a_leg.state)
        case "ready" if all(accepted):
            return None
        case how:
            await call.a_leg.hangup(Cause.NO_ANSWER)
            return {"callee_left": CALLEE_LEFT, "customer_hung_up": CUSTOMER_CANCELLED}.get(
                how, NOT_ACCEPTED
            )


async def join(
    call: LiveCall, b_leg: Leg, limits: Limits, *, log: CallLog, switch: Switch
) -> Outcome:
    """Let the two talk, to the end of the call."""
    a_leg = call.a_leg
    if a_leg.state.answered:
        await a_leg.stop_ringing()
    else:
        await _answer(a_leg)
    if a_leg.state.ended and not a_leg.state.answered:
        return CANCELLED  # gone in the very moment in which we answered
    if not b_leg.state.answered:  # it called us, at the same moment
        await _answer(b_leg)
    recording = await begin_recording(call, b_leg, switch=switch)
    async with switch.joined(a_leg, b_leg, call_id=call.id, call_time_limit=limits.call_time_limit):
        call.joined, call.answered_at = True, b_leg.state.answered_at
        log.answered(call.id, b_leg.state.answered_at, ringing_at=b_leg.state.ringing_at)
        if other := call.crossed_by:
            other.joined, other.answered_at = True, b_leg.state.answered_at
            log.answered(other.id, b_leg.state.answered_at, ringing_at=None)
        if recording:
            log.recording(recording)
        async with alongside(obey_pauses(call, b_leg, log=log, switch=switch)):
            return await talking(
                call, b_leg, within=limits.call_time_limit, warning=limits.warning, switch=switch
            )


async def _answer(leg: Leg) -> None:
    """Answer who called; on return its state says whether it was answered, or was gone."""
    await leg.answer()
    await race(ended=leg.ended(), answered=leg.answered(), within=5.0)


async def talking(
    call: LiveCall, b_leg: Leg, *, within: float, warning: float, switch: Switch
) -> Outcome:
    """From the two being joined to the end of both legs.

    ``within``: seconds left to talk; ``warning``: how long before the end both hear of it.
    """
    a_leg, limit = call.a_leg, within
    clock = asyncio.get_running_loop().time
    began = clock()

    async def first_to_end(seconds: float) -> str:
        return await race(
            caller=a_leg.ended(),
            callee=b_leg.ended(),
            customer=call.asked_to_end.wait(),
            within=seconds,
        )

    first = TIMED_OUT
    async with alongside(switch.watch(a_leg, b_leg)):
        if 0 < warning < within:
            first = await first_to_end(within - warning)
            if first == TIMED_OUT:
                await switch.announce(call.id, time_left(warning))
            within = warning
        if first == TIMED_OUT:
            first = await first_to_end(within)
    await a_leg.hangup(Cause.NORMAL_CLEARING)
    await b_leg.hangup(Cause.NORMAL_CLEARING)
    if first == TIMED_OUT:
        return TIME_LIMIT
    if first == "customer":
        return CUSTOMER_HUNG_UP
    # Both ends are needed to tell whose it was; Asterisk reports them milliseconds apart.
    await race(a=_both_ended(a_leg, b_leg), within=5.0)
    return talk_over(HungUpBy(first), a_leg.state, b_leg.state, time_is_up=clock() - began >= limit)


async def _both_ended(a_leg: Leg, b_leg: Leg) -> None:
    await a_leg.ended()
    await b_leg.ended()
