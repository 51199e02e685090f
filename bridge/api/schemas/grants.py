"""Numbers that the operator grants to an account."""

from typing import Annotated, Any

import pydantic
from pydantic import BaseModel, ConfigDict

from bridge.domain.grants import NumberRange, read_ranges

MOST_RANGES = 100

_NUMBER = r"\+[1-9][0-9]{1,14}"


def _ranges(value: Any) -> list[NumberRange]:
    if not isinstance(value, list) or not 0 < len(value) <= MOST_RANGES:
        raise ValueError(f"numbers must be a list of 1 to {MOST_RANGES} numbers or ranges.")
    return read_ranges(value)


class GrantNumbers(BaseModel):
    """The body that lets an account add numbers to its pool."""

    model_config = ConfigDict(extra="forbid", arbitrary_types_allowed=True)

    numbers: Annotated[
        list[NumberRange],
        pydantic.PlainValidator(_ranges),
        pydantic.WithJsonSchema(
            {
                "type": "array",
                "items": {"type": "string", "pattern": f"^{_NUMBER}(-{_NUMBER})?$"},
                "minItems": 1,
                "maxItems": MOST_RANGES,
                "examples": [["+12025550100-+12025550199", "+442079460123"]],
            }
        ),
    ]
    """Single numbers, or the first and the last of a range."""
