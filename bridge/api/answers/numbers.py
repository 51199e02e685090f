"""The pool of virtual numbers."""

from typing import Literal

from bridge.api.answers.fields import Answer, Digits, Identified, Message, Meta, Uuid


class VirtualNumber(Answer):
    """Plivo's fields; those about renting, messages and applications are empty here.

    Beyond Plivo's: state, reserved, max_concurrent_calls, fallback_number, fallback_play_url,
    live_sessions and blocked_calls.
    """

    added_on: str
    active: bool
    """Given to new sessions."""
    alias: str | None
    application: None
    carrier: str
    """The trunk."""
    city: None
    cnam_lookup: None
    compliance_application_id: None
    compliance_status: None
    country: str
    mms_enabled: bool
    mms_rate: None
    monthly_rental_rate: None
    number: Digits
    number_type: Literal["local", "fixed", "mobile", "national", "tollfree"]
    region: str | None
    renewal_date: None
    resource_uri: str
    sms_enabled: bool
    sms_rate: None
    sub_account: str | None
    """Its Auth ID."""
    tendlc_campaign_id: None
    tendlc_registration_status: None
    toll_free_sms_verification: None
    voice_enabled: bool
    """Takes calls."""
    voice_rate: None
    state: Literal["active", "draining", "quarantined", "retired"]
    reserved: bool
    max_concurrent_calls: int | None
    """Null: any number."""
    fallback_number: Digits | None
    """Who is called for those whose session is over."""
    fallback_play_url: str | None
    live_sessions: int
    blocked_calls: int
    """Calls of the last 30 days that a network blocked as spam because they showed it."""


class NumberFound(VirtualNumber, Identified):
    pass


class NumberList(Identified):
    meta: Meta
    objects: list[VirtualNumber]


class NumberAdded(Answer):
    number: Digits
    country: str
    """ISO 3166, as the number was understood; 001 is no country's."""


class NumbersAdded(Message):
    numbers: list[Digits]
    objects: list[NumberAdded]
    """The same, each with its country."""


class Replaced(Answer):
    session_uuid: Uuid
    virtual_number: Digits
    second_virtual_number: Digits | None
    """Where the second party has its own."""


class NotReplaced(Answer):
    """A session that keeps its number."""

    session_uuid: Uuid
    error: str
    reason: str
    """As when no session can be made."""


class NumberReplaced(Identified):
    replaced: list[Replaced]
    not_replaced: list[NotReplaced]
    next_cursor: str | None
    """For the next request, if not all sessions have been looked at."""
