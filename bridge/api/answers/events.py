"""What an application was told, or is to be told."""

from typing import Any, Literal

from bridge.api.answers.fields import Answer, Digits, Identified, Message, Time, Uuid


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


class Replayed(Message):
    count: int
    """Events that are sent once more."""


class Revealed(Identified):
    """The numbers of an event, as it names them."""

    reveal_id: Uuid
    """By which the list of reveals names it."""
    event_id: Uuid
    numbers: dict[Literal["From", "To", "FirstParty", "SecondParty"], Digits]


class Reveal(Answer):
    """That somebody was shown the numbers of an event."""

    reveal_id: Uuid
    reveal_time: Time
    event_id: Uuid
    event_name: str
    session_uuid: Uuid | None
    actor: str
    """A token, or the operator."""
    reason: str


class RevealList(Identified):
    meta: EventMeta
    objects: list[Reveal]
    """Newest first."""


class EventList(Identified):
    meta: EventMeta
    objects: list[Event]
    """Newest first."""
