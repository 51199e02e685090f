"""Parts of an account."""

from bridge.domain.pool import Subaccount
from bridge.domain.reports import Page
from bridge.domain.requests import Refusal
from bridge.store import queries
from bridge.store.accounts import new_auth_id
from bridge.store.pool import Database


class Subaccounts:
    """Subaccounts by account."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._sql = queries.load()

    async def create(self, account: str, name: str, *, enabled: bool) -> str:
        """A new one's Auth ID."""
        auth_id = new_auth_id("SA")
        async with self._database.connection() as connection:
            await self._sql.insert_subaccount(
                connection, account=account, auth_id=auth_id, name=name, enabled=enabled
            )
        return auth_id

    async def get(self, account: str, auth_id: str) -> Subaccount | None:
        async with self._database.connection() as connection:
            row = await self._sql.find_subaccount(connection, account=account, auth_id=auth_id)
        return Subaccount(**row) if row else None

    async def list(self, account: str, *, limit: int, offset: int) -> Page[Subaccount]:
        """Oldest first."""
        async with self._database.connection() as connection:
            rows = [
                row
                async for row in self._sql.list_subaccounts(
                    connection, account=account, limit=limit, offset=offset
                )
            ]
            total = await self._sql.count_subaccounts(connection, account=account)
        return Page(items=[Subaccount(**row) for row in rows], total=total)

    async def update(
        self, account: str, auth_id: str, *, name: str | None, enabled: bool | None
    ) -> bool:
        """Change what is not ``None``; ``False`` if there is no such one."""
        async with self._database.connection() as connection:
            row = await self._sql.update_subaccount(
                connection, account=account, auth_id=auth_id, name=name, enabled=enabled
            )
        return row is not None

    async def remove(self, account: str, auth_id: str, *, retire_numbers: bool) -> Refusal | None:
        """Remove one that has no live sessions.

        Its numbers go back to the account, or are retired.
        """
        async with self._database.transaction() as connection:
            if not await self._sql.lock_subaccount(connection, account=account, auth_id=auth_id):
                return Refusal.NOT_FOUND
            if await self._sql.has_live_sessions(connection, account=account, subaccount=auth_id):
                return Refusal.SUBACCOUNT_IN_USE
            await self._sql.remove_subaccount(connection, auth_id=auth_id)
            await self._sql.take_numbers_back(
                connection, account=account, subaccount=auth_id, retire=retire_numbers
            )
        return None
