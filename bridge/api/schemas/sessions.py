"""Masking sessions.

Names, types and defaults are those of Plivo's Number Masking API; what it lacks stands after them.
Where its SDKs send odd things (zero or an empty string for "not given", other spellings), they are
understood.
"""

import re
from collections.abc import Sequence
from typing import Annotated, Any, ClassVar, Literal
from uuid import UUID

import pydantic
from pydantic import BaseModel, ConfigDict, Field

from bridge.api.schemas.fields import (
    Cursor,
    Flag,
    Instant,
    JsonObject,
    JsonText,
    Length,
    Method,
    Moment,
    Number,
    Paging,
    Party,
    Pin,
    QuestionUrl,
    Quiet,
    Reason,
    Subaccount,
    SubaccountId,
    Url,
    as_sdks_mean_it,
    fault,
    missing,
    range_of,
)
from bridge.domain.numbers import PhoneNumber
from bridge.domain.pins import Pins
from bridge.domain.reports import SessionStatus
from bridge.domain.requests import NewSession, SessionChange, SessionFilter, Window
from bridge.domain.sessions import AnswerGuard, Direction, RecordingAnnouncement, Side

_ALIASES = {
    "geo_match": "geomatch",  # Node
    "sub_account": "subaccount",  # Node
    "create_session_with_single_Party": "create_session_with_single_party",  # Go
}
_PLURAL = re.compile(r"^(created_time|expiry_time|duration)s$")
_COMPARISON = re.compile(r"^(created_time|expiry_time|duration)_(gte?|lte?)$")
_PROMPTS = (
    "first_party_play_url",
    "second_party_play_url",
    "pin_prompt_play",
    "incorrect_pin_play",
    "unknown_caller_play",
)
_PARTIES = ("first_party", "second_party")
_COLUMNS = {
    "session_expiry",
    "call_time_limit",
    "ring_timeout",
    "virtual_number_cooloff_period",
    "geomatch",
    "subaccount",
    "create_session_with_single_party",
    "virtual_number_mode",
    "virtual_number",
    "second_virtual_number",
    "sticky",
    "direction",
    "valid_from",
    "expiry_after_last_call",
    "max_calls",
    "max_total_duration",
    "client_reference_id",
    "metadata",
    "dry_run",
    "reason",
    *_PARTIES,
    *(f"{party}_alternates" for party in _PARTIES),
}
"""What is kept in columns of its own; the rest is kept together."""

Expiry = Annotated[int, Field(ge=60, le=86400)]
CallTimeLimit = Annotated[int, Field(ge=60, le=86400)]
RingTimeout = Annotated[int, Field(ge=5, le=180)]
CallbackFormat = Literal["form", "json"]
CallbackEvents = Literal["standard", "all"]
MinAttestation = Literal["none", "C", "B", "A"]
TimeLimitWarning = Annotated[int, Field(ge=-1, le=600)]
MaxCalls = Annotated[int, Field(ge=1, le=100_000)]
MaxTotalDuration = Annotated[int, Field(ge=1, le=31 * 86400)]
RoutingDefault = Literal["refuse", "allow"]
Alternates = Annotated[list[Party], Field(max_length=10)]

_NEEDED: dict[str, Any] = {
    "anyOf": [
        {"required": list(_PARTIES)},
        {
            "properties": {"create_session_with_single_party": {"const": True}},
            "required": ["create_session_with_single_party"],
            "anyOf": [{"required": [party]} for party in _PARTIES],
        },
    ]
}


