"""Requests of an account over time."""

from bridge.api.limits import WINDOW, RateLimit


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_what_is_over_waits_until_the_next_is_due() -> None:
    limit = RateLimit(10, now=Clock())
    assert [limit.wait("a") for _ in range(10)] == [0.0] * 10
    assert limit.wait("a") == WINDOW / 10


def test_they_come_back_one_by_one_and_never_more_than_the_limit() -> None:
    clock = Clock()
    limit = RateLimit(10, now=clock)
    for _ in range(10):
        limit.wait("a")
    clock.now += WINDOW / 10
    assert limit.wait("a") == 0.0
    assert limit.wait("a") > 0.0
    clock.now += 1000 * WINDOW
    assert [limit.wait("a") > 0.0 for _ in range(11)] == [False] * 10 + [True]


def test_each_account_has_its_own() -> None:
    limit = RateLimit(1, now=Clock())
    assert limit.wait("a") == limit.wait("b") == 0.0
