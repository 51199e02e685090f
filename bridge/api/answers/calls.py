"""Legs of calls: calls in Plivo's sense."""

from typing import Literal

from bridge.api.answers.fields import Digits, Identified, Message, Uuid


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
    hangup_cause_name: str | None
    """Null while it is up.  Names, codes and sources are those of Plivo's calls."""
    hangup_cause_code: int | None
    hangup_source: str | None


class CallOrdered(Message):
    call_uuid: Uuid
    """The leg that is placed first."""
    resource_uri: str
