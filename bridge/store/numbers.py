"""The pool of virtual numbers."""

from collections.abc import Sequence

from bridge.domain.numbers import PhoneNumber
from bridge.domain.reports import Page, VirtualNumber
from bridge.domain.requests import Refusal
from bridge.store import queries
from bridge.store.pool import Connection, Database, Row


class Numbers:
    """Virtual numbers by account."""

    def __init__(self, database: Database, *, trunk: str) -> None:
        self._database = database
        self._trunk = trunk
        self._sql = queries.load()

    async def add(
        self, account: str, numbers: Sequence[PhoneNumber], *, alias: str
    ) -> Refusal | None:
        """Add all of them or none; adding one again is no error."""
        try:
            async with self._database.transaction() as connection:
                # In one order, so that no two who add the same numbers wait crosswise.
                for number in sorted(set(numbers), key=lambda one: one.e164):
                    await self._add(connection, account, number, alias)
        except _Taken:
            return Refusal.NUMBER_TAKEN
        return None

    async def get(self, account: str, number: PhoneNumber) -> VirtualNumber | None:
        async with self._database.connection() as connection:
            row = await self._sql.find_number(connection, account=account, number=number.e164)
        return _number(row) if row else None

    async def list(self, account: str, *, limit: int, offset: int) -> Page[VirtualNumber]:
        """Oldest first."""
        async with self._database.connection() as connection:
            rows = [
                row
                async for row in self._sql.list_numbers(
                    connection, account=account, limit=limit, offset=offset
                )
            ]
            total = await self._sql.count_numbers(connection, account=account)
        return Page(items=[_number(row) for row in rows], total=total)

    async def remove(self, account: str, number: PhoneNumber) -> bool:
        """Take a number out of service; whether there was such a one.  Live calls go on."""
        async with self._database.connection() as connection:
            row = await self._sql.remove_number(connection, account=account, number=number.e164)
        return row is not None

    async def _add(
        self, connection: Connection, account: str, number: PhoneNumber, alias: str
    ) -> None:
        row = await self._sql.add_number(
            connection,
            number=number.e164,
            account=account,
            alias=alias,
            country=number.country,
            trunk=self._trunk,
        )
        if row is None:
            raise _Taken


class _Taken(Exception):
    """A number is another account's: undo the others."""


def _number(row: Row) -> VirtualNumber:
    return VirtualNumber(
        number=PhoneNumber(row["number"]),
        alias=row["alias"],
        country=row["country"],
        trunk=row["trunk"],
        added_at=row["added_at"],
    )
