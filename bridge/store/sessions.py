"""Masking sessions, and the (caller, virtual number) pairs that they hold."""

import functools
import uuid
from collections.abc import Callable, Sequence
from typing import Any

import asyncpg

from bridge import metrics
from bridge.domain.allocation import Claim, claim
from bridge.domain.numbers import PhoneNumber
from bridge.domain.reports import DryRun, Page, SessionReport, SessionStep
from bridge.domain.requests import (
    By,
    Facts,
    NewSession,
    Refusal,
    SessionChange,
    SessionFilter,
    Window,
)
from bridge.domain.sessions import Side
from bridge.store import queries
from bridge.store.allocations import Allocations, Found, NoNumber, PairTaken
from bridge.store.orders import Orders, Refused
from bridge.store.pins import random_pin
from bridge.store.pool import Connection, Database, Row
from bridge.store.session_rows import (
    all_digits,
    changed_columns,
    filter_columns,
    lookup_digits,
    new_columns,
    session_report,
)


class Sessions:
    """Sessions by account.  All times are the database's."""

    def __init__(
        self,
        database: Database,
        orders: Orders,
        *,
        headroom: int = 1,
        ranges: tuple[str, ...] = (),
        draw_pin: Callable[[int], str] = random_pin,
    ) -> None:
        self._database = database
        self._allocations = Allocations(headroom=headroom, draw_pin=draw_pin)
        self._orders = orders
        self._ranges = ranges
        self._sql = queries.load()

    async def facts(
        self,
        account: str,
        numbers: Sequence[PhoneNumber],
        subaccount: str | None,
        *,
        at_home: bool = False,
    ) -> Facts:
        """What must be known to judge a request that names these.

        ``at_home``: where the account is at home, too.
        """
        async with self._database.connection() as connection:
            row = await self._sql.find_facts(
                connection,
                account=account,
                numbers=all_digits(numbers),
                subaccount=subaccount,
                at_home=at_home,
            )
        return Facts(
            own_numbers=frozenset(map(PhoneNumber, row["own_numbers"])),
            countries=None if row["countries"] is None else frozenset(row["countries"]),
            home_countries=frozenset(row["home_countries"] or ()),
            subaccounts=frozenset(row["subaccounts"]),
            ranges=self._ranges,
        )

    async def create(self, new: NewSession, by: By) -> SessionReport | DryRun | Refusal:
        """Find virtual numbers that are free for the parties, and take them.

        The primary keys of ``route`` and ``pin`` are what keeps a pair from being given twice.
        """
        try:
            async with self._database.transaction() as connection:
                await self._keep_subaccount(connection, new)
                if await self._allocations.lock(connection, claim(new)):
                    return Refusal.PARTY_IS_VIRTUAL
                if earlier := await self._made_before(connection, new):
                    return earlier
                session_id = await self._make(connection, new, by)
                if isinstance(session_id, Refusal):
                    return session_id
                if new.dry_run:
                    raise _Undo(await self._report(connection, new.account, session_id))
                metrics.SESSIONS_CREATED.inc()
                return await self._report(connection, new.account, session_id)
        except _Undo as undo:
            one = undo.report.session
            return DryRun(
                virtual_number=one.virtual_number, second_virtual_number=one.second_virtual_number
            )
        except Refused as refused:
            return refused.refusal

    async def _make(self, connection: Connection, new: NewSession, by: By) -> uuid.UUID | Refusal:
        """Raises: Refused: nothing was made."""
        wanted = claim(new)
        insert = functools.partial(self._insert, connection, new, wanted, by)
        try:
            return await self._allocations.allot(connection, wanted, insert)
        except NoNumber as none:
            return none.refusal
        except asyncpg.UniqueViolationError as violation:
            if violation.constraint_name != "session_client_reference":
                raise
            raise Refused(Refusal.REFERENCE_TAKEN) from None

    async def get(self, account: str, session_id: uuid.UUID) -> SessionReport | None:
        async with self._database.connection() as connection:
            row = await self._sql.find_session(connection, account=account, id=session_id)
        return session_report(row) if row else None

    async def history(self, account: str, session_id: uuid.UUID) -> Sequence[SessionStep] | None:
        """What became of a session, oldest first; ``None`` if there is no such session."""
        async with self._database.connection() as connection:
            rows = [
                row
                async for row in self._sql.list_steps(connection, account=account, id=session_id)
            ]
        return [SessionStep(**row) for row in rows] or None

    async def list(
        self, account: str, wanted: SessionFilter, window: Window
    ) -> Page[SessionReport]:
        """Newest first."""
        conditions = {"account": account, **filter_columns(wanted)}
        after_created, after_id = window.after or (None, None)
        async with self._database.connection() as connection:
            rows = [
                row
                async for row in self._sql.list_sessions(
                    connection,
                    **conditions,
                    limit=window.limit + 1,
                    offset=window.offset,
                    after_created=after_created,
                    after_id=after_id,
                )
            ]
            total = await self._sql.count_sessions(connection, **conditions)
        items = [session_report(row) for row in rows[: window.limit]]
        return Page(items=items, total=total, more=len(rows) > window.limit)

    async def update(
        self, account: str, session_id: uuid.UUID, change: SessionChange, by: By
    ) -> SessionReport | Refusal:
        """Change a live session.  A call that is up keeps the limits it began with."""
        try:
            async with self._database.transaction() as connection:
                before = await self._sql.lock_session(connection, account=account, id=session_id)
                if before is None:
                    return await self._why_not(connection, account, session_id)
                await self._change_parties(connection, session_id, before, change)
                await self._sql.update_session(connection, id=session_id, **changed_columns(change))
                held = await self._sql.hold_routes(connection, session=session_id)
                report = await self._report(connection, account, session_id)
                if held < _holds(report):
                    # It ended while we looked, and somebody took a pair or PIN of it at once.
                    raise Refused(Refusal.ALREADY_EXPIRED)
                await self._note(connection, session_id, "updated", by, change.changed)
                return report
        except Refused as refused:
            return refused.refusal

    async def expire(
        self, account: str, session_id: uuid.UUID, by: By, *, hang_up: bool
    ) -> Refusal | None:
        """End a session: no new calls; ``hang_up`` ends the one that is up, too.

        Its pairs are free once a live call of it is over and they have cooled off.
        """
        async with self._database.transaction() as connection:
            if not await self._sql.close_session(connection, account=account, id=session_id):
                return await self._why_not(connection, account, session_id)
            await self._sql.release_routes(connection, session=session_id)
            await self._sql.forget_repeats(connection, session=session_id)
            await self._note(connection, session_id, "closed", by)
            if hang_up:
                async for _ in self._sql.ask_hangup(connection, session=session_id):
                    pass
        return None

    async def note_expired(self, *, at_most: int) -> int:
        """Note the end of sessions whose time is over, and tell it as an event, once; how many.

        Nothing depends on it but the telling: a session is over by the database's clock, whether
        or not anybody notes it.
        """
        async with self._database.connection() as connection:
            noted: int = await self._sql.note_expired(connection, limit=at_most)
        metrics.SESSIONS_EXPIRED.inc(noted)
        return noted

    async def _keep_subaccount(self, connection: Connection, new: NewSession) -> None:
        """Raises: Refused: it was removed or disabled since the request was judged."""
        if new.subaccount is None:
            return
        kept = await self._sql.keep_subaccount(
            connection, account=new.account, auth_id=new.subaccount
        )
        if kept is None or not kept["enabled"]:
            raise Refused(Refusal.SUBACCOUNT_UNKNOWN)

    async def _insert(
        self,
        connection: Connection,
        new: NewSession,
        wanted: Claim,
        by: By,
        virtual_numbers: Found,
    ) -> uuid.UUID:
        """Raises: PairTaken, Refused: nothing was done."""
        session_id = uuid.uuid4()
        await self._sql.insert_session(
            connection, id=session_id, **new_columns(new, virtual_numbers)
        )
        await self._remember(connection, new, session_id)
        taken = await self._allocations.take(connection, wanted, session_id, virtual_numbers)
        if taken:
            shown: dict[str, Any] = {f"{side}_party_pin": pin for side, pin in taken.items()}
            given = new.pins.are_given if new.pins else ()
            if drawn := [len(pin) for pin in taken.values() if pin not in given]:
                shown["generate_pin_length"] = max(drawn)
            await self._sql.keep_pins(connection, session=session_id, pins=shown)
        await self._note(connection, session_id, "created", by)
        if new.call_me:
            await self._orders.write(connection, new.account, session_id, Side.FIRST)
        return session_id

    async def _change_parties(
        self, connection: Connection, session_id: uuid.UUID, before: Row, change: SessionChange
    ) -> None:
        """Let a session that was made with a single party be another's, or at last somebody's.

        Raises:
            Refused: it has its two parties, or the new one cannot be one of them.
        """
        for side, wanted in ((Side.FIRST, change.first_party), (Side.SECOND, change.second_party)):
            had, other = before[f"{side}_party"], before[f"{side.other}_party"]
            if wanted is None or wanted.e164 == had:
                continue
            if not before["single_party"]:
                raise Refused(Refusal.NOT_SINGLE_PARTY)
            others = [*([other] if other else []), *before[f"{side.other}_party_alternates"]]
            if wanted.lookup_form in [PhoneNumber(one).lookup_form for one in others]:
                raise Refused(Refusal.SAME_PARTY)
            if had:
                await self._sql.drop_route(
                    connection, session=session_id, party_number=lookup_digits(PhoneNumber(had))
                )
            await self._sql.drop_open_route(connection, session=session_id)
            virtual_number = PhoneNumber(before["virtual_number"])
            try:
                await self._allocations.take_pair(
                    connection, session_id, virtual_number, wanted, side
                )
            except PairTaken:
                raise Refused(Refusal.PARTY_BUSY_ELSEWHERE) from None

    async def _note(
        self,
        connection: Connection,
        session_id: uuid.UUID,
        what: str,
        by: By,
        changed: Sequence[str] = (),
    ) -> None:
        await self._sql.note_step(
            connection,
            session=session_id,
            what=what,
            actor=by.actor,
            reason=by.reason,
            changed=list(changed),
        )

    async def _why_not(
        self, connection: Connection, account: str, session_id: uuid.UUID
    ) -> Refusal:
        found = await self._sql.find_session(connection, account=account, id=session_id)
        return Refusal.ALREADY_EXPIRED if found else Refusal.NOT_FOUND

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

    async def _remember(
        self, connection: Connection, new: NewSession, session_id: uuid.UUID
    ) -> None:
        """Raises: Refused: a request for other parties, with the same key, was faster."""
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
            raise Refused(Refusal.KEY_REUSED)

    async def _report(
        self, connection: Connection, account: str, session_id: uuid.UUID
    ) -> SessionReport:
        return session_report(
            await self._sql.find_session(connection, account=account, id=session_id)
        )


class _Undo(Exception):
    """It was only to be tried."""

    def __init__(self, report: SessionReport) -> None:
        super().__init__()
        self.report = report


def _holds(report: SessionReport) -> int:
    """How many pairs and PINs a session must hold."""
    numbers = {number for side in Side for number in report.session.numbers(side)}
    pins = [side for side in Side if report.pins and report.pins.given(side)]
    return len(numbers) + report.takes_anybody + len(pins)
