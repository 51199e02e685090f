"""What a leg costs.  Decimals throughout, and no currency: whoever wrote the rates knows it."""

import dataclasses
import enum
import math
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal

_SMALLEST = Decimal("0.000001")


class Direction(enum.StrEnum):
    """Of a leg, as the carrier sees it."""

    INBOUND = "inbound"
    """Called one of our numbers; its destination is that virtual number."""
    OUTBOUND = "outbound"
    """Placed by us; its destination is the party."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Charge:
    """What one leg cost."""

    billed_seconds: int
    price_per_minute: Decimal
    amount: Decimal
    """To six places, the connection fee included."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Tariff:
    """How a leg is charged.  As it is here: by the second, and nothing."""

    price_per_minute: Decimal = Decimal(0)
    """Not negative, to six places, like the fee."""
    connection_fee: Decimal = Decimal(0)
    """Once, for a leg that was answered."""
    first_seconds: int = 1
    """Whoever talks for a moment pays for this long; 1 or more."""
    next_seconds: int = 1
    """What is beyond is counted in steps of this length begun; 1 or more."""

    def billed_seconds(self, talked: timedelta) -> int:
        """Seconds to pay for: none only for having talked not even a moment."""
        seconds = math.ceil(talked / timedelta(seconds=1))
        if seconds <= 0:
            return 0
        steps = math.ceil(max(seconds - self.first_seconds, 0) / self.next_seconds)
        return self.first_seconds + steps * self.next_seconds

    def charge(self, talked: timedelta) -> Charge:
        """What a leg costs that lasted this long from its answer to its end."""
        seconds = self.billed_seconds(talked)
        amount = self.connection_fee + self.price_per_minute * seconds / 60
        return Charge(
            billed_seconds=seconds,
            price_per_minute=self.price_per_minute,
            amount=amount.quantize(_SMALLEST, rounding=ROUND_HALF_UP),
        )


UNANSWERED = Charge(billed_seconds=0, price_per_minute=Decimal(0), amount=Decimal(0))
"""A leg that nobody answered costs nothing."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """One line of the rate table.

    Of the rates for a destination that are valid on a day, the one with the longest prefix counts;
    of those with one prefix the latest.
    """

    trunk: str
    direction: Direction
    prefix: str
    """First digits of the destination, without ``+``; empty for every destination."""
    valid_from: date
    """From 0:00 UTC of this day, until a later rate of the same prefix."""
    tariff: Tariff

    @property
    def key(self) -> tuple[str, Direction, str, date]:
        """What there is one rate of; another with the same takes its place."""
        return self.trunk, self.direction, self.prefix, self.valid_from
