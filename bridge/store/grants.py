"""Which numbers the operator lets an account add to its pool."""

import uuid
from collections.abc import Sequence

import asyncpg

from bridge.domain.grants import Grant, NumberRange
from bridge.store import queries
from bridge.store.pool import Connection, Database


class HeldElsewhere(Exception):
    """Ranges of which another account holds something, granted or in its pool."""

    def __init__(self, ranges: Sequence[NumberRange]) -> None:
        super().__init__()
        self.ranges = ranges


class Grants:
    """By account.  A number is granted to one account at most."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._sql = queries.load()

    async def list(self, account: str | None = None) -> Sequence[tuple[str, Grant]]:
        """Each with its account, lowest number first; ``None`` for all accounts'."""
        async with self._database.connection() as connection:
            rows = [row async for row in self._sql.list_grants(connection, account=account)]
        return [
            (
                row["account"],
                Grant(
                    id=row["id"],
                    numbers=NumberRange(row["low"], row["high"]),
                    country=row["country"],
                    granted_at=row["granted_at"],
                    granted_by=row["granted_by"],
                ),
            )
            for row in rows
        ]

    async def grant(
        self, account: str, ranges: Sequence[NumberRange], *, by: str
    ) -> Sequence[NumberRange]:
        """Grant all of them or none; those of which another account holds something: none then.

        What the account is granted of a range already becomes one with it.
        """
        try:
            async with self._database.transaction() as connection:
                await self._sql.lock_account(connection, account=account)
                await grant(connection, account, ranges, by=by)
        except HeldElsewhere as held:
            return held.ranges
        return []

    async def revoke(self, account: str, ranges: Sequence[NumberRange]) -> tuple[int, int]:
        """Take numbers away from what is granted; what is in the pool stays there.

        Returns:
            How many grants were cut or taken away, and how many of the numbers are in the pool.
        """
        cut = in_pool = 0
        async with self._database.transaction() as connection:
            await self._sql.lock_account(connection, account=account)
            for one in ranges:
                ends = {"low": one.low, "high": one.high}
                cut += await self._sql.revoke_range(connection, account=account, **ends)
                in_pool += await self._sql.count_pool_between(connection, account=account, **ends)
        return cut, in_pool

    async def revoke_grant(self, account: str, grant_id: uuid.UUID) -> bool:
        """Take one away; ``False`` if the account has none of that id."""
        async with self._database.transaction() as connection:
            await self._sql.lock_account(connection, account=account)
            row = await self._sql.revoke_grant(connection, account=account, id=grant_id)
        return row is not None


async def grant(
    connection: Connection, account: str, ranges: Sequence[NumberRange], *, by: str
) -> None:
    """Grant ranges in a transaction that has locked the account.

    Raises:
        HeldElsewhere: nothing may be kept of the transaction.
    """
    sql = queries.load()
    held = [
        NumberRange(row["low"], row["high"])
        async for row in sql.find_other_s(
            connection,
            account=account,
            lows=[one.low for one in ranges],
            highs=[one.high for one in ranges],
        )
    ]
    if held:
        raise HeldElsewhere(held)
    for one in ranges:
        had = await sql.absorb_grants(connection, account=account, low=one.low, high=one.high)
        low = one.low if had["low"] is None else min(one.low, had["low"])
        high = one.high if had["high"] is None else max(one.high, had["high"])
        try:
            await sql.insert_grant(
                connection,
                account=account,
                low=low,
                high=high,
                country=one.first.country,
                granted_by=by,
            )
        except asyncpg.ExclusionViolationError:  # another account was faster
            raise HeldElsewhere([one]) from None
