"""The masking agreement between two parties."""

import dataclasses
import enum
import uuid
from datetime import datetime

from bridge.domain.numbers import PhoneNumber


class Side(enum.StrEnum):
    """Which of the two parties of a session."""

    FIRST = "first"
    SECOND = "second"

    @property
    def other(self) -> "Side":
        return Side.SECOND if self is Side.FIRST else Side.FIRST


@dataclasses.dataclass(frozen=True, slots=True)
class Limits:
    """How long a call of a session may ring and last, in seconds."""

    ring_timeout: int
    call_time_limit: int


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """Two parties, one virtual number, a lifetime."""

    id: uuid.UUID
    account: str
    first_party: PhoneNumber
    second_party: PhoneNumber
    virtual_number: PhoneNumber
    created_at: datetime
    modified_at: datetime
    expires_at: datetime
    closed_at: datetime | None
    """When the customer ended it before its time."""
    ring_timeout: int
    """Seconds a phone may ring."""
    call_time_limit: int
    """Seconds two parties may talk in one call."""

    @property
    def limits(self) -> Limits:
        return Limits(self.ring_timeout, self.call_time_limit)

    def party(self, side: Side) -> PhoneNumber:
        return self.first_party if side is Side.FIRST else self.second_party

    def is_live(self, now: datetime) -> bool:
        """Whether the session takes calls at ``now``."""
        return self.closed_at is None and now < self.expires_at
