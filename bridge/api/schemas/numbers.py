"""The pool of virtual numbers."""

from typing import Annotated, Any

import pydantic
from pydantic import BaseModel, ConfigDict, Field

from bridge.api.schemas.fields import Paging
from bridge.domain.numbers import PhoneNumber

_NUMBER = r" *\+?[1-9][0-9]{1,14} *"


class ListNumbers(Paging):
    """The query of a list request."""

    model_config = ConfigDict(extra="forbid")


class AddNumbers(BaseModel):
    """The body that adds numbers of one's own carrier to the pool."""

    model_config = ConfigDict(extra="forbid", arbitrary_types_allowed=True)

    numbers: Annotated[
        list[PhoneNumber],
        pydantic.PlainValidator(lambda value: _numbers(value)),
        pydantic.WithJsonSchema(
            {
                "anyOf": [
                    {"type": "string", "pattern": f"^{_NUMBER}(,{_NUMBER})*$"},
                    {
                        "type": "array",
                        "items": {"type": "string", "pattern": f"^{_NUMBER}$"},
                        "minItems": 1,
                    },
                ],
                "examples": ["12025550142, 12025550143"],
            }
        ),
    ]
    """Separated by commas, as Plivo has it, or a list."""
    alias: str = Field(default="", max_length=64, pattern=r"^[^\x00-\x1f]*$")
    carrier: str = Field(default="", max_length=64)
    region: str = Field(default="", max_length=64)


def _numbers(value: Any) -> list[PhoneNumber]:
    """A comma-separated string, as Plivo has it, or a list."""
    parts = value.split(",") if isinstance(value, str) else value
    try:
        return [_pool_number(part) for part in parts] or _fail()
    except (TypeError, AttributeError):
        return _fail()


def _pool_number(text: Any) -> PhoneNumber:
    digits = text.strip().removeprefix("+")
    try:
        number = PhoneNumber(f"+{digits}").canonical
    except ValueError:
        return _fail()[0]
    return number if number.is_possible else _fail()[0]


def _fail() -> list[PhoneNumber]:
    raise ValueError("numbers must be valid phone numbers, separated by commas.")
