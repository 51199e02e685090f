"""What was recorded of calls."""

from typing import Literal

from bridge.api.answers.fields import Answer, Digits, Identified, Meta, Time, Uuid


class Consent(Answer):
    """What a party was told or asked before its call was recorded, and what it answered."""

    party: Literal["first", "second"]
    announcement: str
    """``play``: it was told; ``press_1``: it was asked."""
    sounds: list[str]
    """What it heard, by Asterisk's names of the recorded words."""
    given: bool | None
    """Null: it had not answered when the other declined, or could not be told."""
    digit: str | None
    """The key that it pressed."""
    at: Time


class Recording(Answer):
    """Plivo's fields, and beyond them status, paused, failure, session_uuid, size, sha256, consent.

    What is known only at the end is null until then.
    """

    add_time: str | None
    call_uuid: Uuid
    """The leg that the call began with."""
    conference_name: None
    from_number: Digits | None
    monthly_recording_storage_amount: float
    recording_duration_ms: str | None
    recording_end_ms: str | None
    recording_format: Literal["mp3", "wav"]
    recording_id: Uuid
    recording_start_ms: str
    recording_storage_duration: int
    """Days begun since it was over."""
    recording_storage_rate: float
    recording_type: Literal["normal"]
    recording_url: str | None
    """Where its audio is, once it is ready; good for a while."""
    resource_uri: str
    rounded_recording_duration: int | None
    """Seconds, to the nearest minute, at least one."""
    to_number: Digits
    status: Literal["in-progress", "ready", "failed"]
    paused: bool
    """Nothing of what is said now is kept."""
    failure: str | None
    """Why there is none, or not all of it."""
    session_uuid: Uuid
    size: int | None
    """Bytes."""
    sha256: str | None
    consent: list[Consent]
    """Of each party, where they were told or asked."""


class RecordingFound(Recording, Identified):
    pass


class RecordingList(Identified):
    meta: Meta
    objects: list[Recording]
