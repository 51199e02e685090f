"""PINs: what a stranger types to be led to a party's session, and what guessing costs."""

import dataclasses
import uuid
from collections.abc import Callable, Mapping, Sequence

from bridge.domain.sessions import Side

DRAWS = 10
"""PINs that are drawn for one that is to be generated, of which the first that is free is taken.

Where half of all PINs of a length are taken, which is far more than is wise, one in a thousand
sessions does not get a number for want of a PIN.
"""

WINDOW = 15 * 60
"""Seconds for which a wrong PIN counts."""

CALLER_TRIES = 5
"""Wrong PINs in that time, after which a caller to a number is asked no more.

Enough for a person with one call's retries and a second call; all who withhold their number count
as one caller.
"""

NUMBER_TRIES = 50
"""The same for all strangers to a number together: callers' numbers are easily forged.

It bounds guessing to 200 in an hour, which finds one of two PINs of four digits in a day, of six in
three months.  Parties of a live session are not locked out by it, so forging keeps no party away.
"""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Pins:
    """The PINs of a new session: as given, or ``None`` for one that is to be generated."""

    first: str | None = dataclasses.field(default=None, repr=False)
    second: str | None = dataclasses.field(default=None, repr=False)
    length: int = 4
    """Digits of one that is generated, 4 to 15."""

    def given(self, side: Side) -> str | None:
        return self.first if side is Side.FIRST else self.second


@dataclasses.dataclass(frozen=True, slots=True)
class Guess:
    """What a caller typed who was asked for a PIN."""

    pin: str = dataclasses.field(repr=False)
    retry: int
    """How often it was asked before."""
    asked_by: uuid.UUID
    """The session that asks."""


def choices(
    pins: Pins | None, draw: Callable[[int], str], *, given_only: bool = False
) -> Mapping[Side, Sequence[str]]:
    """What each party's PIN may be, best first: the one that was given, or some that were drawn.

    The two have none in common.  ``given_only`` leaves out whoever's is to be generated.
    """
    found: dict[Side, Sequence[str]] = {}
    if pins is None:
        return found
    used = {pin for side in Side if (pin := pins.given(side))}
    for side in Side:
        if pin := pins.given(side):
            found[side] = [pin]
        elif not given_only:
            drawn = dict.fromkeys(draw(pins.length) for _ in range(DRAWS))
            found[side] = [pin for pin in drawn if pin not in used]
            used |= drawn.keys()
    return found


def is_locked(*, of_caller: int, on_number: int, registered: bool) -> bool:
    """Whether so many wrong PINs of late are enough.

    Args:
        of_caller: that this caller typed, on this number.
        on_number: that anybody typed.
        registered: whether the caller is a party of a live session on this number.
    """
    return of_caller >= CALLER_TRIES or (on_number >= NUMBER_TRIES and not registered)
