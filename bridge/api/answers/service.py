"""The service itself: its health, its description."""

from typing import Literal

from pydantic import BaseModel, ConfigDict

from bridge.api.answers.fields import Answer


class Alive(Answer):
    status: Literal["alive"]


class Readiness(BaseModel):
    """Each part by its name."""

    model_config = ConfigDict(extra="allow")

    status: Literal["ready", "not ready"]


class Description(BaseModel):
    """An OpenAPI document."""

    model_config = ConfigDict(extra="allow")

    openapi: Literal["3.1.0"]
