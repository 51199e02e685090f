"""The service itself: its health, its description."""

from typing import Literal

from pydantic import BaseModel, ConfigDict

from bridge.api.answers.fields import Answer


class Alive(Answer):
    status: Literal["alive"]


class PartTrouble(Answer):
    """What is wrong with a part, and what to do about it."""

    reason: str
    wrong: str
    cure: str


class Readiness(BaseModel):
    """Each part by its name, whether it is ready; and of those that are not, why."""

    model_config = ConfigDict(extra="allow")

    status: Literal["ready", "not ready"]
    troubles: dict[str, PartTrouble]


class Description(BaseModel):
    """An OpenAPI document."""

    model_config = ConfigDict(extra="allow")

    openapi: Literal["3.1.0"]