class CreateSession(BaseModel):
    """The body of a create request.

    What one field means for another is checked at the later one, so that every fault is found, and
    not only those of single fields where there are any.
    """

    model_config = ConfigDict(
        extra="forbid",
        arbitrary_types_allowed=True,
        coerce_numbers_to_str=True,
        json_schema_extra=_NEEDED,
    )

    create_session_with_single_party: Flag = False
    first_party: Party | None = Field(
        default=None, validate_default=True, examples=["+14155550123"]
    )
    second_party: Party | None = Field(
        default=None, validate_default=True, examples=["+12165550145"]
    )
    geomatch: Flag = True
    subaccount: Subaccount | None = None
    session_expiry: Expiry | None = None
    call_time_limit: CallTimeLimit | None = None
    ring_timeout: RingTimeout | None = None
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
    first_party_pin: Pin | None = Field(default=None, validate_default=True)
    second_party_pin: Pin | None = Field(default=None, validate_default=True)
    pin_prompt_play: Url | None = Field(default=None, validate_default=True)
    pin_retry: int = Field(default=1, ge=0, le=5)
    pin_retry_wait: int = Field(default=5, ge=5, le=10)
    incorrect_pin_play: Url | None = None
    unknown_caller_play: Url | None = None
    force_pin_authentication: Flag = False
    virtual_number_cooloff_period: int = Field(default=0, ge=0, le=3600)

    virtual_number_mode: Literal["shared", "per_party"] = "shared"
    """``per_party``: each party gets a virtual number of its own, of its own country."""
    virtual_number: Number | None = None
    """This one and no other."""
    second_virtual_number: Number | None = None
    sticky: Flag = True
    """Among equals, the number that the two had before."""
    first_party_alternates: Alternates = []
    second_party_alternates: Alternates = []
    """Further numbers that a party may call from."""
    callback_format: CallbackFormat = "form"
    """What the body of a callback is, also of one about a recording; a GET has none."""
    callback_events: CallbackEvents = "standard"
    """``all``: also those that Plivo had until 2023, such as that a party is being called."""
    recording_announcement: RecordingAnnouncement = RecordingAnnouncement.NONE
    """``play``: both hear, before they are joined, that their call is recorded; ``press_1``: both
    are asked then, and unless both press 1 it is not recorded."""
    min_attestation: MinAttestation | None = None
    """How far the carrier must vouch for a caller's number (STIR/SHAKEN).  A caller below it counts
    as a stranger.  Null: as the account says."""
    answer_guard: AnswerGuard = AnswerGuard.NONE
    """``press_1``: who answers must press 1, so that no mailbox is connected."""
    time_limit_warning: TimeLimitWarning | None = None
    """Seconds before a call ends by its limit at which both hear that; -1 for never."""
    quiet_hours: Quiet | None = None
    """When nobody of the session wants to be called."""
    direction: Direction = Direction.TWO_WAY
    valid_from: Instant | None = None
    """When the session begins, and its lifetime."""
    expiry_after_last_call: Expiry | None = None
    """Seconds that the session lives on, at least, after each call."""
    max_calls: MaxCalls | None = None
    max_total_duration: MaxTotalDuration | None = None
    """Seconds that may be talked, over all calls."""
    client_reference_id: Annotated[str, Field(pattern=r"^[\x21-\x7e]{1,128}$")] | None = None
    metadata: JsonObject = {}
    routing_url: QuestionUrl | None = None
    """Asked, before the two are connected, whether they are to be."""
    routing_backup_url: QuestionUrl | None = None
    """Asked where the other does not answer."""
    routing_default: RoutingDefault = "refuse"
    """What becomes of the call where neither does."""
    remember_caller: Flag = False
    """Whoever typed a party's right PIN is known by its number for the rest of the session."""
    dry_run: Flag = False
    """Only say which number it would be."""
    reason: Reason = ""
    """For the session's history."""

    @property
    def prompts(self) -> Sequence[str]:
        """URLs of what its calls may play."""
        return _prompts(self)

    @pydantic.model_validator(mode="before")
    @classmethod
    def _as_sdks_mean_it(cls, body: Any) -> Any:
        return as_sdks_mean_it(body, _ALIASES)

    @pydantic.field_validator("first_party", "second_party")
    @classmethod
    def _is_there(cls, value: Any, info: pydantic.ValidationInfo) -> Any:
        """Both, or with a single party at least one."""
        one_will_do = info.data.get("create_session_with_single_party", False)
        is_last = info.field_name == "second_party"
        if value is None and not one_will_do:
            raise missing()
        if value is None and is_last and info.data.get("first_party", value) is None:
            raise fault("Mandatory parameter missing. first_party or second_party must be present.")
        if is_last and _same_phone(value, info.data.get("first_party")):
            raise fault("Invalid parameter. first_party and second_party must be different.")
        return value

    @pydantic.field_validator("first_party_pin", "second_party_pin")
    @classmethod
    def _pin_is_there(cls, value: Any, info: pydantic.ValidationInfo) -> Any:
        with_pin = info.data.get("is_pin_authentication_required", False)
        if value is None and with_pin and not info.data.get("generate_pin", False):
            raise missing()
        if value is not None and value == info.data.get("first_party_pin"):
            raise fault(
                "Invalid parameter. first_party_pin and second_party_pin must be different."
            )
        return value

    @pydantic.field_validator("pin_prompt_play")
    @classmethod
    def _prompt_is_there(cls, value: Any, info: pydantic.ValidationInfo) -> Any:
        if value is None and info.data.get("is_pin_authentication_required", False):
            raise missing()
        return value

    @pydantic.field_validator("force_pin_authentication", "remember_caller")
    @classmethod
    def _has_pins(cls, value: bool, info: pydantic.ValidationInfo) -> bool:
        if value and info.data.get("is_pin_authentication_required") is False:
            raise fault(
                f"Invalid parameter. {info.field_name} needs is_pin_authentication_required."
            )
        return value

    @pydantic.field_validator("virtual_number_mode")
    @classmethod
    def _has_both_parties(cls, value: str, info: pydantic.ValidationInfo) -> str:
        if value == "per_party" and None in (info.data.get(party, "?") for party in _PARTIES):
            raise fault("Invalid parameter. virtual_number_mode per_party needs both parties.")
        return value

    @pydantic.field_validator("second_virtual_number")
    @classmethod
    def _has_a_mode(cls, value: Any, info: pydantic.ValidationInfo) -> Any:
        if value is not None and info.data.get("virtual_number_mode") == "shared":
            raise fault(
                "Invalid parameter. second_virtual_number needs virtual_number_mode per_party."
            )
        return value

    @pydantic.field_validator("first_party_alternates", "second_party_alternates")
    @classmethod
    def _are_nobody_else_s(
        cls, value: list[PhoneNumber], info: pydantic.ValidationInfo
    ) -> list[PhoneNumber]:
        owner = str(info.field_name).removesuffix("_alternates")
        if value and info.data.get(owner, "?") is None:
            raise fault(f"Invalid parameter. {info.field_name} needs {owner}.")
        parties = [info.data.get(party) for party in _PARTIES]
        known = [party for party in parties if party is not None]
        known += info.data.get("first_party_alternates", [])
        if len({one.lookup_form for one in (*value, *known)}) < len(value) + len(known):
            raise fault(f"Invalid parameter. {info.field_name} names a number that is there twice.")
        return value

    @pydantic.field_validator("initiate_call_to_first_party")
    @classmethod
    def _can_be_called(cls, value: bool, info: pydantic.ValidationInfo) -> bool:
        if value and None in (info.data.get(party, "?") for party in _PARTIES):
            raise fault("Invalid parameter. initiate_call_to_first_party needs both parties.")
        return value

    def to_domain(
        self, account: str, *, expiry: int, ring_timeout: int, call_time_limit: int
    ) -> NewSession:
        """What is asked for; the arguments are the defaults."""
        single = self.create_session_with_single_party
        return NewSession(
            account=account,
            first_party=self.first_party,
            second_party=self.second_party,
            first_party_alternates=self.first_party_alternates,
            second_party_alternates=self.second_party_alternates,
            single_party=single,
            takes_anybody=single
            and None in (self.first_party, self.second_party)
            and not self.is_pin_authentication_required,
            geomatch=self.geomatch,
            subaccount=self.subaccount,
            per_party=self.virtual_number_mode == "per_party",
            virtual_number=self.virtual_number,
            second_virtual_number=self.second_virtual_number,
            sticky=self.sticky,
            direction=self.direction,
            expiry=self.session_expiry or expiry,
            valid_from=self.valid_from,
            expiry_after_last_call=self.expiry_after_last_call,
            ring_timeout=self.ring_timeout or ring_timeout,
            call_time_limit=self.call_time_limit or call_time_limit,
            max_calls=self.max_calls,
            max_total_duration=self.max_total_duration,
            client_reference_id=self.client_reference_id,
            metadata=self.metadata,
            cooloff=self.virtual_number_cooloff_period,
            options=self.model_dump(mode="json", exclude=_COLUMNS),
            pins=self._pins,
            call_me=self.initiate_call_to_first_party,
            dry_run=self.dry_run,
        )

    @property
    def _pins(self) -> Pins | None:
        if not self.is_pin_authentication_required:
            return None
        return Pins(
            first=self.first_party_pin,
            second=self.second_party_pin,
            length=self.generate_pin_length,
        )


