"""What the PINs of a session may be, and how much guessing is enough."""

import dataclasses
import itertools
from collections.abc import Callable, Iterator
from itertools import cycle

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.domain.pins import (
    ACCOUNT_TRIES_AN_HOUR,
    CALLER_TRIES,
    DRAWS,
    GUESS_CHANCE,
    IN_ACCOUNT,
    LONGEST_PAUSE,
    LONGEST_WAIT,
    NUMBER_TRIES_AN_HOUR,
    ON_NUMBER,
    WINDOW,
    WITHHELD,
    WITHHELD_TRIES_AN_HOUR,
    Pins,
    Tries,
    draws,
    room,
)
from bridge.store.pins import random_pin

PINS = st.from_regex(r"[0-9]{4}", fullmatch=True)


@given(besides=st.sets(PINS), drawn=st.lists(PINS, min_size=1, max_size=2 * DRAWS))
def test_no_drawn_pin_is_one_that_is_there(besides: set[str], drawn: list[str]) -> None:
    source: Iterator[str] = cycle(drawn)
    may_be = draws(lambda length: next(source), 4, besides=besides)
    assert set(may_be) <= set(drawn) - besides
    assert len(set(may_be)) == len(may_be) <= DRAWS


def test_pins_are_not_shown_where_the_values_that_hold_them_are() -> None:
    assert "1234" not in repr(Pins(first="1234", second="4321"))


@given(length=st.integers(4, 15))
def test_a_drawn_pin_has_the_digits_that_were_asked_for(length: int) -> None:
    pin = random_pin(length)
    assert len(pin) == length
    assert pin.isdecimal()


def test_four_digits_are_enough_for_one_session_and_more_sessions_get_longer_pins() -> None:
    assert [room(length) for length in (4, 5, 6, 7)] == [2, 25, 250, 2500]
    for length in range(4, 16):
        assert room(length) * NUMBER_TRIES_AN_HOUR / 10**length <= GUESS_CHANCE


# --- guessing ---


@dataclasses.dataclass
class Desk:
    """Wrong PINs as the store keeps them, under a clock of its own; each guess is wrong."""

    now: float = 0.0
    wrong: list[tuple[float, str, str | None]] = dataclasses.field(default_factory=list)
    """When, on which number, by whom."""

    def tries(self, number: str, caller: str | None) -> Tries:
        """Function ``wrong_pins`` of Postgres."""
        of_late = [one for one in self.wrong if one[0] > self.now - WINDOW]

        def counted(whose: Callable[[str, str | None], bool]) -> tuple[int, list[float]]:
            times = [at - self.now for at, number, caller in of_late if whose(number, caller)]
            return len(times), [at for at in times if at > -LONGEST_PAUSE]

        on_number, on_number_at = counted(lambda it, _: it == number)
        in_account, in_account_at = counted(lambda it, _: account(it) == account(number))
        withheld, withheld_at = counted(
            lambda it, by: caller is None and by is None and account(it) == account(number)
        )
        return Tries(
            of_caller=sum(one[2] == caller is not None for one in of_late),
            on_number=on_number,
            on_number_at=on_number_at,
            in_account=in_account,
            in_account_at=in_account_at,
            withheld=withheld,
            withheld_at=withheld_at,
        )

    def guesses(self, number: str, caller: str | None) -> float | None:
        """How long it waits until its guess is looked at; ``None``: it is not."""
        tries = self.tries(number, caller)
        if tries.locked:
            return None
        self.wrong.append((self.now + tries.wait, number, caller))
        return tries.wait

    def most_in_an_hour(self, whose: Callable[[str, str | None], bool]) -> int:
        times = sorted(at for at, number, caller in self.wrong if whose(number, caller))
        return max((sum(start <= at < start + 3600 for at in times) for start in times), default=0)


def account(number: str) -> str:
    return number[0]


Whose = Callable[[str, str | None], bool]


def by_whom(caller: str | None) -> Whose:
    return lambda _, by: by == caller


def on_number(number: str) -> Whose:
    return lambda on, _: on == number


def in_account(its: str) -> Whose:
    return lambda on, _: account(on) == its


def withheld_in(its: str) -> Whose:
    return lambda on, by: by is None and account(on) == its


