"""One inbound call: whom to ring, or why nobody."""

import dataclasses
import uuid
from datetime import datetime
from typing import TypeAlias

from bridge.domain.advice import Advice, Deny, Redirect, Webhook
from bridge.domain.causes import Cause
from bridge.domain.numbers import PhoneNumber
from bridge.domain.sessions import (
    AnswerGuard,
    Direction,
    Limits,
    RecordingPlan,
    Session,
    Side,
)

FORWARDED = Limits(ring_timeout=60, call_time_limit=3600)
"""Of a call that is no session's."""


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
    pause: float = 0.0
    """Seconds that the caller hears ringback before it is asked: too many wrong PINs of late."""


@dataclasses.dataclass(frozen=True, slots=True)
class Fallback:
    """What a number has for those whose session is over."""

    number: PhoneNumber | None = None
    """Who is called for them, such as a support desk; ``None``: they are refused."""
    play: str | None = None
    """URL of what they hear before."""


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
    unattested: bool = False
    """Whether the carrier vouches less for the caller's number than the session wants: then the
    number proves nothing."""
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
    """Whether this caller typed too many wrong PINs of late to be asked for another, or too many
    wait for their turn."""
    unknown_caller_play: str | None = None
    """URL of what strangers hear where no PIN is asked for."""
    about_parties: Webhook | None = None
    """Who is asked before a party is connected."""
    about_strangers: Webhook | None = None
    """Who is asked about a caller who has no live session."""
    fallback: Fallback | None = None
    """What the dialled number has for those whose session is over."""


@dataclasses.dataclass(frozen=True, slots=True)
class Connect:
    """Ring ``callee``, who is to see ``caller_id``.  Nothing else crosses to the other leg."""

    session: Session
    callee: PhoneNumber
    caller_id: PhoneNumber
    limits: Limits
    caller_side: Side
    webhook: Webhook | None = None
    """Who is asked first."""
    redirected: bool = False
    """``callee`` is not the other party, but whom the application named instead."""
    play: str | None = None
    """URL of what the caller is to hear in place of its own prompt."""

    @property
    def caller_prompt(self) -> str | None:
        """URL of what the caller hears before it is connected."""
        return self.play or self.session.manner.prompt(self.caller_side)

    @property
    def callee_prompt(self) -> str | None:
        return self.session.manner.prompt(self.caller_side.other)

    @property
    def recording(self) -> RecordingPlan | None:
        return self.session.recording

    @property
    def answer_guard(self) -> AnswerGuard:
        return self.session.manner.answer_guard

    @property
    def tells_all(self) -> bool:
        return self.session.tells_all


@dataclasses.dataclass(frozen=True, slots=True)
class Forward:
    """Ring ``callee``, who is nobody's party: where the number sends those who have no session."""

    callee: PhoneNumber
    caller_id: PhoneNumber
    limits: Limits
    caller_prompt: str | None = None
    """URL of what the caller hears before it is connected."""

    @property
    def callee_prompt(self) -> None:
        return None

    @property
    def recording(self) -> None:
        return None

    @property
    def answer_guard(self) -> AnswerGuard:
        return AnswerGuard.NONE

    @property
    def tells_all(self) -> bool:
        return False


@dataclasses.dataclass(frozen=True, slots=True)
class Refuse:
    """Connect nobody, and do not answer unless there is something to be said."""

    reason: str
    play: str | None = None
    """URL of what the caller hears instead."""
    cause: Cause | None = None
    """What the caller is told; ``None``: what goes with the reason."""
    webhook: Webhook | None = None
    """Who is asked about this stranger first."""


Decision: TypeAlias = Connect | Forward | AskPin | Refuse


def route(lookup: Lookup) -> Decision:
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
    if lookup.unattested and not lookup.identified:
        return _turn_away(lookup, "caller-unattested")
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
        webhook=lookup.about_parties,
    )


def advised(decision: Connect, advice: Advice | None) -> Connect | Refuse:
    """What becomes of a party, given what the application said, if it said anything."""
    match advice:
        case Deny(told, play):
            return Refuse("application-refused", play, told.cause)
        case Redirect(number, play):
            return dataclasses.replace(decision, callee=number, redirected=True, play=play)
        case None if decision.webhook and not decision.webhook.allows_by_default:
            return Refuse("application-silent")
        case _:
            return decision


def sent_on(decision: Refuse, dialled: str, advice: Advice | None) -> Forward | Refuse:
    """What becomes of a stranger of whom the application did not say that there is a session."""
    match advice:
        case Deny(told, play):
            return Refuse("application-refused", play or decision.play, told.cause)
        case Redirect(number, play):
            return Forward(number, PhoneNumber(dialled), FORWARDED, play)
        case _:
            return decision


def _is_party(lookup: Lookup, session: Session, side: Side) -> bool:
    """Whether the session is the caller's: by PIN, by number, or anybody's who is missing."""
    known = lookup.identified or session.party(side) is None
    return known or (lookup.caller is not None and session.has(side, lookup.caller))


def _turn_away(lookup: Lookup, reason: str) -> AskPin | Forward | Refuse:
    """What becomes of a caller who is not known to be a party."""
    if lookup.pin_locked:
        return Refuse("pin-locked")
    if lookup.pin_question:
        return lookup.pin_question
    refuse = Refuse(reason, lookup.unknown_caller_play)
    if lookup.about_strangers and not (lookup.number_is_full or lookup.account_is_full):
        return dataclasses.replace(refuse, webhook=lookup.about_strangers)
    return _fall_back(lookup, refuse) if reason == "session-expired" else refuse


def _fall_back(lookup: Lookup, refuse: Refuse) -> Forward | Refuse:
    """What a number has for a caller whose session is over."""
    session, fallback = lookup.session, lookup.fallback
    if session is None or lookup.caller_side is None or fallback is None:
        return refuse
    if fallback.number is None:
        return dataclasses.replace(refuse, play=fallback.play)
    if lookup.number_is_full:
        return Refuse("number-busy")
    if lookup.account_is_full:
        return Refuse("account-busy")
    return Forward(
        fallback.number, session.number_for(lookup.caller_side), FORWARDED, fallback.play
    )


def _time_left(session: Session, seconds_talked: int) -> int:
    """Seconds that the next call may last."""
    if session.max_total_duration is None:
        return session.call_time_limit
    return min(session.call_time_limit, session.max_total_duration - seconds_talked)
