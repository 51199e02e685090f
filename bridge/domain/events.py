"""What an application is told of its sessions: which events, of what moments, saying what.

First and second party are those of the session, whoever of them calls, as in its interactions.
Names and attributes are Plivo's; of the first party's phone ringing only its older set has one,
which is told of every session all the same.  The rest of that set is told where it is asked for.
"""

import dataclasses
import enum
import math
import uuid
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from bridge.domain.hangups import hangup_cause
from bridge.domain.numbers import PhoneNumber
from bridge.domain.outcomes import Disposition
from bridge.domain.pins import Bound
from bridge.domain.privacy import OPEN, Privacy
from bridge.domain.rates import Charge
from bridge.domain.records import CallRecord, LegRecord, Origin, Role
from bridge.domain.sessions import Side

SESSION_TIMEOUT = "SessionTimeout"
NUMBER_REPLACED = "SessionVirtualNumberReplaced"
PARTIES_HANGUP = "SessionPartiesHangup"
PIN_STATUS = "SessionPinAuthenticationStatus"
RECORDING_INITIATED = "SessionRecordingInitiated"
RECORDING_COMPLETED = "SessionRecordingCompleted"
RECORDING_FAILED = "SessionRecordingFailed"

CALL_REFUSED = "CallRefused"
REFUSALS_A_MINUTE = 10
"""Refused calls of a virtual number that its account is told of in a minute: a program that tries
numbers must not fill its log, nor ours."""

VIRTUAL_NUMBER_ANSWER = "SessionVirtualNumberAnswer"

_INITIATED = {
    Side.FIRST: "SessionFirstPartyInitiated",
    Side.SECOND: "SessionSecondPartyInitiated",
}
_RING = {Side.FIRST: "SessionFirstPartyRinging", Side.SECOND: "SessionSecondPartyRing"}
_ANSWER = {Side.FIRST: "SessionFirstPartyAnswer", Side.SECOND: "SessionSecondPartyAnswer"}
_HANGUP = {Side.FIRST: "SessionFirstPartyHangup", Side.SECOND: "SessionSecondPartyHangup"}
_COMPLETE = {Side.FIRST: "SessionFirstPartyComplete", Side.SECOND: "SessionSecondPartyComplete"}
_FAILED = {Side.FIRST: "SessionFirstPartyFailed", Side.SECOND: "SessionSecondPartyFailed"}

OLDER_SET = frozenset(
    {
        VIRTUAL_NUMBER_ANSWER,
        *(name for names in (_INITIATED, _COMPLETE, _FAILED) for name in names.values()),
    }
)
"""What Plivo told until 2023 and tells no more: for sessions that ask for all events."""


class PinStatus(enum.StrEnum):
    """What came of a caller's PIN, in Plivo's words."""

    SUCCESS = "success"
    FAILED = "failed"
    """Wrong, or none was typed."""
    AUTHORIZED_CALLER = "AuthorizedCaller"
    """None was asked for: it called from its own number."""


@dataclasses.dataclass(frozen=True, slots=True)
class Telling:
    """An event as it is written down: no number is in it, for its call has them."""

    name: str
    happened_at: datetime
    attributes: Mapping[str, Any] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """An event that was written down, with the numbers of its call as they are known now."""

    id: uuid.UUID
    account: str
    session: uuid.UUID | None
    """``None``: about the account."""
    sequence: int | None
    """From 1 in each session."""
    name: str
    happened_at: datetime
    attributes: Mapping[str, Any]
    caller: PhoneNumber | None
    """Who called the virtual number, or was called first; ``None`` where no call is concerned."""
    callee: PhoneNumber | None
    virtual_number: str | None
    """As it was dialled."""
    first_party: PhoneNumber | None = None
    second_party: PhoneNumber | None = None
    """Where all events are told: at which number each party is in this call, or in general."""
    privacy: Privacy
    """What whoever gets it is shown of these numbers, but of the virtual one."""

    @property
    def numbers(self) -> Mapping[str, PhoneNumber]:
        """Those of parties, as they are called in an event."""
        numbers = {
            "From": self.caller,
            "To": self.callee,
            "FirstParty": self.first_party,
            "SecondParty": self.second_party,
        }
        return {name: number for name, number in numbers.items() if number}