NUMBERS = ["A1", "A2", "A3", "B1"]
CALLERS = [None, "Mallory", "Oscar", *(f"forged {place}" for place in range(20))]
STEPS = st.lists(
    st.tuples(
        st.sampled_from([0.0, 0.5, 3.0, 20.0, 60.0, 300.0, 899.0, 901.0]),
        st.integers(1, 30),
        st.sampled_from(NUMBERS),
        st.sampled_from(CALLERS),
    ),
    max_size=60,
)


@given(STEPS, st.sampled_from(NUMBERS), st.sampled_from([None, "an honest stranger"]))
@settings(max_examples=80, deadline=None)
def test_in_whatever_order_anybody_guesses_all_bounds_hold_and_a_stranger_gets_through(
    steps: list[tuple[float, int, str, str | None]], number: str, honest: str | None
) -> None:
    desk = Desk()
    for passes, often, on, caller in steps:
        desk.now += passes
        for _ in range(often):
            desk.guesses(on, caller)
    for bound, whoses in (
        (4 * CALLER_TRIES, [by_whom(caller) for caller in CALLERS[1:]]),
        (NUMBER_TRIES_AN_HOUR, [on_number(it) for it in NUMBERS]),
        (ACCOUNT_TRIES_AN_HOUR, [in_account(it) for it in "AB"]),
        (WITHHELD_TRIES_AN_HOUR, [withheld_in(it) for it in "AB"]),
    ):
        assert max(map(desk.most_in_an_hour, whoses)) <= bound
    waits = 0.0
    while (wait := desk.guesses(number, honest)) is None:  # calls again once those in front went
        desk.now += 1.0
        waits += 1.0
    assert waits + wait <= LONGEST_WAIT + 30.0


@pytest.mark.parametrize(
    ("numbers", "caller", "bound"),
    [
        (["A1"], "forged", NUMBER_TRIES_AN_HOUR),
        ([f"A{place}" for place in range(50)], "forged", ACCOUNT_TRIES_AN_HOUR),
        ([f"A{place}" for place in range(50)], None, WITHHELD_TRIES_AN_HOUR),
        ([f"A{place}" for place in range(50)], "Mallory", 4 * CALLER_TRIES),
    ],
)
def test_who_uses_every_try_gets_no_more_than_the_bound_and_not_much_less(
    numbers: list[str], caller: str | None, bound: int
) -> None:
    """Each try at the first moment at which it is looked at; forged callers are new each time."""
    desk, names, on = Desk(), itertools.count(), itertools.cycle(numbers)
    while desk.now < 5000 and len(desk.wrong) <= 2 * bound:
        number, by = next(on), f"forged {next(names)}" if caller == "forged" else caller
        tries = desk.tries(number, by)
        if tries.locked:
            desk.now += 5.0
        elif tries.wait:
            desk.now += tries.wait
        else:
            desk.guesses(number, by)
    most = desk.most_in_an_hour(lambda *_: True)
    assert 0.7 * bound < most <= bound


def test_a_guesser_who_keeps_on_slows_a_stranger_down_and_does_not_keep_it_out() -> None:
    """52 wrong PINs locked every stranger out of a number once."""
    desk = Desk()
    for place in range(52):
        while desk.tries("A1", f"forged {place}").wait:
            desk.now += 1.0
        desk.guesses("A1", f"forged {place}")
        assert desk.tries("A1", "an honest stranger").wait <= ON_NUMBER.longest
        assert not desk.tries("A1", "an honest stranger").locked


def test_a_party_s_own_phone_is_not_slowed_by_others_and_is_by_itself() -> None:
    tries = Tries(on_number=99, on_number_at=[0.0], in_account=99, in_account_at=[0.0])
    party = dataclasses.replace(tries, registered=True)
    assert (tries.wait, party.wait) == (20.0, 0.0)
    assert not party.locked
    assert dataclasses.replace(party, of_caller=CALLER_TRIES).locked


@given(st.integers(0, 10**9))
def test_a_pause_grows_and_has_an_end(wrong: int) -> None:
    for slowing in (ON_NUMBER, IN_ACCOUNT, WITHHELD):
        assert 0.0 <= slowing.pause(wrong) <= slowing.pause(wrong + 1) <= slowing.longest
        assert (slowing.pause(wrong) > 0) is (wrong >= slowing.free)
