"""How a call ended: one word, a detail, and whose doing it was."""

import dataclasses
import enum

from bridge.domain.causes import Cause


class Disposition(enum.StrEnum):
    """One word for the whole call."""

    COMPLETED = "completed"
    CANCELLED = "cancelled"
    REFUSED = "refused"
    BUSY = "busy"
    NO_ANSWER = "no-answer"
    FAILED = "failed"


class Fault(enum.StrEnum):
    """Who is responsible for a call that did not complete.  Alarms watch ``us`` and ``carrier``."""

    NONE = "none"
    CALLER = "caller"
    CALLEE = "callee"
    CARRIER = "carrier"
    CUSTOMER = "customer"
    US = "us"
    UNKNOWN = "unknown"


class HungUpBy(enum.StrEnum):
    """Who ended the call first."""

    CALLER = "caller"
    CALLEE = "callee"
    BRIDGE = "bridge"
    """We, or Asterisk of its own."""
    CARRIER = "carrier"
    """The network, on behalf of neither phone."""
    UNKNOWN = "unknown"


@dataclasses.dataclass(frozen=True, slots=True)
class Outcome:
    """The one verdict on a call."""

    disposition: Disposition
    reason: str
    """Kebab-case detail, such as ``ring-timeout``."""
    fault: Fault
    hung_up_by: HungUpBy


def completed(hung_up_by: HungUpBy) -> Outcome:
    return Outcome(Disposition.COMPLETED, "hung-up", Fault.NONE, hung_up_by)


TIME_LIMIT = Outcome(Disposition.COMPLETED, "time-limit", Fault.NONE, HungUpBy.BRIDGE)
CANCELLED = Outcome(Disposition.CANCELLED, "caller-gave-up", Fault.NONE, HungUpBy.CALLER)
RING_TIMEOUT = Outcome(Disposition.NO_ANSWER, "ring-timeout", Fault.CALLEE, HungUpBy.BRIDGE)
FIRST_RING_TIMEOUT = Outcome(
    Disposition.NO_ANSWER, "first-ring-timeout", Fault.CALLER, HungUpBy.BRIDGE
)
NOT_ACCEPTED = Outcome(Disposition.NO_ANSWER, "not-accepted", Fault.CALLEE, HungUpBy.BRIDGE)
CALLEE_LEFT = Outcome(Disposition.NO_ANSWER, "not-accepted", Fault.CALLEE, HungUpBy.CALLEE)
FIRST_NOT_ACCEPTED = Outcome(
    Disposition.NO_ANSWER, "first-not-accepted", Fault.CALLER, HungUpBy.BRIDGE
)
CUSTOMER_CANCELLED = Outcome(Disposition.CANCELLED, "customer-hung-up", Fault.NONE, HungUpBy.BRIDGE)
CUSTOMER_HUNG_UP = Outcome(Disposition.COMPLETED, "customer-hung-up", Fault.NONE, HungUpBy.BRIDGE)
DRAINED = Outcome(Disposition.FAILED, "bridge-stopped", Fault.US, HungUpBy.BRIDGE)
CRASHED = Outcome(Disposition.FAILED, "crash", Fault.US, HungUpBy.BRIDGE)
ASTERISK_FAILED = Outcome(Disposition.FAILED, "asterisk-failed", Fault.US, HungUpBy.BRIDGE)
STORE_FAILED = Outcome(Disposition.FAILED, "postgres-away", Fault.US, HungUpBy.BRIDGE)
LOOPED = Outcome(Disposition.FAILED, "loop-detected", Fault.CALLEE, HungUpBy.CALLEE)
LOST = Outcome(Disposition.FAILED, "asterisk-restart", Fault.US, HungUpBy.UNKNOWN)
LOST_WHILE_RINGING = Outcome(Disposition.FAILED, "bridge-restart", Fault.US, HungUpBy.UNKNOWN)

_REFUSALS = {
    "number-not-in-service": (Cause.UNALLOCATED, Fault.CARRIER),
    "unknown-caller": (Cause.CALL_REJECTED, Fault.CALLER),
    "caller-unattested": (Cause.CALL_REJECTED, Fault.CALLER),
    "pin-locked": (Cause.CALL_REJECTED, Fault.CALLER),  # as if unknown: no hint for who guesses
    "session-expired": (Cause.CALL_REJECTED, Fault.CALLER),
    "wrong-pin": (Cause.CALL_REJECTED, Fault.CALLER),
    "session-not-begun": (Cause.CALL_REJECTED, Fault.CALLER),
    "quiet-hours": (Cause.NO_ANSWER, Fault.CALLER),
    "one-way-session": (Cause.CALL_REJECTED, Fault.CALLER),
    "bridge-full": (Cause.CONGESTION, Fault.US),
    "bridge-behind": (Cause.CONGESTION, Fault.US),
    "trunk-missing": (Cause.CONGESTION, Fault.US),
    "asterisk-unfit": (Cause.CONGESTION, Fault.US),
    "session-busy": (Cause.USER_BUSY, Fault.CALLER),
    "number-busy": (Cause.USER_BUSY, Fault.CUSTOMER),
    "account-busy": (Cause.CONGESTION, Fault.CUSTOMER),
    "application-refused": (Cause.CALL_REJECTED, Fault.CUSTOMER),
    "application-silent": (Cause.CALL_REJECTED, Fault.CUSTOMER),
    "loop-detected": (Cause.NO_ANSWER, Fault.CUSTOMER),
    "calls-used-up": (Cause.CALL_REJECTED, Fault.CALLER),
    "time-used-up": (Cause.CALL_REJECTED, Fault.CALLER),
    "nobody-to-call": (Cause.NO_ANSWER, Fault.CUSTOMER),
}


def refused(reason: str, told: Cause | None = None) -> tuple[Outcome, Cause]:
    """The outcome of a refusal, and the cause that the caller is given, if not another."""
    cause, fault = _REFUSALS[reason]
    return Outcome(Disposition.REFUSED, reason, fault, HungUpBy.BRIDGE), told or cause
