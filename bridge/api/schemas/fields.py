"""The kinds of value that a request may hold, and what is wrong with one that is none."""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal

import pydantic
from pydantic import BaseModel, BeforeValidator, Field
from pydantic_core import PydanticCustomError

from bridge.domain.numbers import PhoneNumber
from bridge.domain.reports import Range

_HIGHEST_PAGE = 20
_MOMENTS = {
    "%Y-%m-%d %H:%M": timedelta(minutes=1),
    "%Y-%m-%d %H:%M:%S": timedelta(seconds=1),
    "%Y-%m-%d %H:%M:%S.%f": timedelta(microseconds=1),
}


def _phone_number(value: Any, info: pydantic.ValidationInfo) -> PhoneNumber:
    """E.164, with or without the plus."""
    text = value if isinstance(value, str) else ""
    try:
        number = PhoneNumber(text if text.startswith("+") else f"+{text}")
    except ValueError:
        number = None
    if number is None or not number.is_possible:
        raise ValueError(f"{info.field_name} is not a valid phone number.")
    return number


def _party(value: Any, info: pydantic.ValidationInfo) -> PhoneNumber:
    """A number that a person may have, and that costs no more than a call."""
    number = _phone_number(value, info)
    if not number.is_valid:
        raise ValueError(f"{info.field_name} is not a valid phone number.")
    if number.is_premium:
        raise ValueError(f"{info.field_name} is a premium-rate number.")
    return number


def faults_of(sentences: list[str]) -> PydanticCustomError:
    """Faults in whole sentences of our own, which hold nothing that was sent."""
    return PydanticCustomError("faults", " ".join(sentences))


def _boolean(value: Any) -> Any:
    """JSON's own, or the words; not the many other things that Pydantic would take for one."""
    words = {"true": True, "false": False}
    return words.get(value.lower(), "neither") if isinstance(value, str) else value


def _url(value: Any, info: pydantic.ValidationInfo) -> str:
    text = value if isinstance(value, str) else ""
    if len(text) >= 1000:
        raise ValueError(f"{info.field_name} should be under 1000 characters.")
    try:
        pydantic.HttpUrl(text)
    except pydantic.ValidationError:
        raise ValueError(f"{info.field_name} should be a valid URL.") from None
    return text


def _moment(value: Any, info: pydantic.ValidationInfo) -> Range[datetime]:
    """``YYYY-MM-DD HH:MM[:ss[.uuuuuu]]`` in UTC: that minute, second or microsecond."""
    for form, length in _MOMENTS.items():
        try:
            at = datetime.strptime(value, form).replace(tzinfo=UTC)
            return Range(at, at + length)
        except (ValueError, OverflowError):
            continue
    raise ValueError(f"{info.field_name} must be a time as YYYY-MM-DD HH:MM[:ss[.uuuuuu]].")


def _length(value: Any, info: pydantic.ValidationInfo) -> Range[int]:
    if not re.fullmatch(r"[0-9]{1,9}", value):
        raise ValueError(f"{info.field_name} must be a number of seconds.")
    return Range(int(value), int(value) + 1)


_E164 = pydantic.WithJsonSchema({"type": "string", "pattern": r"^\+?[1-9][0-9]{1,14}$"})
_TIME = r"^\d{4}-\d\d-\d\d \d\d:\d\d(:\d\d(\.\d{1,6})?)?$"

Number = Annotated[PhoneNumber, pydantic.PlainValidator(_phone_number), _E164]
Party = Annotated[PhoneNumber, pydantic.PlainValidator(_party), _E164]
Flag = Annotated[bool, Field(strict=True), BeforeValidator(_boolean)]
Url = Annotated[
    str,
    pydantic.PlainValidator(_url),
    pydantic.WithJsonSchema({"type": "string", "format": "uri", "maxLength": 999}),
]
Method = Literal["GET", "POST"]
Moment = Annotated[
    Range[datetime],
    pydantic.PlainValidator(_moment),
    pydantic.WithJsonSchema({"type": "string", "pattern": _TIME}),
]
Length = Annotated[
    Range[int],
    pydantic.PlainValidator(_length),
    pydantic.WithJsonSchema({"type": "integer", "minimum": 0, "maximum": 999_999_999}),
]
Pin = Annotated[str, Field(pattern=r"^[0-9]{4,15}$")]
Words = Annotated[str, Field(max_length=64, pattern=r"^[^\x00-\x1f\x7f-\x9f]*$")]
"""Without control characters."""
Name = Annotated[Words, Field(min_length=1)]
SubaccountId = Annotated[str, Field(pattern=r"^SA[A-Z0-9]{18}$")]


def as_sdks_mean_it(body: Any, aliases: Mapping[str, str]) -> Any:
    """Zero and the empty string are what some SDKs send for what was never set."""
    if not isinstance(body, dict):
        return body
    named = {aliases.get(name, name): value for name, value in body.items()}
    return {
        name: value
        for name, value in named.items()
        if not (value is None or value == "" or (value == 0 and value is not False))
    }


def range_of(asked: BaseModel, name: str) -> Range[Any]:
    """The five comparisons of a field as one range.

    Each value is a range itself: a minute, a second, or one number of seconds.
    """
    bounds: dict[str, Callable[[Range[Any]], Range[Any]]] = {
        "": lambda one: one,
        "__gt": lambda one: Range(one.high, None),
        "__gte": lambda one: Range(one.low, None),
        "__lt": lambda one: Range(None, one.low),
        "__lte": lambda one: Range(None, one.high),
    }
    found: Range[Any] = Range()
    for suffix, bound in bounds.items():
        if (value := getattr(asked, name + suffix)) is not None:
            found = found.both(bound(value))
    return found


class Paging(BaseModel):
    """Which part of a list.  A limit out of range is brought into it, as Plivo does."""

    limit: int = Field(default=_HIGHEST_PAGE)
    offset: int = Field(default=0, ge=0, le=2**31 - 1)

    @pydantic.field_validator("limit")
    @classmethod
    def _in_range(cls, value: int) -> int:
        return min(max(value, 1), _HIGHEST_PAGE)
