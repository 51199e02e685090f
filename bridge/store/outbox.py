"""Events on their way to the application: taken one by one, in order, by whoever is free."""

import dataclasses
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager
from typing import Any, Literal

import structlog

from bridge import metrics
from bridge.domain.delivery import Dead, Delivered, Retry, Verdict
from bridge.domain.events import Event
from bridge.store import queries
from bridge.store.event_log import event
from bridge.store.pool import Connection, Database, Row

log = structlog.get_logger(__name__)

EVENT_CHANNEL = "bridge_events"
"""Told when an event was written."""
DELIVERY_CHANNEL = "bridge_deliveries"
"""Told when one is to be sent, or sent again."""

BY_INDEX = {"enable_seqscan": "off", "enable_bitmapscan": "off"}
"""How Postgres is to find what is due: in the order of an index, up to the first.

Left to itself it keeps the plan of a time when hardly anything waited, and reads all that waits for
each event when a receiver is away: a thousand events were then sent at a tenth of the pace.
"""


@dataclasses.dataclass(frozen=True, slots=True)
class Parcel:
    """An event that is ours to send until the transaction it was taken in ends."""

    event: Event
    host: str
    """Whom it goes to: what is counted, not where it is sent."""
    url: str | None = dataclasses.field(repr=False)
    """``None``: its session has no place for it any more."""
    method: str
    format: Literal["form", "json"]
    secrets: Sequence[str] = dataclasses.field(repr=False)
    attempts: int
    """That were made before."""
    age: float
    """Seconds since it was due first."""
    _connection: Connection = dataclasses.field(repr=False)
    _sql: Any = dataclasses.field(repr=False)

    async def settle(self, verdict: Verdict) -> None:
        """Write down what came of the attempt, to be true when the block of `take` is left."""
        state, delay, error = _written(verdict)
        await self._sql.settle_delivery(
            self._connection, id=self.event.id, state=state, delay=delay, error=error
        )


class Outbox:
    """What is to be sent.

    Args:
        database: of its own: each event on its way holds a connection, and calls need theirs.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._sql = queries.load()

    @asynccontextmanager
    async def take(
        self, busy_hosts: Collection[str], only_hosts: Collection[str] | None = None
    ) -> AsyncIterator[Parcel | None]:
        """The event that is due longest; ``None`` if none is, but to ``busy_hosts``, or to others
        than ``only_hosts``.

        It is nobody else's for the length of the block, nor are those of its session that wait for
        it.  If the block raises, or this process dies in it, nothing has happened: anybody may take
        it.

        Raises:
            StoreUnavailable: Postgres is away.
        """
        async with self._database.transaction() as connection:
            row = await self._sql.take_delivery(
                connection,
                busy_hosts=list(busy_hosts),
                only_hosts=None if only_hosts is None else list(only_hosts),
            )
            yield _parcel(row, connection, self._sql) if row else None

    async def remove_old(self, *, days: int, at_most: int) -> int:
        """Forget events that are older and no longer on their way; how many.

        One that has been on its way for as long is dead, tried or not: so a receiver that is away,
        however many events it is to have, costs no more room than one that takes them.
        """
        async with self._database.transaction() as connection:
            given_up: int = await self._sql.give_up_deliveries(connection, days=days, limit=at_most)
            removed: int = await self._sql.remove_old_events(connection, days=days, limit=at_most)
        if given_up:
            metrics.WEBHOOKS.labels("dead").inc(given_up)
            log.warning("events are dead", count=given_up, reason="too-old")
        return removed


def _parcel(row: Row, connection: Connection, sql: Any) -> Parcel:
    return Parcel(
        event=event(row),
        host=row["host"],
        url=row["url"],
        method=row["method"],
        format=row["format"],
        secrets=row["secrets"],
        attempts=row["attempts"],
        age=row["age"],
        _connection=connection,
        _sql=sql,
    )


def _written(verdict: Verdict) -> tuple[str, float | None, str | None]:
    match verdict:
        case Delivered():
            return "delivered", None, None
        case Retry(delay, reason):
            return "pending", delay, reason
        case Dead(reason):
            return "dead", None, reason
