"""What a customer is told of a session or an account."""

import dataclasses
import enum
import math
import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Generic, TypeVar

from bridge.domain.numbers import PhoneNumber
from bridge.domain.records import Role
from bridge.domain.sessions import Session

T = TypeVar("T")
V = TypeVar("V", datetime, int)


class SessionStatus(enum.StrEnum):
    """The state of a session by the database's clock."""

    ACTIVE = "active"
    IN_PROGRESS = "in-progress"
    """A call is up, whether or not the session still takes new ones."""
    EXPIRED = "expired"


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


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class LegReport:
    """One leg of a call: a call in Plivo's sense."""

    id: uuid.UUID
    role: Role
    party_number: PhoneNumber
    virtual_number: PhoneNumber
    started_at: datetime
    answered_at: datetime | None
    ended_at: datetime | None
    parent: uuid.UUID | None
    """The leg that came in, of a leg that was placed for it."""

    @property
    def seconds(self) -> int:
        """Time talked, in whole seconds begun."""
        if self.answered_at is None or self.ended_at is None:
            return 0
        return math.ceil((self.ended_at - self.answered_at).total_seconds())


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """Who uses the API."""

    auth_id: str
    name: str
    created_at: datetime
    countries: Sequence[str] | None
    """ISO 3166: where its parties may be; ``None`` for anywhere."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class SessionReport:
    """A session and what happened in it."""

    session: Session
    options: Mapping[str, Any]
    """Arguments of the contract by their names there."""
    cooloff: int
    """Seconds for which its pairs rest when it is over."""
    status: SessionStatus
    leg_count: int
    billed_seconds: int
    last_interaction_at: datetime | None
    interactions: Sequence[Interaction]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Page(Generic[T]):
    """Some of many."""

    items: Sequence[T]
    total: int


@dataclasses.dataclass(frozen=True, slots=True)
class Range(Generic[V]):
    """From ``low``, inclusive, to ``high``, exclusive; ``None`` is without that bound."""

    low: V | None = None
    high: V | None = None

    def both(self, other: "Range[V]") -> "Range[V]":
        """What is in this and in the other."""
        lows = [bound for bound in (self.low, other.low) if bound is not None]
        highs = [bound for bound in (self.high, other.high) if bound is not None]
        return Range(max(lows, default=None), min(highs, default=None))


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class SessionFilter:
    """Which sessions a list shows; ``None`` means any."""

    first_party: PhoneNumber | None = None
    second_party: PhoneNumber | None = None
    virtual_number: PhoneNumber | None = None
    status: SessionStatus | None = None
    created: Range[datetime] = dataclasses.field(default_factory=Range)
    expires: Range[datetime] = dataclasses.field(default_factory=Range)
    duration: Range[int] = dataclasses.field(default_factory=Range)
    """Seconds from the creation to the end."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Once:
    """What tells that a request was sent before."""

    key: str
    fingerprint: bytes
    """SHA-256 of the request; under one key only the same request is a repeat."""
    seconds: int
    """How long it is remembered."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class NewSession:
    """What a customer asks for."""

    account: str
    first_party: PhoneNumber
    second_party: PhoneNumber
    country: str | None
    """Country that the virtual number must be of; ``None`` for any."""
    expiry: int
    """Seconds until the session ends."""
    ring_timeout: int
    call_time_limit: int
    options: Mapping[str, Any]
    cooloff: int = 0
    """Seconds for which the pairs rest when the session is over."""
    once: Once | None = None
    """Make it once, however often it is asked for."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class SessionChange:
    """What a customer wants otherwise; ``None`` leaves a thing as it is."""

    expiry: int | None = None
    """Seconds until the session ends, from now."""
    ring_timeout: int | None = None
    call_time_limit: int | None = None
    options: Mapping[str, Any] = dataclasses.field(default_factory=dict)


class Refusal(enum.Enum):
    """Why a request that is well formed cannot be carried out."""

    POOL_EXHAUSTED = "pool-exhausted"
    FIRST_PARTY_IS_OURS = "first-party-is-a-virtual-number"
    SECOND_PARTY_IS_OURS = "second-party-is-a-virtual-number"
    ALREADY_EXPIRED = "already-expired"
    NOT_FOUND = "not-found"
    KEY_REUSED = "key-reused"
    SUBACCOUNT_UNKNOWN = "subaccount-unknown"
    SUBACCOUNT_IN_USE = "subaccount-in-use"
