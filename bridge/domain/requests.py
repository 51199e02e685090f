"""What a customer asks for, and why it may be refused."""

import dataclasses
import enum
import uuid
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, Generic, TypeVar

from bridge.domain.egress import EgressRules
from bridge.domain.numbers import PhoneNumber
from bridge.domain.outcomes import Disposition
from bridge.domain.pins import Pins
from bridge.domain.reports import SessionStatus
from bridge.domain.sessions import Direction, Parties

V = TypeVar("V", datetime, int)


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
    subaccount: str | None = None
    client_reference_id: str | None = None
    metadata: Mapping[str, Any] | None = None
    """What a session's metadata must hold, among other things."""
    created: Range[datetime] = dataclasses.field(default_factory=Range)
    expires: Range[datetime] = dataclasses.field(default_factory=Range)
    duration: Range[int] = dataclasses.field(default_factory=Range)
    """Seconds from the creation to the end."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class CallFilter:
    """Which calls a list shows; ``None`` means any."""

    session: uuid.UUID | None = None
    virtual_number: PhoneNumber | None = None
    caller: PhoneNumber | None = None
    disposition: Disposition | None = None
    only_up: bool = False
    """Those that have not ended."""
    reason: str | None = None
    started: Range[datetime] = dataclasses.field(default_factory=Range)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """Which part of a list: from a row of it, or from where an earlier page ended."""

    limit: int
    offset: int = 0
    after: tuple[datetime, uuid.UUID] | None = None
    """The last one of the page before."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Once:
    """What tells that a request was sent before."""

    key: str
    fingerprint: bytes
    """SHA-256 of the request; under one key only the same request is a repeat."""
    seconds: int
    """How long it is remembered."""


@dataclasses.dataclass(frozen=True, slots=True)
class By:
    """Whose doing a change is, and why."""

    actor: str
    reason: str = ""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What must be known of an account to judge a request for a session."""

    own_numbers: Collection[PhoneNumber] = frozenset()
    """Those of the request that are virtual numbers of anybody: a call to them comes back to us."""
    countries: Collection[str] | None = None
    """Where parties may be, ISO 3166; ``None`` for anywhere."""
    home_countries: Collection[str] = frozenset()
    """Where the account has numbers, or its parties may be, where these are few: of a number
    without its plus nobody can tell that it is not a national one of these."""
    subaccounts: Collection[str] = frozenset()
    """Those of the request that may make sessions."""
    ranges: tuple[str, ...] = ()
    """Beginnings of numbers, E.164, that count as valid, known to libphonenumber or not."""
    egress: EgressRules = dataclasses.field(default_factory=EgressRules)
    """Where callbacks and prompts may be."""

    def fault_of_party(self, number: PhoneNumber) -> str | None:
        """Why nobody may be connected to a number, as the end of a sentence; ``None``: one may."""
        if not number.is_valid_with(self.ranges):
            return "is not a valid phone number."
        if number.is_premium:
            return "is a premium-rate number."
        if number in self.own_numbers:
            return "is a virtual number."
        if self.countries is not None and number.country not in self.countries:
            return "is in a country that this account does not connect."
        return None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class NewSession(Parties):
    """A session as it is asked for."""

    account: str
    single_party: bool = False
    takes_anybody: bool = False
    """Whoever calls is the missing party, with no question asked."""
    geomatch: bool = True
    """A virtual number must be of the country of the party that calls it first."""
    subaccount: str | None = None
    """Whose numbers are to be used; ``None`` for those that are no subaccount's."""
    per_party: bool = False
    """A virtual number for each, instead of one for both."""
    virtual_number: PhoneNumber | None = None
    second_virtual_number: PhoneNumber | None = None
    """These and no others."""
    sticky: bool = True
    """Among equals, the number that the two had before."""
    direction: Direction = Direction.TWO_WAY
    expiry: int
    """Seconds until the session ends."""
    valid_from: datetime | None = None
    """When it begins, and its lifetime; ``None`` for now."""
    expiry_after_last_call: int | None = None
    ring_timeout: int
    call_time_limit: int
    max_calls: int | None = None
    max_total_duration: int | None = None
    client_reference_id: str | None = None
    metadata: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    options: Mapping[str, Any]
    pins: Pins | None = None
    """What strangers type to be led to it; ``None``: strangers are not asked."""
    cooloff: int = 0
    """Seconds for which the pairs and PINs rest when the session is over."""
    once: Once | None = None
    """Make it once, however often it is asked for."""
    call_me: bool = False
    """Call the first party at once, and then the second."""
    dry_run: bool = False
    """Only say what would be made."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class SessionChange:
    """What a customer wants otherwise; ``None`` leaves a thing as it is."""

    expiry: int | None = None
    """Seconds until the session ends, from now."""
    ring_timeout: int | None = None
    call_time_limit: int | None = None
    first_party: PhoneNumber | None = None
    second_party: PhoneNumber | None = None
    """Who it is, in a session that was made with a single party."""
    direction: Direction | None = None
    expiry_after_last_call: int | None = None
    max_calls: int | None = None
    max_total_duration: int | None = None
    metadata: Mapping[str, Any] | None = None
    options: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    changed: Sequence[str] = ()
    """Names of what was given, for the session's history."""


class Refusal(enum.Enum):
    """Why a request that is well formed cannot be carried out.  The values are told to clients."""

    POOL_EMPTY = "no-numbers"
    POOL_INACTIVE = "no-active-number"
    POOL_WITHOUT_COUNTRY = "no-number-in-country"
    POOL_IN_USE = "all-numbers-in-use"
    POOL_COOLING_OFF = "numbers-cooling-off"
    NAMED_NUMBER_UNKNOWN = "virtual-number-not-in-pool"
    NAMED_NUMBER_INACTIVE = "virtual-number-not-active"
    NAMED_NUMBER_IN_USE = "virtual-number-in-use"
    PIN_TAKEN = "pin-taken"
    PARTY_IS_VIRTUAL = "party-is-a-virtual-number"
    SUBACCOUNT_UNKNOWN = "subaccount-unknown"
    SUBACCOUNT_IN_USE = "subaccount-in-use"
    EVENT_NOT_SENT = "event-not-sent"
    ALREADY_EXPIRED = "already-expired"
    NOT_FOUND = "not-found"
    KEY_REUSED = "key-reused"
    REFERENCE_TAKEN = "client-reference-taken"
    NOT_SINGLE_PARTY = "not-single-party"
    PARTY_BUSY_ELSEWHERE = "party-has-another-session"
    SAME_PARTY = "same-party"
    SESSION_BUSY = "session-busy"
    NUMBER_BUSY = "number-busy"
    ACCOUNT_BUSY = "account-busy"
    LOOP_DETECTED = "loop-detected"
    SESSION_NOT_BEGUN = "session-not-begun"
    QUIET_HOURS = "quiet-hours"
    ONE_WAY_SESSION = "one-way-session"
    CALLS_USED_UP = "calls-used-up"
    TIME_USED_UP = "time-used-up"
    NOBODY_TO_CALL = "nobody-to-call"
    NUMBER_NOT_IN_SERVICE = "number-not-in-service"
