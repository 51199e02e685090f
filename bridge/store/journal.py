"""What happened in calls, on its way to Postgres: never in a call's way, and never lost to it."""

import asyncio
import collections
import time
from collections.abc import Awaitable, Callable, Collection, Sequence
from datetime import UTC, datetime
from uuid import UUID

import structlog
import tenacity

from bridge.domain import events
from bridge.domain.events import PinStatus
from bridge.domain.numbers import PhoneNumber
from bridge.domain.outcomes import Disposition
from bridge.domain.pins import Guess, NotYet, Wrong
from bridge.domain.recordings import NewRecording, Pause
from bridge.domain.records import Arrival, CallRecord, Over, Role
from bridge.domain.routing import Lookup
from bridge.store.calls import Calls
from bridge.store.errors import StoreUnavailable
from bridge.store.pool import Connection, Database
from bridge.store.recordings import Recordings

log = structlog.get_logger(__name__)

Write = Callable[[Connection], Awaitable[None]]

_WRITERS = 4  # calls written about at once; of ten connections, so that arrivals find theirs


class Journal:
    """Writes what is said of a call in the order in which it was said, and waits for Postgres.

    Of different calls it writes in any order, a few at once: one after the other they would wait
    for each other's round trips, and at a busy time records would be seconds late.  What waits of
    one call is written at once: the further behind, the less each fact costs.  Only the arrival is
    written while the caller waits, for it decides the call.

    Args:
        now: seconds of a clock that never goes back.
    """

    def __init__(
        self,
        database: Database,
        calls: Calls,
        recordings: Recordings | None = None,
        *,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._database = database
        self._calls = calls
        self._recordings = recordings or Recordings(database)
        self._now = now
        self._pending: dict[UUID, collections.deque[Write]] = {}
        self._ended: dict[UUID, bool] = {}
        """Calls whose end is still to be written; whether they were made, and not refused."""
        self._unattended: asyncio.Queue[UUID] = asyncio.Queue()
        self._unattended_since: dict[UUID, float] = {}
        """Oldest first."""
        self._emptied = asyncio.Event()
        self._emptied.set()

    async def arrived(self, arrival: Arrival) -> Lookup:
        return await self._calls.arrived(arrival)

    async def identify(self, arrival: Arrival, guess: Guess) -> Lookup | Wrong | NotYet:
        return await self._calls.identify(arrival, guess)

    async def look_again(self, arrival: Arrival) -> Lookup | None:
        return await self._calls.look_again(arrival)

    def redirected(self, call_id: UUID, number: PhoneNumber, *, in_session: bool) -> None:
        self._add(
            call_id,
            lambda connection: self._calls.write_redirection(
                connection, call_id, number, in_session=in_session
            ),
        )

    def answered(self, call_id: UUID, at: datetime | None, *, ringing_at: datetime | None) -> None:
        self._add(
            call_id,
            lambda connection: self._calls.write_answer(connection, call_id, at, ringing_at),
        )

    def placed(self, call_id: UUID, role: Role, at: datetime) -> None:
        """Tell the application, soon, that a party is being called.  As `ringing`."""
        self._add(
            call_id, lambda connection: self._calls.write_placed(connection, call_id, role, at)
        )

    def ringing(self, call_id: UUID, role: Role, at: datetime) -> None:
        """Tell the application, soon, that the phone of a party that is called rings.

        Nothing depends on it: whoever does not say so has it told with the answer, or the end.
        """
        self._add(
            call_id, lambda connection: self._calls.write_ringing(connection, call_id, role, at)
        )

    def caller_answered(self, call_id: UUID, at: datetime) -> None:
        """Tell, soon, that the caller's leg is answered before the other; else as `ringing`."""
        self._add(
            call_id, lambda connection: self._calls.write_caller_answer(connection, call_id, at)
        )

    def no_pin(self, call_id: UUID, session: UUID, *, retry: int) -> None:
        """Tell, soon, the session that asked for a PIN that none was typed."""
        failed = events.pin_status(PinStatus.FAILED, datetime.now(UTC), retry=retry)
        self._add(
            call_id,
            lambda connection: self._calls.write_pin_status(connection, call_id, session, failed),
        )

    def needs_no_pin(self, call_id: UUID, session: UUID, at: datetime) -> None:
        """Tell, soon, a session with PINs that a party called from its own number."""
        known = events.pin_status(PinStatus.AUTHORIZED_CALLER, at)
        self._add(
            call_id,
            lambda connection: self._calls.write_pin_status(connection, call_id, session, known),
        )

    def recording(self, recording: NewRecording) -> None:
        self._add(
            recording.call_id,
            lambda connection: self._recordings.write_new(connection, recording),
        )

    def recording_paused(self, pause: Pause, at: datetime) -> None:
        self._add(
            pause.call_id,
            lambda connection: self._recordings.write_pause(connection, pause, at),
        )

    def ended(self, record: CallRecord) -> None:
        refused = record.outcome.disposition is Disposition.REFUSED
        self._ended[record.arrival.call_id] = not refused
        self._add(
            record.arrival.call_id,
            lambda connection: self._calls.write_end(connection, record),
        )

    @property
    def unwritten(self) -> Collection[UUID]:
        """Calls that something is still to be written about."""
        return frozenset(self._pending)

    @property
    def over(self) -> Over:
        """Calls whose end is still to be written."""
        made = frozenset(call_id for call_id, made in self._ended.items() if made)
        return Over(frozenset(self._ended), made)

    @property
    def behind(self) -> float:
        """For how many seconds the oldest call has waited that nobody has begun to write about.

        One that Postgres will not take yet, which is tried again and again, does not count.
        """
        since = next(iter(self._unattended_since.values()), None)
        return self._now() - since if since is not None else 0.0

    async def written(self) -> None:
        """Return once everything said so far is in Postgres."""
        await self._emptied.wait()

    async def run(self) -> None:
        """Write until cancelled."""
        async with asyncio.TaskGroup() as writers:
            for number in range(_WRITERS):
                writers.create_task(self._write_calls(), name=f"journal {number}")

    async def _write_calls(self) -> None:
        """Write whatever is to be written about one call, and then about the next."""
        while True:
            call_id = await self._unattended.get()
            del self._unattended_since[call_id]
            facts = self._pending[call_id]
            while facts:
                together = list(facts)
                if not await self._write(call_id, together) and len(together) > 1:
                    for fact in together:  # what Postgres takes of them is not lost with the rest
                        await self._write(call_id, [fact])
                for _ in together:
                    facts.popleft()
            del self._pending[call_id]
            self._ended.pop(call_id, None)
            if not self._pending:
                self._emptied.set()

    def _add(self, call_id: UUID, write: Write) -> None:
        if call_id not in self._pending:
            self._pending[call_id] = collections.deque()
            self._unattended.put_nowait(call_id)
            self._unattended_since[call_id] = self._now()
        self._pending[call_id].append(write)
        self._emptied.clear()

    async def _write(self, call_id: UUID, facts: Sequence[Write]) -> bool:
        """Write all of them or none, however long Postgres is away.

        ``False``: there is one that Postgres will never take.
        """
        async for attempt in tenacity.AsyncRetrying(
            retry=tenacity.retry_if_exception_type(StoreUnavailable),
            wait=tenacity.wait_random_exponential(multiplier=0.1, max=1),
            before_sleep=lambda _: log.warning("records wait for postgres", waiting=self._waiting),
        ):
            with attempt:
                try:
                    async with self._database.transaction() as connection:
                        for write in facts:
                            await write(connection)
                except StoreUnavailable:
                    raise
                except Exception:
                    log.exception("record not written", call_id=str(call_id), facts=len(facts))
                    return False
        return True

    @property
    def _waiting(self) -> int:
        return sum(len(facts) for facts in self._pending.values())