def _same_phone(one: PhoneNumber | None, other: PhoneNumber | None) -> bool:
    return bool(one and other and one.lookup_form == other.lookup_form)


def party_texts(sent: dict[str, Any]) -> Sequence[Any]:
    """Every party that a request names, as it was sent."""
    texts: list[Any] = []
    for party in _PARTIES:
        alternates = sent.get(f"{party}_alternates")
        texts += [sent.get(party), *(alternates if isinstance(alternates, list) else [])][:20]
    return texts


def subaccount_named(sent: dict[str, Any]) -> str | None:
    named = as_sdks_mean_it(sent, _ALIASES).get("subaccount")
    return named if isinstance(named, str) else None


def _prompts(asked: BaseModel) -> Sequence[str]:
    urls = (getattr(asked, name, None) for name in _PROMPTS)
    return [url for url in urls if url]


class UpdateSession(BaseModel):
    """The body of an update request.  What is not given stays as it is."""

    model_config = ConfigDict(
        extra="forbid", arbitrary_types_allowed=True, coerce_numbers_to_str=True
    )

    FIXED: ClassVar = CreateSession.model_fields.keys()
    """What was said when the session was created; those that are no field here stay as they are."""

    session_expiry: Expiry | None = None
    """Seconds from now."""
    call_time_limit: CallTimeLimit | None = None
    ring_timeout: RingTimeout | None = None
    callback_url: Url | None = None
    callback_method: Method | None = None
    record: Flag | None = None
    record_file_format: Literal["mp3", "wav"] | None = None
    recording_callback_url: Url | None = None
    recording_callback_method: Method | None = None
    first_party_play_url: Url | None = None
    second_party_play_url: Url | None = None
    first_party: Party | None = None
    second_party: Party | None = None
    """Who it is, in a session that was created with a single party."""

    callback_format: CallbackFormat | None = None
    callback_events: CallbackEvents | None = None
    recording_announcement: RecordingAnnouncement | None = None
    min_attestation: MinAttestation | None = None
    answer_guard: AnswerGuard | None = None
    time_limit_warning: TimeLimitWarning | None = None
    quiet_hours: Quiet | None = None
    routing_url: QuestionUrl | None = None
    routing_backup_url: QuestionUrl | None = None
    routing_default: RoutingDefault | None = None
    direction: Direction | None = None
    expiry_after_last_call: Expiry | None = None
    max_calls: MaxCalls | None = None
    max_total_duration: MaxTotalDuration | None = None
    metadata: JsonObject | None = None
    """Takes the place of what there was."""
    reason: Reason = ""
    """For the session's history."""

    @pydantic.model_validator(mode="before")
    @classmethod
    def _as_sdks_mean_it(cls, body: Any) -> Any:
        """As for a create; SDKs repeat the session's id, and the defaults of what is fixed."""
        meant = as_sdks_mean_it(body, _ALIASES)
        if not isinstance(meant, dict):
            return meant
        fixed = cls.FIXED - cls.model_fields.keys()
        return {
            name: value
            for name, value in meant.items()
            if name != "session_uuid" and not (name in fixed and value is False)
        }

    @property
    def prompts(self) -> Sequence[str]:
        """URLs of what its calls may play from now on."""
        return _prompts(self)

    def to_domain(self) -> SessionChange:
        return SessionChange(
            expiry=self.session_expiry,
            ring_timeout=self.ring_timeout,
            call_time_limit=self.call_time_limit,
            first_party=self.first_party,
            second_party=self.second_party,
            direction=self.direction,
            expiry_after_last_call=self.expiry_after_last_call,
            max_calls=self.max_calls,
            max_total_duration=self.max_total_duration,
            metadata=self.metadata,
            options=self.model_dump(mode="json", exclude=_COLUMNS, exclude_none=True),
            changed=sorted(self.model_fields_set - {"reason"}),
        )


