"""Accounts and their tokens."""

import hashlib
import hmac
import secrets
import string

from bridge.domain.reports import Account
from bridge.store import queries
from bridge.store.pool import Database

_ID_ALPHABET = string.ascii_uppercase + string.digits


class Accounts:
    """Who may use the API."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._sql = queries.load()

    async def create(self, name: str, *, token: str) -> str:
        """Create an account that ``token`` opens; its Auth ID.

        The shape of the id is what Plivo's SDKs insist on: ``MA`` and 18 more characters.
        """
        auth_id = "MA" + "".join(secrets.choice(_ID_ALPHABET) for _ in range(18))
        async with self._database.transaction() as connection:
            await self._sql.insert_account(connection, auth_id=auth_id, name=name)
            await self._sql.insert_token(connection, sha256=_sha256(token), account=auth_id)
        return auth_id

    async def get(self, auth_id: str) -> Account | None:
        async with self._database.connection() as connection:
            row = await self._sql.find_account(connection, account=auth_id)
        return Account(**row) if row else None

    async def authenticate(self, auth_id: str, token: str) -> bool:
        """Whether ``token`` is valid for the account."""
        async with self._database.connection() as connection:
            valid = [
                row["sha256"]
                async for row in self._sql.find_token_hashes(connection, account=auth_id)
            ]
        given = _sha256(token)
        # Every one is compared, so that the time tells nothing.
        return any([hmac.compare_digest(given, one) for one in valid])  # noqa: C419


def _sha256(token: str) -> bytes:
    """Enough for a token of 256 random bits, which nobody can guess at any speed."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
