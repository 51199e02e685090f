"""A masked call: one that comes in, or one that was ordered; from its beginning to its end."""

from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Protocol
from uuid import UUID

import structlog

from bridge.aio import TIMED_OUT, race
from bridge.ari.leg import Leg
from bridge.calls.live_call import LiveCall, who_hung_up
from bridge.calls.recording import begin_recording
from bridge.domain.causes import Cause
from bridge.domain.numbers import PhoneNumber
from bridge.domain.outcomes import (
    CANCELLED,
    CUSTOMER_CANCELLED,
    CUSTOMER_HUNG_UP,
    FIRST_RING_TIMEOUT,
    RING_TIMEOUT,
    TIME_LIMIT,
    HungUpBy,
    Outcome,
    callee_failed,
    caller_failed,
    completed,
    refused,
)
from bridge.domain.recordings import NewRecording
from bridge.domain.records import Arrival, CallRecord
from bridge.domain.routing import Connect, Lookup, Refuse, route
from bridge.domain.sessions import Limits

logger = structlog.get_logger(__name__)


class Switch(Protocol):
    """What a story asks of Asterisk beyond a single leg."""

    async def place(
        self, leg: Leg, callee: PhoneNumber, *, caller_id: PhoneNumber, limits: Limits
    ) -> None:
        """Call ``callee`` on a leg that is known but not yet there, showing ``caller_id``."""

    def dial(
        self, callee: PhoneNumber, *, caller_id: PhoneNumber, call_id: UUID, limits: Limits
    ) -> AbstractAsyncContextManager[Leg]:
        """Place the other leg, showing ``caller_id``; it is ended when the block is left."""

    async def couple(self, a_leg: Leg, b_leg: Leg) -> None:
        """The end of ``a_leg`` ends ``b_leg``, with us or without us."""

    async def record(self, b_leg: Leg, recording_id: UUID) -> bool:
        """Have what both legs say written to a file, from the join on; ``False``: it cannot be.

        Raises:
            AriError: Asterisk refused it.
        """

    def joined(
        self, a_leg: Leg, b_leg: Leg, *, call_id: UUID, call_time_limit: float
    ) -> AbstractAsyncContextManager[None]:
        """Let the two hear each other, and couple their ends both ways."""


class CallLog(Protocol):
    """Where a call is written down."""

    async def arrived(self, arrival: Arrival) -> Lookup:
        """Write the call down, and say in the same breath what is known of its two numbers.

        Raises:
            Unavailable: it could not be written; then the call must not go on.
        """

    def answered(self, call_id: UUID, at: datetime | None, *, ringing_at: datetime | None) -> None:
        """Write, soon, that the two are connected.  Never waits."""

    def recording(self, recording: NewRecording) -> None:
        """Write, soon, that a call is being recorded, or why not.  Never waits."""

    def ended(self, record: CallRecord) -> None:
        """Write, soon and surely, the record.  Never waits."""


async def masked_call(call: LiveCall, *, log: CallLog, switch: Switch) -> Outcome:
    """Carry one inbound call to its end, and say how it ended.

    The caller hears ringback and is answered when the callee is.  The caller's leg is the
    switchboard's to end, if it is still up on return.

    Raises:
        Unavailable: Postgres or Asterisk went away before the call was connected.
        AriError: Asterisk refused what we asked.
    """
    logger.info("call started", virtual_number=call.arrival.dialled)
    decision = route(await log.arrived(call.arrival))
    if isinstance(decision, Refuse):
        outcome, cause = refused(decision.reason)
        await call.a_leg.hangup(cause)
        return outcome

    return await _connect(call, decision, log=log, switch=switch)


