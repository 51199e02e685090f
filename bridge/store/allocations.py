"""Taking virtual numbers out of the pool, and the pairs on them."""

import uuid
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from typing import TypeVar

import structlog

from bridge import metrics
from bridge.domain.allocation import Claim, Need, Stock, why_none
from bridge.domain.numbers import PhoneNumber
from bridge.domain.pins import LONGEST_PIN, Pins, draws, room
from bridge.domain.requests import Refusal
from bridge.domain.sessions import Side
from bridge.store import queries
from bridge.store.errors import StoreUnavailable
from bridge.store.pool import Connection, Row
from bridge.store.session_rows import all_digits, digits, lookup_digits

log = structlog.get_logger(__name__)

T = TypeVar("T")

Found = Mapping[Side, PhoneNumber]
"""Numbers that are free for a claim, by the party that calls them."""

_ATTEMPTS = 20  # at numbers that somebody else takes in the moment between look and grasp


class PairTaken(Exception):
    """Another session holds the pair, or the PIN: undo the attempt."""


class NoNumber(Exception):
    """There is no number for a claim."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal)
        self.refusal = refusal


class Allocations:
    """Numbers for sessions, in the transaction of whoever makes or changes one.

    Args:
        headroom: when fewer numbers than this are left for a session like the one just made, the
            account is warned.
        draw_pin: a PIN of so many digits, at random.
    """

    def __init__(self, *, headroom: int, draw_pin: Callable[[int], str]) -> None:
        self._headroom = headroom
        self._draw_pin = draw_pin
        self._sql = queries.load()

    async def lock(self, connection: Connection, claim: Claim) -> bool:
        """Wait for whoever makes a session for one of the same parties, or a number of one.

        Says whether a party has become a virtual number: a call to it would come back to us.
        """
        needs = claim.needs.values()
        parties = [number for need in needs for number, _ in need.callers]
        forms = all_digits(party.lookup_form for party in parties)
        await self._sql.lock_parties(connection, parties=forms)
        is_ours: bool = await self._sql.any_is_virtual(
            connection, numbers=[*forms, *all_digits(parties)]
        )
        return is_ours

    async def allot(
        self,
        connection: Connection,
        claim: Claim,
        grasp: Callable[[Found], Awaitable[T]],
    ) -> T:
        """Look for numbers until ``grasp``, which is to `take` them, has them; what it returns.

        Raises:
            NoNumber: there is none for one of the needs.
            StoreUnavailable: numbers were taken faster than we could look.
        """
        for _ in range(_ATTEMPTS):
            found = {
                side: await self._best(connection, claim, need)
                for side, need in claim.needs.items()
            }
            try:
                async with connection.transaction():
                    return await grasp(found)
            except PairTaken:
                continue
        raise StoreUnavailable("numbers were taken faster than we could look")

    async def take(
        self,
        connection: Connection,
        claim: Claim,
        session_id: uuid.UUID,
        virtual_numbers: Found,
    ) -> Mapping[Side, str]:
        """Take the session's pairs on its numbers, and its PINs; the PINs that it has now.

        The primary keys of ``route`` and ``pin`` decide.  PINs that are generated are as long as it
        takes for so many on their numbers.

        Raises:
            PairTaken: one was taken since it was looked at; to look again finds another.
        """
        found = [(virtual_numbers[side], need) for side, need in claim.needs.items()]
        pairs = [(number, party, side) for number, need in found for party, side in need.callers]
        # In one order, so that no two wait crosswise.
        for number, party, side in sorted(pairs, key=lambda pair: pair[1].e164):
            await self.take_pair(connection, session_id, number, party, side)
        for number, need in found:
            if need.anybody and not await self._sql.take_open_route(
                connection,
                virtual_number=number.e164,
                session=session_id,
                side=need.anybody.value,
            ):
                raise PairTaken
        with_pin = [(number, side) for number, need in found for side in need.pin_sides]
        await self._sql.lock_pins(
            connection, virtual_numbers=all_digits(number for number, _ in with_pin)
        )
        if claim.pins is None:
            return {}
        taken: dict[Side, str] = {}
        length = await self._length(connection, claim.pins, [*found])
        for number, side in with_pin:
            besides = {*claim.pins.are_given, *taken.values()}
            given = claim.pins.given(side)
            may_be = [given] if given else draws(self._draw_pin, length, besides=besides)
            taken[side] = await self._take_pin(connection, session_id, number, side, may_be)
        return taken

    async def _length(
        self, connection: Connection, pins: Pins, found: Sequence[tuple[PhoneNumber, Need]]
    ) -> int:
        """Digits of the PINs that are generated: as asked for, or more where a number has many."""
        lengths = range(pins.length, LONGEST_PIN + 1)
        fitting = [pins.length]
        for number, need in found:
            if more := sum(pins.given(side) is None for side in need.pin_sides):
                shortest = await self._sql.find_pin_length(
                    connection,
                    virtual_number=number.e164,
                    lengths=[*lengths],
                    rooms=[*map(room, lengths)],
                    more=more,
                )
                fitting.append(shortest or LONGEST_PIN)
        return max(fitting)

    async def _take_pin(
        self,
        connection: Connection,
        session_id: uuid.UUID,
        virtual_number: PhoneNumber,
        side: Side,
        may_be: Sequence[str],
    ) -> str:
        """Raises: PairTaken: every one is another session's."""
        taken: str | None = await self._sql.take_pin(
            connection,
            virtual_number=virtual_number.e164,
            pins=list(may_be),
            session=session_id,
            side=side.value,
        )
        if taken is None:
            raise PairTaken
        return taken

    async def take_pair(
        self,
        connection: Connection,
        session_id: uuid.UUID,
        virtual_number: PhoneNumber,
        party: PhoneNumber,
        side: Side,
    ) -> None:
        """Raises: PairTaken: it is another session's."""
        taken = await self._sql.take_route(
            connection,
            virtual_number=virtual_number.e164,
            party_number=lookup_digits(party),
            session=session_id,
            side=side.value,
        )
        if taken is None:
            raise PairTaken

    async def _best(self, connection: Connection, claim: Claim, need: Need) -> PhoneNumber:
        """Raises: NoNumber."""
        one, other = need.known_with or (None, None)
        where = {
            "account": claim.account,
            "subaccount": claim.subaccount,
            "country": need.country,
            "named": digits(need.named),
            "parties": all_digits(party.lookup_form for party, _ in need.callers),
            "for_anybody": need.anybody is not None,
            "with_pin": bool(need.pin_sides),
        }
        wanted = {
            **where,
            "one": lookup_digits(one),
            "other": digits(other),
            "session": claim.session,
        }

        async def look(pins: Collection[str]) -> Row | None:
            """A number that is free for the callers, and these PINs on it."""
            row: Row | None = await self._sql.find_free_number(
                connection, **wanted, pins=list(pins)
            )
            return row

        sides = need.pin_sides if claim.pins else ()
        given = [pin for side in sides if claim.pins and (pin := claim.pins.given(side))]
        row = await look(given)
        if row is None and given and await look([]):
            raise NoNumber(Refusal.PIN_TAKEN)
        if need.named is None:
            await self._watch(connection, claim, need, left=row["free"] - 1 if row else -1)
        if row is None:
            stock = await self._sql.count_stock(connection, **where)
            raise NoNumber(why_none(need, Stock(**stock)))
        return PhoneNumber(row["number"])

    async def _watch(self, connection: Connection, claim: Claim, need: Need, *, left: int) -> None:
        """Warn before the pool is empty: in the log, the metrics and the account's events.

        ``left``: numbers that one more session like it could have; -1: not even this one.
        """
        country = need.country or "any"
        metrics.POOL_LEFT.labels(country).set(max(left, 0))
        if left >= self._headroom:
            return
        event = "NumberPoolLow" if left >= 0 else "NumberPoolExhausted"
        metrics.POOL_WARNINGS.labels(event).inc()
        if await self._sql.warn_of_pool(
            connection,
            account=claim.account,
            name=event,
            attributes={"country": country, "subaccount": claim.subaccount},
            left=max(left, 0),
        ):
            log.warning(
                "number pool low", account=claim.account, country=country, left=max(left, 0)
            )
