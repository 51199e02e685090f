"""One inbound call: whom to ring, or why nobody."""

import dataclasses
import uuid
from datetime import datetime

from bridge.domain.numbers import PhoneNumber
from bridge.domain.sessions import Direction, Limits, Session, Side


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class AskPin:
    """Answer, and ask the caller for a PIN; whether it is right, the store says."""

    session: uuid.UUID
    """Which asks: it is told what comes of it."""
    prompt: str
    """URL of what asks for it."""
    incorrect: str | None
    """URL of what is said to a wrong one."""
    retries: int
    """How often the caller may try again in this call."""
    wait: int
    """Seconds before it is asked again."""
    length: int
    """Digits of the longest PIN that can be right: with these it is complete."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Lookup:
    """What the store knows of a (caller, virtual number) pair at ``now``, its own clock."""

    now: datetime
    number_in_service: bool
    """Whether the dialled number is one of ours and takes calls."""
    number_is_full: bool = False
    """Whether it has as many calls as it may."""
    account_is_full: bool = False
    """Whether all numbers of its account together have."""
    caller_is_ours: bool = False
    """Whether the call comes from a virtual number: then it is one of ours that came back."""
    callee_is_ours: bool = False
    """Whether whom it would ring has a virtual number: then it would come back."""
    caller: PhoneNumber | None = None
    session: Session | None = None
    """The session that holds, or last held, the pair."""
    caller_side: Side | None = None
    calls_up: int = 0
    """Other calls of that session that have not ended."""
    calls_made: int = 0
    """Calls of that session that were not refused; counted where it has a limit."""
    seconds_talked: int = 0
    """Over all its calls; counted where it has a limit."""
    last_counterpart: PhoneNumber | None = None
    """Whom the one party of a session talked to last, while the other is missing."""
    identified: bool = False
    """Whether the caller showed that it is that party, whatever its number: its PIN was right."""
    pin_question: AskPin | None = None
    """What a caller is asked who is a stranger, or must show that it is none."""
    pin_locked: bool = False
    """Whether too many wrong PINs were typed of late to ask for another."""
    unknown_caller_play: str | None = None
    """URL of what strangers hear where no PIN is asked for."""


@dataclasses.dataclass(frozen=True, slots=True)
class Connect:
    """Ring ``callee``, who is to see ``caller_id``.  Nothing else crosses to the other leg."""

    session: Session
    callee: PhoneNumber
    caller_id: PhoneNumber
    limits: Limits
    caller_side: Side

    @property
    def caller_prompt(self) -> str | None:
        """URL of what the caller hears before it is connected."""
        return self.session.manner.prompt(self.caller_side)

    @property
    def callee_prompt(self) -> str | None:
        return self.session.manner.prompt(self.caller_side.other)


@dataclasses.dataclass(frozen=True, slots=True)
class Refuse:
    """Connect nobody, and do not answer unless there is something to be said."""

    reason: str
    play: str | None = None
    """URL of what the caller hears instead."""


def route(lookup: Lookup) -> Connect | AskPin | Refuse:
    """Decide an inbound call.

    Whoever is not a party of a live session is refused, or asked for a PIN where there is one.
    """
    session, side = lookup.session, lookup.caller_side
    if not lookup.number_in_service:
        return Refuse("number-not-in-service")
    if lookup.caller_is_ours:
        return Refuse("loop-detected")
    if session is None or side is None or not _is_party(lookup, session, side):
        return _turn_away(lookup, "unknown-caller")
    if not session.is_live(lookup.now):
        return _turn_away(lookup, "session-expired")
    if session.manner.forces_pin and not lookup.identified:
        return _turn_away(lookup, "unknown-caller")
    if session.valid_from and lookup.now < session.valid_from:
        return Refuse("session-not-begun")
    if session.direction is Direction.ONE_WAY and side is Side.SECOND:
        return Refuse("one-way-session")
    quiet = session.manner.quiet_hours
    if quiet and quiet.cover(lookup.now):
        return Refuse("quiet-hours")
    if lookup.calls_up:
        return Refuse("session-busy")
    if lookup.number_is_full:
        return Refuse("number-busy")
    if lookup.account_is_full:
        return Refuse("account-busy")
    if session.max_calls is not None and lookup.calls_made >= session.max_calls:
        return Refuse("calls-used-up")
    time_left = _time_left(session, lookup.seconds_talked)
    if time_left <= 0:
        return Refuse("time-used-up")
    callee = session.party(side.other) or lookup.last_counterpart
    if callee is None:
        return Refuse("nobody-to-call")
    if lookup.callee_is_ours:
        return Refuse("loop-detected")
    return Connect(
        session,
        callee=callee,
        caller_id=session.number_for(side.other),
        limits=dataclasses.replace(session.limits, call_time_limit=time_left),
        caller_side=side,
    )


def _is_party(lookup: Lookup, session: Session, side: Side) -> bool:
    """Whether the session is the caller's: by PIN, by number, or anybody's who is missing."""
    known = lookup.identified or session.party(side) is None
    return known or lookup.caller in session.numbers(side)


def _turn_away(lookup: Lookup, reason: str) -> AskPin | Refuse:
    """What becomes of a caller who is not known to be a party."""
    if lookup.pin_locked:
        return Refuse("pin-locked")
    return lookup.pin_question or Refuse(reason, lookup.unknown_caller_play)


def _time_left(session: Session, seconds_talked: int) -> int:
    """Seconds that the next call may last."""
    if session.max_total_duration is None:
        return session.call_time_limit
    return min(session.call_time_limit, session.max_total_duration - seconds_talked)
