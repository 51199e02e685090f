"""The masking agreement between two parties."""

import dataclasses
import enum
import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Literal

from bridge.domain.numbers import PhoneNumber

RecordingFormat = Literal["mp3", "wav"]


class Side(enum.StrEnum):
    """Which of the two parties of a session."""

    FIRST = "first"
    SECOND = "second"

    @property
    def other(self) -> "Side":
        return Side.SECOND if self is Side.FIRST else Side.FIRST


class Direction(enum.StrEnum):
    """Who may call whom."""

    ONE_WAY = "one-way"
    """The first party calls the second, and is never called."""
    TWO_WAY = "two-way"


@dataclasses.dataclass(frozen=True, slots=True)
class Limits:
    """How long a call of a session may ring and last, in seconds."""

    ring_timeout: int
    call_time_limit: int


@dataclasses.dataclass(frozen=True, slots=True)
class RecordingPlan:
    """How the calls of a session are recorded."""

    format: RecordingFormat


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """Two parties, one virtual number (or one each), a lifetime."""

    id: uuid.UUID
    account: str
    first_party: PhoneNumber | None
    second_party: PhoneNumber | None
    """``None``: whoever calls, in a session that was made with a single party."""
    first_party_alternates: Sequence[PhoneNumber] = ()
    second_party_alternates: Sequence[PhoneNumber] = ()
    """Further numbers that a party may call from; its own number is the one that rings."""
    virtual_number: PhoneNumber
    """What both parties call and see, or the first alone where the second has its own."""
    second_virtual_number: PhoneNumber | None = None
    direction: Direction = Direction.TWO_WAY
    created_at: datetime
    modified_at: datetime
    valid_from: datetime | None = None
    """No calls before; ``None``: from the beginning."""
    expires_at: datetime
    closed_at: datetime | None
    """When the customer ended it before its time."""
    ring_timeout: int
    """Seconds a phone may ring."""
    call_time_limit: int
    """Seconds two parties may talk in one call."""
    max_calls: int | None = None
    max_total_duration: int | None = None
    """Seconds that may be talked over all calls together."""
    recording: RecordingPlan | None = None
    """``None``: its calls are not recorded."""

    @property
    def limits(self) -> Limits:
        """Those of a call, as long as the session's own are far."""
        return Limits(self.ring_timeout, self.call_time_limit)

    def party(self, side: Side) -> PhoneNumber | None:
        """The number at which a party is called."""
        return self.first_party if side is Side.FIRST else self.second_party

    def numbers(self, side: Side) -> Sequence[PhoneNumber]:
        """Every number that a party may call from."""
        party = self.party(side)
        alternates = (
            self.first_party_alternates if side is Side.FIRST else self.second_party_alternates
        )
        return [*([party] if party else []), *alternates]

    def number_for(self, side: Side) -> PhoneNumber:
        """The virtual number that a party calls, and that its phone shows when it is called."""
        return (side is Side.SECOND and self.second_virtual_number) or self.virtual_number

    def is_live(self, now: datetime) -> bool:
        """Whether the session takes calls at ``now``."""
        return self.closed_at is None and now < self.expires_at
