"""Requests as clients send them, and answers as they expect them.

Names, types and defaults are those of Plivo's Number Masking API.  Where its SDKs send odd things
(zero or an empty string for "not given", other spellings), they are understood.
"""

from typing import Annotated, Any, Literal

import pydantic
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from bridge.domain.numbers import PhoneNumber
from bridge.domain.reports import NewSession, SessionFilter, SessionStatus

_ALIASES = {
    "geo_match": "geomatch",  # Node
    "sub_account": "subaccount",  # Node
    "create_session_with_single_Party": "create_session_with_single_party",  # Go
}
_HIGHEST_PAGE = 20


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


Number = Annotated[PhoneNumber, pydantic.PlainValidator(_phone_number)]
Flag = Annotated[bool, Field(strict=True), BeforeValidator(_boolean)]
Url = Annotated[str, pydantic.PlainValidator(_url)]
Method = Literal["GET", "POST"]
Pin = Annotated[str, Field(pattern=r"^[0-9]{4,15}$")]


class CreateSession(BaseModel):
    """The body of a create request."""

    model_config = ConfigDict(
        extra="forbid", arbitrary_types_allowed=True, coerce_numbers_to_str=True
    )

    first_party: Number
    second_party: Number
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
        """Zero and the empty string are what some SDKs send for what was never set."""
        if not isinstance(body, dict):
            return body
        named = {_ALIASES.get(name, name): value for name, value in body.items()}
        return {
            name: value
            for name, value in named.items()
            if not (value is None or value == "" or (value == 0 and value is not False))
        }

    @pydantic.model_validator(mode="after")
    def _two_parties(self) -> "CreateSession":
        if self.first_party == self.second_party:
            raise ValueError("first_party and second_party must be different.")
        return self

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
        }
        return NewSession(
            account=account,
            first_party=self.first_party,
            second_party=self.second_party,
            country=self.first_party.country if self.geomatch else None,
            expiry=self.session_expiry or expiry,
            ring_timeout=self.ring_timeout or ring_timeout,
            call_time_limit=self.call_time_limit or call_time_limit,
            options=self.model_dump(mode="json", exclude=kept_as_columns),
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

    def to_domain(self) -> SessionFilter:
        return SessionFilter(
            first_party=self.first_party,
            second_party=self.second_party,
            virtual_number=self.virtual_number,
            status=None if self.status == "all" else SessionStatus(self.status),
        )


class ListNumbers(Paging):
    """The query of a list request."""

    model_config = ConfigDict(extra="forbid")


class AddNumbers(BaseModel):
    """The body that adds numbers of one's own carrier to the pool."""

    model_config = ConfigDict(extra="forbid", arbitrary_types_allowed=True)

    numbers: Annotated[list[PhoneNumber], pydantic.PlainValidator(lambda value: _numbers(value))]
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
