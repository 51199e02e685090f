"""PINs: what a stranger types to be led to a party's session, and what guessing costs."""

import dataclasses
import enum
import uuid
from collections.abc import Callable, Collection, Sequence

from bridge.domain.sessions import Side

DRAWS = 10
"""PINs that are drawn for one that is to be generated, of which the first that is free is taken."""

WINDOW = 15 * 60
"""Seconds for which a wrong PIN counts."""

CALLER_TRIES = 5
"""Wrong PINs in that time, after which a caller is asked no more, whatever number it calls.

Enough for a person with one call's retries and a second call.
"""


@dataclasses.dataclass(frozen=True, slots=True)
class Slowing:
    """A pause before each guess that grows with the wrong PINs of late, and never locks.

    Callers' numbers are easily forged, so what many callers together may guess is bounded by time:
    who knows a PIN waits, and gets through.
    """

    free: int
    """Wrong PINs in `WINDOW` that cost no pause."""
    longest: float
    """Seconds."""

    def pause(self, wrong: int) -> float:
        """Seconds from the last guess to the next one, after so many wrong PINs in `WINDOW`."""
        if wrong < self.free:
            return 0.0
        return min(self.longest, 2.0 ** min(wrong - self.free, 10))


ON_NUMBER = Slowing(free=10, longest=20.0)
"""Of all strangers to a number together."""

IN_ACCOUNT = Slowing(free=90, longest=4.0)
"""Of all strangers to all of an account's numbers together."""

WITHHELD = Slowing(free=CALLER_TRIES, longest=30.0)
"""Of all who withhold their number, in an account.  They count as one caller; one of them who
guesses must not keep the others out."""

NUMBER_TRIES_AN_HOUR = 200
ACCOUNT_TRIES_AN_HOUR = 1000
WITHHELD_TRIES_AN_HOUR = 130
"""What comes of these, at most; a caller that is known has ``4 * CALLER_TRIES``."""

LONGEST_WAIT = 60.0
"""Seconds that a caller is let wait for its turn; where more are in front, it is refused."""

LONGEST_PIN = 15
"""Digits."""

GUESS_CHANCE = 0.05
"""That somebody who uses every try on a number for an hour finds a PIN on it, where PINs are
generated."""


LONGEST_PAUSE = max(one.longest for one in (ON_NUMBER, IN_ACCOUNT, WITHHELD))
"""Seconds for which it matters when a wrong PIN was typed, and not only that it was."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Tries:
    """Wrong PINs in the last `WINDOW`: how many, and when the last ones were, in seconds from now.

    The times are those of the last `LONGEST_PAUSE`, and of turns that are still to come.
    """

    of_caller: int = 0
    """On any number; 0 for a caller who withholds its number."""
    on_number: int = 0
    on_number_at: Sequence[float] = ()
    in_account: int = 0
    in_account_at: Sequence[float] = ()
    withheld: int = 0
    """Of all in the account who withhold theirs; 0 for a caller that is known."""
    withheld_at: Sequence[float] = ()
    registered: bool = False
    """Whether the caller is a party of a live session on this number: no stranger slows it down."""

    @property
    def wait(self) -> float:
        """Seconds until it is this caller's turn to guess: the first moment that is far enough from
        every other guess."""
        if self.registered:
            return 0.0
        wait = 0.0
        busy = sorted(
            (at - pause, at + pause)
            for pause, times in (
                (ON_NUMBER.pause(self.on_number), self.on_number_at),
                (IN_ACCOUNT.pause(self.in_account), self.in_account_at),
                (WITHHELD.pause(self.withheld), self.withheld_at),
            )
            for at in times
            if pause
        )
        for begin, end in busy:
            if begin < wait < end:
                wait = end
        return wait

    @property
    def locked(self) -> bool:
        """Whether the caller is not asked at all for now."""
        return self.of_caller >= CALLER_TRIES or self.wait > LONGEST_WAIT

    def after_a_wrong_one(self, *, withheld: bool) -> "Tries":
        """What there is once this caller has typed another now."""
        return dataclasses.replace(
            self,
            of_caller=self.of_caller + (not withheld),
            on_number=self.on_number + 1,
            on_number_at=[*self.on_number_at, 0.0],
            in_account=self.in_account + 1,
            in_account_at=[*self.in_account_at, 0.0],
            withheld=self.withheld + withheld,
            withheld_at=[*self.withheld_at, 0.0] if withheld else self.withheld_at,
        )

    @property
    def reached(self) -> "Sequence[Bound]":
        """The bounds that the last wrong PIN has reached."""
        return [
            bound
            for bound, wrong, enough in (
                (Bound.CALLER, self.of_caller, CALLER_TRIES),
                (Bound.NUMBER, self.on_number, ON_NUMBER.free),
                (Bound.ACCOUNT, self.in_account, IN_ACCOUNT.free),
                (Bound.WITHHELD, self.withheld, WITHHELD.free),
            )
            if wrong >= enough
        ]


class Bound(enum.StrEnum):
    """Whose wrong PINs are enough to be slowed down, or of a caller to be refused."""

    CALLER = "caller"
    NUMBER = "number"
    ACCOUNT = "account"
    WITHHELD = "withheld"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Pins:
    """The PINs of a new session: as given, or ``None`` for one that is to be generated."""

    first: str | None = dataclasses.field(default=None, repr=False)
    second: str | None = dataclasses.field(default=None, repr=False)
    length: int = 4
    """Digits of one that is generated, 4 to 15; more where its number has many (`room`)."""

    def given(self, side: Side) -> str | None:
        return self.first if side is Side.FIRST else self.second

    @property
    def are_given(self) -> Collection[str]:
        """Those that are not to be generated."""
        return {pin for side in Side if (pin := self.given(side))}


@dataclasses.dataclass(frozen=True, slots=True)
class Guess:
    """What a caller typed who was asked for a PIN."""

    pin: str = dataclasses.field(repr=False)
    retry: int
    """How often it was asked before."""
    asked_by: uuid.UUID
    """The session that asks."""
    turn: int | None = None
    """Of `NotYet`, once the caller has waited for it."""


@dataclasses.dataclass(frozen=True, slots=True)
class NotYet:
    """A guess was not looked at: its turn is in ``wait`` seconds."""

    wait: float
    turn: int


@dataclasses.dataclass(frozen=True, slots=True)
class Wrong:
    """A guess was wrong; the next one may be asked for in ``wait`` seconds."""

    wait: float = 0.0


def room(length: int) -> int:
    """PINs of a length that a number may have, if they are generated."""
    return int(GUESS_CHANCE * 10.0**length / NUMBER_TRIES_AN_HOUR)


def draws(draw: Callable[[int], str], length: int, *, besides: Collection[str]) -> Sequence[str]:
    """PINs of a length, drawn at random; none of them is one of ``besides``."""
    return [pin for pin in dict.fromkeys(draw(length) for _ in range(DRAWS)) if pin not in besides]
