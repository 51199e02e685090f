"""The pool of virtual numbers.

Of what Plivo's SDKs send, applications, CNAM and 10DLC have no meaning here and are refused.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

import pydantic
from pydantic import BaseModel, ConfigDict, Field

from bridge.api.schemas.fields import (
    Cursor,
    Flag,
    MaybeParty,
    MaybeUrl,
    Number,
    Paging,
    Party,
    Reason,
    SubaccountId,
    Url,
    Words,
    as_sdks_mean_it,
    numbers_named,
)
from bridge.domain.numbers import COUNTRIES, NumberType, PhoneNumber
from bridge.domain.pool import (
    MOST_AT_ONCE,
    NumberFilter,
    NumberSettings,
    NumberState,
    read_numbers,
)
from bridge.domain.requests import Facts
from bridge.domain.trunk_rules import TRUNK_NAME

_ALIASES = {"sub_account": "subaccount"}  # Node
_FILTER_ALIASES = {
    **_ALIASES,
    "number_type": "type",  # Go and Java
    "country_iso": "country",  # as Plivo's search for numbers has it
}
_CLEARED_BY_NULL: Mapping[str, Any] = {
    "alias": "",
    "subaccount": "",
    "max_concurrent_calls": 0,
    "fallback_number": "",
    "fallback_play_url": "",
}

_Trunk = Annotated[str, Field(pattern=rf"^{TRUNK_NAME}$")]
"""As BRIDGE_TRUNK."""
_Type = Literal["local", "fixed", "mobile", "national", "tollfree"]
_State = Literal["active", "draining", "quarantined", "retired"]

ConcurrentCalls = Annotated[int, Field(ge=0, le=100_000)]
"""0: any number."""

_NUMBER = r" *\+?[0-9]{2,15} *"


class ListNumbers(Paging):
    """The query of a list request."""

    model_config = ConfigDict(extra="forbid")

    type: _Type | None = None
    number_startswith: str | None = Field(default=None, pattern=r"^\+?[1-9][0-9]{0,14}$")
    alias: Words | None = None
    subaccount: SubaccountId | None = None
    services: str | None = Field(default=None, pattern=r"^(voice|sms|mms)(,(voice|sms|mms))*$")
    country: str | None = Field(default=None, pattern=r"^([A-Z]{2}|001)$")
    """ISO 3166; 001 is no country's."""
    state: _State | None = None
    """Any but retired, if it is not given."""
    reserved: Flag | None = None

    @pydantic.model_validator(mode="before")
    @classmethod
    def _as_sdks_mean_it(cls, sent: dict[str, Any]) -> dict[str, Any]:
        return {_FILTER_ALIASES.get(name, name): value for name, value in sent.items()}

    def to_domain(self) -> NumberFilter:
        start = self.number_startswith
        return NumberFilter(
            starts_with=start.removeprefix("+") if start else None,
            country=self.country,
            number_type=NumberType(self.type) if self.type else None,
            alias=self.alias,
            subaccount=self.subaccount,
            reserved=self.reserved,
            state=NumberState(self.state) if self.state else None,
            services=self.services.split(",") if self.services else (),
        )


