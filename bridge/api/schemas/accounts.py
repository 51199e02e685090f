"""The account."""

from typing import Any, Literal, Self

import pydantic
from pydantic import BaseModel, ConfigDict

from bridge.api.schemas.fields import MaybeQuestionUrl, MaybeUrl, Name, as_sdks_mean_it, fault

_WEBHOOKS = (
    "routing_url",
    "routing_backup_url",
    "out_of_session_url",
    "out_of_session_backup_url",
    "call_refused_url",
)


class UpdateAccount(BaseModel):
    """The body of an update request.

    Plivo's city and address are for its invoices; here nothing would keep them, so they are
    refused rather than lost.
    """

    model_config = ConfigDict(extra="forbid")

    name: Name | None = None
    routing_url: MaybeQuestionUrl | None = None
    """Asked before parties are connected, where their session names no other.  Null: nobody."""
    routing_backup_url: MaybeQuestionUrl | None = None
    routing_default: Literal["refuse", "allow"] | None = None
    """What becomes of a call where neither answers."""
    out_of_session_url: MaybeQuestionUrl | None = None
    """Asked about callers who have no live session.  Null: nobody."""
    out_of_session_backup_url: MaybeQuestionUrl | None = None
    call_refused_url: MaybeUrl | None = None
    """Told of calls that are refused.  Null: nobody."""

    @pydantic.model_validator(mode="before")
    @classmethod
    def _as_sdks_mean_it(cls, body: Any) -> Any:
        """An empty string says that nothing was given, null that there is to be nothing."""
        meant = as_sdks_mean_it(body, {})
        if not isinstance(meant, dict):
            return meant
        return meant | {name: "" for name in _WEBHOOKS if body.get(name, "") is None}

    @pydantic.model_validator(mode="after")
    def _changes_something(self) -> Self:
        if not self.model_fields_set:
            raise fault("Mandatory parameter missing. name must be present.")
        return self

    @property
    def webhooks(self) -> dict[str, str]:
        """What is to be set of whom to ask; empty to take it away."""
        return {name: getattr(self, name) for name in self.model_fields_set if name != "name"}
