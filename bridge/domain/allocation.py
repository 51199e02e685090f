"""The virtual numbers that a session needs, and why none may be had.

Which number fits best is decided where the pairs are, by ``find_free_number`` in
``sql/queries/sessions.sql``; here is what to ask it for.
"""

import dataclasses
import uuid
from collections.abc import Mapping, Sequence

from bridge.domain.numbers import PhoneNumber
from bridge.domain.pins import Pins
from bridge.domain.requests import NewSession, Refusal
from bridge.domain.sessions import Side


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """One virtual number, and who must be able to call it."""

    callers: Sequence[tuple[PhoneNumber, Side]]
    """The (caller, virtual number) pairs that it must be free for."""
    anybody: Side | None = None
    """The side of whoever else calls it, in a session whose other party is not known."""
    pin_sides: Sequence[Side] = ()
    """The parties whose PINs count on it."""
    country: str | None
    """ISO 3166; ``None`` for any."""
    named: PhoneNumber | None
    """This number and no other."""
    known_with: tuple[PhoneNumber, PhoneNumber] | None
    """Who would find the number that they had before; ``None`` where that does not matter."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """The virtual numbers that a session is to have."""

    account: str
    subaccount: str | None
    """Whose numbers they must be; ``None`` for those that are no subaccount's."""
    needs: Mapping[Side, Need]
    """By the party that calls the number: the first's, and the second's where it has its own."""
    pins: Pins | None
    """What strangers type to be led to it; ``None``: strangers are not asked."""
    session: uuid.UUID | None = None
    """Who has pairs and PINs already, which are no obstacle to it; ``None``: nobody yet."""


def claim(new: NewSession) -> Claim:
    """What a new session needs."""
    return Claim(account=new.account, subaccount=new.subaccount, needs=_needs(new), pins=new.pins)


def _needs(new: NewSession) -> Mapping[Side, Need]:
    """The numbers of a session: one for both parties, or one for each.

    With a number each, of either party only its own calls must be told apart, so that N sessions
    at once of the busiest party need N numbers, and not 2N-1.
    """
    first = [(number, Side.FIRST) for number in new.numbers(Side.FIRST)]
    second = [(number, Side.SECOND) for number in new.numbers(Side.SECOND)]
    if not new.per_party:
        both = _need(new, [*first, *second], of=list(Side), named=new.virtual_number)
        return {Side.FIRST: both}
    return {
        Side.FIRST: _need(new, first, of=[Side.FIRST], named=new.virtual_number),
        Side.SECOND: _need(new, second, of=[Side.SECOND], named=new.second_virtual_number),
    }


def _need(
    new: NewSession,
    callers: Sequence[tuple[PhoneNumber, Side]],
    *,
    of: Sequence[Side],
    named: PhoneNumber | None,
) -> Need:
    leader = callers[0][0]
    both = new.first_party and new.second_party and (new.first_party, new.second_party)
    known_with = both if both and leader == new.first_party else (both and both[::-1])
    return Need(
        callers=callers,
        anybody=new.missing_side if new.takes_anybody else None,
        pin_sides=of if new.pins else (),
        country=leader.country if new.geomatch and named is None else None,
        named=named,
        known_with=known_with if new.sticky and known_with else None,
    )


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Stock:
    """How many of an account's numbers there are for a need, each line out of the one before."""

    in_pool: int
    """Of the account and the subaccount."""
    active: int
    """Given to new sessions, and not reserved (or named)."""
    of_country: int
    cooling_off: int
    """Held for a caller only by sessions that are over."""


def why_none(need: Need, stock: Stock) -> Refusal:
    """Why no number could be had, as precisely as it can be said."""
    if need.named:
        if stock.in_pool == 0:
            return Refusal.NAMED_NUMBER_UNKNOWN
        return Refusal.NAMED_NUMBER_IN_USE if stock.active else Refusal.NAMED_NUMBER_INACTIVE
    if stock.in_pool == 0:
        return Refusal.POOL_EMPTY
    if stock.active == 0:
        return Refusal.POOL_INACTIVE
    if stock.of_country == 0:
        return Refusal.POOL_WITHOUT_COUNTRY
    return Refusal.POOL_COOLING_OFF if stock.cooling_off else Refusal.POOL_IN_USE
