"""What customers were told, or are to be told, as they may look at it."""

import uuid
from collections.abc import Sequence
from datetime import datetime

from bridge.domain.events import DeliveryState, Event, EventFilter, EventReport
from bridge.domain.privacy import NumberForm, Privacy, Reveal
from bridge.domain.requests import By, Refusal
from bridge.store import queries
from bridge.store.pool import Database, Row
from bridge.store.session_rows import number

_REPLAYED_AT_ONCE = 1000


class EventLog:
    """Events by account, whoever wrote them and wherever they are sent."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._sql = queries.load()

    async def list(
        self, account: str, wanted: EventFilter, *, limit: int
    ) -> Sequence[EventReport] | None:
        """Newest first; ``None``: the session asked for is not one of the account."""
        after_happened, after_id = wanted.after or (None, None)
        async with self._database.connection() as connection:
            if wanted.session and not await self._sql.has_session(
                connection, account=account, id=wanted.session
            ):
                return None
            place = {"after_happened": after_happened, "after_id": after_id, "limit": limit}
            if wanted.session is None and wanted.state:
                rows = self._sql.list_events_in(
                    connection, account=account, state=wanted.state, **place
                )
            else:
                rows = self._sql.list_events(
                    connection,
                    account=account,
                    session=wanted.session,
                    state=wanted.state,
                    **place,
                )
            return [report(row) async for row in rows]

    async def replay(self, account: str, event_id: uuid.UUID) -> Refusal | None:
        """Send an event once more, as if it were new."""
        async with self._database.transaction() as connection:
            if await self._sql.replay_event(connection, account=account, id=event_id):
                return None
            exists = await self._sql.has_event(connection, account=account, id=event_id)
        return Refusal.EVENT_NOT_SENT if exists else Refusal.NOT_FOUND

    async def replay_dead(self, account: str) -> int:
        """Send every dead event of an account once more; how many.

        Some at a time, so that a million of them hold up nobody for long; those of a session in
        their order.  What dies again meanwhile stays dead.

        Raises:
            StoreUnavailable: Postgres is away; what was done is done.
        """
        count, session, sequence = 0, None, None
        while True:
            async with self._database.transaction() as connection:
                done = await self._sql.replay_dead(
                    connection,
                    account=account,
                    after_session=session,
                    after_sequence=sequence,
                    limit=_REPLAYED_AT_ONCE,
                )
            if done is None:
                return count
            count += done["count"]
            session, sequence = done["session"], done["sequence"]

    async def reveal(
        self, account: str, event_id: uuid.UUID, by: By
    ) -> tuple[Reveal, Event] | None:
        """The event whose numbers somebody is to see, once that is written down; ``None``: no such.

        The reason must not be empty.
        """
        async with self._database.transaction() as connection:
            noted = await self._sql.note_reveal(
                connection, account=account, id=event_id, actor=by.actor, reason=by.reason
            )
            if noted is None:
                return None
            found = await self._sql.find_event(connection, account=account, id=event_id)
        return Reveal(**noted), event(found)

    async def reveals(
        self, account: str, *, limit: int, after: tuple[datetime, uuid.UUID] | None = None
    ) -> Sequence[Reveal]:
        """Who was shown the numbers of which event, newest first.

        ``after``: the last one of the page before.
        """
        after_revealed, after_id = after or (None, None)
        async with self._database.connection() as connection:
            rows = self._sql.list_reveals(
                connection,
                account=account,
                after_revealed=after_revealed,
                after_id=after_id,
                limit=limit,
            )
            return [Reveal(**row) async for row in rows]


def event(row: Row) -> Event:
    return Event(
        id=row["id"],
        account=row["account"],
        session=row["session"],
        sequence=row["sequence"],
        name=row["name"],
        happened_at=row["happened_at"],
        attributes=row["attributes"],
        caller=number(row["caller"]),
        callee=number(row["callee"]),
        first_party=number(row["first_party"]),
        second_party=number(row["second_party"]),
        virtual_number=row["virtual_number"],
        privacy=Privacy(NumberForm(row["event_privacy"]), row["event_key"]),
    )


def report(row: Row) -> EventReport:
    return EventReport(
        event=event(row),
        state=DeliveryState(row["state"]),
        attempts=row["attempts"],
        next_attempt_at=row["next_attempt_at"],
        delivered_at=row["delivered_at"],
        last_error=row["last_error"],
    )
