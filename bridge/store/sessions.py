"""Masking sessions, and the (caller, virtual number) pairs that they hold."""

import uuid
from datetime import datetime
from typing import Any

from bridge.domain.numbers import PhoneNumber
from bridge.domain.reports import (
    Interaction,
    NewSession,
    Page,
    Refusal,
    SessionChange,
    SessionFilter,
    SessionReport,
    SessionStatus,
)
from bridge.domain.sessions import Session, Side
from bridge.store import queries
from bridge.store.pool import Connection, Database, Row


class Sessions:
    """Sessions by account.  All times are the database's."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._sql = queries.load()

    async def create(self, new: NewSession) -> SessionReport | Refusal:
        """Find a number that is free for both parties, and take it.

        The primary key of ``route`` is what keeps a pair from being given twice; when somebody
        else is faster, the next number is tried.
        """
        async with self._database.transaction() as connection:
            await self._sql.lock_parties(
                connection,
                first_party=new.first_party.e164,
                second_party=new.second_party.e164,
            )
            if earlier := await self._made_before(connection, new):
                return earlier
            if refusal := await self._is_ours(connection, new):
                return refusal
            return await self._make(connection, new)

    async def _make(self, connection: Connection, new: NewSession) -> SessionReport | Refusal:
        tried: list[str] = []
        while True:
            row = await self._sql.find_free_number(
                connection,
                account=new.account,
                country=new.country,
                tried=tried,
                first_party=new.first_party.e164,
                second_party=new.second_party.e164,
            )
            if row is None:
                return Refusal.POOL_EXHAUSTED
            try:
                session_id = await self._take(connection, new, row["number"])
            except _PairTaken:
                tried.append(row["number"])
            except _KeyTaken:
                return Refusal.KEY_REUSED
            else:
                return await self._report(connection, new.account, session_id)

    async def get(self, account: str, session_id: uuid.UUID) -> SessionReport | None:
        async with self._database.connection() as connection:
            row = await self._sql.find_session(connection, account=account, id=session_id)
        return session_report(row) if row else None

    async def list(
        self, account: str, wanted: SessionFilter, *, limit: int, offset: int
    ) -> Page[SessionReport]:
        """Newest first."""
        conditions = {
            "account": account,
            "first_party": _digits(wanted.first_party),
            "second_party": _digits(wanted.second_party),
            "virtual_number": _digits(wanted.virtual_number),
            "status": wanted.status.value if wanted.status else None,
            "created_from": wanted.created.low,
            "created_to": wanted.created.high,
            "expires_from": wanted.expires.low,
            "expires_to": wanted.expires.high,
            "duration_from": wanted.duration.low,
            "duration_to": wanted.duration.high,
        }
        async with self._database.connection() as connection:
            rows = [
                row
                async for row in self._sql.list_sessions(
                    connection, **conditions, limit=limit, offset=offset
                )
            ]
            total = await self._sql.count_sessions(connection, **conditions)
        return Page(items=[session_report(row) for row in rows], total=total)

    async def update(
        self, account: str, session_id: uuid.UUID, change: SessionChange
    ) -> SessionReport | Refusal:
        """Change a live session.  A call that is up keeps the limits it began with."""
        try:
            async with self._database.transaction() as connection:
                changed = await self._sql.update_session(
                    connection,
                    account=account,
                    id=session_id,
                    expiry=change.expiry,
                    ring_timeout=change.ring_timeout,
                    call_time_limit=change.call_time_limit,
                    options=dict(change.options),
                )
                if changed is None:
                    return await self._why_not(connection, account, session_id)
                held = [row async for row in self._sql.hold_routes(connection, session=session_id)]
                if len(held) < len(Side):
                    raise _PairTaken
                return await self._report(connection, account, session_id)
        except _PairTaken:  # it ended while we looked, and somebody took a pair of it at once
            return Refusal.ALREADY_EXPIRED

    async def expire(self, account: str, session_id: uuid.UUID) -> Refusal | None:
        """End a session: no new calls.

        Its pairs are free once a live call of it is over and they have cooled off.
        """
        async with self._database.transaction() as connection:
            if await self._sql.close_session(connection, account=account, id=session_id):
                await self._sql.release_routes(connection, session=session_id)
                await self._sql.forget_repeats(connection, session=session_id)
                return None
            return await self._why_not(connection, account, session_id)

    async def _why_not(
        self, connection: Connection, account: str, session_id: uuid.UUID
    ) -> Refusal:
        found = await self._sql.find_session(connection, account=account, id=session_id)
        return Refusal.ALREADY_EXPIRED if found else Refusal.NOT_FOUND

    async def _is_ours(self, connection: Connection, new: NewSession) -> Refusal | None:
        parties = {new.first_party.e164: Refusal.FIRST_PARTY_IS_OURS}
        parties.setdefault(new.second_party.e164, Refusal.SECOND_PARTY_IS_OURS)
        rows = self._sql.find_own_numbers(connection, numbers=list(parties))
        async for row in rows:
            return parties[row["number"]]
        return None

    async def _made_before(
        self, connection: Connection, new: NewSession
    ) -> SessionReport | Refusal | None:
        """What the same request made when it was sent before."""
        if new.once is None:
            return None
        row = await self._sql.find_creation(connection, account=new.account, key=new.once.key)
        if row is None:
            return None
        if row["fingerprint"] != new.once.fingerprint:
            return Refusal.KEY_REUSED
        return await self._report(connection, new.account, row["session"])

    async def _take(
        self, connection: Connection, new: NewSession, virtual_number: str
    ) -> uuid.UUID:
        """Raises: _PairTaken, _KeyTaken: nothing was done."""
        session_id = uuid.uuid4()
        sides = {new.first_party.e164: Side.FIRST, new.second_party.e164: Side.SECOND}
        async with connection.transaction():
            await self._sql.insert_session(
                connection,
                id=session_id,
                account=new.account,
                first_party=new.first_party.e164,
                second_party=new.second_party.e164,
                virtual_number=virtual_number,
                expiry=new.expiry,
                ring_timeout=new.ring_timeout,
                call_time_limit=new.call_time_limit,
                cooloff=new.cooloff,
                options=dict(new.options),
            )
            await self._remember(connection, new, session_id)
            for party_number in sorted(sides):  # in one order, so that no two wait crosswise
                taken = await self._sql.take_route(
                    connection,
                    virtual_number=virtual_number,
                    party_number=party_number,
                    session=session_id,
                    side=sides[party_number].value,
                )
                if taken is None:
                    raise _PairTaken
        return session_id

    async def _remember(
        self, connection: Connection, new: NewSession, session_id: uuid.UUID
    ) -> None:
        if new.once is None:
            return
        remembered = await self._sql.record_creation(
            connection,
            account=new.account,
            key=new.once.key,
            fingerprint=new.once.fingerprint,
            session=session_id,
            seconds=new.once.seconds,
        )
        if remembered is None:
            raise _KeyTaken

    async def _report(
        self, connection: Connection, account: str, session_id: uuid.UUID
    ) -> SessionReport:
        return session_report(
            await self._sql.find_session(connection, account=account, id=session_id)
        )


class _PairTaken(Exception):
    """Somebody else was faster: undo the attempt."""


class _KeyTaken(Exception):
    """A request for other parties, with the same key, was faster: undo the attempt."""


def session(row: Row) -> Session:
    """A session from the columns that are its own."""
    return Session(
        id=row["id"],
        account=row["account"],
        first_party=PhoneNumber(row["first_party"]),
        second_party=PhoneNumber(row["second_party"]),
        virtual_number=PhoneNumber(row["virtual_number"]),
        created_at=row["created_at"],
        modified_at=row["modified_at"],
        expires_at=row["expires_at"],
        closed_at=row["closed_at"],
        ring_timeout=row["ring_timeout"],
        call_time_limit=row["call_time_limit"],
    )


def session_report(row: Row) -> SessionReport:
    return SessionReport(
        session=session(row),
        options=row["options"],
        cooloff=row["cooloff"],
        status=SessionStatus(row["status"]),
        leg_count=row["leg_count"],
        billed_seconds=row["billed_seconds"],
        last_interaction_at=row["last_interaction_at"],
        interactions=[_interaction(item) for item in row["interactions"] or []],
    )


def _digits(number: PhoneNumber | None) -> str | None:
    return number.e164 if number else None


def _interaction(item: dict[str, Any]) -> Interaction:
    return Interaction(
        started_at=datetime.fromisoformat(item["started_at"]),
        ended_at=datetime.fromisoformat(item["ended_at"]) if item["ended_at"] else None,
        first_leg=uuid.UUID(item["first_leg"]) if item["first_leg"] else None,
        second_leg=uuid.UUID(item["second_leg"]) if item["second_leg"] else None,
        leg_count=item["leg_count"],
        seconds=int(item["seconds"]),
    )
