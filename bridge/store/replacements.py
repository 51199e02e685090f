"""Live sessions moved from a virtual number to others."""

import uuid
from collections.abc import Mapping
from datetime import datetime

from bridge.domain.events import NUMBER_REPLACED, number_replaced
from bridge.domain.numbers import PhoneNumber
from bridge.domain.replacement import NotReplaced, Replaced, Replacement, claim_instead
from bridge.domain.requests import By
from bridge.domain.sessions import Side
from bridge.store import queries
from bridge.store.allocations import Allocations, Found, NoNumber
from bridge.store.pins import random_pin
from bridge.store.pool import Connection, Database
from bridge.store.session_rows import digits, session_report

_COLUMNS = {Side.FIRST: "virtual_number", Side.SECOND: "second_virtual_number"}


class Replacements:
    """By account.

    Args:
        headroom: as of `Allocations`.
    """

    def __init__(self, database: Database, *, headroom: int = 1) -> None:
        self._database = database
        self._allocations = Allocations(headroom=headroom, draw_pin=random_pin)
        self._sql = queries.load()

    async def replace(
        self,
        account: str,
        bad: PhoneNumber,
        by: By,
        *,
        instead: PhoneNumber | None,
        limit: int,
        after: tuple[datetime, uuid.UUID] | None = None,
    ) -> Replacement | None:
        """Give a number's live sessions another, each in a transaction of its own; safe to repeat.

        The number is given to no new session from now on.  As long as it takes calls it leads its
        callers to their sessions all the same: both numbers work.  A call that is up goes on.

        Args:
            instead: this number and no other; ``None``: any of the same country.
            limit: sessions to look at in one go.
            after: the last session that was looked at before.

        Returns:
            ``None``: the account has no such number, in or out of the pool.
        """
        after_created, after_id = after or (None, None)
        async with self._database.transaction() as connection:
            if not await self._sql.stop_giving(connection, account=account, number=digits(bad)):
                return None
            rows = self._sql.list_sessions_on(
                connection,
                account=account,
                number=digits(bad),
                after_created=after_created,
                after_id=after_id,
                limit=limit + 1,
            )
            found = [(row["created_at"], row["id"]) async for row in rows]
        outcomes = [
            await self._replace_in(account, session_id, bad, instead, by)
            for _, session_id in found[:limit]
        ]
        return Replacement(
            replaced=[one for one in outcomes if isinstance(one, Replaced)],
            not_replaced=[one for one in outcomes if isinstance(one, NotReplaced)],
            next=found[limit - 1] if len(found) > limit else None,
        )

    async def _replace_in(
        self,
        account: str,
        session_id: uuid.UUID,
        bad: PhoneNumber,
        instead: PhoneNumber | None,
        by: By,
    ) -> Replaced | NotReplaced | None:
        """``None``: it is over by now, or has another number already."""
        async with self._database.transaction() as connection:
            if not await self._sql.lock_session(connection, account=account, id=session_id):
                return None
            report = session_report(
                await self._sql.find_session(connection, account=account, id=session_id)
            )
            claim = claim_instead(report, bad, instead)
            if not claim.needs:
                return None

            async def take(numbers: Found) -> Found:
                await self._allocations.take(connection, claim, session_id, numbers)
                return numbers

            try:
                numbers = await self._allocations.allot(connection, claim, take)
            except NoNumber as none:
                return NotReplaced(session_id, none.refusal)
            await self._write(connection, session_id, bad, numbers, by)
            return Replaced(
                session_id,
                numbers.get(Side.FIRST, report.session.virtual_number),
                numbers.get(Side.SECOND, report.session.second_virtual_number),
            )

    async def _write(
        self,
        connection: Connection,
        session_id: uuid.UUID,
        bad: PhoneNumber,
        numbers: Mapping[Side, PhoneNumber],
        by: By,
    ) -> None:
        await self._sql.replace_number(
            connection,
            id=session_id,
            first=digits(numbers.get(Side.FIRST)),
            second=digits(numbers.get(Side.SECOND)),
            name=NUMBER_REPLACED,
            attributes=[dict(number_replaced(bad, new)) for new in numbers.values()],
        )
        await self._sql.note_step(
            connection,
            session=session_id,
            what="updated",
            actor=by.actor,
            reason=by.reason,
            changed=[_COLUMNS[side] for side in numbers],
        )
