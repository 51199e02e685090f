"""Calls that meet: of two who call each other at the same moment, and one that comes back to us."""

from collections.abc import Collection

from bridge.aio import race
from bridge.calls.live_call import LiveCall, talk_over
from bridge.domain.causes import Cause
from bridge.domain.outcomes import CANCELLED, HungUpBy, Outcome
from bridge.domain.routing import Connect

_JOINING = 5.0  # seconds that a join of which only the end is known may take to be known


def crosses(call: LiveCall, others: Collection[LiveCall]) -> LiveCall | None:
    """The call in which we are just ringing the one who calls here, on the number it has called.

    Only one of this bridge; elsewhere the two are busy to each other, as on any exchange.
    """
    return next(
        (
            other
            for other in others
            if other is not call
            and not other.ending
            and isinstance(other.to, Connect)
            and call.arrival.caller
            and other.to.callee.lookup_form == call.arrival.caller.lookup_form
            and other.to.caller_id.e164 == call.arrival.dialled
            and not other.to.redirected  # whom it rings is no party
            and not other.joined
            and not (other.b_leg and other.b_leg.state.answered)  # by a mailbox, perhaps
            and not other.to.session.manner.forces_pin
            and other.crossed_by is None
        ),
        None,
    )


def came_back(call: LiveCall, others: Collection[LiveCall]) -> LiveCall | None:
    """The call whose callee's phone sends it on to a virtual number, of which ``call`` comes.

    It shows the number that the callee is shown.  ``None`` also where several show that one.
    """
    ringing = [
        other
        for other in others
        if other.to
        and not other.joined
        and not other.ending
        and other.to.caller_id == call.arrival.caller
    ]
    return ringing[0] if len(ringing) == 1 else None


async def crossed(call: LiveCall, other: LiveCall) -> Outcome:
    """Lend the caller's leg to the other call, which joins it, and say how it ended."""
    await call.a_leg.ring()
    other.crossed_by = call
    other.crossed.set()
    return await lent(call, other)


async def lent(call: LiveCall, other: LiveCall) -> Outcome:
    """From the caller's leg being lent to the other call to its end."""
    await race(ended=call.a_leg.ended(), over=other.over.wait())
    if not call.joined:  # or it is, and Asterisk has told of the end before it said so to the other
        await race(over=other.over.wait(), within=_JOINING)
    if not call.joined:
        await call.a_leg.hangup(Cause.NO_ANSWER)
        return CANCELLED
    await call.a_leg.hangup(Cause.NORMAL_CLEARING)
    return talk_over(HungUpBy.UNKNOWN, call.a_leg.state, other.a_leg.state)
