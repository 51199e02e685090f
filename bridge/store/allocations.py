"""Taking virtual numbers out of the pool, and the pairs on them."""

import uuid
from collections.abc import Callable, Mapping, Sequence

import structlog

from bridge import metrics
from bridge.domain.allocation import Need, Stock, needs, why_none
from bridge.domain.numbers import PhoneNumber
from bridge.domain.pins import choices
from bridge.domain.requests import NewSession, Refusal
from bridge.domain.sessions import Side
from bridge.store import queries
from bridge.store.pool import Connection, Row
from bridge.store.session_rows import all_digits, digits

log = structlog.get_logger(__name__)


Choices = Mapping[Side, Sequence[str]]
"""What each party's PIN may be, best first."""


class PairTaken(Exception):
    """Another session holds the pair, or the PIN: undo the attempt."""


class NoNumber(Exception):
    """There is no number for a session."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal)
        self.refusal = refusal


class Allocations:
    """Numbers for new sessions, in the transaction of whoever makes one.

    Args:
        headroom: when fewer numbers than this are left for a session like the one just made, the
            account is warned.
        draw_pin: a PIN of so many digits, at random.
    """

    def __init__(self, *, headroom: int, draw_pin: Callable[[int], str]) -> None:
        self._headroom = headroom
        self._draw_pin = draw_pin
        self._sql = queries.load()

    async def lock(self, connection: Connection, new: NewSession) -> bool:
        """Wait for whoever makes a session for one of the same parties, or a number of one.

        Says whether a party has become a virtual number: a call to it would come back to us.
        """
        parties = all_digits(number for need in needs(new) for number, _ in need.callers)
        await self._sql.lock_parties(connection, parties=parties)
        is_ours: bool = await self._sql.any_is_virtual(connection, numbers=parties)
        return is_ours

    def draw_pins(self, new: NewSession) -> Choices:
        """What the PINs of a session may be."""
        return choices(new.pins, self._draw_pin)

    async def find(
        self, connection: Connection, new: NewSession, pins: Choices
    ) -> list[PhoneNumber]:
        """The numbers that fit best, one for each need of the session.

        Raises:
            NoNumber: there is none for one of them.
        """
        return [await self._best(connection, new, need, pins) for need in needs(new)]

    async def take(
        self,
        connection: Connection,
        new: NewSession,
        session_id: uuid.UUID,
        virtual_numbers: Sequence[PhoneNumber],
        pins: Choices,
    ) -> Mapping[Side, str]:
        """Take the session's pairs on its numbers, and its PINs; the PINs that it has now.

        The primary keys of ``route`` and ``pin`` decide.

        Raises:
            PairTaken: one was taken since `find` looked at it; to look again finds another.
        """
        found = list(zip(virtual_numbers, needs(new), strict=True))
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
        return {
            side: await self._take_pin(connection, session_id, number, side, pins[side])
            for number, side in with_pin
        }

    async def _take_pin(
        self,
        connection: Connection,
        session_id: uuid.UUID,
        virtual_number: PhoneNumber,
        side: Side,
        may_be: Sequence[str],
    ) -> str:
        """Raises: PairTaken: every one is another session's."""
        for pin in may_be:
            if await self._sql.take_pin(
                connection,
                virtual_number=virtual_number.e164,
                pin=pin,
                session=session_id,
                side=side.value,
            ):
                return pin
        raise PairTaken

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
            party_number=party.e164,
            session=session_id,
            side=side.value,
        )
        if taken is None:
            raise PairTaken

    async def _best(
        self, connection: Connection, new: NewSession, need: Need, pins: Choices
    ) -> PhoneNumber:
        one, other = need.known_with or (None, None)
        where = {
            "account": new.account,
            "subaccount": new.subaccount,
            "country": need.country,
            "named": digits(need.named),
            "parties": all_digits(party for party, _ in need.callers),
            "for_anybody": need.anybody is not None,
            "with_pin": bool(need.pin_sides),
        }
        wanted = {**where, "one": digits(one), "other": digits(other)}

        async def look(pins: Choices) -> Row | None:
            """A number that is free for the callers, and these PINs on it."""
            first, second = (pins.get(side) if side in need.pin_sides else None for side in Side)
            row: Row | None = await self._sql.find_free_number(
                connection, **wanted, first_pins=first, second_pins=second
            )
            return row

        row = await look(pins)
        if row is None and need.pin_sides and await look({}):
            given = choices(new.pins, self._draw_pin, given_only=True)
            raise NoNumber(Refusal.PINS_USED_UP if await look(given) else Refusal.PIN_TAKEN)
        if need.named is None:
            await self._watch(connection, new, need, left=row["free"] - 1 if row else -1)
        if row is None:
            stock = await self._sql.count_stock(connection, **where)
            raise NoNumber(why_none(need, Stock(**stock)))
        return PhoneNumber(row["number"])

    async def _watch(
        self, connection: Connection, new: NewSession, need: Need, *, left: int
    ) -> None:
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
            account=new.account,
            name=event,
            attributes={"country": country, "subaccount": new.subaccount},
            left=max(left, 0),
        ):
            log.warning("number pool low", account=new.account, country=country, left=max(left, 0))
