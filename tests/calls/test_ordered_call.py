"""The story of a call that was ordered.  The test plays both phones."""

import asyncio
import uuid
from dataclasses import dataclass, replace

import pytest

from bridge.calls.live_call import LiveCall
from bridge.calls.ordering import OrderedCalls
from bridge.domain.causes import Cause
from bridge.domain.outcomes import Disposition, Fault, HungUpBy, Outcome
from bridge.domain.records import Arrival, Origin, ordered_channel_id
from bridge.domain.routing import Lookup
from bridge.domain.sessions import AnswerGuard, Side
from tests.calls.conftest import Exchange, settle
from tests.fakes.asterisk import EPOCH
from tests.people import ALICE, ALICE_CALLS, BOB, SESSION, VIRTUAL

pytestmark = pytest.mark.looptime


@dataclass(frozen=True)
class Order:
    arrival: Arrival
    lookup: Lookup
    cancelled: bool


class Orders:
    """Those that nobody has taken on."""

    def __init__(self, *waiting: Order) -> None:
        self.waiting = list(waiting)

    async def take(self) -> Order | None:
        return self.waiting.pop(0) if self.waiting else None


def order(lookup: Lookup = ALICE_CALLS, *, cancelled: bool = False) -> Order:
    """A party wants to be called."""
    call_id = uuid.uuid4()
    arrival = Arrival(
        call_id=call_id,
        channel_id=ordered_channel_id(call_id),
        caller=lookup.caller,
        dialled=VIRTUAL.e164,
        started_at=EPOCH,
        origin=Origin.CALL_ME,
    )
    return Order(arrival, lookup, cancelled)


def ordered_calls(exchange: Exchange, orders: Orders, *, can_place: bool = True) -> OrderedCalls:
    return OrderedCalls(
        orders,
        exchange.switchboard,
        expect=exchange.asterisk.is_to_be_placed,
        can_place=lambda: can_place,
        log=exchange.call_log,
        switch=exchange.asterisk,
        prompts=exchange.prompts,
    )


async def is_ordered(exchange: Exchange, lookup: Lookup = ALICE_CALLS) -> LiveCall:
    """A party wants to be called; its phone is being called."""
    await ordered_calls(exchange, Orders(order(lookup))).look()
    [call] = exchange.switchboard.calls
    await settle()
    return call


async def both_answer(exchange: Exchange, call: LiveCall) -> None:
    exchange.asterisk.answers(call.a_leg)
    await settle()
    assert call.b_leg
    exchange.asterisk.answers(call.b_leg)
    await settle()


def verdict(outcome: Outcome) -> tuple[Disposition, str, Fault]:
    return outcome.disposition, outcome.reason, outcome.fault


async def test_the_first_party_is_called_and_when_it_answers_the_second(
    exchange: Exchange,
) -> None:
    call = await is_ordered(exchange)
    assert [one for one in exchange.asterisk.log if one[0] == "dial"] == [
        ("dial", ALICE.e164, VIRTUAL.e164)
    ]
    exchange.asterisk.answers(call.a_leg)
    await settle()
    assert exchange.asterisk.log[-3:] == [
        ("dial", BOB.e164, VIRTUAL.e164),
        ("couple", call.a_leg.channel_id, call.b_leg and call.b_leg.channel_id),
        ("ring", call.a_leg.channel_id),
    ]
    assert call.b_leg
    exchange.asterisk.answers(call.b_leg)
    await settle()
    assert exchange.asterisk.bridges
    assert ("answer", call.a_leg.channel_id) not in exchange.asterisk.log, "it has answered us"
    exchange.asterisk.hangs_up(call.b_leg)
    await settle()
    assert verdict(exchange.record.outcome) == (Disposition.COMPLETED, "hung-up", Fault.NONE)
    assert exchange.record.outcome.hung_up_by is HungUpBy.CALLEE


async def test_each_phone_s_ringing_is_told_as_it_rings(exchange: Exchange) -> None:
    call = await is_ordered(exchange)
    exchange.asterisk.rings(call.a_leg)
    await settle()
    assert exchange.call_log.told == [("ringing a", call.id)]
    exchange.asterisk.answers(call.a_leg)
    await settle()
    assert call.b_leg
    exchange.asterisk.rings(call.b_leg)
    await settle()
    told = [what for what, _ in exchange.call_log.told]
    assert told == ["ringing a", "caller answered", "ringing b"]
    exchange.asterisk.hangs_up(call.a_leg)


async def test_where_all_is_told_it_is_told_that_a_party_is_called(exchange: Exchange) -> None:
    lookup = replace(ALICE_CALLS, session=replace(SESSION, tells_all=True))
    call = await is_ordered(exchange, lookup)
    assert exchange.call_log.told == [("placed a", call.id)]
    exchange.asterisk.rings(call.a_leg)
    exchange.asterisk.answers(call.a_leg)
    await settle()
    told = [what for what, _ in exchange.call_log.told]
    assert told == ["placed a", "ringing a", "caller answered", "placed b"]
    exchange.asterisk.hangs_up(call.a_leg)


