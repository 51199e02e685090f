"""What was recorded of calls."""

import uuid
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from bridge.api.schemas.fields import Moment, Number, Paging, SubaccountId, range_of
from bridge.domain.recordings import RecordingFilter


class SignedMedia(BaseModel):
    """What proves a URL of a recording."""

    model_config = ConfigDict(extra="forbid")

    expires: int = Field(ge=0, le=2**53)
    """Unix time at which it is over."""
    signature: Annotated[str, Field(min_length=1, max_length=100)]


class ListRecordings(Paging):
    """The query of a list request."""

    model_config = ConfigDict(extra="forbid", arbitrary_types_allowed=True)

    call_uuid: uuid.UUID | None = None
    """Either leg."""
    subaccount: SubaccountId | None = None
    from_number: Number | None = None
    """Who called."""
    to_number: Number | None = None
    """The virtual number."""
    add_time: Moment | None = None
    add_time__gt: Moment | None = None
    add_time__gte: Moment | None = None
    add_time__lt: Moment | None = None
    add_time__lte: Moment | None = None

    def to_domain(self) -> RecordingFilter:
        return RecordingFilter(
            leg=self.call_uuid,
            subaccount=self.subaccount,
            caller=self.from_number,
            virtual_number=self.to_number,
            added=range_of(self, "add_time"),
        )
