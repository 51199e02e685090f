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


_CALLEE_FAILURES: dict[int, tuple[Disposition, str, Fault, Cause]] = {
    Cause.USER_BUSY: (Disposition.BUSY, "busy", Fault.CALLEE, Cause.USER_BUSY),
    Cause.NO_USER_RESPONSE: (Disposition.NO_ANSWER, "unreachable", Fault.CALLEE, Cause.NO_ANSWER),
    Cause.NO_ANSWER: (Disposition.NO_ANSWER, "no-answer", Fault.CALLEE, Cause.NO_ANSWER),
    Cause.CALL_REJECTED: (Disposition.NO_ANSWER, "declined", Fault.CALLEE, Cause.NO_ANSWER),
    Cause.NORMAL_UNSPECIFIED: (Disposition.NO_ANSWER, "no-answer", Fault.CALLEE, Cause.NO_ANSWER),
    Cause.UNALLOCATED: (Disposition.FAILED, "unreachable", Fault.CUSTOMER, Cause.NO_ANSWER),
    **dict.fromkeys(
        (
            Cause.DESTINATION_OUT_OF_ORDER,
            Cause.CONGESTION,
            Cause.NETWORK_OUT_OF_ORDER,
            Cause.TEMPORARY_FAILURE,
            Cause.SWITCH_CONGESTION,
            Cause.CHANNEL_UNAVAILABLE,
            Cause.RECOVERY_ON_TIMER_EXPIRY,
        ),
        (Disposition.FAILED, "carrier-failed", Fault.CARRIER, Cause.CONGESTION),
    ),
}


def callee_failed(cause: int) -> tuple[Outcome, Cause]:
    """The outcome of a callee's leg that ended unanswered, and the cause the caller is given.

    The caller learns busy (486), not available (480) or congestion (503) and nothing finer:
    404, 410 or 484 would tell something about the callee's real number.
    """
    disposition, reason, fault, told = _CALLEE_FAILURES.get(
        cause, (Disposition.FAILED, "unreachable", Fault.UNKNOWN, Cause.NO_ANSWER)
    )
    return Outcome(disposition, reason, fault, HungUpBy.CALLEE), told


def caller_failed(cause: int) -> Outcome:
    """The outcome of an ordered call whose first leg ended unanswered."""
    disposition, reason, fault, _ = _CALLEE_FAILURES.get(
        cause, (Disposition.FAILED, "unreachable", Fault.UNKNOWN, Cause.NO_ANSWER)
    )
    blamed = Fault.CALLER if fault is Fault.CALLEE else fault
    return Outcome(disposition, f"first-{reason}", blamed, HungUpBy.CALLER)
