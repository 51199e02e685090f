"""Requests as clients send them, and answers as they expect them.

Names, types and defaults are those of Plivo's Number Masking API.  Where its SDKs send odd things
(zero or an empty string for "not given", other spellings), they are understood.
"""

import re
import secrets
import string
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal

import pydantic
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError

from bridge.domain.numbers import PhoneNumber
from bridge.domain.reports import (
    NewSession,
    Range,
    SessionChange,
    SessionFilter,
    SessionStatus,
)

_ALIASES = {
    "geo_match": "geomatch",  # Node
    "sub_account": "subaccount",  # Node
    "create_session_with_single_Party": "create_session_with_single_party",  # Go
}
_HIGHEST_PAGE = 20
_PLURAL = re.compile(r"^(created_time|expiry_time)s$")
_COMPARISON = re.compile(r"^(created_time|expiry_time|duration)_(gte?|lte?)$")
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


def _faults(sentences: list[str]) -> PydanticCustomError:
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


class CreateSession(BaseModel):
    """The body of a create request."""

    model_config = ConfigDict(
        extra="forbid", arbitrary_types_allowed=True, coerce_numbers_to_str=True
    )

    first_party: Party
    second_party: Party
    geomatch: Flag = True
    subaccount: str | None = Field(default=None, pattern=r"^SA[A-Z0-9]{18}$")
    session_expiry: int | None = Field(default=None, ge=60, le=86400)
    call_time_limit: int | None = Field(default=None, ge=60, le=86400)
    ring_timeout: int | None = Field(default=None, ge=5, le=180)
    initiate_call_to_first_party: Flag = False
    callback_url: Url | None = None
    callback_method: Method = "POST"
    record: Flag = False
    record_file_format: Literal["mp3", "wav"] = "mp3"
    recording_callback_url: Url | None = None
    recording_callback_method: Method = "POST"
    first_party_play_url: Url | None = None
    second_party_play_url: Url | None = None
    is_pin_authentication_required: Flag = False
    generate_pin: Flag = False
    generate_pin_length: int = Field(default=4, ge=4, le=15)
    first_party_pin: Pin | None = None
    second_party_pin: Pin | None = None
    pin_prompt_play: Url | None = None
    pin_retry: int = Field(default=1, ge=0, le=5)
    pin_retry_wait: int = Field(default=5, ge=5, le=10)
    incorrect_pin_play: Url | None = None
    unknown_caller_play: Url | None = None
    force_pin_authentication: Flag = False
    create_session_with_single_party: Flag = False
    virtual_number_cooloff_period: int = Field(default=0, ge=0, le=3600)

    @pydantic.model_validator(mode="before")
    @classmethod
    def _as_sdks_mean_it(cls, body: Any) -> Any:
        return _as_sdks_mean_it(body)

    @pydantic.model_validator(mode="after")
    def _fits_together(self) -> "CreateSession":
        faults = []
        if self.first_party == self.second_party:
            faults.append("Invalid parameter. first_party and second_party must be different.")
        if self.is_pin_authentication_required:
            faults += self._faults_of_pins()
        elif self.force_pin_authentication:
            faults.append(
                "Invalid parameter. force_pin_authentication needs is_pin_authentication_required."
            )
        if faults:
            raise _faults(faults)
        return self

    def _faults_of_pins(self) -> list[str]:
        needed = ["pin_prompt_play"]
        if not self.generate_pin:
            needed += ["first_party_pin", "second_party_pin"]
        faults = [
            f"Mandatory parameter missing. {name} must be present."
            for name in needed
            if getattr(self, name) is None
        ]
        if self.first_party_pin and self.first_party_pin == self.second_party_pin:
            faults.append(
                "Invalid parameter. first_party_pin and second_party_pin must be different."
            )
        return faults

    def to_domain(
        self, account: str, *, expiry: int, ring_timeout: int, call_time_limit: int
    ) -> NewSession:
        """What is asked for; the arguments are the defaults."""
        kept_as_columns = {
            "first_party",
            "second_party",
            "session_expiry",
            "ring_timeout",
            "call_time_limit",
            "virtual_number_cooloff_period",
        }
        options = self.model_dump(mode="json", exclude=kept_as_columns)
        if self.is_pin_authentication_required and self.generate_pin:
            options |= self._generated_pins()
        return NewSession(
            account=account,
            first_party=self.first_party,
            second_party=self.second_party,
            country=self.first_party.country if self.geomatch else None,
            expiry=self.session_expiry or expiry,
            ring_timeout=self.ring_timeout or ring_timeout,
            call_time_limit=self.call_time_limit or call_time_limit,
            cooloff=self.virtual_number_cooloff_period,
            options=options,
        )

    def _generated_pins(self) -> dict[str, str]:
        """A PIN for each who was given none; the two differ."""
        first = self.first_party_pin or _pin(self.generate_pin_length, other=self.second_party_pin)
        second = self.second_party_pin or _pin(self.generate_pin_length, other=first)
        return {"first_party_pin": first, "second_party_pin": second}


