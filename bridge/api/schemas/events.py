"""What an application was told, or is to be told."""

import uuid
from typing import Literal

import pydantic
from pydantic import BaseModel, ConfigDict

from bridge.api.schemas.fields import Cursor, GivenReason
from bridge.domain.events import DeliveryState, EventFilter

_HIGHEST_PAGE = 100


class NewestFirst(BaseModel):
    """The query of a list request.  A limit out of range is brought into it."""

    model_config = ConfigDict(extra="forbid")

    limit: int = 20
    cursor: Cursor | None = None
    """Where an earlier page ended, by its ``next_cursor``."""

    @pydantic.field_validator("limit")
    @classmethod
    def _in_range(cls, value: int) -> int:
        return min(max(value, 1), _HIGHEST_PAGE)


class ListEvents(NewestFirst):
    """As `NewestFirst`, those of one state alone."""

    state: Literal["pending", "delivered", "dead", "none"] | None = None

    def to_domain(self, session: uuid.UUID | None) -> EventFilter:
        return EventFilter(
            session=session,
            state=DeliveryState(self.state) if self.state else None,
            after=self.cursor,
        )


class RevealNumbers(BaseModel):
    """The body of a request to see the numbers of an event."""

    model_config = ConfigDict(extra="forbid")

    reason: GivenReason
    """Why; it is written down, with who asked."""


class StreamEvents(BaseModel):
    """The query of a stream."""

    model_config = ConfigDict(extra="forbid")

    duration: int = pydantic.Field(default=3600, ge=0, le=3600)
    """Seconds after which it ends, for the client to come back where it was."""
