"""What a call's story asks of Asterisk, and where it is written down."""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Protocol
from uuid import UUID

from bridge.ari.leg import Leg
from bridge.domain.numbers import PhoneNumber
from bridge.domain.pins import Guess, NotYet, Wrong
from bridge.domain.recordings import NewRecording, Pause
from bridge.domain.records import Arrival, CallRecord, Role
from bridge.domain.routing import Lookup
from bridge.domain.sessions import Limits


class Switch(Protocol):
    """What a story asks of Asterisk beyond a single leg."""

    async def place(
        self, leg: Leg, callee: PhoneNumber, *, caller_id: PhoneNumber, limits: Limits
    ) -> None:
        """Call ``callee`` on a leg that is known but not yet there, showing ``caller_id``."""

    def dial(
        self, callee: PhoneNumber, *, caller_id: PhoneNumber, call_id: UUID, limits: Limits
    ) -> AbstractAsyncContextManager[Leg]:
        """Place the other leg, showing ``caller_id``; it is ended when the block is left."""

    async def couple(self, a_leg: Leg, b_leg: Leg) -> None:
        """The end of ``a_leg`` ends ``b_leg``, with us or without us."""

    async def record(self, b_leg: Leg, recording_id: UUID) -> bool:
        """Have what both legs say written to a file, from the join on; ``False``: it cannot be.

        Raises:
            AriError: Asterisk refused it.
        """

    async def pause_recording(self, b_leg: Leg, *, call_id: UUID, paused: bool) -> bool:
        """Pause the recording of two who are joined, or let it go on; ``False``: it cannot be.

        Raises:
            AriError: Asterisk refused it.
        """

    def joined(
        self, a_leg: Leg, b_leg: Leg, *, call_id: UUID, call_time_limit: float
    ) -> AbstractAsyncContextManager[None]:
        """Let the two hear each other, and couple their ends both ways."""

    async def watch(self, *legs: Leg) -> None:
        """Have the legs ended of phones that are gone, and not of those that are only silent.

        Never returns, and never raises.
        """

    async def announce(self, call_id: UUID, media: Sequence[str]) -> None:
        """Let the two, who are joined, hear sounds over what they say.  Does not wait for the end.

        What cannot be played is skipped.
        """


class CallLog(Protocol):
    """Where a call is written down."""

    async def arrived(self, arrival: Arrival) -> Lookup:
        """Write the call down, and say in the same breath what is known of its two numbers.

        Raises:
            Unavailable: it could not be written; then the call must not go on.
        """

    async def identify(self, arrival: Arrival, guess: Guess) -> Lookup | Wrong | NotYet:
        """What a PIN leads to; or that it is wrong, which counts against the caller; or that it is
        to be asked for again, with its turn, once that has come.

        Raises:
            Unavailable: nobody could look.
        """

    async def look_again(self, arrival: Arrival) -> Lookup | None:
        """What is known of a call's two numbers by now; ``None``: no live session has them.

        Raises:
            Unavailable: nobody could look.
        """

    def redirected(self, call_id: UUID, number: PhoneNumber, *, in_session: bool) -> None:
        """Write, soon, that a call goes to another than the other party.  Never waits."""

    def no_pin(self, call_id: UUID, session: UUID, *, retry: int) -> None:
        """Write, soon, that a caller who was asked for a PIN typed none.  Never waits."""

    def needs_no_pin(self, call_id: UUID, session: UUID, at: datetime) -> None:
        """Write, soon, that a party of a session with PINs is known by its number.  Never waits."""

    def placed(self, call_id: UUID, role: Role, at: datetime) -> None:
        """Write, soon, that a party is being called.  Never waits."""

    def ringing(self, call_id: UUID, role: Role, at: datetime) -> None:
        """Write, soon, that the phone of a party that is called rings.  Never waits."""

    def caller_answered(self, call_id: UUID, at: datetime) -> None:
        """Write, soon, that the leg that was placed first is answered.  Never waits."""

    def answered(self, call_id: UUID, at: datetime | None, *, ringing_at: datetime | None) -> None:
        """Write, soon, that the two are connected.  Never waits."""

    def recording(self, recording: NewRecording) -> None:
        """Write, soon, that a call is being recorded, or why not.  Never waits."""

    def recording_paused(self, pause: Pause, at: datetime) -> None:
        """Write, soon, that a recording was paused, or goes on.  Never waits."""

    def ended(self, record: CallRecord) -> None:
        """Write, soon and surely, the record.  Never waits."""