def _pin(length: int, *, other: str | None) -> str:
    while (pin := "".join(secrets.choice(string.digits) for _ in range(length))) == other:
        pass
    return pin


def _as_sdks_mean_it(body: Any) -> Any:
    """Zero and the empty string are what some SDKs send for what was never set."""
    if not isinstance(body, dict):
        return body
    named = {_ALIASES.get(name, name): value for name, value in body.items()}
    return {
        name: value
        for name, value in named.items()
        if not (value is None or value == "" or (value == 0 and value is not False))
    }


class UpdateSession(BaseModel):
    """The body of an update request.  What is not given stays as it is."""

    model_config = ConfigDict(extra="forbid", coerce_numbers_to_str=True)

    session_expiry: int | None = Field(default=None, ge=60, le=86400)
    """Seconds from now."""
    call_time_limit: int | None = Field(default=None, ge=60, le=86400)
    ring_timeout: int | None = Field(default=None, ge=5, le=180)
    callback_url: Url | None = None
    callback_method: Method | None = None
    record: Flag | None = None
    record_file_format: Literal["mp3", "wav"] | None = None
    recording_callback_url: Url | None = None
    recording_callback_method: Method | None = None
    first_party_play_url: Url | None = None
    second_party_play_url: Url | None = None

    @pydantic.model_validator(mode="before")
    @classmethod
    def _as_sdks_mean_it(cls, body: Any) -> Any:
        """As for a create; SDKs repeat the session's id, and the defaults of what is fixed."""
        meant = _as_sdks_mean_it(body)
        if not isinstance(meant, dict):
            return meant
        fixed = CreateSession.model_fields.keys() - cls.model_fields.keys()
        meant = {
            name: value
            for name, value in meant.items()
            if name != "session_uuid" and not (name in fixed and value is False)
        }
        if wrong := sorted(fixed & meant.keys()):
            faults = [f"Invalid parameter. {name} cannot be updated." for name in wrong]
            raise _faults(faults)
        return meant

    def to_domain(self) -> SessionChange:
        columns = {"session_expiry", "call_time_limit", "ring_timeout"}
        return SessionChange(
            expiry=self.session_expiry,
            ring_timeout=self.ring_timeout,
            call_time_limit=self.call_time_limit,
            options=self.model_dump(mode="json", exclude=columns, exclude_none=True),
        )


class Paging(BaseModel):
    """Which part of a list.  A limit out of range is brought into it, as Plivo does."""

    limit: int = Field(default=_HIGHEST_PAGE)
    offset: int = Field(default=0, ge=0, le=2**31 - 1)

    @pydantic.field_validator("limit")
    @classmethod
    def _in_range(cls, value: int) -> int:
        return min(max(value, 1), _HIGHEST_PAGE)


class ListSessions(Paging):
    """The query of a list request."""

    model_config = ConfigDict(extra="forbid", arbitrary_types_allowed=True)

    first_party: Number | None = None
    second_party: Number | None = None
    virtual_number: Number | None = None
    status: Literal["active", "in-progress", "expired", "all"] = "all"
    created_time: Moment | None = None
    created_time__gt: Moment | None = None
    created_time__gte: Moment | None = None
    created_time__lt: Moment | None = None
    created_time__lte: Moment | None = None
    expiry_time: Moment | None = None
    expiry_time__gt: Moment | None = None
    expiry_time__gte: Moment | None = None
    expiry_time__lt: Moment | None = None
    expiry_time__lte: Moment | None = None
    duration: Length | None = None
    duration__gt: Length | None = None
    duration__gte: Length | None = None
    duration__lt: Length | None = None
    duration__lte: Length | None = None

    @pydantic.model_validator(mode="before")
    @classmethod
    def _as_sdks_mean_it(cls, sent: dict[str, Any]) -> dict[str, Any]:
        """``created_times`` and ``created_time_gt`` are Node's and Java's spellings."""
        return {_COMPARISON.sub(r"\1__\2", _PLURAL.sub(r"\1", name)): sent[name] for name in sent}

    def to_domain(self) -> SessionFilter:
        return SessionFilter(
            first_party=self.first_party,
            second_party=self.second_party,
            virtual_number=self.virtual_number,
            status=None if self.status == "all" else SessionStatus(self.status),
            created=self._range("created_time"),
            expires=self._range("expiry_time"),
            duration=self._range("duration"),
        )

    def _range(self, name: str) -> Range[Any]:
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
        asked: Range[Any] = Range()
        for suffix, bound in bounds.items():
            if (value := getattr(self, name + suffix)) is not None:
                asked = asked.both(bound(value))
        return asked


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
            {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}
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
        number = PhoneNumber(f"+{digits}")
    except ValueError:
        return _fail()[0]
    return number if number.is_possible else _fail()[0]


def _fail() -> list[PhoneNumber]:
    raise ValueError("numbers must be valid phone numbers, separated by commas.")


def digits(number: PhoneNumber) -> str:
    """A number as sessions and lists show it: without the plus."""
    return number.e164.removeprefix("+")
