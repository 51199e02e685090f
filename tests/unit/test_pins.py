"""What the PINs of a session may be, and how much guessing is enough."""

from collections.abc import Iterator
from itertools import cycle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.domain.pins import CALLER_TRIES, DRAWS, NUMBER_TRIES, Pins, choices, is_locked
from bridge.domain.sessions import Side
from bridge.store.pins import random_pin

PINS = st.from_regex(r"[0-9]{4}", fullmatch=True)


@given(
    first=st.none() | PINS,
    second=st.none() | PINS,
    drawn=st.lists(PINS, min_size=1, max_size=2 * DRAWS),
)
def test_a_given_pin_stays_and_no_drawn_one_is_of_both(
    first: str | None, second: str | None, drawn: list[str]
) -> None:
    source: Iterator[str] = cycle(drawn)
    pins = Pins(first=first, second=second)
    may_be = choices(pins, lambda length: next(source))
    for side, given_pin in ((Side.FIRST, first), (Side.SECOND, second)):
        if given_pin:
            assert may_be[side] == [given_pin]
        else:
            assert set(may_be[side]) <= set(drawn)
            assert len(set(may_be[side])) == len(may_be[side]) <= DRAWS
    if first != second or first is None:
        assert not set(may_be[Side.FIRST]) & set(may_be[Side.SECOND])


def test_pins_of_a_session_without_are_none() -> None:
    assert choices(None, random_pin) == {}


def test_of_those_that_are_to_be_drawn_none_is_given() -> None:
    assert choices(Pins(second="1234"), random_pin, given_only=True) == {Side.SECOND: ["1234"]}


def test_pins_are_not_shown_where_the_values_that_hold_them_are() -> None:
    assert "1234" not in repr(Pins(first="1234", second="4321"))


@given(length=st.integers(4, 15))
def test_a_drawn_pin_has_the_digits_that_were_asked_for(length: int) -> None:
    pin = random_pin(length)
    assert len(pin) == length
    assert pin.isdecimal()


@pytest.mark.parametrize(
    ("of_caller", "on_number", "registered", "locked"),
    [
        (0, 0, False, False),
        (CALLER_TRIES - 1, NUMBER_TRIES - 1, False, False),
        (CALLER_TRIES, CALLER_TRIES, False, True),
        (CALLER_TRIES, CALLER_TRIES, True, True),
        (0, NUMBER_TRIES, False, True),
        (0, NUMBER_TRIES, True, False),
    ],
)
def test_guessing_is_enough_by_one_caller_or_by_all_strangers(
    of_caller: int, on_number: int, *, registered: bool, locked: bool
) -> None:
    assert locked is is_locked(of_caller=of_caller, on_number=on_number, registered=registered)
