"""Why a leg that we placed came to no answer, and whose doing it was: the one table.

What it says goes everywhere: into the record (disposition, reason, fault, who hung up), into what
the customer is told (`bridge.domain.hangups`), into the metric and the log, and to the caller.
"""

import dataclasses
import enum

from bridge.domain.causes import Cause
from bridge.domain.outcomes import (
    FIRST_RING_TIMEOUT,
    RING_TIMEOUT,
    Disposition,
    Fault,
    HungUpBy,
    Outcome,
    completed,
)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What is known of a leg that ended unanswered, or that was given up.

    The Reason header of a final response (RFC 3326) is not among it: Asterisk 22.10 shows it
    nowhere, and makes the Q.850 cause of the status alone.
    """

    sip_code: int | None = None
    """Final SIP status of its INVITE; ``None``: none is known."""
    cause: int | None = None
    """ITU-T Q.850.  It decides only where no status is known, because Asterisk makes it of that,
    and makes one cause of many statuses."""
    progressed: bool = False
    """A 180 or a 183 had come: the carrier took the call and passed it on."""
    network_blocked: bool = False
    """The status had the reason phrase "Network Blocked" (ATIS-1000099)."""


@dataclasses.dataclass(frozen=True, slots=True)
class Verdict:
    """One row of the table."""

    disposition: Disposition
    reason: str
    fault: Fault
    told: Cause
    """What the caller is given: busy (486), not available (480) or congestion (503).  Anything
    finer would tell something about the callee's real number."""


@enum.unique
class Kind(enum.Enum):
    """What became of the leg."""

    BUSY = Verdict(Disposition.BUSY, "busy", Fault.CALLEE, Cause.USER_BUSY)
    DECLINED = Verdict(Disposition.NO_ANSWER, "declined", Fault.CALLEE, Cause.NO_ANSWER)
    NO_ANSWER = Verdict(Disposition.NO_ANSWER, "no-answer", Fault.CALLEE, Cause.NO_ANSWER)
    UNREACHABLE = Verdict(Disposition.NO_ANSWER, "unreachable", Fault.CALLEE, Cause.NO_ANSWER)
    REDIRECTED = Verdict(Disposition.FAILED, "redirected", Fault.CALLEE, Cause.NO_ANSWER)
    """The callee forwards its phone, and nobody is followed."""
    WRONG_NUMBER = Verdict(Disposition.FAILED, "unreachable", Fault.CUSTOMER, Cause.NO_ANSWER)
    """The session has a number that does not exist, or is not whole."""
    BLOCKED = Verdict(Disposition.FAILED, "blocked-as-spam", Fault.CARRIER, Cause.CONGESTION)
    """A network blocked the call for the virtual number that it shows.  The cure is another
    number: ``number replace``."""
    REFUSED = Verdict(Disposition.FAILED, "carrier-refused", Fault.CARRIER, Cause.CONGESTION)
    """The trunk does not let us call: credentials, credit, or what was agreed."""
    NEVER_RANG = Verdict(Disposition.FAILED, "never-rang", Fault.CARRIER, Cause.CONGESTION)
    """Nothing came of it: no phone was heard to ring in all the time that it had."""
    FAILED = Verdict(Disposition.FAILED, "carrier-failed", Fault.CARRIER, Cause.CONGESTION)
    """The trunk, or what is behind it, cannot do what we ask, or says what nobody understands."""
    UNKNOWN = Verdict(Disposition.FAILED, "unreachable", Fault.UNKNOWN, Cause.NO_ANSWER)


_ALWAYS = {
    # Another way into the carrier's network is the carrier's to take, or to agree with us.
    305: Kind.FAILED,
    380: Kind.FAILED,
    401: Kind.REFUSED,
    402: Kind.REFUSED,
    404: Kind.WRONG_NUMBER,
    407: Kind.REFUSED,
    410: Kind.WRONG_NUMBER,
    480: Kind.NO_ANSWER,
    484: Kind.WRONG_NUMBER,
    485: Kind.WRONG_NUMBER,
    486: Kind.BUSY,
    600: Kind.BUSY,
    603: Kind.DECLINED,
    604: Kind.WRONG_NUMBER,
    606: Kind.FAILED,
    607: Kind.BLOCKED,
    608: Kind.BLOCKED,
}
"""Statuses that mean one thing, whatever came before (RFC 3261 21; RFC 8197, RFC 8688)."""

_AFTER_PROGRESS = {403: Kind.DECLINED, 408: Kind.UNREACHABLE, 487: Kind.NO_ANSWER}
"""What is the callee's doing once its phone rings, and the trunk's before."""

_BEFORE_PROGRESS = {403: Kind.REFUSED, 408: Kind.NEVER_RANG}

