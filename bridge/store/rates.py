"""The rate table, and what calls and sessions cost."""

import dataclasses
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal

from bridge.domain.numbers import PhoneNumber
from bridge.domain.rates import UNANSWERED, Charge, Direction, Rate, Tariff
from bridge.domain.records import Arrival, CallRecord, LegRecord, Origin, Role
from bridge.store import queries
from bridge.store.pool import Connection, Database, Row
from bridge.store.session_rows import digits

_AT_ONCE = 5000  # rates in one statement, so that none takes longer than statements may


@dataclasses.dataclass(frozen=True, slots=True)
class _Destination:
    """What a leg is charged for."""

    direction: Direction
    number: str
    """As a call's record has it."""
    day: date


class Rates:
    """What the operator says that calls and sessions cost."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._sql = queries.load()

    async def put(self, rates: Sequence[Rate]) -> int:
        """Add or replace all of them or none; how many are new.  No two may have one key."""
        new = 0
        async with self._database.transaction() as connection:
            for start in range(0, len(rates), _AT_ONCE):
                new += await self._put(connection, rates[start : start + _AT_ONCE])
        return new

    async def find(
        self, trunk: str, direction: Direction, destination: PhoneNumber, *, day: date
    ) -> Rate | None:
        """The rate of a destination on a day."""
        async with self._database.connection() as connection:
            wanted = _Destination(direction, destination.e164, day)
            [rate] = await _find(connection, trunk, [wanted])
        return rate

    async def list(
        self, *, direction: Direction | None = None, prefix: str = "", day: date | None = None
    ) -> Sequence[Rate]:
        """Those whose prefix begins with ``prefix``; ``day``: only what counts on that day."""
        async with self._database.connection() as connection:
            rows = self._sql.list_rates(
                connection, direction=direction and direction.value, prefix=prefix, day=day
            )
            return [_rate(row) async for row in rows]

    async def set_session_fee(self, account: str, fee: Decimal) -> bool:
        """What the account's sessions cost from now on; ``False`` if there is no such account."""
        async with self._database.connection() as connection:
            row = await self._sql.set_session_fee(connection, account=account, fee=fee)
        return row is not None

    async def _put(self, connection: Connection, rates: Sequence[Rate]) -> int:
        rows = self._sql.put_rates(
            connection,
            trunks=[rate.trunk for rate in rates],
            directions=[rate.direction.value for rate in rates],
            prefixes=[rate.prefix for rate in rates],
            days=[rate.valid_from for rate in rates],
            prices=[rate.tariff.price_per_minute for rate in rates],
            fees=[rate.tariff.connection_fee for rate in rates],
            first_seconds=[rate.tariff.first_seconds for rate in rates],
            next_seconds=[rate.tariff.next_seconds for rate in rates],
        )
        return sum([row["is_new"] async for row in rows])


async def charges_of(
    connection: Connection, record: CallRecord, trunk: str
) -> Mapping[Role, Charge]:
    """What each leg of a call costs, by the rates of the day on which it was answered."""
    charges = {leg.role: UNANSWERED for leg in record.legs}
    talks = [
        (leg, leg.answered_at, leg.ended_at - leg.answered_at)
        for leg in record.legs
        if leg.answered_at and leg.ended_at
    ]
    wanted = [_destination(record.arrival, leg, answered_at) for leg, answered_at, _ in talks]
    rates = await _find(connection, trunk, wanted) if wanted else []
    for (leg, _, talked), rate in zip(talks, rates, strict=True):
        charges[leg.role] = (rate.tariff if rate else Tariff()).charge(talked)
    return charges


def day_of(at: datetime) -> date:
    """The day by which a leg that was answered then is charged: days begin at 0:00 UTC."""
    return at.astimezone(UTC).date()


def _destination(arrival: Arrival, leg: LegRecord, answered_at: datetime) -> _Destination:
    day = day_of(answered_at)
    if leg.role is Role.A and arrival.origin is Origin.INBOUND:
        return _Destination(Direction.INBOUND, arrival.dialled, day)
    return _Destination(Direction.OUTBOUND, digits(leg.party_number) or "", day)


async def _find(
    connection: Connection, trunk: str, wanted: Sequence[_Destination]
) -> Sequence[Rate | None]:
    """The rate of each; ``None``: there is none."""
    rows = queries.load().find_rates(
        connection,
        trunk=trunk,
        wanted=[
            {
                "direction": one.direction.value,
                "digits": one.number.removeprefix("+"),
                "day": one.day.isoformat(),
            }
            for one in wanted
        ],
    )
    return [_rate(row) if row["trunk"] else None async for row in rows]


def _rate(row: Row) -> Rate:
    return Rate(
        trunk=row["trunk"],
        direction=Direction(row["direction"]),
        prefix=row["prefix"],
        valid_from=row["valid_from"],
        tariff=Tariff(
            price_per_minute=row["price_per_minute"],
            connection_fee=row["connection_fee"],
            first_seconds=row["first_seconds"],
            next_seconds=row["next_seconds"],
        ),
    )
