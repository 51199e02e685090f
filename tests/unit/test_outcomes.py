"""What a caller is told of a refusal."""

from bridge.domain.causes import Cause
from bridge.domain.outcomes import refused


def test_a_stranger_learns_no_more_than_whoever_comes_too_late() -> None:
    assert refused("unknown-caller")[1] == refused("session-expired")[1] == Cause.CALL_REJECTED
