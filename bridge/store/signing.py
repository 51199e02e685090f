"""The secrets that an account's events are signed with."""

from collections.abc import Sequence

from bridge.domain.access import SigningSecret
from bridge.store import queries
from bridge.store.pool import Database


class SigningSecrets:
    """One that stays, and while they are being changed the one before it."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._sql = queries.load()

    async def list(self, account: str) -> Sequence[SigningSecret]:
        """Those that are valid, the one that stays first; none: there is no such account."""
        async with self._database.connection() as connection:
            rows = self._sql.list_signing_secrets(connection, account=account)
            return [SigningSecret(**row) async for row in rows]

    async def rotate(self, account: str, *, overlap: int) -> None:
        """Make another the one that stays.

        Args:
            overlap: seconds for which events are signed with the one before it too.
        """
        async with self._database.transaction() as connection:
            await self._sql.change_signing_secrets(connection, account=account)
            await self._sql.retire_signing_secret(connection, account=account, seconds=overlap)
            await self._sql.add_signing_secret(connection, account=account)
