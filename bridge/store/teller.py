"""What calls have to tell their customers, written in the transaction that makes it true."""

import dataclasses
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from bridge.domain import events
from bridge.domain.events import Telling
from bridge.domain.rates import Charge
from bridge.domain.records import CallRecord, Role
from bridge.domain.sessions import Side
from bridge.store import queries
from bridge.store.pool import Connection


@dataclasses.dataclass(frozen=True, slots=True)
class Tale:
    """What one call has to tell, in one transaction.  A call of no session has nobody to tell.

    Each event is written once, however often it is said: with the answer, at the end, and by the
    process that takes a call up after a crash.
    """

    call_id: UUID
    caller: Side | None
    """``None``: it is no session's call."""
    account: str
    """Whose session it is; empty if it is none's."""
    told: frozenset[str]
    _connection: Connection
    _sql: Any

    async def rings(self, at: datetime) -> None:
        """The phone of the party that is called rings."""
        if self.caller:
            await self._write([events.rings(self.caller.other, at)])

    async def caller_answers(self, at: datetime) -> None:
        """Before the other does: for a prompt, or since its call was ordered."""
        if self.caller:
            await self._write([events.answers(self.caller, at)])

    async def is_answered(self, at: datetime | None, ringing_at: datetime | None) -> None:
        """The two are connected.  The caller was answered in the same moment, if not before."""
        if self.caller:
            told = [events.rings(self.caller.other, ringing_at)] if ringing_at else []
            if at:
                told += [events.answers(self.caller.other, at), events.answers(self.caller, at)]
            await self._write(told)

    async def ends(self, record: CallRecord, charges: Mapping[Role, Charge]) -> None:
        """Everything that was not told before, and the end."""
        if self.caller:
            await self._write(events.ends(record, charges, caller=self.caller))

    async def tells(self, telling: Telling) -> None:
        if self.caller:
            await self._write([telling])

    async def _write(self, tellings: Sequence[Telling]) -> None:
        new = [one for one in tellings if one.name not in self.told]
        if new:
            await self._sql.tell_of_call(
                self._connection,
                call_id=self.call_id,
                names=[one.name for one in new],
                times=[one.happened_at for one in new],
                attributes=[dict(one.attributes) for one in new],
            )


async def begin_tale(connection: Connection, call_id: UUID) -> Tale:
    """Lock the session of a call, until the transaction ends.

    Whoever changes a call and what belongs to its session begins with this, as whoever changes a
    session and then its calls begins with the session: no two then wait crosswise.
    """
    sql = queries.load()
    row = await sql.begin_tale(connection, call_id=call_id)
    return Tale(
        call_id,
        Side(row["caller_side"]) if row else None,
        row["account"] if row else "",
        frozenset(row["told"]) if row else frozenset(),
        _connection=connection,
        _sql=sql,
    )


async def tell_of_pin(
    connection: Connection, call_id: UUID, asked_by: UUID, telling: Telling
) -> None:
    """Write what came of a PIN, for the session that asked for it."""
    await queries.load().tell_of_pin(
        connection,
        session=asked_by,
        call_id=call_id,
        name=telling.name,
        happened_at=telling.happened_at,
        attributes=dict(telling.attributes),
    )
