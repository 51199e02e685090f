"""The rate table, and what sessions cost."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import Decimal

from bridge.domain.numbers import PhoneNumber
from bridge.domain.rates import Direction, Rate, Tariff
from bridge.store import queries
from bridge.store.pool import Connection, Database, Row

_AT_ONCE = 5000  # rates in one statement, so that none takes longer than statements may


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
            return await find_rate(connection, trunk, direction, destination.e164, day=day)

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


async def find_rate(
    connection: Connection, trunk: str, direction: Direction, destination: str, *, day: date
) -> Rate | None:
    """As `Rates.find`, in the caller's transaction; ``destination`` as a call's record has it."""
    row = await queries.load().find_rate(
        connection,
        trunk=trunk,
        direction=direction.value,
        digits=destination.removeprefix("+"),
        day=day,
    )
    return _rate(row) if row else None


def day_of(at: datetime) -> date:
    """The day by which a leg that was answered then is charged: days begin at 0:00 UTC."""
    return at.astimezone(UTC).date()


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
