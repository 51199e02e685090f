"""Whose doing it was that a leg came to no answer: every status, whether or not a phone rang."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.domain.causes import Cause, sip_status
from bridge.domain.hangups import hangup_cause, hangup_source
from bridge.domain.outcomes import Disposition, Fault, HungUpBy
from bridge.domain.verdicts import (
    Evidence,
    Gone,
    callee_failed,
    callee_given_up,
    caller_failed,
    caller_given_up,
    judge,
    talk_ended,
)

EVERY = [*itertools.product(range(300, 700), [False, True])]
Row = tuple[str, str, str, int, str, str]
EVIDENCE = st.builds(
    Evidence,
    sip_code=st.none() | st.integers(0, 800),
    cause=st.none() | st.integers(0, 127),
    progressed=st.booleans(),
    network_blocked=st.booleans(),
)

THE_TRUNKS = [
    *(400, 401, 402, 405, 406, 407, 409, 411, 412, 413, 414, 415, 416, 417, 420, 421, 422, 423),
    *(424, 425, 428, 429, 430, 433, 436, 437, 438, 439, 440, 469, 470, 481, 482, 483, 488, 489),
    *(491, 493, 494, *range(500, 600), 305, 380, 606, 607, 608),
]
"""Credentials, protocol, codecs, identity, capacity, reputation: no callee has to do with them."""


def told(code: int, progressed: bool) -> Row:
    """Disposition, reason, fault, what the caller gets, and Plivo's source and cause."""
    outcome, cause = callee_failed(Evidence(sip_code=code, progressed=progressed))
    return (
        outcome.disposition.value,
        outcome.reason,
        outcome.fault.value,
        sip_status(cause),
        hangup_source(outcome),
        hangup_cause(outcome).name,
    )


BUSY = ("busy", "busy", "callee", 486, "Callee", "Busy Line")
DECLINED = ("no-answer", "declined", "callee", 480, "Callee", "Rejected")
NO_ANSWER = ("no-answer", "no-answer", "callee", 480, "Callee", "No Answer")
OUT_OF_REACH = (
    "no-answer",
    "unreachable",
    "callee",
    480,
    "Callee",
    "Destination Out Of Service",
)
WRONG = ("failed", "unreachable", "customer", 480, "Carrier", "Invalid Destination Address")
REDIRECTED = ("failed", "redirected", "callee", 480, "Callee", "No Answer")
REFUSED = ("failed", "carrier-refused", "carrier", 503, "Carrier", "Network Error")
FAILED = ("failed", "carrier-failed", "carrier", 503, "Carrier", "Network Error")
NEVER_RANG = ("failed", "never-rang", "carrier", 503, "Carrier", "Network Error")
UNKNOWN = ("failed", "unreachable", "unknown", 480, "Unknown", "Unknown")
BLOCKED = ("failed", "blocked-as-spam", "carrier", 503, "Carrier", "Rejected")


@pytest.mark.parametrize(
    ("code", "at_once", "rings"),
    [
        (302, REDIRECTED, REDIRECTED),
        (305, FAILED, FAILED),
        (400, FAILED, FAILED),
        (401, REFUSED, REFUSED),
        (402, REFUSED, REFUSED),
        (403, REFUSED, DECLINED),
        (404, WRONG, WRONG),
        (405, FAILED, FAILED),
        (407, REFUSED, REFUSED),
        (408, NEVER_RANG, OUT_OF_REACH),
        (410, WRONG, WRONG),
        (480, NO_ANSWER, NO_ANSWER),
        (484, WRONG, WRONG),
        (485, WRONG, WRONG),
        (486, BUSY, BUSY),
        (487, FAILED, NO_ANSWER),
        (488, FAILED, FAILED),
        (499, FAILED, FAILED),
        (500, FAILED, FAILED),
        (503, FAILED, FAILED),
        (505, FAILED, FAILED),
        (600, BUSY, BUSY),
        (603, DECLINED, DECLINED),
        (604, WRONG, WRONG),
        (606, FAILED, FAILED),
        (607, BLOCKED, BLOCKED),
        (608, BLOCKED, BLOCKED),
        (699, UNKNOWN, DECLINED),
    ],
)
def test_a_row_of_the_table(code: int, at_once: Row, rings: Row) -> None:
    assert told(code, False) == at_once
    assert told(code, True) == rings


@pytest.mark.parametrize("code", THE_TRUNKS)
@pytest.mark.parametrize("progressed", [False, True])
def test_what_only_a_trunk_can_do_is_never_blamed_on_the_callee(
    code: int, progressed: bool
) -> None:
    _, _, fault, status, source, _ = told(code, progressed)
    assert (fault, status, source) == ("carrier", 503, "Carrier")


