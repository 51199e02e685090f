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
from bridge.store.pool import Connection, Row


@dataclasses.dataclass(frozen=True, slots=True)
class Tale:
    """What one call has to tell, in one transaction.  A call of no session has nobody to tell.

    Each event is written once, however often it is said: with the answer, at the end, and by the
    process that takes a call up after a crash.
    """

    call_id: UUID
    session: UUID | None
    """``None``: it is no session's call."""
    caller: Side | None
    """Which party of it."""
    account: str
    """Whose session it is; empty if it is none's."""
    told: set[str]
    tells_all: bool
    """Its session asks for `events.OLDER_SET` too."""
    prolongs: bool
    """It is agreed that a call that is over prolongs its session."""
    landed_at: datetime | None
    """When it came in; ``None``: it was ordered."""
    _connection: Connection
    _sql: Any

    async def lands(self) -> None:
        """It has come in: of such a call the first that is told, whatever else is."""
        if self.landed_at:
            await self._write([events.lands(self.landed_at)])

    async def is_placed(self, role: Role, at: datetime) -> None:
        """The party of a leg is being called."""
        if side := self._side(role):
            await self._write([events.is_placed(side, at)])

    async def rings(self, role: Role, at: datetime) -> None:
        """The phone of a party that is called rings."""
        if side := self._side(role):
            await self._write([events.rings(side, at)])

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
        """What comes of its recording, which may be long after its end."""
        if self.caller:
            await self._write_new([telling])

    def _side(self, role: Role) -> Side | None:
        return self.caller.other if self.caller and role is Role.B else self.caller

    async def _write(self, tellings: Sequence[Telling]) -> None:
        """How far the call is: nothing after its end.

        A bridge that another has taken over from may still be writing.
        """
        if events.PARTIES_HANGUP not in self.told:
            await self._write_new(tellings)

    async def _write_new(self, tellings: Sequence[Telling]) -> None:
        """Write those that are new, and that the session asks for.

        What it does not ask for is not written either: so its events are numbered without gaps, and
        the log shows what was told.
        """
        passed_over = self.told if self.tells_all else self.told | events.OLDER_SET
        new = [one for one in tellings if one.name not in passed_over]
        said = passed_over.union(one.name for one in new)
        if new and self.landed_at and events.VIRTUAL_NUMBER_ANSWER not in said:
            new.insert(0, events.lands(self.landed_at))
        self.told.update(one.name for one in new)
        if new:
            await self._sql.tell_of_call(
                self._connection,
                call_id=self.call_id,
                tellings=[
                    {
                        "name": one.name,
                        "happened_at": one.happened_at.isoformat(),
                        "attributes": dict(one.attributes),
                    }
                    for one in new
                ],
            )


async def begin_tale(connection: Connection, call_id: UUID) -> Tale:
    """Lock the session of a call, until the transaction ends.

    Whoever changes a call and what belongs to its session begins with this, as whoever changes a
    session and then its calls begins with the session: no two then wait crosswise.
    """
    return tale_of(
        call_id, await queries.load().begin_tale(connection, call_id=call_id), connection
    )


def tale_of(call_id: UUID, row: Row | None, connection: Connection) -> Tale:
    """What `begin_tale` found, or a statement that changed the call and began as it does."""
    return Tale(
        call_id,
        row["session_id"] if row else None,
        Side(row["caller_side"]) if row else None,
        row["account"] if row else "",
        set(row["told"]) if row else set(),
        tells_all=bool(row and row["tells_all"]),
        prolongs=bool(row and row["prolongs"]),
        landed_at=row["landed_at"] if row else None,
        _connection=connection,
        _sql=queries.load(),
    )


async def tell_of_pin(
    connection: Connection, call_id: UUID, asked_by: UUID, telling: Telling
) -> None:
    """Write what came of a PIN, for the session that asked for it."""
    tale = await begin_tale(connection, call_id)
    if tale.session == asked_by:
        await tale.lands()
    await queries.load().tell_of_pin(
        connection,
        session=asked_by,
        call_id=call_id,
        name=telling.name,
        happened_at=telling.happened_at,
        attributes=dict(telling.attributes),
    )
