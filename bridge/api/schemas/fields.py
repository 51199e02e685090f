"""The kinds of value that a request may hold, and what is wrong with one that is none."""

import contextlib
import json
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal
from uuid import UUID
from zoneinfo import ZoneInfo

import pydantic
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError
from yarl import URL

from bridge.api.cursors import read_cursor
from bridge.domain.egress import LONGEST_GIVEN_URL, Fault
from bridge.domain.json_text import BadJson, is_fit, read_json
from bridge.domain.numbers import PhoneNumber
from bridge.domain.pool import national_too
from bridge.domain.requests import Facts, Range, Window

_HIGHEST_PAGE = 20
_LARGEST_METADATA = 4096
_FIRST_INSTANT = datetime(2000, 1, 1, tzinfo=UTC)
_LAST_INSTANT = datetime(2100, 1, 1, tzinfo=UTC)
_MOMENTS = {
    "%Y-%m-%d %H:%M": timedelta(minutes=1),
    "%Y-%m-%d %H:%M:%S": timedelta(seconds=1),
    "%Y-%m-%d %H:%M:%S.%f": timedelta(microseconds=1),
}


def _phone_number(value: Any, info: pydantic.ValidationInfo) -> PhoneNumber:
    """E.164, with or without the plus; in the form that a call from it is given too."""
    text = value if isinstance(value, str) else ""
    try:
        number = PhoneNumber(text if text.startswith("+") else f"+{text}").canonical
    except ValueError:
        number = None
    if number is None or not number.is_possible:
        raise ValueError(f"{info.field_name} is not a valid phone number.")
    return number


def numbers_named(texts: Iterable[Any]) -> list[PhoneNumber]:
    """The numbers that a request names, before they are checked; what is none is left out."""
    found = []
    for text in texts:
        with contextlib.suppress(ValueError):
            found.append(PhoneNumber("+" + str(text).removeprefix("+")))
    return found


def any_bare(values: Iterable[Any]) -> bool:
    """Whether any text is, or holds, a number without its plus."""
    return any(re.search(r"(?<![+0-9])[0-9]", str(value)) for value in values)


def _party(value: Any, info: pydantic.ValidationInfo) -> PhoneNumber:
    """A number that a person may have, and that costs no more than a call."""
    number = _phone_number(value, info)
    facts = info.context if isinstance(info.context, Facts) else Facts()
    if value.isdecimal() and national_too(value, number, facts.home_countries):
        raise ValueError(
            f"{info.field_name} can be two people's number: write it with + and the country code."
        )
    if wrong := facts.fault_of_party(number):
        raise ValueError(f"{info.field_name} {wrong}")
    return number


def _subaccount(value: str, info: pydantic.ValidationInfo) -> str:
    if isinstance(info.context, Facts) and value not in info.context.subaccounts:
        raise ValueError(f"{info.field_name} is not an enabled subaccount of this account.")
    return value


def fault(sentence: str) -> PydanticCustomError:
    """A fault in a whole sentence of our own, which holds nothing that was sent."""
    return PydanticCustomError("faults", sentence.replace("{", "{{"))


def missing() -> PydanticCustomError:
    """A field that must be there is not."""
    return PydanticCustomError("missing", "Field required")


def _instant(value: Any, info: pydantic.ValidationInfo) -> datetime:
    """ISO 8601 with its offset, or as Plivo writes times, in UTC."""
    try:
        at = datetime.fromisoformat(value)
        at = at if at.tzinfo else at.replace(tzinfo=UTC)
        if _FIRST_INSTANT <= at < _LAST_INSTANT:
            return at.astimezone(UTC)
    except (TypeError, ValueError, OverflowError):
        pass
    raise ValueError(f"{info.field_name} must be a time as YYYY-MM-DDTHH:MM:SSZ, up to 2099.")


def _json_object(value: Any, info: pydantic.ValidationInfo) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ValueError(f"{info.field_name} must be a JSON object.")
    if len(json.dumps(value)) >= _LARGEST_METADATA:
        raise ValueError(f"{info.field_name} should be under {_LARGEST_METADATA} characters.")
    return value


def _json_text(value: Any, info: pydantic.ValidationInfo) -> dict[str, Any]:
    try:
        found = read_json(value if isinstance(value, str) else "")
    except BadJson as bad:
        raise ValueError(f"{info.field_name} must be a JSON object; it {bad.what}") from None
    if not is_fit(found):
        rule = "must hold neither NUL nor half a surrogate pair."
        raise ValueError(f"{info.field_name} {rule}")
    return _json_object(found, info)


def _cursor(value: Any, info: pydantic.ValidationInfo) -> tuple[datetime, UUID]:
    try:
        return read_cursor(value if isinstance(value, str) else "")
    except ValueError:
        raise ValueError(f"{info.field_name} is not one that a list has given.") from None


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
        called = URL(text)  # as whoever calls it reads it
        user = called.user or ""
    except ValueError:
        user = ":"
    if ":" in user:  # HTTP has no way to send one
        raise ValueError(f"{info.field_name} should be a valid URL.")
    if isinstance(info.context, Facts):
        rules = info.context.egress
        match rules.fault(text, longest=LONGEST_GIVEN_URL) or rules.fault(str(called)):
            case None:
                pass
            case Fault.PORT | Fault.ADDRESS:
                raise ValueError(f"{info.field_name} leads where requests may not go.")
            case _:
                raise ValueError(f"{info.field_name} should be a valid URL.")
    return text