def test_every_status_is_judged_as_one() -> None:
    """Fault, source and what the caller is told never contradict each other."""
    for code, progressed in EVERY:
        disposition, _, fault, status, source, cause = told(code, progressed)
        assert status in {480, 486, 503}, code
        assert (status == 503) is (fault == "carrier"), code
        assert (status == 486) is (disposition == "busy") is (code in {486, 600}), code
        assert (source == "Callee") is (fault == "callee"), code
        assert cause != "Normal Hangup", code
        assert fault in {"callee", "carrier", "customer", "unknown"}, code
        assert (cause == "Unknown") is (fault == "unknown"), code
        assert fault != "unknown" or code >= 600, code


def test_a_callee_is_blamed_only_for_what_a_callee_can_do() -> None:
    can = {480, 486, 600, 603} | {*range(300, 400)} - {305, 380}
    once_it_rings = {403, 408, 487} | {*range(600, 700)} - {604, 606, 607, 608}
    for code, progressed in EVERY:
        blamed = told(code, progressed)[2] == "callee"
        assert blamed is (code in can or (progressed and code in once_it_rings)), code


@pytest.mark.parametrize("progressed", [False, True])
@pytest.mark.parametrize("phrase", [False, True])
def test_a_network_that_blocks_a_number_says_so_in_a_reason_of_its_own(
    progressed: bool, phrase: bool
) -> None:
    """603 with "Network Blocked" (ATIS-1000099), 607 (RFC 8197), 608 (RFC 8688)."""
    for code in range(300, 700):
        evidence = Evidence(sip_code=code, progressed=progressed, network_blocked=phrase)
        blocked = code in {607, 608} or (code == 603 and phrase)
        assert (callee_failed(evidence)[0].reason == "blocked-as-spam") is blocked


@given(evidence=EVIDENCE)
def test_whatever_is_known_there_is_a_verdict_and_the_caller_learns_one_of_three_things(
    evidence: Evidence,
) -> None:
    """Anything finer would tell something about the real number."""
    outcome, cause = callee_failed(evidence)
    assert sip_status(cause) in {480, 486, 503}
    assert outcome.disposition in {Disposition.BUSY, Disposition.NO_ANSWER, Disposition.FAILED}
    assert outcome.fault is not Fault.NONE
    assert (cause == Cause.CONGESTION) is (outcome.fault is Fault.CARRIER)


@given(evidence=EVIDENCE)
def test_the_first_leg_of_an_ordered_call_is_judged_by_the_same_table(evidence: Evidence) -> None:
    """There the caller is whom we call, and stands where else the callee stands."""
    one, _ = callee_failed(evidence)
    first = caller_failed(evidence)
    assert (first.disposition, first.reason) == (one.disposition, f"first-{one.reason}")
    assert first.fault is (Fault.CALLER if one.fault is Fault.CALLEE else one.fault)
    assert hangup_cause(first) == hangup_cause(one)
    assert hangup_source(first) == hangup_source(one).replace("Callee", "Caller")


@pytest.mark.parametrize("cause", range(128))
def test_a_cause_without_a_status_blames_nobody_where_it_stands_for_several(cause: int) -> None:
    """As the dialplan of before keeps it of a leg that nobody saw end."""
    fault = callee_failed(Evidence(cause=cause))[0].fault
    if cause in {Cause.CALL_REJECTED, 127, 0}:
        assert fault is Fault.UNKNOWN
    assert judge(Evidence(cause=cause, sip_code=486)) is judge(Evidence(sip_code=486))


@pytest.mark.parametrize("progressed", [False, True])
def test_a_ring_timeout_is_the_callee_s_only_if_its_phone_rang(progressed: bool) -> None:
    outcome, cause = callee_given_up(progressed=progressed)
    first = caller_given_up(progressed=progressed)
    assert outcome.hung_up_by is first.hung_up_by is HungUpBy.BRIDGE
    if progressed:
        assert (outcome.reason, outcome.fault) == ("ring-timeout", Fault.CALLEE)
        assert (first.reason, first.fault) == ("first-ring-timeout", Fault.CALLER)
        assert sip_status(cause) == 480
    else:
        assert (outcome.reason, outcome.fault) == ("never-rang", Fault.CARRIER)
        assert (first.reason, first.fault) == ("first-never-rang", Fault.CARRIER)
        assert hangup_source(outcome) == hangup_source(first) == "Carrier"
        assert sip_status(cause) == 503


@pytest.mark.parametrize("gone", Gone)
def test_an_end_that_neither_phone_asked_for_is_neither_phone_s(gone: Gone) -> None:
    for first in HungUpBy:
        outcome = talk_ended(first, gone=gone)
        assert (outcome.disposition, outcome.reason) == (Disposition.COMPLETED, gone.value)
        assert hangup_source(outcome) not in {"Caller", "Callee"}
        assert hangup_cause(outcome).name == "Network Error"