class AddNumbers(BaseModel):
    """The body that adds numbers of one's own carrier to the pool."""

    model_config = ConfigDict(extra="forbid", arbitrary_types_allowed=True)

    country: Annotated[str, Field(pattern=r"^[A-Z]{2}$")] | None = None
    """ISO 3166: whose national numbers are understood, where a number has no plus."""
    numbers: Annotated[
        list[PhoneNumber],
        pydantic.PlainValidator(lambda value, info: _numbers(value, info)),
        pydantic.WithJsonSchema(
            {
                "anyOf": [
                    {"type": "string", "pattern": f"^{_NUMBER}(,{_NUMBER})*$"},
                    {
                        "type": "array",
                        "items": {"type": "string", "pattern": f"^{_NUMBER}$"},
                        "minItems": 1,
                        "maxItems": MOST_AT_ONCE,
                    },
                ],
                "examples": ["+12025550142, +12025550143"],
            }
        ),
    ]
    """Separated by commas, as Plivo has it, or a list; in E.164.  Without plus and ``country`` a
    number must be a whole one, and none of a country that the account has numbers in."""
    alias: Words | None = None
    carrier: _Trunk | None = None
    """The trunk they come in by."""
    region: Words | None = None
    number_type: _Type | None = None
    """If it is not given, what the country's numbering plan says."""
    subaccount: SubaccountId | None = None
    state: Literal["active", "draining", "quarantined"] | None = None
    reserved: Flag | None = None
    """To be given only when asked for by name."""
    max_concurrent_calls: ConcurrentCalls | None = None
    """Calls that may be up at once on each."""
    fallback_number: Party | None = None
    """Who is called for those whose session is over, such as a support desk."""
    fallback_play_url: Url | None = None
    """What they hear, before that or in its place."""

    @pydantic.model_validator(mode="before")
    @classmethod
    def _as_sdks_mean_it(cls, body: Any) -> Any:
        return as_sdks_mean_it(body, _ALIASES)

    @pydantic.field_validator("country")
    @classmethod
    def _has_numbers(cls, value: str | None) -> str | None:
        if value is not None and value not in COUNTRIES:
            raise ValueError("country is no ISO 3166 code of a country with phone numbers.")
        return value

    def to_domain(self) -> NumberSettings:
        return NumberSettings(
            alias=self.alias,
            trunk=self.carrier,
            region=self.region,
            number_type=NumberType(self.number_type) if self.number_type else None,
            subaccount=self.subaccount,
            reserved=self.reserved,
            max_concurrent_calls=self.max_concurrent_calls,
            fallback_number=self.fallback_number,
            fallback_play_url=self.fallback_play_url,
            state=NumberState(self.state) if self.state else None,
        )


class UpdateNumber(BaseModel):
    """The body that changes a number.  What is not given stays as it is."""

    model_config = ConfigDict(extra="forbid", arbitrary_types_allowed=True)

    alias: Words | None = None
    """Null: none."""
    subaccount: Annotated[str, Field(pattern=r"^(SA[A-Z0-9]{18})?$")] | None = None
    """Null: the account's own again."""
    carrier: _Trunk | None = None
    state: _State | None = None
    """A retired one has to be added again."""
    reserved: Flag | None = None
    max_concurrent_calls: ConcurrentCalls | None = None
    """Null: any number."""
    fallback_number: MaybeParty | None = None
    """Null: none."""
    fallback_play_url: MaybeUrl | None = None
    """Null: none."""

    @pydantic.model_validator(mode="before")
    @classmethod
    def _as_sdks_mean_it(cls, body: Any) -> Any:
        """SDKs repeat the number; an empty string says that nothing was given, null does not."""
        meant = as_sdks_mean_it(body, _ALIASES)
        if not isinstance(meant, dict):
            return meant
        meant.pop("number", None)
        return meant | {
            name: cleared
            for name, cleared in _CLEARED_BY_NULL.items()
            if body.get(name, "") is None
        }

    def to_domain(self) -> NumberSettings:
        return NumberSettings(
            alias=self.alias,
            trunk=self.carrier,
            subaccount=self.subaccount,
            reserved=self.reserved,
            max_concurrent_calls=self.max_concurrent_calls,
            fallback_number=self.fallback_number,
            fallback_play_url=self.fallback_play_url,
            state=NumberState(self.state) if self.state else None,
        )


class ReplaceNumber(BaseModel):
    """The body of a request that gives a number's live sessions another."""

    model_config = ConfigDict(extra="forbid", arbitrary_types_allowed=True)

    virtual_number: Number | None = None
    """This one and no other, a reserved one too; if it is not given, any of the same country."""
    limit: Annotated[int, Field(ge=1, le=100)] = 100
    """Sessions that are looked at in one request."""
    cursor: Cursor | None = None
    """Where an earlier request ended, by its ``next_cursor``."""
    reason: Reason = ""
    """For the sessions' histories."""


def _numbers(value: Any, info: pydantic.ValidationInfo) -> list[PhoneNumber]:
    parts = value
    if isinstance(value, str):  # Plivo's Python SDK makes "['1202…', '1202…']" of a list
        parts = [part.strip(" '") for part in value.strip("[]").split(",")]
    if not isinstance(parts, list) or not parts:
        raise ValueError("numbers must be valid phone numbers, separated by commas.")
    facts = info.context if isinstance(info.context, Facts) else Facts()
    return read_numbers(parts, country=info.data.get("country"), home=facts.home_countries)


def fallback_named(sent: dict[str, Any]) -> list[PhoneNumber]:
    """The number that calls are to go to, as far as it is one at all."""
    return numbers_named([sent.get("fallback_number")])
