"""Calls of an account."""

import uuid
from typing import Annotated, Any, Literal

import pydantic
from pydantic import ConfigDict, Field

from bridge.api.schemas.fields import Cursor, Moment, Number, Paging, range_of
from bridge.domain.outcomes import Disposition
from bridge.domain.requests import CallFilter, Window

_FARTHEST = 10_000


class ListCalls(Paging):
    """The query of a list of calls."""

    model_config = ConfigDict(extra="forbid", arbitrary_types_allowed=True)

    offset: int = Field(default=0, ge=0, le=_FARTHEST)
    """Beyond it ``cursor`` goes on."""
    cursor: Cursor | None = None
    """Where an earlier page ended, by its ``next_cursor``; instead of ``offset``."""
    virtual_number: Number | None = None
    from_number: Number | None = None
    """Who called; of a call that was ordered, who was called first.  In full, however numbers are
    shown."""
    session_uuid: uuid.UUID | None = None
    disposition: (
        Literal["in-progress", "completed", "cancelled", "refused", "busy", "no-answer", "failed"]
        | None
    ) = None
    """What became of it."""
    reason: Annotated[str, Field(pattern=r"^[a-z0-9-]{1,64}$")] | None = None
    """One word, such as ``unknown-caller``."""
    initiation_time: Moment | None = None
    initiation_time__gt: Moment | None = None
    initiation_time__gte: Moment | None = None
    initiation_time__lt: Moment | None = None
    initiation_time__lte: Moment | None = None

    @pydantic.model_validator(mode="before")
    @classmethod
    def _as_lists_of_sessions_have_it(cls, sent: dict[str, Any]) -> dict[str, Any]:
        """Plivo's calls have an ``initiation_time``; ``start_time`` is the same, as in events."""
        return {name.replace("start_time", "initiation_time"): sent[name] for name in sent}

    @property
    def window(self) -> Window:
        """Which part of the list; behind a cursor no offset counts."""
        return Window(limit=self.limit, offset=0 if self.cursor else self.offset, after=self.cursor)

    def to_domain(self) -> CallFilter:
        is_up = self.disposition == "in-progress"
        return CallFilter(
            session=self.session_uuid,
            virtual_number=self.virtual_number,
            caller=self.from_number,
            disposition=Disposition(self.disposition) if self.disposition and not is_up else None,
            only_up=is_up,
            reason=self.reason,
            started=range_of(self, "initiation_time"),
        )
