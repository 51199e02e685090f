"""Legs of calls: calls in Plivo's sense."""

from typing import Annotated, Literal

from pydantic import Field

from bridge.api.answers.fields import Answer, Identified, Message, Meta, Uuid

ShownNumber = Annotated[str, Field(pattern=r"^([1-9][0-9]{1,14}|\*\*\*[0-9]{2}|tok_[0-9a-f]{32})$")]
"""A phone number without the plus, its last two digits, or the account's token for it."""


class _Call(Answer):
    answer_time: str | None
    bill_duration: int
    billed_duration: int
    call_direction: Literal["inbound", "outbound"]
    call_duration: int
    call_uuid: Uuid
    end_time: str | None
    from_number: ShownNumber | None
    """Null: withheld.  Of a call that is no session's as the account's events show numbers."""
    initiation_time: str
    resource_uri: str
    to_number: ShownNumber | None
    total_amount: str
    total_rate: str
    hangup_cause_name: str | None
    """Null while it is up.  Names, codes and sources are those of Plivo's calls."""
    hangup_cause_code: int | None
    hangup_source: str | None
    session_uuid: Uuid | None
    """Null: whoever called was no party of a session."""
    caller_party: Literal["first", "second"] | None
    disposition: Literal[
        "in-progress", "completed", "cancelled", "refused", "busy", "no-answer", "failed"
    ]
    reason: str | None
    """One word, such as ``unknown-caller``; null while it is up."""


class Call(_Call):
    """A whole call, as the leg that it began with."""


class Leg(_Call, Identified):
    """One leg of a call: a call in Plivo's sense."""

    parent_call_uuid: Uuid | None


class CallMeta(Meta):
    """``total_count`` is no more than 10,000: there may be others."""

    next_cursor: str | None
    """For the request's ``cursor``, to go on where this page ends; ``null`` at the end."""


class CallList(Identified):
    meta: CallMeta
    objects: list[Call]
    """Newest first."""


class CallOrdered(Message):
    call_uuid: Uuid
    """The leg that is placed first."""
    resource_uri: str