async def ordered_call(call: LiveCall, lookup: Lookup, *, log: CallLog, switch: Switch) -> Outcome:
    """Call the party that ordered it, and when it answers the other; say how it ended.

    Each sees the number that it would call itself.  Nothing is tried a second time.

    Raises:
        Unavailable, AriError: as `masked_call`.
    """
    logger.info("call ordered", virtual_number=call.arrival.dialled)
    decision = route(lookup)
    if isinstance(decision, Refuse) or lookup.caller is None or lookup.caller_side is None:
        return refused(decision.reason if isinstance(decision, Refuse) else "nobody-to-call")[0]
    a_leg, limits = call.a_leg, decision.limits
    shown = decision.session.number_for(lookup.caller_side)
    await switch.place(a_leg, lookup.caller, caller_id=shown, limits=limits)
    match await race(
        ended=a_leg.ended(),
        customer_hung_up=call.asked_to_end.wait(),
        answered=a_leg.answered(),
        within=limits.ring_timeout,
    ):
        case "ended":
            return caller_failed(a_leg.state.hangup_cause or 0)
        case "customer_hung_up":
            return CUSTOMER_CANCELLED
        case "timed_out":
            return FIRST_RING_TIMEOUT
    return await _connect(call, decision, log=log, switch=switch)


async def _connect(call: LiveCall, to: Connect, *, log: CallLog, switch: Switch) -> Outcome:
    """From the decision whom to ring to the end of the call."""
    call.callee, call.recording = to.callee, to.session.recording
    async with switch.dial(
        to.callee, caller_id=to.caller_id, call_id=call.id, limits=to.limits
    ) as call.b_leg:
        await call.a_leg.ring()
        await switch.couple(call.a_leg, call.b_leg)
        return await ringing(call, call.b_leg, to.limits, log=log, switch=switch)


async def ringing(
    call: LiveCall, b_leg: Leg, limits: Limits, *, log: CallLog, switch: Switch
) -> Outcome:
    """From the callee's phone ringing to the end of the call."""
    a_leg = call.a_leg
    match await race(
        caller_gave_up=a_leg.ended(),
        callee_ended=b_leg.ended(),
        customer_hung_up=call.asked_to_end.wait(),
        callee_answered=b_leg.answered(),
        within=limits.ring_timeout,
    ):
        case "caller_gave_up":
            return CANCELLED
        case "callee_ended":
            outcome, cause = callee_failed(b_leg.state.hangup_cause or 0)
            await a_leg.hangup(cause)
            return outcome
        case "customer_hung_up":
            await a_leg.hangup(Cause.NO_ANSWER)
            return CUSTOMER_CANCELLED
        case "timed_out":
            await a_leg.hangup(Cause.NO_ANSWER)
            return RING_TIMEOUT

    if a_leg.state.answered:
        await a_leg.stop_ringing()
    else:
        await a_leg.answer()
    await begin_recording(call, b_leg, log=log, switch=switch)
    async with switch.joined(a_leg, b_leg, call_id=call.id, call_time_limit=limits.call_time_limit):
        log.answered(call.id, b_leg.state.answered_at, ringing_at=b_leg.state.ringing_at)
        return await talking(call, b_leg, within=limits.call_time_limit)


async def talking(call: LiveCall, b_leg: Leg, *, within: float) -> Outcome:
    """From the two being joined to the end of both legs.

    ``within``: seconds left to talk.
    """
    a_leg = call.a_leg
    first = await race(
        caller=a_leg.ended(),
        callee=b_leg.ended(),
        customer=call.asked_to_end.wait(),
        within=within,
    )
    await a_leg.hangup(Cause.NORMAL_CLEARING)
    await b_leg.hangup(Cause.NORMAL_CLEARING)
    if first == TIMED_OUT:
        return TIME_LIMIT
    if first == "customer":
        return CUSTOMER_HUNG_UP
    # Both ends are needed to tell whose it was; Asterisk reports them milliseconds apart.
    await race(a=_both_ended(a_leg, b_leg), within=5.0)
    if not a_leg.state.answered:
        return CANCELLED  # gone in the very moment in which we answered
    return completed(who_hung_up(HungUpBy(first), a_leg.state, b_leg.state))


async def _both_ended(a_leg: Leg, b_leg: Leg) -> None:
    await a_leg.ended()
    await b_leg.ended()
