"""Why a call ended, in Plivo's names and codes."""

import dataclasses

from bridge.domain.outcomes import Disposition, Fault, HungUpBy, Outcome


@dataclasses.dataclass(frozen=True, slots=True)
class HangupCause:
    """Plivo's ``HangupCauseName`` and ``HangupCauseCode``."""

    name: str
    code: int


UNKNOWN = HangupCause("Unknown", 0)
CANCELLED = HangupCause("Cancelled", 1000)
INVALID_DESTINATION = HangupCause("Invalid Destination Address", 2000)
OUT_OF_SERVICE = HangupCause("Destination Out Of Service", 2010)
LOOP_DETECTED = HangupCause("Loop Detected", 2060)
NO_ANSWER = HangupCause("No Answer", 3000)
BUSY = HangupCause("Busy Line", 3010)
REJECTED = HangupCause("Rejected", 3020)
RING_TIMEOUT = HangupCause("Ring Timeout Reached", 3040)
NORMAL = HangupCause("Normal Hangup", 4000)
NETWORK_ERROR = HangupCause("Network Error", 5010)
SCHEDULED = HangupCause("Scheduled Hangup", 6000)

_OF_REASON = {
    "time-limit": SCHEDULED,
    "ring-timeout": RING_TIMEOUT,
    "declined": REJECTED,
    "redirected": NO_ANSWER,
    "loop-detected": LOOP_DETECTED,
    "blocked-as-spam": REJECTED,
    "carrier-refused": NETWORK_ERROR,
    "carrier-failed": NETWORK_ERROR,
    "never-rang": NETWORK_ERROR,
    # Neither phone asked for the end.
    "media-lost": NETWORK_ERROR,
    "signalling-lost": NETWORK_ERROR,
    # Ours: Asterisk, Postgres or the bridge went away.
    "asterisk-failed": NETWORK_ERROR,
    "asterisk-restart": NETWORK_ERROR,
    "bridge-restart": NETWORK_ERROR,
    "bridge-stopped": NETWORK_ERROR,
    "crash": NETWORK_ERROR,
    "postgres-away": NETWORK_ERROR,
}
_UNREACHABLE = {Fault.CUSTOMER: INVALID_DESTINATION, Fault.CALLEE: OUT_OF_SERVICE}
_OF_DISPOSITION = {
    Disposition.COMPLETED: NORMAL,
    Disposition.CANCELLED: CANCELLED,
    Disposition.REFUSED: REJECTED,
    Disposition.BUSY: BUSY,
    Disposition.NO_ANSWER: NO_ANSWER,
    Disposition.FAILED: UNKNOWN,
}


def hangup_source(outcome: Outcome) -> str:
    """Who ended a call, as Plivo's ``HangupSource`` has it; ``Plivo`` is the bridge."""
    match outcome:
        case Outcome(hung_up_by=HungUpBy.UNKNOWN):
            return "Unknown"
        case Outcome(fault=Fault.CARRIER) | Outcome(hung_up_by=HungUpBy.CARRIER):
            return "Carrier"
        case Outcome(fault=Fault.US):
            return "Error"
        case Outcome(reason="customer-hung-up"):
            return "API Request"
        case Outcome(hung_up_by=HungUpBy.BRIDGE):
            return "Plivo"
        case _:
            return str(outcome.hung_up_by).capitalize()


def hangup_cause(outcome: Outcome) -> HangupCause:
    """Why a call ended; the same for both of its legs."""
    reason = outcome.reason.removeprefix("first-")
    if found := _OF_REASON.get(reason):
        return found
    if reason == "unreachable":
        # Of an ordered call the caller is whom we called in vain.
        fault = Fault.CALLEE if outcome.fault is Fault.CALLER else outcome.fault
        return _UNREACHABLE.get(fault, UNKNOWN)
    return _OF_DISPOSITION[outcome.disposition]
