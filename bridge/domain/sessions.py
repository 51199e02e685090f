"""The masking agreement between two parties."""

import dataclasses
import enum
import uuid
from collections.abc import Sequence
from datetime import datetime, time
from typing import Literal
from zoneinfo import ZoneInfo

from bridge.domain.numbers import PhoneNumber

RecordingFormat = Literal["mp3", "wav"]


class Side(enum.StrEnum):
    """Which of the two parties of a session."""

    FIRST = "first"
    SECOND = "second"

    @property
    def other(self) -> "Side":
        return Side.SECOND if self is Side.FIRST else Side.FIRST


class Direction(enum.StrEnum):
    """Who may call whom."""

    ONE_WAY = "one-way"
    """The first party calls the second, and is never called."""
    TWO_WAY = "two-way"


class AnswerGuard(enum.StrEnum):
    """How a phone that answers shows that a person did, and no mailbox."""

    NONE = "none"
    PRESS_1 = "press_1"


@dataclasses.dataclass(frozen=True, slots=True)
class QuietHours:
    """When nobody of a session wants to be called, every day; over midnight if it ends earlier."""

    start: time
    end: time
    timezone: str
    """IANA's name, such as ``Europe/Berlin``."""

    def cover(self, at: datetime) -> bool:
        """Whether it is quiet at ``at``: from the start, inclusive, to the end, exclusive."""
        now = at.astimezone(ZoneInfo(self.timezone)).time()
        if self.start <= self.end:
            return self.start <= now < self.end
        return now >= self.start or now < self.end


@dataclasses.dataclass(frozen=True, kw_only=True)
class Manner:
    """How the two are connected: what they hear before, and what they must do."""

    first_prompt: str | None = None
    second_prompt: str | None = None
    """URL of what that party hears before it is connected, whoever calls."""
    answer_guard: AnswerGuard = AnswerGuard.NONE
    quiet_hours: QuietHours | None = None
    time_limit_warning: int = 60
    """Seconds before the end of a call by its limit at which both are told; -1 for never."""
    asks_pin: bool = False
    """Whether strangers may come in by a PIN."""
    forces_pin: bool = False
    """Whether even a party that calls from its own number must type its PIN."""

    def prompt(self, side: Side) -> str | None:
        return self.first_prompt if side is Side.FIRST else self.second_prompt


@dataclasses.dataclass(frozen=True, slots=True)
class Limits:
    """How long a call of a session may ring and last, in seconds."""

    ring_timeout: int
    call_time_limit: int
    warning: int = Manner.time_limit_warning
    """How long before the end both are told of it; -1 for never."""


class RecordingAnnouncement(enum.StrEnum):
    """What the two hear of a recording, before they are joined and it begins."""

    NONE = "none"
    PLAY = "play"
    """Both are told."""
    PRESS_1 = "press_1"
    """Both are asked, and unless both agree the call is not recorded."""


@dataclasses.dataclass(frozen=True, slots=True)
class RecordingPlan:
    """How the calls of a session are recorded."""

    format: RecordingFormat
    announcement: RecordingAnnouncement = RecordingAnnouncement.NONE


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Parties:
    """The two whom a session is between."""

    first_party: PhoneNumber | None
    second_party: PhoneNumber | None
    """``None``: whoever calls, in a session that was made with a single party."""
    first_party_alternates: Sequence[PhoneNumber] = ()
    second_party_alternates: Sequence[PhoneNumber] = ()
    """Further numbers that a party may call from; its own number is the one that rings."""

    def party(self, side: Side) -> PhoneNumber | None:
        """The number at which a party is called."""
        return self.first_party if side is Side.FIRST else self.second_party

    @property
    def missing_side(self) -> Side | None:
        """The side of the party that is not known yet."""
        return next((side for side in Side if self.party(side) is None), None)

    def numbers(self, side: Side) -> Sequence[PhoneNumber]:
        """Every number that a party may call from."""
        party = self.party(side)
        alternates = (
            self.first_party_alternates if side is Side.FIRST else self.second_party_alternates
        )
        return [*([party] if party else []), *alternates]

    def has(self, side: Side, caller: PhoneNumber) -> bool:
        """Whether a caller's number is one that the party may call from, in whatever form."""
        return caller.lookup_form in [number.lookup_form for number in self.numbers(side)]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Session(Parties):
    """Two parties, one virtual number (or one each), a lifetime."""

    id: uuid.UUID
    account: str
    virtual_number: PhoneNumber
    """What both parties call and see, or the first alone where the second has its own."""
    second_virtual_number: PhoneNumber | None = None
    direction: Direction = Direction.TWO_WAY
    created_at: datetime
    modified_at: datetime
    valid_from: datetime | None = None
    """No calls before; ``None``: from the beginning."""
    expires_at: datetime
    closed_at: datetime | None
    """When the customer ended it before its time."""
    ring_timeout: int
    """Seconds a phone may ring."""
    call_time_limit: int
    """Seconds two parties may talk in one call."""
    max_calls: int | None = None
    max_total_duration: int | None = None
    """Seconds that may be talked over all calls together."""
    manner: Manner = Manner()
    recording: RecordingPlan | None = None
    """``None``: its calls are not recorded."""
    tells_all: bool = False
    """Its application is told more of each call; see `bridge.domain.events.OLDER_SET`."""

    @property
    def limits(self) -> Limits:
        """Those of a call, as long as the session's own are far."""
        return Limits(self.ring_timeout, self.call_time_limit, self.manner.time_limit_warning)

    def number_for(self, side: Side) -> PhoneNumber:
        """The virtual number that a party calls, and that its phone shows when it is called."""
        return (side is Side.SECOND and self.second_virtual_number) or self.virtual_number

    def is_live(self, now: datetime) -> bool:
        """Whether the session takes calls at ``now``."""
        return self.closed_at is None and now < self.expires_at
