"""What calls have to tell their customers, written in the transaction that makes it true."""

import dataclasses
from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from bridge.domain import events
from bridge.domain.events import Telling
from bridge.domain.rates import Charge
from bridge.domain.records import CallRecord, Role
from bridge.domain.sessions import Side
from bridge.store import queries
from bridge.store.pool import Connection


class Teller:
    """Writes each event of a call once, however often it is said: with the answer, at the end, and
    by the process that takes a call up after a crash.  A call of no session has nobody to tell.
    """

    def __init__(self) -> None:
        self._sql = queries.load()

    async def tell_ringing(self, connection: Connection, call_id: UUID, at: datetime) -> None:
        if call := await self._find(connection, call_id):
            await self._write(connection, call, [events.rings(call.caller.other, at)])

    async def tell_caller_answer(self, connection: Connection, call_id: UUID, at: datetime) -> None:
        if call := await self._find(connection, call_id):
            await self._write(connection, call, [events.answers(call.caller, at)])

    async def tell_answer(
        self,
        connection: Connection,
        call_id: UUID,
        at: datetime | None,
        ringing_at: datetime | None,
    ) -> None:
        """The two are connected.  The caller was answered in the same moment, if not before."""
        if call := await self._find(connection, call_id):
            callee, caller = call.caller.other, call.caller
            told = [events.rings(callee, ringing_at)] if ringing_at else []
            if at:
                told += [events.answers(callee, at), events.answers(caller, at)]
            await self._write(connection, call, told)

    async def tell_end(
        self, connection: Connection, record: CallRecord, charges: Mapping[Role, Charge]
    ) -> None:
        """Everything that was not told before, and the end."""
        if call := await self._find(connection, record.arrival.call_id):
            await self._write(connection, call, events.ends(record, charges, caller=call.caller))

    async def tell(self, connection: Connection, call_id: UUID, telling: Telling) -> None:
        if call := await self._find(connection, call_id):
            await self._write(connection, call, [telling])

    async def _find(self, connection: Connection, call_id: UUID) -> "_Call | None":
        row = await self._sql.find_teller(connection, call_id=call_id)
        return _Call(call_id, Side(row["caller_side"]), frozenset(row["told"])) if row else None

    async def _write(
        self, connection: Connection, call: "_Call", tellings: Sequence[Telling]
    ) -> None:
        once = call.told - {events.PIN_STATUS}  # which every attempt has one of
        new = [one for one in tellings if one.name not in once]
        if new:
            await self._sql.tell_of_call(
                connection,
                call_id=call.id,
                names=[one.name for one in new],
                times=[one.happened_at for one in new],
                attributes=[dict(one.attributes) for one in new],
            )


@dataclasses.dataclass(frozen=True, slots=True)
class _Call:
    id: UUID
    caller: Side
    told: frozenset[str]
