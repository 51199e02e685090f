"""Parts of an account.  Names and defaults are Plivo's; SDKs repeat the id in bodies."""

from typing import Any

import pydantic
from pydantic import BaseModel, ConfigDict

from bridge.api.schemas.fields import Flag, Name, Paging, as_sdks_mean_it


class ListSubaccounts(Paging):
    """The query of a list request."""

    model_config = ConfigDict(extra="forbid")


class CreateSubaccount(BaseModel):
    """The body of a create request."""

    model_config = ConfigDict(extra="forbid")

    name: Name
    enabled: Flag = False
    """May make new sessions."""

    @pydantic.model_validator(mode="before")
    @classmethod
    def _as_sdks_mean_it(cls, body: Any) -> Any:
        return as_sdks_mean_it(body, {})


class UpdateSubaccount(BaseModel):
    """The body of an update request.  What is not given stays as it is."""

    model_config = ConfigDict(extra="forbid")

    name: Name | None = None
    enabled: Flag | None = None

    @pydantic.model_validator(mode="before")
    @classmethod
    def _as_sdks_mean_it(cls, body: Any) -> Any:
        return _without_id(as_sdks_mean_it(body, {}))


class RemoveSubaccount(BaseModel):
    """The arguments of a delete request, in its query or its body."""

    model_config = ConfigDict(extra="forbid")

    cascade: Flag = False
    """Retire its numbers too; else they are the account's again."""

    @pydantic.model_validator(mode="before")
    @classmethod
    def _as_sdks_mean_it(cls, sent: Any) -> Any:
        return _without_id(as_sdks_mean_it(sent, {}))


def _without_id(sent: Any) -> Any:
    if isinstance(sent, dict):
        sent.pop("auth_id", None)
    return sent
