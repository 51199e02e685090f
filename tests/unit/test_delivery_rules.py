"""What becomes of an event after an attempt, and what a URL's fragment has to say in it."""

import dataclasses

import hypothesis
import pytest
from hypothesis import strategies as st

from bridge.domain.delivery import (
    Dead,
    Delivered,
    Failure,
    Kind,
    Retry,
    Rules,
    back_off,
    of_status,
    rules_for,
    verdict,
)

URL = "https://hooks.example/plivo?a=b"
REFUSED = Failure("no-connection", frozenset({Kind.CONNECT}))
LATE = Failure("timed-out", frozenset({Kind.CONNECT, Kind.READ}))
RULES = Rules()


def after(
    failure: Failure | None, rules: Rules = RULES, *, attempt: int = 1, age: float = 0
) -> object:
    return verdict(failure, rules, attempt=attempt, age=age, chance=0)


@pytest.mark.parametrize(
    ("fragment", "said"),
    [
        ("", {}),
        ("#section-2", {}),
        ("#ct=2000", {"connect_within": 2.0}),
        ("#ct=1", {"connect_within": 0.1}),
        ("#ct=999999", {"connect_within": 10.0}),
        ("#ct=-5&rt=soon&rc=&rp", {}),
        ("#rt=20000", {"within": 25.0}),
        ("#ct=1000&rt=20000", {"connect_within": 1.0, "within": 21.0}),
        ("#ct=1000&rt=20000&tt=9000", {"connect_within": 1.0, "within": 9.0}),
        ("#tt=2000", {"connect_within": 2.0, "within": 2.0}),
        ("#tt=120000", {"within": 60.0}),
        ("#rc=0", {"retries": 0}),
        ("#rc=99", {"retries": 5}),
        ("#rp=5xx,ct", {"retried": frozenset({Kind.SERVER_ERROR, Kind.CONNECT})}),
        ("#rp=all", {}),
        (
            "#rp=4xx%2C5XX,%20nothing",
            {"retried": frozenset({Kind.CLIENT_ERROR, Kind.SERVER_ERROR})},
        ),
        ("#rp=nothing,other", {}),
        ("#rc=" + "9" * 5000, {"retries": 5}),
        ("#rc=²", {}),
    ],
)
def test_a_fragment_says_how_its_url_is_called(fragment: str, said: dict[str, object]) -> None:
    assert rules_for(URL + fragment, RULES) == dataclasses.replace(RULES, **said)  # type: ignore[arg-type]


@pytest.mark.parametrize("status", [200, 201, 204, 299])
def test_every_2xx_means_that_it_has_it(status: int) -> None:
    assert of_status(status) is None
    assert after(None) == Delivered()


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (302, Kind.OTHER),
        (404, Kind.CLIENT_ERROR),
        (429, Kind.CLIENT_ERROR),
        (500, Kind.SERVER_ERROR),
    ],
)
def test_every_other_status_is_tried_again(status: int, kind: Kind) -> None:
    assert of_status(status) == Failure(f"http-{status}", frozenset({kind}))
    assert after(of_status(status)) == Retry(1.0, f"http-{status}")


def test_attempts_end_with_the_events_age() -> None:
    assert after(REFUSED, attempt=30, age=86000) == Retry(300.0, "no-connection")
    assert after(REFUSED, attempt=30, age=86101) == Dead("no-connection")


def test_attempts_end_with_the_retries_that_a_fragment_allows() -> None:
    rules = rules_for(URL + "#rc=2", RULES)
    made = [after(REFUSED, rules, attempt=attempt) for attempt in (1, 2, 3)]
    assert made == [Retry(1, "no-connection"), Retry(2, "no-connection"), Dead("no-connection")]


def test_only_what_a_fragment_names_is_tried_again() -> None:
    rules = rules_for(URL + "#rp=rt,5xx", RULES)
    assert after(LATE, rules) == Retry(1.0, "timed-out")
    assert after(of_status(503), rules) == Retry(1.0, "http-503")
    assert after(REFUSED, rules) == Dead("no-connection")
    assert after(of_status(404), rules) == Dead("http-404")
    assert after(of_status(302), rules) == Dead("http-302")


@hypothesis.given(st.integers(1, 10**9), st.floats(0, 1))
def test_back_off_grows_and_stays_within_its_bounds(attempt: int, chance: float) -> None:
    assert 0.5 <= back_off(attempt, chance) <= 300
    assert back_off(attempt, chance) <= back_off(attempt + 1, chance)
    assert back_off(attempt, 1) == back_off(attempt, 0) / 2
