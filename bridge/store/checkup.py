"""What Postgres lets us do, looked at before somebody needs it."""

from bridge.domain.readiness import Need, Part, Trouble
from bridge.store import queries
from bridge.store.errors import StoreMisconfigured, StoreUnavailable
from bridge.store.migrations import schema_trouble
from bridge.store.pool import Database
from bridge.store.troubles import IS_AWAY, NO_RIGHTS, READ_ONLY, Condition

_FOR_ALL = frozenset({Need.CALLS, Need.API})


class Checkup:
    """Looks at the database through one pool.

    Args:
        condition: the pool's own.
    """

    def __init__(self, database: Database, condition: Condition) -> None:
        self._database = database
        self._condition = condition
        self._sql = queries.load()

    async def connection(self, name: str, *, needs: frozenset[Need] = _FOR_ALL) -> Part:
        """Whether Postgres answers on this pool, now, and how else it stands with it."""
        return Part(name, needs, await self._connection_trouble())

    async def _connection_trouble(self) -> Trouble | None:
        try:
            await self._database.ping()
        except StoreMisconfigured as error:
            return error.trouble
        except StoreUnavailable:
            return self._condition.trouble or IS_AWAY
        return self._condition.trouble

    async def look(self) -> None:
        """Find out whether it takes writes, and tell the pool's condition.

        Raises:
            StoreUnavailable: Postgres is away.
        """
        async with self._database.connection() as connection:
            found = await self._sql.look_at_rights(connection)
        if found["read_only"]:
            self._condition.note(READ_ONLY, in_statement=True)
        elif not found["has_rights"]:
            self._condition.note(NO_RIGHTS, in_statement=True)
        else:
            self._condition.is_well()

    async def schema(self) -> Part:
        """Whether the schema is the one that this program knows.

        Raises:
            StoreUnavailable: Postgres is away.
        """
        return Part("schema", _FOR_ALL, await schema_trouble(self._database))
