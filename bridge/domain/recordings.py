"""What was recorded of calls."""

import dataclasses
import enum
import uuid
from datetime import datetime, timedelta

from bridge.domain import events
from bridge.domain.consent import Consent, PartyConsent
from bridge.domain.events import Telling
from bridge.domain.numbers import PhoneNumber
from bridge.domain.requests import Range
from bridge.domain.sessions import RecordingFormat


class RecordingState(enum.StrEnum):
    IN_PROGRESS = "in-progress"
    """The call is up, or its recording is still being converted."""
    READY = "ready"
    FAILED = "failed"
    REMOVED = "removed"
    """Its audio is no more."""


class RecordingFailure(enum.StrEnum):
    """Why there is no recording, or not all of it."""

    NOT_POSSIBLE = "not-possible"
    """Asterisk lacks the module or our context, or lost the leg on the way."""
    REFUSED = "refused"
    """Asterisk refused to begin."""
    DECLINED = "declined"
    """One of the two did not agree to it."""
    NOT_ANNOUNCED = "not-announced"
    """One of the two could not be told of it: Asterisk could not play the announcement."""
    NOTHING_RECORDED = "nothing-recorded"
    """Asterisk could write nothing: a full disk, or no right to; or nothing was said."""
    INCOMPLETE = "incomplete"
    """There is less of it than of the call: Asterisk could not write to the end."""
    CONVERSION_FAILED = "conversion-failed"
    """For now; it is tried again."""
    ARCHIVE_AWAY = "archive-away"
    """It is made, and could not be put where it is to be kept, for now; it is tried again."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class NewRecording:
    """A recording that has begun; with a ``failure`` one that has not."""

    id: uuid.UUID
    call_id: uuid.UUID
    format: RecordingFormat
    started_at: datetime | None
    failure: RecordingFailure | None = None
    consent: tuple[Consent, ...] = ()
    """Of both parties, where they were told or asked."""


@dataclasses.dataclass(frozen=True, slots=True)
class Pause:
    """What a customer wants of a recording that is being made."""

    recording_id: uuid.UUID
    call_id: uuid.UUID
    paused: bool
    """Whether it is to be paused, or to go on."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class RawRecording:
    """One whose call is over, and that is to be made into what was wanted."""

    id: uuid.UUID
    call_id: uuid.UUID
    format: RecordingFormat
    started_at: datetime
    call_ended_at: datetime
    paused_for: timedelta = timedelta(0)
    """In all its pauses."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Media:
    """What is needed to give out its audio."""

    id: uuid.UUID
    format: RecordingFormat
    state: RecordingState
    size: int | None
    sha256: bytes | None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """What is known of a recording; its audio is elsewhere."""

    id: uuid.UUID
    session: uuid.UUID
    leg: uuid.UUID
    """The leg that the call began with."""
    caller: PhoneNumber | None
    """``None``: withheld."""
    virtual_number: PhoneNumber
    format: RecordingFormat
    state: RecordingState
    failure: RecordingFailure | None
    started_at: datetime
    ended_at: datetime | None
    """``None`` while it goes on."""
    paused: bool
    """Nothing of what is said now is kept."""
    paused_for: timedelta
    """In pauses that are over, and that its file has nothing of."""
    seen_at: datetime
    """When this was so, by the database's clock."""
    size: int | None
    """Bytes of its file."""
    sha256: bytes | None
    consent: tuple[PartyConsent, ...] = ()

    @property
    def length(self) -> timedelta | None:
        return self.ended_at - self.started_at - self.paused_for if self.ended_at else None

    @property
    def days_kept(self) -> int:
        """Days begun since it was over."""
        return (self.seen_at - self.ended_at).days + 1 if self.ended_at else 0


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class RecordingFilter:
    """Which recordings a list shows; ``None`` means any."""

    leg: uuid.UUID | None = None
    """Either leg of the call."""
    subaccount: str | None = None
    caller: PhoneNumber | None = None
    virtual_number: PhoneNumber | None = None
    added: Range[datetime] = dataclasses.field(default_factory=Range)
    """When it ended."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class RecordingStep:
    """What has become of a recording: what its application is told of."""

    id: uuid.UUID
    format: RecordingFormat
    failure: RecordingFailure | None
    started_at: datetime
    ended_at: datetime | None
    paused_for: timedelta
    at: datetime
    """When it became so, by the database's clock; the beginning of it by Asterisk's."""

    def telling(self, name: str, account_url: str) -> Telling:
        """The event, with the attributes of Plivo's that are known by then.

        Its URLs need the account's credentials and prove nothing by themselves, for an event is
        stored, shown and sent for days: a signed URL would be over by then, or would be a secret
        in somebody's logs.  Who wants one that can be handed on gets it from RecordingResourceURL.

        A recording that there is not has no URL.

        Args:
            account_url: where the account is in the API.
        """
        resource = f"{account_url}/Recording/{self.id}/"
        is_none = name == events.RECORDING_FAILED
        ended_at = self.ended_at if name == events.RECORDING_COMPLETED else None
        length = ended_at - self.started_at - self.paused_for if ended_at else None
        told = {
            "RecordingUUID": str(self.id),
            "RecordingURL": f"{resource}Media/" if ended_at else None,
            "RecordingResourceURL": None if is_none else resource,
            "RecordingDuration": round(length.total_seconds()) if length is not None else None,
            "RecordingStartTime": events.timestamp(self.started_at),
            "RecordingEndTime": events.timestamp(ended_at) if ended_at else None,
            "RecordingFormat": f".{self.format}",
            "RecordingFailureReason": self.failure.value if self.failure else None,
        }
        known = {key: value for key, value in told.items() if value is not None}
        return Telling(name, self.at, known)


_MISSING = timedelta(seconds=2)


def is_complete(raw: RawRecording, seconds: float) -> bool:
    """Whether a recording of ``seconds`` holds its whole call but its pauses, give or take a
    twentieth.

    Nothing is written while neither phone sends anything, as some do when nobody speaks.
    """
    talked = raw.call_ended_at - raw.started_at - raw.paused_for
    return timedelta(seconds=seconds) >= min(talked - _MISSING, talked * 0.95)
