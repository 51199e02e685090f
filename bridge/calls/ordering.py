"""Calls that customers order, taken on by a bridge that can place them."""

import functools
from collections.abc import Callable
from typing import Protocol

from bridge.ari.leg import Leg
from bridge.calls.dialogue import Prompts
from bridge.calls.live_call import LiveCall
from bridge.calls.masked_call import ordered_call
from bridge.calls.ports import CallLog, Switch
from bridge.calls.switchboard import Switchboard
from bridge.domain.records import Arrival
from bridge.domain.routing import Lookup


class Order(Protocol):
    """A call that is ours to place."""

    @property
    def arrival(self) -> Arrival: ...
    @property
    def lookup(self) -> Lookup: ...
    @property
    def cancelled(self) -> bool:
        """Its customer does not want it any more."""


class Orders(Protocol):
    """Where they wait."""

    async def take(self) -> Order | None:
        """The oldest that nobody has taken on; it is this bridge's from now on.

        Raises:
            Unavailable: Postgres is away.
        """


class OrderedCalls:
    """Has every call that is ordered carried, by whichever bridge is first to look.

    Args:
        expect: a leg that is to be placed, by its channel's id.
        can_place: whether calls can be placed now; else they are left for later, or for another.
    """

    def __init__(
        self,
        orders: Orders,
        switchboard: Switchboard,
        *,
        expect: Callable[[str], Leg],
        can_place: Callable[[], bool],
        log: CallLog,
        switch: Switch,
        prompts: Prompts,
    ) -> None:
        self._orders = orders
        self._switchboard = switchboard
        self._expect = expect
        self._can_place = can_place
        self._story = functools.partial(ordered_call, log=log, switch=switch, prompts=prompts)

    async def look(self) -> None:
        """Take on what is ordered.

        Raises:
            Unavailable: Postgres is away.
        """
        while self._can_place() and (order := await self._orders.take()):
            call = LiveCall(order.arrival, self._expect(order.arrival.channel_id))
            if order.cancelled:
                call.asked_to_end.set()
            self._switchboard.take(call, functools.partial(self._story, lookup=order.lookup))
