"""Calls that a customer orders, from the API to the bridge that places them."""

import asyncio
import uuid

from bridge.domain.records import Origin
from bridge.domain.requests import Refusal
from bridge.domain.routing import Connect, Decision, route
from bridge.domain.sessions import Side
from bridge.store.orders import Orders
from bridge.store.pool import Database
from tests.adapters.conftest import PARTIES, Api
from tests.people import ALICE, BOB, VIRTUAL


async def take(database: Database, *, node: str = "here") -> Decision | None:
    order = await Orders(database, node=node).take()
    return route(order.lookup) if order else None


async def test_a_session_that_calls_at_once_orders_its_call_in_the_same_breath(
    api: Api, database: Database
) -> None:
    made = await api.session(initiate_call_to_first_party=True)
    assert made["session"]["initiate_call_to_first_party"] is True
    assert made["session"]["status"] == "in-progress"
    order = await Orders(database, node="here").take()
    assert order
    assert (order.arrival.caller, order.arrival.dialled) == (ALICE, VIRTUAL.e164)
    assert order.arrival.origin is Origin.CALL_ME
    decision = route(order.lookup)
    assert isinstance(decision, Connect)
    assert (decision.callee, decision.caller_id) == (BOB, VIRTUAL)


async def test_an_order_is_taken_once_whoever_asks(api: Api, database: Database) -> None:
    await api.session(initiate_call_to_first_party=True)
    async with asyncio.TaskGroup() as group:
        asked = [group.create_task(take(database, node=f"node-{n}")) for n in range(6)]
    assert sum(one.result() is not None for one in asked) == 1
    async with database.connection() as connection:
        assert await connection.fetchval("SELECT node FROM call") is not None


async def test_either_party_of_a_session_is_called_first(api: Api, database: Database) -> None:
    made = await api.session()
    path = f"Masking/Session/{made['session_uuid']}/Call/"
    status, ordered = await api("POST", path, {"first": "second"})
    assert (status, ordered["message"]) == (201, "Call initiated")
    status, leg = await api("GET", f"Call/{ordered['call_uuid']}/")
    assert (status, leg["call_direction"]) == (200, "outbound")
    assert (leg["from_number"], leg["to_number"]) == (VIRTUAL.e164[1:], BOB.e164[1:])
    decision = await take(database)
    assert isinstance(decision, Connect)
    assert (decision.callee, decision.caller_id) == (ALICE, VIRTUAL)


async def test_one_call_of_a_session_at_a_time(api: Api) -> None:
    made = await api.session(initiate_call_to_first_party=True)
    path = f"Masking/Session/{made['session_uuid']}/Call/"
    status, answer = await api("POST", path, {})
    assert (status, answer["reason"]) == (409, "session-busy")
    _, listed = await api("GET", f"Masking/Session/{made['session_uuid']}/")
    assert listed["response"]["total_call_count"] == 1, "what was refused was not ordered"


async def test_who_cannot_be_called_is_not(api: Api) -> None:
    assert (await api("POST", f"Masking/Session/{uuid.uuid4()}/Call/", {}))[0] == 404
    alone = {"first_party": ALICE.e164, "create_session_with_single_party": True}
    _, made = await api("POST", "Masking/Session/", alone)
    path = f"Masking/Session/{made['session_uuid']}/Call/"
    for first in ("first", "second"):
        status, answer = await api("POST", path, {"first": first})
        assert (status, answer["reason"]) == (409, "nobody-to-call")
    await api("DELETE", f"Masking/Session/{made['session_uuid']}/")
    status, answer = await api("POST", path, {})
    assert (status, answer["error"]) == (400, "Session already expired.")
    status, answer = await api("POST", path, {"first": "third"})
    assert (status, "first allowed values are" in answer["error"]) == (400, True)


async def test_a_session_whose_call_cannot_be_made_is_not_made(api: Api) -> None:
    body = {**PARTIES, "initiate_call_to_first_party": True, "valid_from": "2050-01-01T00:00:00Z"}
    status, answer = await api("POST", "Masking/Session/", body)
    assert (status, answer["reason"]) == (409, "session-not-begun")
    assert (await api("GET", "Masking/Session/"))[1]["response"]["objects"] == []


async def test_an_order_that_is_cancelled_before_anybody_took_it_says_so(
    api: Api, database: Database
) -> None:
    made = await api.session(initiate_call_to_first_party=True)
    await api("DELETE", f"Masking/Session/{made['session_uuid']}/?hangup=true")
    order = await Orders(database, node="here").take()
    assert order
    assert order.cancelled


async def test_of_calls_that_are_ordered_at_the_same_moment_one_is_made(
    api: Api, database: Database
) -> None:
    """Each would else be accepted, find the other up when its turn comes, and be given up."""
    made = await api.session()
    orders, session = Orders(database, node="here"), uuid.UUID(made["session_uuid"])
    for _ in range(10):
        async with asyncio.TaskGroup() as group:
            asked = [
                group.create_task(orders.order(api.account, session, side)) for side in [*Side] * 2
            ]
        assert [one.result() for one in asked].count(Refusal.SESSION_BUSY) == 3
        assert isinstance(await take(database), Connect)
        async with database.connection() as connection:
            await connection.execute("DELETE FROM leg; DELETE FROM call")
