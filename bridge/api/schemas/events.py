"""What an application was told, or is to be told."""

import uuid

import pydantic
from pydantic import BaseModel, ConfigDict

from bridge.api.schemas.fields import Cursor
from bridge.domain.events import DeliveryState, EventFilter

_HIGHEST_PAGE = 100


class ListEvents(BaseModel):
    """The query of a list request.  A limit out of range is brought into it."""

    model_config = ConfigDict(extra="forbid")

    limit: int = 20
    cursor: Cursor | None = None
    """Where an earlier page ended, by its ``next_cursor``."""
    state: DeliveryState | None = None

    @pydantic.field_validator("limit")
    @classmethod
    def _in_range(cls, value: int) -> int:
        return min(max(value, 1), _HIGHEST_PAGE)

    def to_domain(self, session: uuid.UUID | None) -> EventFilter:
        return EventFilter(session=session, state=self.state, after=self.cursor)
