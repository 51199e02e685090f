"""What a customer is told of a session or an account."""

import dataclasses
import enum
import math
import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Generic, TypeVar

from bridge.domain.attestation import Attestation
from bridge.domain.consent import PartyConsent
from bridge.domain.hangups import HangupCause, hangup_cause, hangup_source
from bridge.domain.numbers import PhoneNumber
from bridge.domain.outcomes import Disposition, Outcome
from bridge.domain.pins import Pins
from bridge.domain.privacy import OPEN, NumberForm, Privacy
from bridge.domain.prompts import MissedPrompt
from bridge.domain.rates import Charge, Tariff
from bridge.domain.records import Origin, Role
from bridge.domain.sessions import Session, Side

T = TypeVar("T")


class SessionStatus(enum.StrEnum):
    """The state of a session by the database's clock."""

    ACTIVE = "active"
    IN_PROGRESS = "in-progress"
    """A call is up, whether or not the session still takes new ones."""
    EXPIRED = "expired"


_STATUSES = {
    Disposition.COMPLETED: "completed",
    Disposition.CANCELLED: "cancel",
    Disposition.REFUSED: "failed",
    Disposition.BUSY: "busy",
    Disposition.NO_ANSWER: "no-answer",
    Disposition.FAILED: "failed",
}


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """How a call ended."""

    outcome: Outcome

    @property
    def cause(self) -> HangupCause:
        return hangup_cause(self.outcome)

    @property
    def source(self) -> str:
        return hangup_source(self.outcome)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Interaction:
    """One call of a session, as its customer sees it."""

    started_at: datetime
    ended_at: datetime | None
    first_leg: uuid.UUID | None
    """The leg of the first party, if there was one."""
    second_leg: uuid.UUID | None
    leg_count: int
    seconds: int
    """Time talked, summed over the legs, in whole seconds begun."""
    billed_seconds: int
    """The same in the steps of the legs' rates."""
    amount: Decimal
    """What its legs cost."""
    recording: uuid.UUID | None = None
    ending: Ending | None = None
    """``None``: it is up."""
    first_answered: bool = False
    second_answered: bool = False
    missed_prompts: Sequence[MissedPrompt] = ()
    """What could not be played."""
    recording_consent: Sequence[PartyConsent] = ()
    """What the parties were told or asked before they were recorded, and what they said."""

    def status(self, side: Side) -> str | None:
        """What became of a party's leg, in the words of Plivo's calls; ``None``: there was none."""
        leg, answered = (
            (self.first_leg, self.first_answered)
            if side is Side.FIRST
            else (self.second_leg, self.second_answered)
        )
        if leg is None:
            return None
        if self.ending is None:
            return "in-progress"
        return "completed" if answered else _STATUSES[self.ending.outcome.disposition]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class LegReport:
    """One leg of a call: a call in Plivo's sense."""

    id: uuid.UUID
    role: Role
    origin: Origin
    """Of its call."""
    call: uuid.UUID
    session: uuid.UUID | None
    """``None``: the call is no session's; whoever called was no party of one."""
    caller_side: Side | None
    """Which party called, or was called first."""
    party_number: PhoneNumber | None
    """``None``: withheld, or not a number."""
    privacy: Privacy
    """How the account is shown numbers of others than its sessions' parties."""
    virtual_number: PhoneNumber
    started_at: datetime
    answered_at: datetime | None
    ended_at: datetime | None
    parent: uuid.UUID | None
    """The leg that came in, of a leg that was placed for it."""
    ending: Ending | None = None
    """Of its call; ``None``: it is up."""
    written_charge: Charge | None = None
    """What was written down when it ended; ``None`` before, and of a time without rates."""

    @property
    def shown_number(self) -> str | None:
        """The party's number: a stranger's as the account's events would show it."""
        if self.party_number is None:
            return None
        return (OPEN if self.session else self.privacy).shown(self.party_number)

    @property
    def charge(self) -> Charge:
        """What it cost; by the second, and nothing, where nothing was written down."""
        if self.written_charge:
            return self.written_charge
        return Tariff().charge(timedelta(seconds=self.seconds))

    @property
    def seconds(self) -> int:
        """Time talked, in whole seconds begun."""
        if self.answered_at is None or self.ended_at is None:
            return 0
        return math.ceil((self.ended_at - self.answered_at).total_seconds())


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Stray:
    """A call to a number that was in nobody's pool."""

    started_at: datetime
    dialled: str
    """As signalled; perhaps no number at all."""
    caller: PhoneNumber | None
    reason: str | None
    """``None``: it is up."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """Who uses the API."""

    auth_id: str
    name: str
    created_at: datetime
    countries: Sequence[str] | None
    """ISO 3166: where its parties may be; ``None`` for anywhere."""
    recording_days: int | None = None
    """How long its recordings are kept; ``None`` for ever."""
    max_concurrent_calls: int | None = None
    """Calls that may be up at once; ``None``: any number."""
    max_numbers: int | None = None
    """Numbers that may be in its pool at once; ``None``: any number."""
    webhooks: Mapping[str, str] = dataclasses.field(default_factory=dict)
    """Whom it has asked about its calls, by the API's names."""
    event_privacy: NumberForm
    """How its events show the parties' numbers."""
    min_attestation: Attestation = Attestation.NONE
    """How far a carrier must vouch for a party's number, where the session does not say."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class SessionReport:
    """A session and what happened in it."""

    session: Session
    options: Mapping[str, Any]
    """Arguments of the contract by their names there."""
    single_party: bool
    """Whether one of the two may be missing."""
    subaccount: str | None
    expiry_after_last_call: int | None
    """Seconds that the session lives on, at least, after each call."""
    client_reference_id: str | None
    metadata: Mapping[str, Any]
    """Whatever its customer wants to find with it."""
    cooloff: int
    """Seconds for which its pairs rest when it is over."""
    status: SessionStatus
    leg_count: int
    billed_seconds: int
    amount: Decimal
    """What making it cost."""
    calls_amount: Decimal
    """What its calls cost."""
    last_interaction_at: datetime | None
    interactions: Sequence[Interaction]

    @property
    def takes_anybody(self) -> bool:
        """Whether whoever calls is the missing party, with no question asked."""
        return self.session.missing_side is not None and self.pins is None

    @property
    def pins(self) -> Pins | None:
        """What strangers type to be led to it; ``None``: they are not asked."""
        if not self.options.get("is_pin_authentication_required", False):
            return None
        return Pins(
            first=self.options.get("first_party_pin"), second=self.options.get("second_party_pin")
        )


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class SessionStep:
    """Something that became of a session."""

    at: datetime
    what: str
    """``created``, ``updated``, ``prolonged``, ``closed`` or ``expired``."""
    actor: str
    """A token, a call, or the clock."""
    reason: str
    changed: Sequence[str]
    """Names of the arguments that were changed."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class DryRun:
    """What a create request would have made."""

    virtual_number: PhoneNumber
    second_virtual_number: PhoneNumber | None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Page(Generic[T]):
    """Some of many."""

    items: Sequence[T]
    total: int
    more: bool = False
    """Whether others come after these."""
