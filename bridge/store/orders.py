"""Calls that a customer orders: to the one party, and then to the other."""

import dataclasses
import uuid
from collections.abc import Callable

from bridge.domain.numbers import PhoneNumber
from bridge.domain.records import Arrival, Origin, Over, ordered_channel_id
from bridge.domain.requests import Refusal
from bridge.domain.routing import Lookup, Refuse, route
from bridge.domain.sessions import Side
from bridge.store import queries
from bridge.store.calls import look_up, lookup
from bridge.store.pool import Connection, Database

ORDER_CHANNEL = "bridge_orders"


@dataclasses.dataclass(frozen=True, slots=True)
class Order:
    """A call that a bridge has taken on."""

    arrival: Arrival
    lookup: Lookup
    cancelled: bool
    """Its customer does not want it any more."""


class Refused(Exception):
    """The call cannot be made: undo the order."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal)
        self.refusal = refusal


class Orders:
    """Written by whoever serves the API, taken by whichever bridge can place calls: so that none
    is lost, whoever dies in between.
    """

    def __init__(self, database: Database, *, node: str, over: Callable[[], Over] = Over) -> None:
        """``over``: the calls that this bridge has seen end, whatever their rows still say."""
        self._database = database
        self._over = over
        self._node = node
        self._sql = queries.load()

    async def order(self, account: str, session_id: uuid.UUID, first: Side) -> uuid.UUID | Refusal:
        """Have a session's party called, and then the other; the id of its leg."""
        try:
            async with self._database.transaction() as connection:
                return await self.write(connection, account, session_id, first)
        except Refused as refused:
            return refused.refusal

    async def write(
        self, connection: Connection, account: str, session_id: uuid.UUID, first: Side
    ) -> uuid.UUID:
        """The same in somebody's transaction.

        Raises:
            Refused: it would not be connected.
        """
        call_id = uuid.uuid4()
        row = await self._sql.order_call(
            connection,
            call_id=call_id,
            account=account,
            session=session_id,
            side=first.value,
            channel_id=ordered_channel_id(call_id),
        )
        if row is None:
            found = await self._sql.find_session(connection, account=account, id=session_id)
            if found is None:
                raise Refused(Refusal.NOT_FOUND)
            over = found["status"] == "expired" or found["closed_at"]
            raise Refused(Refusal.ALREADY_EXPIRED if over else Refusal.NOBODY_TO_CALL)
        decision = route((await self._look_up(connection, call_id)).lookup)
        if isinstance(decision, Refuse):
            raise Refused(Refusal(decision.reason))
        leg_id: uuid.UUID = row["id"]
        return leg_id

    async def take(self) -> Order | None:
        """The oldest call that nobody has taken on; it is this bridge's from now on."""
        async with self._database.transaction() as connection:
            call_id = await self._sql.take_order(connection, node=self._node)
            return await self._look_up(connection, call_id) if call_id else None

    async def _look_up(self, connection: Connection, call_id: uuid.UUID) -> Order:
        row = await look_up(connection, call_id, self._over())
        caller = PhoneNumber(row["caller"])
        arrival = Arrival(
            call_id=call_id,
            channel_id=ordered_channel_id(call_id),
            caller=caller,
            dialled=row["dialled"],
            started_at=row["started_at"],
            origin=Origin.CALL_ME,
        )
        # We call the party at its own number: it need not show who it is.
        known = dataclasses.replace(lookup(row, caller), identified=True)
        return Order(arrival, known, cancelled=row["cancelled"])