async def test_either_party_may_be_the_first_and_each_sees_its_own_number(
    exchange: Exchange,
) -> None:
    session = replace(SESSION, second_virtual_number=BOB)  # any other number
    lookup = replace(ALICE_CALLS, session=session, caller=BOB, caller_side=Side.SECOND)
    call = await is_ordered(exchange, lookup)
    await both_answer(exchange, call)
    assert [one for one in exchange.asterisk.log if one[0] == "dial"] == [
        ("dial", BOB.e164, BOB.e164),
        ("dial", ALICE.e164, VIRTUAL.e164),
    ]
    exchange.asterisk.hangs_up(call.a_leg)


@pytest.mark.parametrize(
    ("cause", "disposition", "reason"),
    [
        (Cause.USER_BUSY, Disposition.BUSY, "first-busy"),
        (Cause.NO_ANSWER, Disposition.NO_ANSWER, "first-no-answer"),
        (Cause.CALL_REJECTED, Disposition.NO_ANSWER, "first-declined"),
        (Cause.CONGESTION, Disposition.FAILED, "first-carrier-failed"),
    ],
)
async def test_if_the_first_cannot_be_reached_the_second_is_not_called(
    exchange: Exchange, cause: Cause, disposition: Disposition, reason: str
) -> None:
    call = await is_ordered(exchange)
    exchange.asterisk.hangs_up(call.a_leg, cause)
    await settle()
    outcome = exchange.record.outcome
    assert (outcome.disposition, outcome.reason) == (disposition, reason)
    assert call.b_leg is None


async def test_a_first_phone_that_nobody_takes_stops_ringing(exchange: Exchange) -> None:
    call = await is_ordered(exchange)
    exchange.asterisk.rings(call.a_leg)
    await asyncio.sleep(SESSION.ring_timeout + 1)
    assert exchange.told(call.a_leg) == [Cause.NORMAL_CLEARING]
    assert exchange.record.outcome.reason == "first-ring-timeout"


async def test_who_hangs_up_before_the_other_answers_stops_the_ringing(
    exchange: Exchange,
) -> None:
    call = await is_ordered(exchange)
    exchange.asterisk.answers(call.a_leg)
    await settle()
    exchange.asterisk.hangs_up(call.a_leg)
    await settle()
    assert call.b_leg
    assert call.b_leg.state.ended
    assert exchange.record.outcome.disposition is Disposition.CANCELLED


async def test_if_the_second_cannot_be_reached_the_first_is_hung_up(exchange: Exchange) -> None:
    call = await is_ordered(exchange)
    exchange.asterisk.answers(call.a_leg)
    await settle()
    assert call.b_leg
    exchange.asterisk.hangs_up(call.b_leg, Cause.USER_BUSY)
    await settle()
    assert exchange.told(call.a_leg) == [Cause.USER_BUSY]
    assert verdict(exchange.record.outcome) == (Disposition.BUSY, "busy", Fault.CALLEE)


@pytest.mark.parametrize("answered", [True, False])
async def test_an_order_is_cancelled_at_any_time(exchange: Exchange, *, answered: bool) -> None:
    call = await is_ordered(exchange)
    if answered:
        exchange.asterisk.answers(call.a_leg)
        await settle()
    exchange.switchboard.hang_up(call.id)
    await settle()
    assert call.a_leg.state.ended
    assert exchange.record.outcome.reason == "customer-hung-up"


async def test_an_order_that_was_cancelled_before_anybody_took_it_rings_nobody(
    exchange: Exchange,
) -> None:
    await ordered_calls(exchange, Orders(order(cancelled=True))).look()
    await settle()
    assert "dial" not in {command for command, *_ in exchange.asterisk.log}
    assert exchange.record.outcome.reason == "customer-hung-up"


async def test_all_that_is_ordered_is_taken_at_one_look(exchange: Exchange) -> None:
    orders = Orders(order(), order())
    await ordered_calls(exchange, orders).look()
    assert len(exchange.switchboard.calls) == 2
    for call in exchange.switchboard.calls:
        exchange.switchboard.hang_up(call.id)


async def test_a_bridge_that_can_place_no_calls_leaves_the_orders_to_others(
    exchange: Exchange,
) -> None:
    orders = Orders(order())
    await ordered_calls(exchange, orders, can_place=False).look()
    assert len(orders.waiting) == 1
    assert not exchange.switchboard.calls


async def test_an_order_for_a_session_that_is_over_by_now_calls_nobody(
    exchange: Exchange,
) -> None:
    over = replace(ALICE_CALLS, now=SESSION.expires_at)
    await is_ordered(exchange, over)
    assert exchange.asterisk.log == []
    record = exchange.record
    assert verdict(record.outcome)[:2] == (Disposition.REFUSED, "session-expired")
    assert not record.end_is_estimate
    [leg] = record.legs
    assert (leg.hangup_cause, leg.sip_code) == (None, None)


async def test_a_customer_s_hang_up_does_not_wait_until_whoever_answered_has_accepted(
    exchange: Exchange,
) -> None:
    manner = replace(SESSION.manner, answer_guard=AnswerGuard.PRESS_1)
    call = await is_ordered(exchange, replace(ALICE_CALLS, session=replace(SESSION, manner=manner)))
    exchange.asterisk.answers(call.a_leg)
    await settle()
    exchange.switchboard.hang_up(call.id)
    await settle()
    assert call.a_leg.state.ended
    assert exchange.record.outcome.reason == "customer-hung-up"