def _question_url(value: Any, info: pydantic.ValidationInfo) -> str:
    """One that full numbers are sent to."""
    text = _url(value, info)
    if isinstance(info.context, Facts) and info.context.egress.fault_of_question(text):
        raise ValueError(
            f"{info.field_name} must begin with https:// because questions hold full numbers;"
            " http:// needs the operator's BRIDGE_ROUTING_ALLOW_HTTP."
        )
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
_DATE = r"[1-9]\d{3}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])"
_CLOCK = r"([01]\d|2[0-3]):[0-5]\d(:[0-5]\d(\.\d{1,6})?)?"

Number = Annotated[PhoneNumber, pydantic.PlainValidator(_phone_number), _E164]
Party = Annotated[PhoneNumber, pydantic.PlainValidator(_party), _E164]
Flag = Annotated[bool, Field(strict=True), BeforeValidator(_boolean)]
Url = Annotated[
    str,
    pydantic.PlainValidator(_url),
    pydantic.WithJsonSchema(
        {"type": "string", "format": "uri", "pattern": "^https?://", "maxLength": 999}
    ),
]
MaybeParty = Annotated[
    PhoneNumber | Literal[""],
    pydantic.PlainValidator(lambda value, info: "" if value == "" else _party(value, info)),
    _E164,
]
"""Empty: none any more."""
MaybeUrl = Annotated[
    str,
    pydantic.PlainValidator(lambda value, info: "" if value == "" else _url(value, info)),
    pydantic.WithJsonSchema(
        {"type": "string", "format": "uri", "pattern": "^https?://", "maxLength": 999}
    ),
]
_QUESTION_URL = pydantic.WithJsonSchema(
    {"type": "string", "format": "uri", "pattern": "^https://", "maxLength": 999}
)
QuestionUrl = Annotated[str, pydantic.PlainValidator(_question_url), _QUESTION_URL]
"""Whom to ask about a call."""
MaybeQuestionUrl = Annotated[
    str,
    pydantic.PlainValidator(lambda value, info: "" if value == "" else _question_url(value, info)),
    _QUESTION_URL,
]
Method = Literal["GET", "POST"]
SubaccountId = Annotated[str, Field(pattern=r"^SA[A-Z0-9]{18}$")]
Subaccount = Annotated[SubaccountId, pydantic.AfterValidator(_subaccount)]
"""One that may make sessions."""
Instant = Annotated[
    datetime,
    pydantic.PlainValidator(_instant),
    pydantic.WithJsonSchema({"type": "string", "format": "date-time"}),
]
JsonObject = Annotated[
    dict[str, Any],
    pydantic.PlainValidator(_json_object),
    pydantic.WithJsonSchema({"type": "object"}),
]
JsonText = Annotated[
    dict[str, Any],
    pydantic.PlainValidator(_json_text),
    pydantic.WithJsonSchema({"type": "string", "contentMediaType": "application/json"}),
]
Cursor = Annotated[
    tuple[datetime, UUID],
    pydantic.PlainValidator(_cursor),
    pydantic.WithJsonSchema({"type": "string"}),
]
_OCLOCK = r"^([01]\d|2[0-3]):[0-5]\d$"


class _QuietHours(BaseModel):
    model_config = ConfigDict(extra="forbid", title="QuietHours")

    start: Annotated[str, Field(pattern=_OCLOCK)]
    end: Annotated[str, Field(pattern=_OCLOCK)]
    timezone: Annotated[str, Field(max_length=64)] = "UTC"
    """IANA's name, such as ``Europe/Berlin``."""


def _quiet_hours(value: Any, info: pydantic.ValidationInfo) -> dict[str, str]:
    try:
        hours = _QuietHours.model_validate(value)
        ZoneInfo(hours.timezone)
        if hours.start != hours.end:
            return hours.model_dump()
    except (ValueError, KeyError, OSError):  # no such hours, no such time zone
        pass
    raise ValueError(
        f"{info.field_name} must have start and end as HH:MM, which differ, and may have a timezone"
        " by its IANA name."
    )


Quiet = Annotated[
    dict[str, str],
    pydantic.PlainValidator(_quiet_hours),
    pydantic.WithJsonSchema(_QuietHours.model_json_schema()),
]
_LINE = r"[^\x00-\x1f\x7f-\x9f]*"
Reason = Annotated[str, Field(max_length=200, pattern=f"^{_LINE}$")]
"""Something for people to read."""
GivenReason = Annotated[
    str, Field(min_length=1, max_length=200, pattern=rf"^{_LINE}[^\s\x00-\x1f\x7f-\x9f]{_LINE}$")
]
"""One that must not be empty or blank."""
Moment = Annotated[
    Range[datetime],
    pydantic.PlainValidator(_moment),
    pydantic.WithJsonSchema({"type": "string", "pattern": f"^{_DATE} {_CLOCK}$"}),
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

    @property
    def window(self) -> Window:
        """Which part of the list."""
        return Window(limit=self.limit, offset=self.offset)
