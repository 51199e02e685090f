"""One call while it is up, and the record it leaves."""

import asyncio
import dataclasses
from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from bridge.ari.leg import Leg
from bridge.ari.leg_state import LegState
from bridge.domain.causes import Cause, sip_status
from bridge.domain.numbers import PhoneNumber
from bridge.domain.outcomes import CANCELLED, TIME_LIMIT, Fault, HungUpBy, Outcome
from bridge.domain.prompts import MissedPrompt
from bridge.domain.recordings import Pause
from bridge.domain.records import Arrival, CallRecord, LegRecord, Over, Role
from bridge.domain.routing import Connect, Forward
from bridge.domain.sessions import RecordingPlan
from bridge.domain.verdicts import Gone, talk_ended


@dataclasses.dataclass(slots=True)
class LiveCall:
    """What is known so far.  The story fills in the callee's side when there is one."""

    arrival: Arrival
    a_leg: Leg
    callee: PhoneNumber | None = None
    b_leg: Leg | None = None
    to: Connect | Forward | None = None
    """Whom it rings, once that is decided."""
    joined: bool = False
    """The two were let to hear each other."""
    answered_at: datetime | None = None
    """When the second of the two answered, of two who were joined."""
    crossed_by: "LiveCall | None" = None
    """The call in which the callee called the caller at the same moment; its leg is joined."""
    crossed: asyncio.Event = dataclasses.field(default_factory=asyncio.Event)
    came_back: bool = False
    """The callee's phone forwards to a virtual number."""
    over: asyncio.Event = dataclasses.field(default_factory=asyncio.Event)
    """Set when its story is told."""
    recording: RecordingPlan | None = None
    """``None``: it is not to be recorded."""
    missed_prompts: list[MissedPrompt] = dataclasses.field(default_factory=list)
    """Those that could not be had, each once."""
    pauses: asyncio.Queue[Pause] = dataclasses.field(default_factory=asyncio.Queue)
    """What its customer wants of its recording."""
    asked_to_end: asyncio.Event = dataclasses.field(default_factory=asyncio.Event)
    """Set when its customer wants it ended now."""

    @property
    def ending(self) -> bool:
        """It is over, or about to be: whoever hangs up may call again at once."""
        if self.a_leg.ending or self.asked_to_end.is_set() or self.over.is_set():
            return True
        other = self.crossed_by.a_leg if self.crossed_by else self.b_leg
        return other is not None and other.ending

    @property
    def id(self) -> UUID:
        return self.arrival.call_id


def over(calls: Iterable[LiveCall]) -> Over:
    """Those of the calls that are over, or about to be."""
    ending = [call for call in calls if call.ending]
    made = frozenset(call.id for call in ending if call.to or call.answered_at)
    return Over(frozenset(call.id for call in ending), made)


def record_of(call: LiveCall, outcome: Outcome, *, now: datetime) -> CallRecord:
    """The record of a call that is over, from what its legs have seen."""
    legs = [_leg_record(Role.A, call.a_leg, call.arrival.caller, now)]
    if call.b_leg:
        legs.append(_leg_record(Role.B, call.b_leg, call.callee, now))
    b_state = call.b_leg.state if call.b_leg else None
    return CallRecord(
        arrival=call.arrival,
        outcome=outcome,
        ringing_at=b_state.ringing_at if b_state else None,
        answered_at=call.answered_at if call.joined else None,
        ended_at=max(leg.ended_at or now for leg in legs),
        end_is_estimate=any(_unseen(leg) for leg in (call.a_leg, call.b_leg) if leg),
        legs=tuple(legs),
        missed_prompts=tuple(call.missed_prompts),
        shown_number=call.to.caller_id if call.to else None,
    )


def who_hung_up(first: HungUpBy, caller: LegState, callee: LegState) -> HungUpBy:
    """Who ended a conversation whose legs have both ended.

    Asterisk ends the second leg at once when the first goes, and events of different channels
    come in any order; so a phone's own hang-up decides, and ``first`` only where none was seen.
    """
    match caller.far_end_hung_up, callee.far_end_hung_up:
        case True, False:
            return HungUpBy.CALLER
        case False, True:
            return HungUpBy.CALLEE
        case _:
            return first


def gave_up(caller: LegState) -> Outcome:
    """How a call ended that the caller left before anybody talked, or whose caller was gone."""
    return (
        dataclasses.replace(
            CANCELLED, reason=caller.gone.value, fault=Fault.UNKNOWN, hung_up_by=HungUpBy.BRIDGE
        )
        if caller.gone
        else CANCELLED
    )


def talk_over(
    first: HungUpBy, caller: LegState, callee: LegState, *, time_is_up: bool = False
) -> Outcome:
    """How a conversation ended whose legs have both ended, as `who_hung_up`.

    ``time_is_up``: it was over by then in any case, and Asterisk may have ended it.
    """
    if caller.far_end_hung_up or callee.far_end_hung_up:
        return talk_ended(who_hung_up(first, caller, callee))
    if gone := caller.gone or callee.gone:
        return talk_ended(first, gone=gone)
    if time_is_up:
        return TIME_LIMIT
    # Both were told to end, and not by us: by somebody at Asterisk itself.
    by_asterisk = caller.hung_up_on and callee.hung_up_on
    return talk_ended(HungUpBy.BRIDGE if by_asterisk else first)


def first_to_end(caller: LegState, callee: LegState) -> HungUpBy:
    """Whose leg ended first, of two that are over and that end each other."""
    if caller.lost or callee.lost or not caller.ended_at or not callee.ended_at:
        return HungUpBy.UNKNOWN
    if caller.ended_at == callee.ended_at:
        return HungUpBy.UNKNOWN
    return HungUpBy.CALLER if caller.ended_at < callee.ended_at else HungUpBy.CALLEE


def _unseen(leg: Leg) -> bool:
    return leg.requested and (leg.state.lost or not leg.state.ended)


def _leg_record(role: Role, leg: Leg, number: PhoneNumber | None, now: datetime) -> LegRecord:
    state = leg.state
    return LegRecord(
        role=role,
        channel_id=leg.channel_id,
        party_number=number,
        started_at=state.started_at or now,
        ringing_at=state.ringing_at,
        answered_at=state.answered_at,
        ended_at=state.ended_at or now,
        hangup_cause=_cause(leg),
        sip_code=_sip_code(leg),
    )


def _cause(leg: Leg) -> int | None:
    """What the far end or the network gave; else what we ended it with; else a plain hang-up."""
    if leg.state.gone is Gone.MEDIA:
        return Cause.CHANNEL_UNAVAILABLE  # as Asterisk has it where it gives up a silent leg itself
    if leg.state.hangup_cause is not None:
        return leg.state.hangup_cause
    if leg.asked_to_hang_up is not None:
        return leg.asked_to_hang_up
    return None if leg.state.lost or not leg.requested else Cause.NORMAL_CLEARING


def _sip_code(leg: Leg) -> int | None:
    """Final status of the leg's INVITE (RFC 3261)."""
    if leg.state.answered:
        return 200
    if not leg.requested:
        return None
    if leg.state.placed:
        if leg.state.far_end_hung_up:
            return leg.state.sip_code
        return None if leg.state.lost else 487  # our CANCEL; Asterisk tells what we asked for
    if leg.asked_to_hang_up is not None:
        return sip_status(leg.asked_to_hang_up)
    return 487 if leg.state.far_end_hung_up else None
