"""What was recorded of calls."""

import dataclasses
import uuid
from datetime import datetime, timedelta
from typing import Literal

from bridge.domain.numbers import PhoneNumber
from bridge.domain.requests import Range


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """What is known of a recording; its audio is elsewhere."""

    id: uuid.UUID
    session: uuid.UUID
    leg: uuid.UUID
    """The leg that the call began with."""
    caller: PhoneNumber | None
    """``None``: withheld."""
    virtual_number: PhoneNumber
    format: Literal["mp3", "wav"]
    started_at: datetime
    ended_at: datetime | None
    """``None`` while it goes on."""
    seen_at: datetime
    """When this was so, by the database's clock."""
    size: int | None
    """Bytes of its file."""
    sha256: bytes | None

    @property
    def length(self) -> timedelta | None:
        return self.ended_at - self.started_at if self.ended_at else None

    @property
    def days_kept(self) -> int:
        """Days begun since it was over."""
        return (self.seen_at - self.ended_at).days + 1 if self.ended_at else 0


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class RecordingFilter:
    """Which recordings a list shows; ``None`` means any."""

    leg: uuid.UUID | None = None
    """Either leg of the call."""
    subaccount: str | None = None
    caller: PhoneNumber | None = None
    virtual_number: PhoneNumber | None = None
    added: Range[datetime] = dataclasses.field(default_factory=Range)
    """When it ended."""
