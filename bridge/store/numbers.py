"""The pool of virtual numbers."""

from collections.abc import Mapping, Sequence

from bridge.domain.grants import ranges_of
from bridge.domain.numbers import NumberType, PhoneNumber
from bridge.domain.pool import (
    NotAdded,
    NumberFilter,
    NumberSettings,
    NumberState,
    VirtualNumber,
)
from bridge.domain.reports import Page
from bridge.domain.requests import Refusal
from bridge.store import queries
from bridge.store.grants import HeldElsewhere, grant
from bridge.store.pool import Connection, Database, Row
from bridge.store.session_rows import all_digits, number

_AS_IT_IS = NumberSettings()


class Numbers:
    """Virtual numbers by account.

    Args:
        trunk: where calls to a number come in from when nobody says otherwise.
    """

    def __init__(self, database: Database, *, trunk: str) -> None:
        self._database = database
        self._trunk = trunk
        self._sql = queries.load()

    async def add(
        self, account: str, numbers: Sequence[PhoneNumber], settings: NumberSettings = _AS_IT_IS
    ) -> NotAdded | None:
        """Add all of them or none, by the operator's word: it grants them, and knows no maximum.

        Those that are in the pool already change as far as ``settings`` say, and no further; those
        that were retired come back as if they were new.
        """
        wanted = list(dict.fromkeys(numbers))
        async with self._database.transaction() as connection:
            await self._sql.lock_account(connection, account=account)
            facts = await self._facts(connection, account, wanted)
            obstacles = NotAdded(
                subaccount_is_unknown=await self._lacks_subaccount(connection, account, settings),
                taken=_where(facts, "is_taken", "is_granted_elsewhere"),
                parties=_where(facts, "is_own_party", "is_other_party"),
            )
            if obstacles != NotAdded():
                return obstacles
            addable = await self._addable(connection, account, wanted)
            new = ranges_of(number for number in wanted if number not in addable)
            try:
                if new:
                    async with connection.transaction():
                        await grant(connection, account, new, by="operator")
            except HeldElsewhere:  # another account was faster
                return NotAdded(taken=tuple(one for one in wanted if one not in addable))
            await self._put(connection, account, wanted, settings)
        return None

    async def add_granted(
        self, account: str, numbers: Sequence[PhoneNumber], settings: NumberSettings
    ) -> NotAdded | None:
        """Add all of them or none, by the account's own word: what is granted to it, and no more.

        Of what is not granted nothing is looked at, and nobody waits for it: so the answer is the
        same, and comes as fast, whether the number is a party's, another account's or nobody's.
        """
        wanted = list(dict.fromkeys(numbers))
        async with self._database.transaction() as connection:
            most = (await self._sql.lock_account(connection, account=account))["max_numbers"]
            addable = await self._addable(connection, account, wanted)
            facts = await self._facts(connection, account, list(addable))
            others = _where(facts, "is_taken", "is_other_party")
            obstacles = NotAdded(
                subaccount_is_unknown=await self._lacks_subaccount(connection, account, settings),
                unavailable=tuple(one for one in wanted if one not in addable or one in others),
                most=most if await self._is_too_many(connection, account, addable, most) else None,
                parties=_where(facts, "is_own_party"),
            )
            if obstacles != NotAdded():
                return obstacles
            await self._put(connection, account, wanted, settings)
        return None

    async def get(self, account: str, number: PhoneNumber) -> VirtualNumber | None:
        """One that is in the pool: not a retired one."""
        async with self._database.connection() as connection:
            row = await self._sql.find_number(connection, account=account, number=number.e164)
        return _number(row) if row else None

    async def list(
        self, account: str, wanted: NumberFilter, *, limit: int, offset: int
    ) -> Page[VirtualNumber]:
        """Oldest first."""
        conditions = {
            "account": account,
            "starts_with": f"+{wanted.starts_with}" if wanted.starts_with else None,
            "country": wanted.country,
            "number_type": wanted.number_type,
            "alias": wanted.alias,
            "subaccount": wanted.subaccount,
            "reserved": wanted.reserved,
            "state": wanted.state,
            "services": list(wanted.services),
        }
        async with self._database.connection() as connection:
            rows = [
                row
                async for row in self._sql.list_numbers(
                    connection, **conditions, limit=limit, offset=offset
                )
            ]
            total = await self._sql.count_numbers(connection, **conditions)
        return Page(items=[_number(row) for row in rows], total=total)

    async def update(
        self, account: str, number: PhoneNumber, settings: NumberSettings
    ) -> Refusal | None:
        """Change a number of the pool.

        Out of service its sessions have no new calls; live ones go on in any case.
        """
        async with self._database.transaction() as connection:
            if await self._lacks_subaccount(connection, account, settings):
                return Refusal.SUBACCOUNT_UNKNOWN
            changed = await self._update(connection, account, [number.e164], settings)
        return None if changed else Refusal.NOT_FOUND

    async def remove(self, account: str, number: PhoneNumber) -> Refusal | None:
        """Retire a number.  Live calls go on."""
        return await self.update(account, number, NumberSettings(state=NumberState.RETIRED))

    async def _addable(
        self, connection: Connection, account: str, numbers: Sequence[PhoneNumber]
    ) -> Mapping[PhoneNumber, bool]:
        """Those that the account may add, and whether they are in its pool already."""
        rows = self._sql.find_addable(connection, account=account, numbers=all_digits(numbers))
        return {PhoneNumber(row["number"]): row["in_pool"] async for row in rows}

    async def _facts(
        self, connection: Connection, account: str, numbers: Sequence[PhoneNumber]
    ) -> Mapping[PhoneNumber, Row]:
        """What stands in their way, once nobody makes a session for one of them any more."""
        known_as = all_digits(number.lookup_form for number in numbers)
        async for _ in self._sql.lock_numbers(connection, numbers=known_as):
            pass
        rows = self._sql.find_obstacles(
            connection, account=account, numbers=all_digits(numbers), known_as=known_as
        )
        return {PhoneNumber(row["number"]): row async for row in rows}

    async def _is_too_many(
        self,
        connection: Connection,
        account: str,
        addable: Mapping[PhoneNumber, bool],
        most: int | None,
    ) -> bool:
        """Whether the pool would hold more than it may."""
        new = sum(not in_pool for in_pool in addable.values())
        if most is None or not new:
            return False
        held: int = await self._sql.count_pool(connection, account=account)
        return held + new > most

    async def _lacks_subaccount(
        self, connection: Connection, account: str, settings: NumberSettings
    ) -> bool:
        """Whether a subaccount is named that the account does not have; else it is kept."""
        if not settings.subaccount:
            return False
        kept = await self._sql.keep_subaccount(
            connection, account=account, auth_id=settings.subaccount
        )
        return kept is None

    async def _put(
        self,
        connection: Connection,
        account: str,
        numbers: Sequence[PhoneNumber],
        settings: NumberSettings,
    ) -> None:
        await self._update(connection, account, all_digits(numbers), settings)
        await self._insert(connection, account, numbers, settings)

    async def _update(
        self, connection: Connection, account: str, digits: Sequence[str], settings: NumberSettings
    ) -> bool:
        rows = self._sql.update_numbers(
            connection,
            account=account,
            numbers=digits,
            alias=settings.alias,
            trunk=settings.trunk,
            region=settings.region,
            number_type=settings.number_type,
            subaccount=settings.subaccount,
            reserved=settings.reserved,
            max_concurrent_calls=settings.max_concurrent_calls,
            fallback_number=settings.fallback_number and settings.fallback_number.e164,
            fallback_play_url=settings.fallback_play_url,
            state=settings.state,
        )
        return len([row async for row in rows]) > 0

    async def _insert(
        self,
        connection: Connection,
        account: str,
        numbers: Sequence[PhoneNumber],
        settings: NumberSettings,
    ) -> None:
        await self._sql.add_numbers(
            connection,
            account=account,
            numbers=all_digits(numbers),
            countries=[number.country for number in numbers],
            number_types=[settings.number_type or number.number_type for number in numbers],
            alias=settings.alias or "",
            trunk=settings.trunk or self._trunk,
            region=settings.region or "",
            subaccount=settings.subaccount or None,
            reserved=bool(settings.reserved),
            max_concurrent_calls=settings.max_concurrent_calls or None,
            fallback_number=(settings.fallback_number and settings.fallback_number.e164) or None,
            fallback_play_url=settings.fallback_play_url or None,
            state=settings.state or NumberState.ACTIVE,
        )


def _where(facts: Mapping[PhoneNumber, Row], *columns: str) -> tuple[PhoneNumber, ...]:
    """Those of which one of these is so."""
    return tuple(one for one, row in facts.items() if any(row[column] for column in columns))


def _number(row: Row) -> VirtualNumber:
    return VirtualNumber(
        **{
            **row,
            "number": PhoneNumber(row["number"]),
            "fallback_number": number(row["fallback_number"]),
            "number_type": NumberType(row["number_type"]),
            "state": NumberState(row["state"]),
        }
    )
