"""A call log in memory."""

import dataclasses
from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from bridge.domain.numbers import PhoneNumber
from bridge.domain.pins import Guess, NotYet, Wrong
from bridge.domain.recordings import NewRecording, Pause
from bridge.domain.records import Arrival, CallRecord, OpenCall, Role
from bridge.domain.routing import Lookup


@dataclasses.dataclass
class FakeCallLog:
    """Answers every arrival with ``lookup``; ``fails`` makes it as if Postgres were away."""

    lookup: Lookup
    fails: Exception | None = None
    pins: dict[str, Lookup] = dataclasses.field(default_factory=dict)
    """What the right ones lead to."""
    wrong: Wrong = dataclasses.field(default_factory=Wrong)
    """What the wrong ones do."""
    waits: list[float] = dataclasses.field(default_factory=list)
    """How long the next guesses must wait for their turn."""
    now_known: Lookup | None = None
    """What an application made of a stranger when it was asked."""
    redirections: list[tuple[PhoneNumber, bool]] = dataclasses.field(default_factory=list)
    guesses: list[Guess] = dataclasses.field(default_factory=list)
    arrivals: list[Arrival] = dataclasses.field(default_factory=list)
    told: list[tuple[str, UUID]] = dataclasses.field(default_factory=list)
    answers: list[UUID] = dataclasses.field(default_factory=list)
    recordings: list[NewRecording] = dataclasses.field(default_factory=list)
    pauses: list[Pause] = dataclasses.field(default_factory=list)
    records: list[CallRecord] = dataclasses.field(default_factory=list)
    open: list[OpenCall] = dataclasses.field(default_factory=list)
    unwritten: Collection[UUID] = ()

    async def arrived(self, arrival: Arrival) -> Lookup:
        if self.fails:
            raise self.fails
        self.arrivals.append(arrival)
        return self.lookup

    async def identify(self, arrival: Arrival, guess: Guess) -> Lookup | Wrong | NotYet:
        self.guesses.append(guess)
        if self.waits and guess.turn is None:
            return NotYet(self.waits.pop(0), turn=len(self.guesses))
        return self.pins.get(guess.pin, self.wrong)

    async def look_again(self, arrival: Arrival) -> Lookup | None:
        return self.now_known

    def redirected(self, call_id: UUID, number: PhoneNumber, *, in_session: bool) -> None:
        self.redirections.append((number, in_session))

    def no_pin(self, call_id: UUID, session: UUID, *, retry: int) -> None:
        self.told.append((f"no PIN at retry {retry}", call_id))

    def needs_no_pin(self, call_id: UUID, session: UUID, at: datetime) -> None:
        self.told.append(("needs no PIN", call_id))

    def placed(self, call_id: UUID, role: Role, at: datetime) -> None:
        self.told.append((f"placed {role}", call_id))

    def ringing(self, call_id: UUID, role: Role, at: datetime) -> None:
        self.told.append((f"ringing {role}", call_id))

    def caller_answered(self, call_id: UUID, at: datetime) -> None:
        self.told.append(("caller answered", call_id))

    def answered(self, call_id: UUID, at: datetime | None, *, ringing_at: datetime | None) -> None:
        self.answers.append(call_id)

    def recording(self, recording: NewRecording) -> None:
        self.recordings.append(recording)

    def recording_paused(self, pause: Pause, at: datetime) -> None:
        self.pauses.append(pause)

    def ended(self, record: CallRecord) -> None:
        self.records.append(record)

    async def open_calls(self) -> Sequence[OpenCall]:
        if self.fails:
            raise self.fails
        return self.open
