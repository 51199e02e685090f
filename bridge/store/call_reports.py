"""What customers are told of their calls."""

import uuid
from collections.abc import Sequence

from bridge.domain.numbers import PhoneNumber
from bridge.domain.privacy import NumberForm, Privacy
from bridge.domain.rates import Charge
from bridge.domain.records import Origin, Role
from bridge.domain.reports import LegReport, Page, Stray
from bridge.domain.requests import CallFilter, Window
from bridge.domain.sessions import Side
from bridge.store import queries
from bridge.store.pool import Database, Row
from bridge.store.session_rows import digits, ending, number

COUNTED = 10_000
"""No list of calls is counted further."""


class CallReports:
    """Calls by account, whichever bridge carried them."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._sql = queries.load()

    async def hang_up(self, account: str, leg_id: uuid.UUID) -> bool:
        """Have the call of a leg end now; ``False`` if there is none, or it is over."""
        async with self._database.transaction() as connection:
            row = await self._sql.ask_hangup_of_leg(connection, account=account, id=leg_id)
        return row is not None

    async def leg(self, account: str, leg_id: uuid.UUID) -> LegReport | None:
        """Also by the id of a call: the leg with which it began."""
        async with self._database.connection() as connection:
            row = await self._sql.find_leg(connection, account=account, id=leg_id)
        return _report(row) if row else None

    async def list(self, account: str, wanted: CallFilter, window: Window) -> Page[LegReport]:
        """Each call as the leg that it began with, newest first; counted up to `COUNTED`."""
        conditions = {
            "account": account,
            "session": wanted.session,
            "virtual_number": digits(wanted.virtual_number),
            "caller": digits(wanted.caller),
            "disposition": wanted.disposition.value if wanted.disposition else None,
            "only_up": wanted.only_up,
            "reason": wanted.reason,
            "started_from": wanted.started.low,
            "started_to": wanted.started.high,
        }
        after_started, after_id = window.after or (None, None)
        async with self._database.transaction() as connection:
            await self._sql.plan_for_values(connection)
            rows = [
                row
                async for row in self._sql.list_calls(
                    connection,
                    **conditions,
                    limit=window.limit + 1,
                    offset=window.offset,
                    after_started=after_started,
                    after_id=after_id,
                )
            ]
            total = await self._sql.count_calls(connection, **conditions, at_most=COUNTED)
        items = [_report(row) for row in rows[: window.limit]]
        return Page(items=items, total=total, more=len(rows) > window.limit)

    async def strays(self, *, limit: int) -> Sequence[Stray]:
        """Calls that are no account's, newest first."""
        async with self._database.connection() as connection:
            return [
                Stray(**{**row, "caller": number(row["caller"])})
                async for row in self._sql.list_strays(connection, limit=limit)
            ]


def _report(row: Row) -> LegReport:
    return LegReport(
        id=row["id"],
        role=Role(row["role"]),
        origin=Origin(row["origin"]),
        call=row["call"],
        session=row["session"],
        caller_side=Side(row["caller_side"]) if row["caller_side"] else None,
        party_number=number(row["party_number"]),
        privacy=Privacy(NumberForm(row["event_privacy"]), row["event_key"]),
        virtual_number=PhoneNumber(row["virtual_number"]),
        started_at=row["started_at"],
        answered_at=row["answered_at"],
        ended_at=row["ended_at"],
        parent=row["parent"],
        ending=ending(dict(row)),
        written_charge=_charge(row),
    )


def _charge(row: Row) -> Charge | None:
    if row["amount"] is None:
        return None
    return Charge(
        billed_seconds=row["billed_seconds"], price_per_minute=row["rate"], amount=row["amount"]
    )
