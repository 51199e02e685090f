"""What is written down of a call."""

import dataclasses
import enum
import uuid
from datetime import datetime

from bridge.domain.attestation import Attestation
from bridge.domain.numbers import PhoneNumber
from bridge.domain.outcomes import Outcome
from bridge.domain.prompts import MissedPrompt
from bridge.domain.sessions import AnswerGuard, Limits, RecordingPlan


@dataclasses.dataclass(frozen=True, slots=True)
class Over:
    """Calls that a bridge has seen end, or ends itself, whatever is written down by now."""

    calls: frozenset[uuid.UUID] = frozenset()
    made: frozenset[uuid.UUID] = frozenset()
    """Those of them that were not refused."""

    def __or__(self, other: "Over") -> "Over":
        return Over(self.calls | other.calls, self.made | other.made)


class Role(enum.StrEnum):
    """Which leg of a call: ``a`` came in (or was placed first), ``b`` we placed."""

    A = "a"
    B = "b"


ORDERED_PREFIX = "a-"


def ordered_channel_id(call_id: uuid.UUID) -> str:
    """Id of the channel that is placed first in an ordered call, known from the order on."""
    return f"{ORDERED_PREFIX}{call_id}"


class Origin(enum.StrEnum):
    """How a call began."""

    INBOUND = "inbound"
    CALL_ME = "call-me"
    """It was ordered: we call the one party, and then the other."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """A call as it began, before anything was decided."""

    call_id: uuid.UUID
    channel_id: str
    caller: PhoneNumber | None
    """``None``: withheld, or not a number."""
    dialled: str
    """The called number as signalled; E.164 if it is one."""
    started_at: datetime
    attestation: Attestation = Attestation.NONE
    """How far the carrier vouches for the caller's number."""
    origin: Origin = Origin.INBOUND
    """Of an ordered call, ``caller`` is the party that is called first, and ``dialled`` what its
    phone shows."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class LegRecord:
    """One row per leg.  Times are Asterisk's own."""

    role: Role
    channel_id: str
    party_number: PhoneNumber | None
    started_at: datetime
    ringing_at: datetime | None = None
    answered_at: datetime | None = None
    ended_at: datetime | None = None
    hangup_cause: int | None = None
    """ITU-T Q.850."""
    sip_code: int | None = None
    """Final SIP status of the leg's INVITE, as far as it is known."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class CallRecord:
    """The one record of a finished call."""

    arrival: Arrival
    outcome: Outcome
    ended_at: datetime
    legs: tuple[LegRecord, ...]
    ringing_at: datetime | None = None
    answered_at: datetime | None = None
    end_is_estimate: bool = False
    """Nobody of ours saw the end: ``ended_at`` is the latest it can have been."""
    missed_prompts: tuple[MissedPrompt, ...] = ()
    shown_number: PhoneNumber | None = None
    """What the phone that was called last was shown; ``None``: the number that was dialled."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class OpenCall:
    """A call whose record is not complete, as a restarted bridge finds it."""

    arrival: Arrival
    callee: PhoneNumber | None
    limits: Limits | None
    """Those of its session; ``None``, like ``callee``, for a call that was to be refused."""
    guard: AnswerGuard
    """What whoever answers it must do."""
    recording: RecordingPlan | None = None
    """``None``: it is not to be recorded."""
    ringing_at: datetime | None
    answered_at: datetime | None
    """When the two were connected."""
    caller_ringing_at: datetime | None = None
    """When the phone rang that an ordered call rings first."""
    caller_answered_at: datetime | None = None
    """When the caller's leg was answered, if before."""
    crossed: bool = False
    """Its caller was joined to another who called at the same moment; whom it rang was not."""
