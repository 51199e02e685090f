"""Numbers that the operator grants to an account: it may add these to its pool, and no others."""

import dataclasses
import uuid
from collections.abc import Iterable, Sequence
from datetime import datetime

from bridge.domain.numbers import PhoneNumber

MOST_IN_A_RANGE = 1_000_000
"""Numbers from the first to the last of one range."""


@dataclasses.dataclass(frozen=True, slots=True, order=True)
class NumberRange:
    """Every number from the first to the last.

    Raises:
        ValueError: the two have not as many digits as each other, are in the wrong order, or have
            more than `MOST_IN_A_RANGE` between them.
    """

    low: int
    """The first number's digits, without the plus."""
    high: int

    def __post_init__(self) -> None:
        if len(str(self.low)) != len(str(self.high)) or self.low > self.high:
            raise ValueError("the ends of a range need as many digits each, the lower one first")
        if self.high - self.low >= MOST_IN_A_RANGE:
            raise ValueError(f"a range may have {MOST_IN_A_RANGE} numbers at most")

    @property
    def first(self) -> PhoneNumber:
        return PhoneNumber(f"+{self.low}")

    @property
    def last(self) -> PhoneNumber:
        return PhoneNumber(f"+{self.high}")

    def __len__(self) -> int:
        return self.high - self.low + 1


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """A range that an account may add numbers of."""

    id: uuid.UUID
    numbers: NumberRange
    country: str
    """ISO 3166 code of the first number's country, or `WORLDWIDE`."""
    granted_at: datetime
    granted_by: str
    """``operator`` for the command line, or which token."""


def read_ranges(texts: Sequence[object]) -> list[NumberRange]:
    """Ranges as ``+12025550100-+12025550199``, or single numbers; in E.164 with the plus.

    Raises:
        ValueError: naming every one that is none by its place.
    """
    found = [_range(text) for text in texts]
    if wrong := [place for place, one in enumerate(found, 1) if one is None]:
        raise ValueError(
            "numbers must be +NUMBER or +FIRST-+LAST, both ends with as many digits and at most "
            f"{MOST_IN_A_RANGE} numbers in between, unlike no. {', '.join(map(str, wrong))}."
        )
    return [one for one in found if one]


def ranges_of(numbers: Iterable[PhoneNumber]) -> list[NumberRange]:
    """The same numbers as few ranges, each number's neighbours with it."""
    ranges: list[NumberRange] = []
    for digits in sorted({_digits(number) for number in numbers}):
        if ranges and ranges[-1].high + 1 == digits and _can_grow(ranges[-1]):
            ranges[-1] = NumberRange(ranges[-1].low, digits)
        else:
            ranges.append(NumberRange(digits, digits))
    return ranges


def _can_grow(one: NumberRange) -> bool:
    return len(str(one.high + 1)) == len(str(one.low)) and len(one) < MOST_IN_A_RANGE


def _range(text: object) -> NumberRange | None:
    first, dash, last = text.strip().partition("-") if isinstance(text, str) else ("", "", "")
    try:
        ends = [PhoneNumber(end.strip()) for end in ((first, last) if dash else (first, first))]
        return NumberRange(*map(_digits, ends)) if all(end.is_possible for end in ends) else None
    except ValueError:
        return None


def _digits(number: PhoneNumber) -> int:
    return int(number.e164.removeprefix("+"))
