"""Masking sessions."""

from typing import Annotated, Any, Literal

from pydantic import Field

from bridge.api.answers.fields import Answer, Digits, Identified, Message, Meta, Method, Time, Uuid
from bridge.api.answers.recordings import Consent

PlusDigits = Annotated[str, Field(pattern=r"^\+[1-9][0-9]{1,14}$")]
"""A phone number with the plus."""


PartyStatus = Literal["in-progress", "completed", "busy", "no-answer", "cancel", "failed"]
"""Of a party's leg, in the words of Plivo's calls."""


class MissedPrompt(Answer):
    url: str
    reason: str


class Interaction(Answer):
    """One call of a session.  What there is not is left out."""

    start_time: Time
    end_time: Time | None = None
    first_party_resource_url: str | None = None
    second_party_resource_url: str | None = None
    recording_resource_url: str | None = None
    type: Literal["call"]
    total_call_amount: float
    call_billed_duration: int
    total_call_count: int
    duration: int
    first_party_status: PartyStatus | None = None
    second_party_status: PartyStatus | None = None
    hangup_cause_name: str | None = None
    hangup_cause_code: int | None = None
    hangup_source: str | None = None
    missed_prompts: list[MissedPrompt] | None = None
    """What could not be played, and why; the call went on without it."""
    recording_consent: list[Consent] | None = None
    """What the parties said to being recorded; it stays when the recording is removed."""


class Session(Answer):
    first_party: Digits | Literal[""]
    second_party: Digits | Literal[""]
    """Empty while it is missing, in a session with a single party."""
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
    amount: float
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
    subaccount: str | None
    virtual_number_mode: Literal["shared", "per_party"]
    second_virtual_number: str | None
    first_party_alternates: list[Digits]
    second_party_alternates: list[Digits]
    callback_format: Literal["form", "json"]
    callback_events: Literal["standard", "all"]
    recording_announcement: Literal["none", "play", "press_1"]
    min_attestation: Literal["none", "C", "B", "A"] | None
    answer_guard: Literal["none", "press_1"]
    time_limit_warning: int
    quiet_hours: dict[str, str] | None
    direction: Literal["one-way", "two-way"]
    valid_from: Time
    expiry_after_last_call: int | None
    max_calls: int | None
    max_total_duration: int | None
    client_reference_id: str | None
    metadata: dict[str, Any]
    routing_url: str | None
    routing_backup_url: str | None
    routing_default: Literal["refuse", "allow"]
    remember_caller: bool


class SessionCreated(Session):
    """The session, nested as in Plivo's fixtures and flat as in its guide."""

    api_id: Uuid
    virtual_number: PlusDigits
    session_expiry: int
    message: str
    session: Session


class SessionTried(Message):
    """Which numbers a session would have got."""

    virtual_number: PlusDigits
    second_virtual_number: PlusDigits | None


class SessionUpdated(Message):
    session: Session


class SessionFound(Identified):
    response: Session


class ListedSession(Session):
    resource_uri: str


class SessionMeta(Meta):
    next_cursor: str | None
    """For the request's ``cursor``, to go on where this page ends; ``null`` at the end."""


class SessionPage(Answer):
    meta: SessionMeta
    objects: list[ListedSession]


class SessionList(Identified):
    response: SessionPage


class Step(Answer):
    time: Time
    what: Literal["created", "updated", "prolonged", "closed", "expired"]
    actor: str
    """A token, a call, or the clock."""
    reason: str
    changed: list[str]
    """Names of the arguments that were changed."""


class SessionHistory(Identified):
    objects: list[Step]


class BulkResult(Answer):
    """What became of one of many; ``status`` is what a request of its own would have had."""

    index: int
    status: int
    session_uuid: Uuid | None = None
    virtual_number: PlusDigits | None = None
    second_virtual_number: str | None = None
    message: str | None = None
    session: Session | None = None
    error: str | None = None
    reason: str | None = None


class BulkReport(Identified):
    results: list[BulkResult]
