"""What customers are told of their calls."""

import uuid

from bridge.domain.numbers import PhoneNumber
from bridge.domain.rates import Charge
from bridge.domain.records import Origin, Role
from bridge.domain.reports import LegReport
from bridge.store import queries
from bridge.store.pool import Database, Row
from bridge.store.session_rows import ending


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
        async with self._database.connection() as connection:
            row = await self._sql.find_leg(connection, account=account, id=leg_id)
        if row is None:
            return None
        return LegReport(
            id=row["id"],
            role=Role(row["role"]),
            origin=Origin(row["origin"]),
            party_number=PhoneNumber(row["party_number"]),
            virtual_number=PhoneNumber(row["virtual_number"]),
            started_at=row["started_at"],
            answered_at=row["answered_at"],
            ended_at=row["ended_at"],
            parent=row["parent"],
            ending=ending(row),
            written_charge=_charge(row),
        )


def _charge(row: Row) -> Charge | None:
    if row["amount"] is None:
        return None
    return Charge(
        billed_seconds=row["billed_seconds"], price_per_minute=row["rate"], amount=row["amount"]
    )
