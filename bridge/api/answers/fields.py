"""What answers of every kind are made of."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Digits = Annotated[str, Field(pattern=r"^[1-9][0-9]{1,14}$")]
"""A phone number without the plus."""
Time = Annotated[str, Field(pattern=r"^(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d \+0000 UTC)?$")]
"""UTC as Go prints it; empty for never."""
Uuid = Annotated[
    str, Field(pattern=r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$")
]
Method = Literal["GET", "POST"]


class Answer(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class Identified(Answer):
    api_id: Uuid
    """The request's id; also in the header X-Request-ID and in our logs."""


class Error(Identified):
    """Everything that is wrong, in whole sentences."""

    error: str
    reason: str | None = None
    """One stable word for programs, where the status does not say enough."""


class Message(Identified):
    message: str


class Meta(Answer):
    limit: int
    next: str | None
    offset: int
    previous: str | None
    total_count: int
