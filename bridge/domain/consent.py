"""What two people said to being recorded: evidence, which stays when the audio is erased."""

import dataclasses
from datetime import datetime

from bridge.domain.records import Role
from bridge.domain.sessions import RecordingAnnouncement, Side


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Consent:
    """What one party was told or asked before its call was recorded, and what it answered."""

    role: Role
    announcement: RecordingAnnouncement
    sounds: tuple[str, ...]
    """What Asterisk played, in its own names: which words they were."""
    given: bool | None
    """With ``play``: it heard the announcement to its end.  ``None``: it had not answered when the
    other declined, or the announcement could not be played."""
    digit: str | None = None
    """The key that it pressed, if it was asked and pressed one."""
    at: datetime
    """When that was known, by the bridge's clock."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class PartyConsent:
    """A `Consent` as it is kept and shown: of a party of the session, whichever leg it had."""

    party: Side
    announcement: str
    sounds: tuple[str, ...]
    given: bool | None
    digit: str | None
    at: datetime
