"""How often a call asks Postgres something: most of what it costs the bridge goes there."""

import pytest

from bridge.aio import alongside
from bridge.domain.records import Arrival, Role
from bridge.store.calls import Calls
from bridge.store.journal import Journal
from bridge.store.pool import Database
from tests.adapters.test_calls import arrival, record
from tests.fakes.asterisk import EPOCH
from tests.people import ALICE


class Meter:
    """Counts what is asked on the one connection that there is."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._asked: list[str] = []

    async def begin(self) -> None:
        async with self._database.connection() as connection:
            connection.add_query_logger(lambda logged: self._asked.append(logged.query))

    def count(self) -> int:
        """Since this was asked last."""
        count = len(self._asked)
        self._asked.clear()
        return count


async def call_through(journal: Journal, meter: Meter, call: Arrival) -> dict[str, int]:
    """What each step of a call costs."""
    await journal.arrived(call)
    costs = {"arrives": meter.count()}
    journal.ringing(call.call_id, Role.B, EPOCH)
    await journal.written()
    costs["rings"] = meter.count()
    journal.answered(call.call_id, EPOCH, ringing_at=EPOCH)
    await journal.written()
    costs["is answered"] = meter.count()
    journal.ended(record(call))
    await journal.written()
    costs["ends"] = meter.count()
    return costs


@pytest.mark.usefixtures("session")
async def test_a_call_asks_postgres_15_times(database_url: str) -> None:
    """On a connection that is new, too: asyncpg asks for no type.  Begin and commit count."""
    async with Database.opened(database_url, size=1) as database:
        journal, meter = Journal(database, Calls(database, node="here")), Meter(database)
        await meter.begin()
        async with alongside(journal.run()):
            costs = await call_through(journal, meter, arrival(ALICE))
    assert costs == {"arrives": 1, "rings": 4, "is answered": 4, "ends": 6}


@pytest.mark.usefixtures("session")
async def test_what_waits_of_a_call_is_written_at_once(database_url: str) -> None:
    """So a journal that is behind has less to do, and not more."""
    async with Database.opened(database_url, size=1) as database:
        journal, meter = Journal(database, Calls(database, node="here")), Meter(database)
        await meter.begin()
        call = arrival(ALICE)
        await journal.arrived(call)
        meter.count()
        journal.ringing(call.call_id, Role.B, EPOCH)
        journal.answered(call.call_id, EPOCH, ringing_at=EPOCH)
        journal.ended(record(call))
        async with alongside(journal.run()):
            await journal.written()
    assert meter.count() == 10, "and not 14"
