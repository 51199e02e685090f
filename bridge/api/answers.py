"""What the API answers, for its description; `bridge.api.render` makes it.

Field names, types and forms are those of Plivo's fixtures.  The tests hold every answer to these.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Digits = Annotated[str, Field(pattern=r"^[1-9][0-9]{1,14}$")]
"""A phone number without the plus."""
Time = Annotated[str, Field(pattern=r"^(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d \+0000 UTC)?$")]
"""UTC as Go prints it; empty for never."""
Uuid = Annotated[
    str, Field(pattern=r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$")
]
Method = Literal["GET", "POST"]


class Answer(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class Identified(Answer):
    api_id: Uuid
    """The request's id; also in the header X-Request-ID and in our logs."""


class Error(Identified):
    """Everything that is wrong, in whole sentences."""

    error: str


class Message(Identified):
    message: str


class Interaction(Answer):
    """One call of a session.  What there is not is left out."""

    start_time: Time
    end_time: Time | None = None
    first_party_resource_url: str | None = None
    second_party_resource_url: str | None = None
    type: Literal["call"]
    total_call_amount: float
    call_billed_duration: int
    total_call_count: int
    duration: int


class Session(Answer):
    first_party: Digits
    second_party: Digits
    virtual_number: Digits
    status: Literal["active", "in-progress", "expired"]
    initiate_call_to_first_party: bool
    session_uuid: Uuid
    callback_url: str
    callback_method: Method
    created_time: Time
    modified_time: Time
    expiry_time: Time
    duration: int
    """Seconds from the creation to the end."""
    amount: int
    call_time_limit: int
    ring_timeout: int
    first_party_play_url: str
    second_party_play_url: str
    record: bool
    record_file_format: Literal["mp3", "wav"]
    recording_callback_url: str
    recording_callback_method: Method
    interaction: list[Interaction] | None
    total_call_amount: float
    total_call_count: int
    """Legs, over all calls."""
    total_call_billed_duration: int
    total_session_amount: float
    last_interaction_time: Time
    unknown_caller_play: str
    is_pin_authentication_required: bool
    generate_pin: bool | None
    generate_pin_length: int | None
    first_party_pin: str | None
    second_party_pin: str | None
    pin_prompt_play: str | None
    pin_retry: int | None
    pin_retry_wait: int | None
    incorrect_pin_play: str | None
    create_session_with_single_party: bool | None
    virtual_number_cooloff_period: int
    force_pin_authentication: bool


class SessionCreated(Session):
    """The session, nested as in Plivo's fixtures and flat as in its guide."""

    api_id: Uuid
    virtual_number: Annotated[str, Field(pattern=r"^\+[1-9][0-9]{1,14}$")]
    session_expiry: int
    message: str
    session: Session


class SessionUpdated(Message):
    session: Session


class SessionFound(Identified):
    response: Session


class ListedSession(Session):
    resource_uri: str


class Meta(Answer):
    limit: int
    next: str | None
    offset: int
    previous: str | None
    total_count: int


class SessionPage(Answer):
    meta: Meta
    objects: list[ListedSession]


class SessionList(Identified):
    response: SessionPage


class VirtualNumber(Answer):
    added_on: str
    active: bool
    alias: str | None
    carrier: str
    country: str
    number: Digits
    number_type: str
    voice_enabled: bool
    sms_enabled: bool
    mms_enabled: bool
    sub_account: str | None
    resource_uri: str


class NumberFound(VirtualNumber, Identified):
    pass


class NumberList(Identified):
    meta: Meta
    objects: list[VirtualNumber]


class NumbersAdded(Message):
    numbers: list[Digits]


class Leg(Identified):
    """One leg of a call: a call in Plivo's sense."""

    answer_time: str | None
    bill_duration: int
    billed_duration: int
    call_direction: Literal["inbound", "outbound"]
    call_duration: int
    call_uuid: Uuid
    end_time: str | None
    from_number: Digits
    initiation_time: str
    parent_call_uuid: Uuid | None
    resource_uri: str
    to_number: Digits
    total_amount: str
    total_rate: str


class Account(Identified):
    account_type: str
    auth_id: str
    cash_credits: str
    created: Time
    name: str
    resource_uri: str
    timezone: str


class Alive(Answer):
    status: Literal["alive"]


class Readiness(BaseModel):
    """Each part by its name."""

    model_config = ConfigDict(extra="allow")

    status: Literal["ready", "not ready"]


class Description(BaseModel):
    """An OpenAPI document."""

    model_config = ConfigDict(extra="allow")

    openapi: Literal["3.1.0"]