class ExpireSession(BaseModel):
    """The query of a request that ends a session."""

    model_config = ConfigDict(extra="forbid")

    hangup: Flag = False
    """End the call that is up, too."""
    reason: Reason = ""


class CallParties(BaseModel):
    """The body of a request that has a session's parties called."""

    model_config = ConfigDict(extra="forbid")

    first: Side = Side.FIRST
    """The party that is called first; the other is called when it answers."""


class CreateSessions(BaseModel):
    """Many sessions at once, each as for itself."""

    model_config = ConfigDict(extra="forbid")

    sessions: Annotated[
        list[Any],
        Field(min_length=1, max_length=100),
        pydantic.WithJsonSchema(
            {
                "type": "array",
                "minItems": 1,
                "maxItems": 100,
                "items": {"$ref": "#/components/schemas/CreateSession"},
            }
        ),
    ]


class ExpireSessions(BaseModel):
    """Many sessions to be ended, each for itself."""

    model_config = ConfigDict(extra="forbid")

    session_uuids: list[UUID] = Field(min_length=1, max_length=100)
    hangup: Flag = False
    reason: Reason = ""


class ListSessions(Paging):
    """The query of a list request."""

    model_config = ConfigDict(extra="forbid", arbitrary_types_allowed=True)

    cursor: Cursor | None = None
    """Where an earlier page ended, by its ``next_cursor``; instead of ``offset``."""
    subaccount: SubaccountId | None = None
    client_reference_id: Annotated[str, Field(max_length=128)] | None = None
    metadata: JsonText | None = None
    """What a session's metadata must hold, as a JSON object."""
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
        """``created_times``, ``durations``: Node's spelling; ``created_time_gt``: Java's."""
        return {
            _COMPARISON.sub(r"\1__\2", _PLURAL.sub(r"\1", _ALIASES.get(name, name))): sent[name]
            for name in sent
        }

    @property
    def window(self) -> Window:
        """Which part of the list; behind a cursor no offset counts."""
        return Window(limit=self.limit, offset=0 if self.cursor else self.offset, after=self.cursor)

    def to_domain(self) -> SessionFilter:
        return SessionFilter(
            first_party=self.first_party,
            second_party=self.second_party,
            virtual_number=self.virtual_number,
            status=None if self.status == "all" else SessionStatus(self.status),
            subaccount=self.subaccount,
            client_reference_id=self.client_reference_id,
            metadata=self.metadata,
            created=range_of(self, "created_time"),
            expires=range_of(self, "expiry_time"),
            duration=range_of(self, "duration"),
        )
