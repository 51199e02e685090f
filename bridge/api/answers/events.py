"""What an application was told, or is to be told."""

from typing import Any, Literal

from bridge.api.answers.fields import Answer, Identified, Time, Uuid


class Delivery(Answer):
    state: Literal["pending", "delivered", "dead", "none"]
    attempts: int
    next_attempt_time: Time
    delivered_time: Time
    last_error: str | None
    """One word, such as ``http-500`` or ``timed-out``."""


class Event(Answer):
    event_id: Uuid
    event_name: str
    event_time: Time
    session_uuid: Uuid | None
    """Null: about the account."""
    sequence_number: int | None
    """From 1 in each session."""
    attributes: dict[str, Any]
    """What a receiver gets."""
    delivery: Delivery


class EventMeta(Answer):
    limit: int
    next_cursor: str | None


class EventList(Identified):
    meta: EventMeta
    objects: list[Event]
    """Newest first."""
