"""What a caller is told of a callee who was not reached, and whose doing it was."""

from hypothesis import given
from hypothesis import strategies as st

from bridge.domain.causes import Cause, sip_status
from bridge.domain.outcomes import Disposition, Fault, callee_failed, refused


@given(cause=st.integers(0, 127))
def test_of_a_callee_s_failure_the_caller_learns_one_of_three_things(cause: int) -> None:
    """Anything finer would tell something about the real number."""
    outcome, told = callee_failed(cause)
    assert sip_status(told) in {480, 486, 503}
    assert outcome.disposition in {Disposition.BUSY, Disposition.NO_ANSWER, Disposition.FAILED}
    assert outcome.fault is not Fault.NONE


@given(cause=st.integers(0, 127))
def test_busy_is_told_as_busy_and_nothing_else_is(cause: int) -> None:
    outcome, told = callee_failed(cause)
    busy = cause == Cause.USER_BUSY
    assert (told == Cause.USER_BUSY) is busy
    assert (outcome.disposition is Disposition.BUSY) is busy


@given(cause=st.integers(0, 127))
def test_congestion_is_told_exactly_when_the_carrier_failed(cause: int) -> None:
    """Then another route may help; else it would not."""
    outcome, told = callee_failed(cause)
    assert (told == Cause.CONGESTION) is (outcome.fault is Fault.CARRIER)


def test_a_stranger_learns_no_more_than_whoever_comes_too_late() -> None:
    assert refused("unknown-caller")[1] == refused("session-expired")[1] == Cause.CALL_REJECTED
