"""The pool: virtual numbers, which of them new sessions get, and the parts of an account."""

import dataclasses
import enum
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Literal

from bridge.domain.numbers import COUNTRIES, NumberType, PhoneNumber
from bridge.domain.trunk_rules import national_number

MOST_AT_ONCE = 100
"""Numbers that may be added in one go: each is locked meanwhile, and Postgres has so many locks."""


class NumberState(enum.StrEnum):
    """What may still happen on a number."""

    ACTIVE = "active"
    """Given to new sessions."""
    DRAINING = "draining"
    """Not given any more; its sessions go on."""
    QUARANTINED = "quarantined"
    """Takes no calls for now either."""
    RETIRED = "retired"
    """Out of the pool; kept for the records that name it."""

    @property
    def takes_calls(self) -> bool:
        return self in (NumberState.ACTIVE, NumberState.DRAINING)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class VirtualNumber:
    """A number of the pool."""

    number: PhoneNumber
    alias: str
    country: str
    number_type: NumberType
    region: str
    """In its customer's words."""
    trunk: str
    subaccount: str | None
    """Whose sessions alone may have it; ``None`` for those of the account itself."""
    reserved: bool
    """Only given when it is asked for by name."""
    max_concurrent_calls: int | None
    """Calls that may be up on it at once; ``None``: any number."""
    fallback_number: PhoneNumber | None
    """Who is called for those whose session is over; ``None``: they are refused."""
    fallback_play_url: str | None
    """What they hear before."""
    state: NumberState
    added_at: datetime
    live_sessions: int
    blocked_calls: int
    """Calls of the last 30 days that a network blocked as spam because they showed it."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class NumberSettings:
    """What is to be set; ``None`` leaves a thing as it is, or as a new number has it."""

    alias: str | None = None
    trunk: str | None = None
    region: str | None = None
    number_type: NumberType | None = None
    subaccount: str | None = None
    """Empty: give it back to the account."""
    reserved: bool | None = None
    max_concurrent_calls: int | None = None
    """0: any number."""
    fallback_number: PhoneNumber | Literal[""] | None = None
    """Empty: none."""
    fallback_play_url: str | None = None
    """Empty: none."""
    state: NumberState | None = None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class NumberFilter:
    """Which numbers a list shows; ``None`` means any, and any but retired ones of ``state``."""

    starts_with: str | None = None
    """The first digits, after a plus."""
    country: str | None = None
    number_type: NumberType | None = None
    alias: str | None = None
    subaccount: str | None = None
    reserved: bool | None = None
    state: NumberState | None = None
    services: Sequence[str] = ()
    """What it must be able to carry, of ``voice``, ``sms`` and ``mms``; all carry voice alone."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class NotAdded:
    """Why numbers were not added: none of them was."""

    subaccount_is_unknown: bool = False
    unavailable: Sequence[PhoneNumber] = ()
    """Those that the account may not add: for whatever reason, it is not told which."""
    most: int | None = None
    """As many as the account may have in its pool, where these would be more."""
    taken: Sequence[PhoneNumber] = ()
    """Those that another account has, or is granted.  For the operator alone."""
    parties: Sequence[PhoneNumber] = ()
    """Those of parties of live sessions: of the account's, or for the operator of anybody's."""

    def reasons(self, asked: Sequence[PhoneNumber]) -> list[str]:
        """Sentences that name numbers by their places among those that were ``asked`` for."""
        reasons = []
        if self.subaccount_is_unknown:
            reasons.append("Invalid parameter. subaccount is not one of this account.")
        if self.unavailable:
            reasons.append(
                f"This account may not add {_places(self.unavailable, asked)} of numbers: "
                "the number is not granted to it, or is not free now. Ask the operator."
            )
        if self.most is not None:
            reasons.append(
                f"This account may have {self.most} numbers in its pool at once. Ask the operator."
            )
        if self.taken:
            reasons.append(f"Another account has {_places(self.taken, asked)} of numbers.")
        if self.parties:
            places = _places(self.parties, asked)
            reasons.append(f"A party of a live session has {places} of numbers.")
        return [*reasons, "None was added."]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Subaccount:
    """Part of an account, for its accounting.  Its id opens nothing by itself."""

    auth_id: str
    account: str
    name: str
    enabled: bool
    """May make new sessions."""
    created_at: datetime
    modified_at: datetime


def read_numbers(
    texts: Sequence[object],
    *,
    country: str | None = None,
    home: Collection[str] | None = None,
) -> list[PhoneNumber]:
    """Numbers for the pool: in E.164 with the plus, or as a country's phones dial them.

    Args:
        country: ISO 3166 code of the country whose national numbers are understood.
        home: where the account is at home.  Without a ``country``, digits without the plus are
            taken for a whole number that is valid, where they are no national number of these;
            ``None``: they are not taken at all.

    Raises:
        ValueError: naming every one that is none by its place, for it may be somebody's number.
    """
    if len(texts) > MOST_AT_ONCE:
        raise ValueError(f"numbers must be {MOST_AT_ONCE} or fewer.")
    numbers = [_number(text, country, home) for text in texts]
    if wrong := [place for place, number in enumerate(numbers, 1) if number is None]:
        raise ValueError(
            "numbers must be valid phone numbers, with + and the country code, or with country for "
            f"national ones, unlike {_listed(wrong)}."
        )
    return [number for number in numbers if number]


def _number(text: object, country: str | None, home: Collection[str] | None) -> PhoneNumber | None:
    digits = text.strip() if isinstance(text, str) else ""
    if digits.startswith("+"):
        number = _whole(digits[1:])
        return number if number and number.is_possible else None
    whole = _whole(digits)
    if whole and not whole.is_valid:
        whole = None
    if country:
        found = {national_number(digits, country)} if digits.isdecimal() else set()
        found |= {whole} if whole and whole.country == country else set()
        found.discard(None)
        return found.pop() if len(found) == 1 else None
    if whole and home is not None and not national_too(digits, whole, home):
        return whole
    return None


def national_too(digits: str, whole: PhoneNumber, countries: Collection[str]) -> bool:
    """Whether digits that are a whole number are another one where phones dial them nationally."""
    readings = (national_number(digits, country) for country in countries if country in COUNTRIES)
    return any(number not in (None, whole) for number in readings)


def _whole(digits: str) -> PhoneNumber | None:
    try:
        return PhoneNumber(f"+{digits}").canonical
    except ValueError:
        return None


def _places(some: Sequence[PhoneNumber], asked: Sequence[PhoneNumber]) -> str:
    return _listed(place for place, number in enumerate(asked, 1) if number in some)


def _listed(places: Iterable[int]) -> str:
    """Such as ``no. 2, 5``."""
    return f"no. {', '.join(map(str, places))}"
