"""Masking sessions.

Names, types and defaults are those of Plivo's Number Masking API.  Where its SDKs send odd things
(zero or an empty string for "not given", other spellings), they are understood.
"""

import re
import secrets
import string
from typing import Any, Literal

import pydantic
from pydantic import BaseModel, ConfigDict, Field

from bridge.api.schemas.fields import (
    Flag,
    Length,
    Method,
    Moment,
    Number,
    Paging,
    Party,
    Pin,
    Url,
    as_sdks_mean_it,
    faults_of,
    range_of,
)
from bridge.domain.reports import (
    NewSession,
    SessionChange,
    SessionFilter,
    SessionStatus,
)

_ALIASES = {
    "geo_match": "geomatch",  # Node
    "sub_account": "subaccount",  # Node
    "create_session_with_single_Party": "create_session_with_single_party",  # Go
}
_PLURAL = re.compile(r"^(created_time|expiry_time)s$")
_COMPARISON = re.compile(r"^(created_time|expiry_time|duration)_(gte?|lte?)$")


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
        return as_sdks_mean_it(body, _ALIASES)

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
            raise faults_of(faults)
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
        meant = as_sdks_mean_it(body, _ALIASES)
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
            raise faults_of(faults)
        return meant

    def to_domain(self) -> SessionChange:
        columns = {"session_expiry", "call_time_limit", "ring_timeout"}
        return SessionChange(
            expiry=self.session_expiry,
            ring_timeout=self.ring_timeout,
            call_time_limit=self.call_time_limit,
            options=self.model_dump(mode="json", exclude=columns, exclude_none=True),
        )


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
            created=range_of(self, "created_time"),
            expires=range_of(self, "expiry_time"),
            duration=range_of(self, "duration"),
        )