_OF_CLASS = {3: Kind.REDIRECTED, 4: Kind.FAILED, 5: Kind.FAILED}
"""An unknown status is to be taken for the x00 of its class (RFC 3261 8.1.3.2)."""

_STATUS_OF_CAUSE = {
    1: 404,
    2: 404,
    3: 404,
    17: 486,
    18: 408,
    19: 480,
    20: 480,
    22: 410,
    23: 302,
    27: 502,
    28: 484,
    29: 501,
    31: 480,
    34: 503,
    38: 500,
    41: 503,
    42: 503,
    44: 503,
    58: 488,
    102: 504,
}
"""The status that a cause stands for where it stands for one.  Not 21, of which Asterisk makes 401,
403, 407 and 603 alike; nor 127, of which it makes all that it does not know."""


def judge(evidence: Evidence) -> Kind:
    """What became of a leg that ended unanswered.  Total: every status and cause has a kind."""
    code, progressed = evidence.sip_code, evidence.progressed
    if code is None:
        code = _STATUS_OF_CAUSE.get(evidence.cause or 0)
    if code is None:
        declined = progressed and evidence.cause == Cause.CALL_REJECTED
        return Kind.DECLINED if declined else Kind.UNKNOWN
    if evidence.network_blocked and code == 603:
        return Kind.BLOCKED
    if found := _ALWAYS.get(code):
        return found
    if found := (_AFTER_PROGRESS if progressed else _BEFORE_PROGRESS).get(code):
        return found
    if code // 100 == 6 and progressed:  # somebody was asked, and said no for all their phones
        return Kind.DECLINED
    return _OF_CLASS.get(code // 100, Kind.UNKNOWN)


def callee_failed(evidence: Evidence) -> tuple[Outcome, Cause]:
    """The outcome of a callee's leg that ended unanswered, and the cause the caller is given."""
    verdict = judge(evidence).value
    return _outcome(verdict, HungUpBy.CALLEE), verdict.told


def caller_failed(evidence: Evidence) -> Outcome:
    """The outcome of an ordered call whose first leg ended unanswered."""
    return _of_first(judge(evidence).value, HungUpBy.CALLER)


def callee_given_up(*, progressed: bool) -> tuple[Outcome, Cause]:
    """The outcome of a callee's leg that had its whole ring timeout, and the cause for the caller.

    Whether a phone rang decides: a trunk that answers nothing is not somebody who is not at home.
    A 100 (Trying) says nothing of that, and Asterisk does not show it.
    """
    if progressed:
        return RING_TIMEOUT, Cause.NO_ANSWER
    verdict = Kind.NEVER_RANG.value
    return _outcome(verdict, HungUpBy.BRIDGE), verdict.told


def caller_given_up(*, progressed: bool) -> Outcome:
    """The same of the first leg of an ordered call."""
    if progressed:
        return FIRST_RING_TIMEOUT
    return _of_first(Kind.NEVER_RANG.value, HungUpBy.BRIDGE)


_ANSWERED_BY = {
    Fault.CARRIER: HungUpBy.CARRIER,
    Fault.CUSTOMER: HungUpBy.CARRIER,  # that a number does not exist is said by the network
    Fault.UNKNOWN: HungUpBy.UNKNOWN,
}


def _outcome(verdict: Verdict, ended_by: HungUpBy) -> Outcome:
    if ended_by is not HungUpBy.BRIDGE:
        ended_by = _ANSWERED_BY.get(verdict.fault, ended_by)
    return Outcome(verdict.disposition, verdict.reason, verdict.fault, ended_by)


def _of_first(verdict: Verdict, ended_by: HungUpBy) -> Outcome:
    outcome = _outcome(verdict, ended_by)
    blamed = Fault.CALLER if outcome.fault is Fault.CALLEE else outcome.fault
    return dataclasses.replace(outcome, reason=f"first-{outcome.reason}", fault=blamed)


class Gone(enum.StrEnum):
    """How Asterisk found that nobody is at a phone that had answered."""

    MEDIA = "media-lost"
    """No audio came, nor an answer to the question whether anybody is there."""
    SIGNALLING = "signalling-lost"
    """A request within the call got no answer, or the answer that there is no such call (RFC 3261
    12.2.1.2); or the phone never acknowledged that it was answered."""


def talk_ended(hung_up_by: HungUpBy, *, gone: Gone | None = None) -> Outcome:
    """The outcome of a call whose two parties talked.

    Args:
        gone: one of the phones was gone.  Neither hung up then, and nobody is to blame: a battery
            is empty, or a network is away.
    """
    if gone is None:
        return completed(hung_up_by)
    return Outcome(Disposition.COMPLETED, gone.value, Fault.UNKNOWN, HungUpBy.BRIDGE)
