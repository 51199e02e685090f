"""Accounts and their tokens."""

import hashlib
import hmac
import secrets
import string
import uuid
from collections.abc import Mapping, Sequence

from bridge.domain.access import Bearer, Scope, Token
from bridge.domain.attestation import Attestation
from bridge.domain.privacy import NumberForm
from bridge.domain.reports import Account
from bridge.store import queries
from bridge.store.pool import Connection, Database, Row

_ID_ALPHABET = string.ascii_uppercase + string.digits


class Accounts:
    """Who may use the API."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._sql = queries.load()

    async def create(self, name: str, *, token: str) -> str:
        """Create an account that ``token`` opens; its Auth ID."""
        auth_id = new_auth_id("MA")
        async with self._database.transaction() as connection:
            await self._sql.insert_account(connection, auth_id=auth_id, name=name)
            await self._insert_token(connection, auth_id, token, name="first", scope=Scope.ADMIN)
        return auth_id

    async def get(self, auth_id: str) -> Account | None:
        async with self._database.connection() as connection:
            row = await self._sql.find_account(connection, account=auth_id)
        return _account(row) if row else None

    async def list(self) -> Sequence[Account]:
        """Oldest first."""
        async with self._database.connection() as connection:
            return [_account(row) async for row in self._sql.list_accounts(connection)]

    async def update(self, auth_id: str, name: str | None, webhooks: Mapping[str, str]) -> None:
        """Change its name, if there is one, and whom it has asked about its calls.

        Args:
            webhooks: by the API's names; what is empty is taken away, what is not there stays.
        """
        async with self._database.connection() as connection:
            await self._sql.update_account(
                connection, account=auth_id, name=name, webhooks=dict(webhooks)
            )

    async def allow_countries(self, auth_id: str, countries: Sequence[str] | None) -> None:
        """Say where an account's parties may be (ISO 3166), ``None`` for anywhere."""
        async with self._database.connection() as connection:
            await self._sql.set_countries(connection, account=auth_id, countries=countries)

    async def keep_recordings(self, auth_id: str, days: int | None) -> None:
        """Say how many days an account's recordings are kept, ``None`` for ever."""
        async with self._database.connection() as connection:
            await self._sql.set_recording_days(connection, account=auth_id, days=days)

    async def limit_calls(self, auth_id: str, calls: int | None) -> None:
        """Say how many calls of an account may be up at once, ``None`` for any number."""
        async with self._database.connection() as connection:
            await self._sql.set_max_concurrent_calls(connection, account=auth_id, calls=calls)

    async def limit_numbers(self, auth_id: str, numbers: int | None) -> None:
        """Say how many numbers an account may have in its pool at once, ``None`` for any number."""
        async with self._database.connection() as connection:
            await self._sql.set_max_numbers(connection, account=auth_id, numbers=numbers)

    async def mask_events(self, auth_id: str, form: NumberForm) -> None:
        """Say how an account's events show the parties' numbers, those of before too."""
        async with self._database.connection() as connection:
            await self._sql.set_event_privacy(connection, account=auth_id, form=form.value)

    async def want_attestation(self, auth_id: str, least: Attestation) -> None:
        """Say how far a carrier must vouch for the numbers of an account's parties."""
        async with self._database.connection() as connection:
            await self._sql.set_min_attestation(connection, account=auth_id, least=least.value)

    async def authenticate(self, auth_id: str, token: str) -> Bearer | None:
        """Whose ``token`` it is in the account; ``None`` if it is not valid."""
        async with self._database.connection() as connection:
            rows = [row async for row in self._sql.find_valid_tokens(connection, account=auth_id)]
        given = _sha256(token)
        # Every one is compared, so that the time tells nothing.
        fitting = [row for row in rows if hmac.compare_digest(given, row["sha256"])]
        if not fitting:
            return None
        [row] = fitting
        return Bearer(token=row["id"], name=row["name"], scope=Scope(row["scope"]))

    async def add_token(self, auth_id: str, token: str, *, name: str, scope: Scope) -> bool:
        """Let ``token`` open the account too; ``False`` if there is no such account."""
        async with self._database.connection() as connection:
            return await self._insert_token(connection, auth_id, token, name=name, scope=scope)

    async def tokens(self, auth_id: str) -> Sequence[Token]:
        """Oldest first, those that were revoked included."""
        async with self._database.connection() as connection:
            rows = [row async for row in self._sql.list_tokens(connection, account=auth_id)]
        return [Token(**{**row, "scope": Scope(row["scope"])}) for row in rows]

    async def revoke_token(self, auth_id: str, token_id: uuid.UUID) -> bool:
        """Have a token open nothing from now on; ``False`` if it was not valid."""
        async with self._database.connection() as connection:
            row = await self._sql.revoke_token(connection, account=auth_id, id=token_id)
        return row is not None

    async def _insert_token(
        self, connection: Connection, auth_id: str, token: str, *, name: str, scope: Scope
    ) -> bool:
        row = await self._sql.insert_token(
            connection, sha256=_sha256(token), account=auth_id, name=name, scope=scope.value
        )
        return row is not None


def _account(row: Row) -> Account:
    return Account(
        **{
            **row,
            "event_privacy": NumberForm(row["event_privacy"]),
            "min_attestation": Attestation(row["min_attestation"]),
        }
    )


def new_auth_id(kind: str) -> str:
    """``MA`` or ``SA`` and 18 more characters: the shape that Plivo's SDKs insist on."""
    return kind + "".join(secrets.choice(_ID_ALPHABET) for _ in range(18))


def _sha256(token: str) -> bytes:
    """Enough for a token of 256 random bits, which nobody can guess at any speed."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
