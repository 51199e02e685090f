"""The account."""

from typing import Any

import pydantic
from pydantic import BaseModel, ConfigDict

from bridge.api.schemas.fields import Name, as_sdks_mean_it


class UpdateAccount(BaseModel):
    """The body of an update request.

    Plivo's city and address are for its invoices; here nothing would keep them, so they are
    refused rather than lost.
    """

    model_config = ConfigDict(extra="forbid")

    name: Name

    @pydantic.model_validator(mode="before")
    @classmethod
    def _as_sdks_mean_it(cls, body: Any) -> Any:
        return as_sdks_mean_it(body, {})