class DeliveryState(enum.StrEnum):
    """What became of an event."""

    PENDING = "pending"
    DELIVERED = "delivered"
    DEAD = "dead"
    """It will not be sent, unless somebody asks for it."""
    NONE = "none"
    """Nobody is to be told."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class EventReport:
    """An event, and how its delivery goes."""

    event: Event
    state: DeliveryState
    attempts: int
    next_attempt_at: datetime | None
    delivered_at: datetime | None
    last_error: str | None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class EventFilter:
    """Which events a list shows; ``None`` means any."""

    session: uuid.UUID | None = None
    state: DeliveryState | None = None
    after: tuple[datetime, uuid.UUID] | None = None
    """The last one of the page before."""


def lands(at: datetime) -> Telling:
    """A party calls the virtual number."""
    return Telling(VIRTUAL_NUMBER_ANSWER, at)


def is_placed(side: Side, at: datetime) -> Telling:
    """That party is being called."""
    return Telling(_INITIATED[side], at)


def rings(side: Side, at: datetime) -> Telling:
    """The phone of that party rings."""
    return Telling(_RING[side], at)


def answers(side: Side, at: datetime) -> Telling:
    """That party has answered, or the call of the one who calls was."""
    return Telling(_ANSWER[side], at)


def pin_status(status: PinStatus, at: datetime, *, retry: int | None = None) -> Telling:
    """What came of a PIN.

    Args:
        retry: how often the caller had been asked again; ``None``: it was not asked.
    """
    counter = {} if retry is None else {"PinRetryCounter": retry}
    return Telling(PIN_STATUS, at, {"PinAuthenticationStatus": status.value, **counter})


def guessing(bound: Bound, virtual_number: str) -> Mapping[str, Any]:
    """What an account is told where PINs are being guessed: on which number, and how it was found.

    Of which caller it is not said: guessers forge numbers.
    """
    return {"VirtualNumber": virtual_number.removeprefix("+"), "bound": bound.value}


def number_replaced(bad: PhoneNumber, new: PhoneNumber) -> Mapping[str, Any]:
    """What a session's application is told whose virtual number is another from now on.

    Plivo's attribute is the new one; the old one tells which, where each party has its own.
    """
    return {"VirtualNumber": OPEN.shown(new), "ReplacedVirtualNumber": OPEN.shown(bad)}


def ends(record: CallRecord, charges: Mapping[Role, Charge], *, caller: Side) -> Sequence[Telling]:
    """Everything that a finished call has to tell, in the order in which it happened.

    What was told before is in it too.  A call that was refused is no interaction: it tells nothing.

    Args:
        caller: whose leg is the first, role a.
    """
    if record.outcome.disposition is Disposition.REFUSED:
        return []
    cause = hangup_cause(record.outcome)
    why = {"PlivoHangupCause": cause.name, "PlivoHangupCauseCode": cause.code}
    told: list[Telling] = []
    inbound = record.arrival.origin is Origin.INBOUND
    # Of one moment, what the called party did comes first: the caller is answered because it is.
    for leg in reversed(record.legs) if inbound else record.legs:
        side = caller if leg.role is Role.A else caller.other
        placed = leg.role is Role.B or not inbound
        if placed:
            told.append(is_placed(side, leg.started_at))
        if placed and leg.ringing_at:
            told.append(rings(side, leg.ringing_at))
        if leg.answered_at:
            told.append(answers(side, leg.answered_at))
        hung_up = {**_cost([leg], charges), **why}
        # Two who called each other talk, though the leg that was placed is given up.
        became = _COMPLETE if leg.answered_at or record.answered_at else _FAILED
        ended_at = leg.ended_at or record.ended_at
        told += [Telling(name, ended_at, hung_up) for name in (_HANGUP[side], became[side])]
    told.sort(key=lambda one: one.happened_at)
    last = max([record.ended_at, *(one.happened_at for one in told)])
    return [*told, Telling(PARTIES_HANGUP, last, {**_cost(record.legs, charges), **why})]


def refusal(record: CallRecord) -> Mapping[str, Any]:
    """What an account is told of a call that was refused, beyond whose it is; of others nothing.

    Its ``From`` is added as of every call's event, and is missing where the caller withheld it.
    """
    if record.outcome.disposition is not Disposition.REFUSED:
        return {}
    cause = hangup_cause(record.outcome)
    withheld = {} if record.arrival.caller else {"CallerWithheld": True}
    return {
        "Reason": record.outcome.reason,
        "PlivoHangupCause": cause.name,
        "PlivoHangupCauseCode": cause.code,
        "CallStartTime": timestamp(record.arrival.started_at),
        **withheld,
    }


def attributes(event: Event) -> dict[str, Any]:
    """What a receiver gets, by Plivo's names, without what is not known."""
    always = {
        "EventName": event.name,
        "EventTimestamp": timestamp(event.happened_at),
        "SessionUUID": str(event.session) if event.session else None,
        **{name: event.privacy.shown(number) for name, number in event.numbers.items()},
        "VirtualNumber": event.virtual_number.removeprefix("+") if event.virtual_number else None,
        **event.attributes,
        "SequenceNumber": event.sequence,
    }
    return {name: value for name, value in always.items() if value is not None}


def _cost(legs: Sequence[LegRecord], charges: Mapping[Role, Charge]) -> dict[str, Any]:
    """Seconds and money, summed over the legs, as in an interaction."""
    spent = [charges[leg.role] for leg in legs]
    return {
        "Amount": f"{sum(one.amount for one in spent):f}",
        "BilledDuration": sum(one.billed_seconds for one in spent),
        "Duration": sum(_seconds_talked(leg) for leg in legs),
    }


def _seconds_talked(leg: LegRecord) -> int:
    """Whole seconds begun."""
    if leg.answered_at is None or leg.ended_at is None:
        return 0
    return math.ceil((leg.ended_at - leg.answered_at).total_seconds())


def timestamp(at: datetime) -> str:
    """UTC as Go prints it, which is how Plivo does, with fractions of a second."""
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f +0000 UTC")
