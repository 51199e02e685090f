"""Calls that were refused: their account finds each, and is told of them if it wants to be."""

import dataclasses
import json
import uuid
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import aiohttp
import pytest

from bridge.aio import alongside
from bridge.domain.events import REFUSALS_A_MINUTE
from bridge.domain.grants import read_ranges
from bridge.domain.numbers import PhoneNumber
from bridge.domain.outcomes import CANCELLED, refused
from bridge.domain.privacy import NumberForm
from bridge.domain.records import Arrival, CallRecord
from bridge.domain.routing import Refuse, route
from bridge.egress.client import Egress
from bridge.store.accounts import Accounts
from bridge.store.calls import Calls
from bridge.store.grants import Grants
from bridge.store.journal import Journal
from bridge.store.numbers import Numbers
from bridge.store.pool import Database
from tests.adapters.conftest import TOKEN, Api
from tests.adapters.test_calls import arrival, end, record
from tests.adapters.test_round_trips import Meter
from tests.adapters.test_webhooks import LOOPBACK, delivery_of, sent_all
from tests.fakes.asterisk import EPOCH
from tests.fakes.origin import Origin, says
from tests.people import ALICE, BOB, MALLORY, VIRTUAL

URL = "https://app.test/refused"


@pytest.fixture
async def origin() -> AsyncIterator[Origin]:
    async with Origin.serving() as origin:
        yield origin


@pytest.fixture
async def egress() -> AsyncIterator[Egress]:
    async with Egress.opened(LOOPBACK) as egress:
        yield egress


def refusal(call: Arrival, reason: str) -> CallRecord:
    """The record of a call that was not answered."""
    whole = record(call)
    leg = dataclasses.replace(
        whole.legs[0],
        channel_id=call.channel_id,
        party_number=call.caller,
        answered_at=None,
        hangup_cause=21,
    )
    ended_at = call.started_at + timedelta(seconds=1)
    return CallRecord(
        arrival=call,
        outcome=refused(reason)[0],
        ended_at=ended_at,
        legs=(dataclasses.replace(leg, ended_at=ended_at),),
    )


async def refuse(
    database: Database,
    caller: PhoneNumber | None = MALLORY,
    *,
    reason: str | None = None,
    dialled: str = VIRTUAL.e164,
    seconds: float = 0,
    is_written: bool = True,
) -> Arrival:
    """A call that comes in and is refused for its own reason, or for another.

    Args:
        seconds: when it comes in.
        is_written: ``False``: Postgres was away as it came in.
    """
    calls = Calls(database, node="here")
    call = dataclasses.replace(
        arrival(caller, dialled=dialled), started_at=EPOCH + timedelta(seconds=seconds)
    )
    if is_written:
        decision = route(await calls.arrived(call))
        if reason is None:
            assert isinstance(decision, Refuse)
            reason = decision.reason
    await end(calls, database, refusal(call, reason or "unknown-caller"))
    return call


async def goes_to(database: Database, api: Api, url: str) -> None:
    """Past the API, which takes no URL on this machine."""
    await Accounts(database).update(api.account, None, {"call_refused_url": url})


async def listed(api: Api, **query: Any) -> list[dict[str, Any]]:
    status, answer = await api("GET", "Call/", params=query)
    assert status == 200, answer
    objects: list[dict[str, Any]] = answer["objects"]
    return objects


# --- found ---


async def test_every_call_that_came_in_is_found_with_and_without_a_session(
    api: Api, database: Database
) -> None:
    made = await api.session()
    await refuse(database)
    await refuse(database, None, seconds=1)
    talked = arrival()
    await Calls(database, node="here").arrived(talked)
    await refuse(database, BOB, seconds=2)  # while the session is busy
    await end(Calls(database, node="here"), database, record(talked))
    await api("DELETE", f"Masking/Session/{made['session_uuid']}/")
    await refuse(database, seconds=3, is_written=False)
    await refuse(database, ALICE, seconds=4)
    found = await listed(api)
    assert len(found) == 6
    for one in found:
        status, leg = await api("GET", f"Call/{one['call_uuid']}/")
        assert (status, {**leg, "api_id": 0}) == (
            200,
            {**one, "parent_call_uuid": None, "api_id": 0},
        )
    said = [(one["from_number"], one["reason"], one["session_uuid"]) for one in found]
    [alice, mallory, bob, withheld] = said[:4]
    assert alice == (ALICE.e164[1:], "session-expired", made["session_uuid"])
    assert mallory == (MALLORY.e164[1:], "unknown-caller", None)
    assert bob == (BOB.e164[1:], "session-busy", made["session_uuid"])
    assert withheld == (None, "unknown-caller", None)
    assert {one["to_number"] for one in found} == {VIRTUAL.e164[1:]}


REASONS = [
    *("unknown-caller", "pin-locked", "wrong-pin", "session-expired", "quiet-hours"),
    *("session-busy", "number-busy", "account-busy", "application-refused", "bridge-full"),
]


async def test_whatever_it_was_refused_for_it_is_found_and_told(
    api: Api, database: Database
) -> None:
    await api("POST", "", {"call_refused_url": URL})
    for reason in REASONS:
        await refuse(database, reason=reason)
    told = {one["Reason"]: one for one in await _told(api)}
    assert told.keys() == set(REASONS)
    for reason in REASONS:
        [one] = await listed(api, disposition="refused", reason=reason)
        assert one["call_uuid"] == told[reason]["CallUUID"]
        assert one["hangup_cause_name"] == told[reason]["PlivoHangupCause"]


async def test_what_was_ordered_and_refused_is_found(api: Api, database: Database) -> None:
    """An order is a call from its first moment on, whoever carries it."""
    made = await api.session()
    _, ordered = await api(
        "POST", f"Masking/Session/{made['session_uuid']}/Call/", {"first": "first"}
    )
    [one] = await listed(api)
    assert (one["call_uuid"], one["disposition"]) == (ordered["call_uuid"], "in-progress")
    assert one["call_direction"] == "outbound"


QUERIES: list[tuple[dict[str, Any], list[int]]] = [
    ({}, [4, 3, 2, 1, 0]),
    ({"disposition": "refused"}, [4, 3, 1]),
    ({"disposition": "in-progress"}, [0]),
    ({"disposition": "cancelled"}, [2]),
    ({"reason": "quiet-hours"}, [3]),
    ({"reason": "quiet-hours", "disposition": "refused"}, [3]),
    ({"from_number": MALLORY.e164}, [4, 1]),
    ({"from_number": MALLORY.e164[1:], "reason": "wrong-pin"}, [4]),
    ({"virtual_number": VIRTUAL.e164}, [4, 3, 2, 1, 0]),
    ({"virtual_number": "+12025550199"}, []),
    ({"initiation_time__gte": "2026-01-01 12:03"}, [4, 3]),
    ({"start_time__gt": "2026-01-01 12:03"}, [4]),
    ({"initiation_time__lt": "2026-01-01 12:01"}, [0]),
    ({"initiation_time__lte": "2026-01-01 12:01:00"}, [1, 0]),
    ({"initiation_time": "2026-01-01 12:02"}, [2]),
    ({"limit": 2}, [4, 3]),
    ({"limit": 2, "offset": 3}, [1, 0]),
    ({"session_uuid": str(uuid.UUID(int=1))}, []),
]


async def test_a_list_shows_what_is_asked_for(api: Api, database: Database) -> None:
    calls = Calls(database, node="here")
    minutes = {call: 60.0 * call for call in range(5)}
    await calls.arrived(arrival(BOB))
    await refuse(database, seconds=minutes[1])
    given_up = dataclasses.replace(arrival(BOB), started_at=EPOCH + timedelta(minutes=2))
    await calls.arrived(given_up)
    record_of = dataclasses.replace(refusal(given_up, "unknown-caller"), outcome=CANCELLED)
    await end(calls, database, record_of)
    await refuse(database, None, reason="quiet-hours", seconds=minutes[3])
    await refuse(database, reason="wrong-pin", seconds=minutes[4])
    for query, expected in QUERIES:
        found = await listed(api, **query)
        assert [int(one["initiation_time"][14:16]) for one in found] == expected, query


@pytest.mark.parametrize(
    "query",
    [
        {"disposition": "lost"},
        {"reason": "'; DROP TABLE call"},
        {"from_number": "anonymous"},
        {"initiation_time": "yesterday"},
        {"offset": 10_001},
        {"cursor": "x"},
        {"caller": MALLORY.e164},
    ],
)
async def test_what_no_list_has_is_an_error(api: Api, query: dict[str, Any]) -> None:
    status, answer = await api("GET", "Call/", params=query)
    assert status == 400
    assert MALLORY.e164[2:] not in answer["error"]


async def test_pages_go_on_where_the_last_ended_whatever_comes_meanwhile(
    api: Api, database: Database
) -> None:
    for second in range(5):
        await refuse(database, seconds=second // 2)  # some at the same moment
    seen: list[str] = []
    query: dict[str, Any] = {"limit": 2}
    while True:
        _, answer = await api("GET", "Call/", params=query)
        seen += [one["call_uuid"] for one in answer["objects"]]
        await refuse(database, seconds=100)
        if answer["meta"]["next_cursor"] is None:
            break
        query = {"limit": 2, "cursor": answer["meta"]["next_cursor"]}
    assert len(seen) == len(set(seen)) == 5


async def test_a_call_is_its_account_s_alone_and_stays_so(api: Api, database: Database) -> None:
    """Also when the number is another account's later; of a number of nobody's it is nobody's."""
    accounts, numbers = Accounts(database), Numbers(database, trunk="carrier")
    other = Api(api.client, await accounts.create("Other", token=TOKEN[1:] + "8"))
    other.auth = _auth(other.account, TOKEN[1:] + "8")
    await refuse(database)
    await refuse(database, dialled="+12025550199")
    [own] = await listed(api)
    assert await listed(other) == []
    assert (await other("GET", f"Call/{own['call_uuid']}/"))[0] == 404
    assert (await other("DELETE", f"Call/{own['call_uuid']}/"))[0] == 404
    await numbers.remove(api.account, VIRTUAL)
    await refuse(database, seconds=1)
    await Grants(database).revoke(api.account, read_ranges([VIRTUAL.e164]))
    assert await numbers.add(other.account, [VIRTUAL]) is None
    assert await listed(other) == []
    await refuse(database, BOB, seconds=2)
    assert [one["from_number"] for one in await listed(other)] == [BOB.e164[1:]]
    assert await listed(api) == [own]


def _auth(account: str, token: str) -> dict[str, str]:
    return {"Authorization": aiohttp.encode_basic_auth(account, token)}


@pytest.mark.parametrize("form", NumberForm)
async def test_a_stranger_s_number_is_shown_as_the_account_s_events_show_numbers(
    api: Api, database: Database, form: NumberForm
) -> None:
    await api("POST", "", {"call_refused_url": URL})
    await Accounts(database).mask_events(api.account, form)
    await refuse(database)
    [one] = await listed(api, from_number=MALLORY.e164)
    [event] = (await api("GET", "Event/"))[1]["objects"]
    shown = event["attributes"]["From"]
    assert one["from_number"] == shown
    assert (await api("GET", f"Call/{one['call_uuid']}/"))[1]["from_number"] == shown
    everything = json.dumps([one, event])
    assert (MALLORY.e164[1:] in everything) is (form is NumberForm.FULL)
    if form is not NumberForm.FULL:
        revealed = await api("POST", f"Event/{event['event_id']}/Reveal/", {"reason": "a prober"})
        assert revealed[1]["numbers"] == {"From": MALLORY.e164[1:]}


async def test_a_stranger_s_call_that_is_up_can_be_hung_up(api: Api, database: Database) -> None:
    """It is being asked for its PIN, perhaps, or listens to an announcement."""
    await Calls(database, node="here").arrived(arrival(MALLORY))
    [one] = await listed(api, disposition="in-progress")
    assert (await api("DELETE", f"Call/{one['call_uuid']}/"))[0] == 204
    async with database.connection() as connection:
        assert await connection.fetchval("SELECT hangup_asked_at FROM call")


# --- told ---


async def test_who_does_not_ask_for_it_is_told_nothing(api: Api, database: Database) -> None:
    made = await api.session(callback_url="https://app.test/")
    await refuse(database)
    await refuse(database, BOB, reason="quiet-hours")
    assert "CallRefused" not in str(await api("GET", "Event/"))
    assert made["session"]["status"] == "active"


async def test_its_url_is_set_shown_and_taken_away(api: Api, database: Database) -> None:
    assert (await api("GET", ""))[1]["call_refused_url"] is None
    assert (await api("POST", "", {"call_refused_url": URL}))[0] == 202
    assert (await api("GET", ""))[1]["call_refused_url"] == URL
    status, answer = await api("POST", "", {"call_refused_url": "http://169.254.169.254/"})
    assert (status, "call_refused_url leads where requests may not go." in answer["error"]) == (
        400,
        True,
    )
    assert (await api("POST", "", {"call_refused_url": None}))[0] == 202
    await refuse(database)
    assert (await api("GET", "Event/"))[1]["objects"] == []


async def test_the_account_s_receiver_is_told_signed_of_strangers_and_of_parties(
    api: Api, database: Database, origin: Origin, egress: Egress
) -> None:
    """Of the call of a session too, whose own receiver is not told, and misses no number."""
    origin.answer = says(200)
    made = await api.session(callback_url="https://app.test/")
    await goes_to(database, api, f"{origin.url}/refused")
    stranger = await refuse(database)
    await refuse(database, None, seconds=1)
    await refuse(database, BOB, reason="quiet-hours", seconds=2)
    await sent_all(delivery_of(database, egress))
    told = sorted(
        (json.loads(body) for body in origin.bodies), key=lambda one: one["CallStartTime"]
    )
    [first, withheld, party] = told
    [_, _, row] = await listed(api)
    assert first == {
        "EventName": "CallRefused",
        "EventTimestamp": "2026-01-01 12:00:01.000000 +0000 UTC",
        "From": MALLORY.e164[1:],
        "VirtualNumber": VIRTUAL.e164[1:],
        "CallUUID": row["call_uuid"],
        "CallStartTime": "2026-01-01 12:00:00.000000 +0000 UTC",
        "Reason": "unknown-caller",
        "PlivoHangupCause": row["hangup_cause_name"],
        "PlivoHangupCauseCode": row["hangup_cause_code"],
    }
    assert str(stranger.call_id) not in str(told)
    assert ("From" in withheld, withheld["CallerWithheld"]) == (False, True)
    assert (party["SessionUUID"], party["CallerParty"]) == (made["session_uuid"], "second")
    for request in origin.requests:
        assert request.headers["X-Plivo-Signature-V3"]
        assert request.headers["webhook-id"]
    _, events = await api("GET", "Event/", params={"state": "delivered"})
    assert [one["sequence_number"] for one in events["objects"]] == [None] * 3
    assert await _sequences(database) == []


async def _sequences(database: Database) -> list[int]:
    async with database.connection() as connection:
        return [
            row["sequence"]
            for row in await connection.fetch(
                "SELECT sequence FROM event WHERE session IS NOT NULL"
            )
        ]


async def test_a_receiver_that_is_away_holds_up_no_other_refusal_and_gets_all_when_it_is_back(
    api: Api, database: Database, origin: Origin, egress: Egress
) -> None:
    origin.answer = says(503)
    await goes_to(database, api, origin.url)
    for second in range(3):
        await refuse(database, seconds=second)
    await sent_all(delivery_of(database, egress))
    assert len(origin.bodies) == 3, "each was tried"
    async with database.connection() as connection:
        await connection.execute("UPDATE delivery SET state = 'dead'")
    origin.answer = says(200)
    _, answer = await api("POST", "Event/Replay/")
    assert answer["count"] == 3
    await sent_all(delivery_of(database, egress))
    [one, *_] = (await api("GET", "Event/", params={"state": "delivered"}))[1]["objects"]
    assert (await api("POST", f"Event/{one['event_id']}/Replay/"))[0] == 202
    await sent_all(delivery_of(database, egress))
    assert len(origin.bodies) == 7


async def test_what_was_on_its_way_as_the_url_was_taken_away_goes_nowhere(
    api: Api, database: Database, origin: Origin, egress: Egress
) -> None:
    await goes_to(database, api, origin.url)
    await refuse(database)
    await api("POST", "", {"call_refused_url": None})
    await sent_all(delivery_of(database, egress))
    assert origin.bodies == []
    [one] = (await api("GET", "Event/"))[1]["objects"]
    assert one["delivery"]["state"] == "dead"


async def test_who_tries_numbers_by_machine_fills_no_log(api: Api, database: Database) -> None:
    """So many a minute of one number; what is left out is counted, and every call is listed."""
    await Numbers(database, trunk="carrier").add(api.account, [PhoneNumber("+12025550143")])
    await api("POST", "", {"call_refused_url": URL})
    for second in range(REFUSALS_A_MINUTE + 7):
        await refuse(database, seconds=second)
    await refuse(database, dialled="+12025550143", seconds=50)
    told = await _told(api)
    assert len(told) == REFUSALS_A_MINUTE + 1, "another number has its own"
    assert [one.get("MoreLeftOut") for one in told[:REFUSALS_A_MINUTE]] == [
        *[None] * (REFUSALS_A_MINUTE - 1),
        True,
    ]
    async with database.connection() as connection:
        await connection.execute("UPDATE refusal_count SET since = since - interval '1 minute'")
    await refuse(database, seconds=100)
    await refuse(database, seconds=101)
    assert [one.get("CallsLeftOut") for one in (await _told(api))[-2:]] == [7, None]
    _, answer = await api("GET", "Call/", params={"disposition": "refused"})
    assert answer["meta"]["total_count"] == REFUSALS_A_MINUTE + 10


async def _told(api: Api) -> list[dict[str, Any]]:
    _, answer = await api("GET", "Event/", params={"limit": 100})
    return sorted(
        (one["attributes"] for one in answer["objects"]), key=lambda one: str(one["CallStartTime"])
    )


async def test_a_record_that_is_written_twice_is_told_once(api: Api, database: Database) -> None:
    await api("POST", "", {"call_refused_url": URL})
    call = await refuse(database)
    await end(Calls(database, node="here"), database, refusal(call, "quiet-hours"))
    assert [one["Reason"] for one in await _told(api)] == ["unknown-caller"]


@pytest.mark.parametrize("wanted", [False, True])
async def test_to_refuse_asks_postgres_no_oftener_whether_it_is_told_or_not(
    api: Api, database_url: str, *, wanted: bool
) -> None:
    if wanted:
        await api("POST", "", {"call_refused_url": URL})
    async with Database.opened(database_url, size=1) as database:
        journal, meter = Journal(database, Calls(database, node="here")), Meter(database)
        await meter.begin()
        async with alongside(journal.run()):
            call = arrival(MALLORY)
            await journal.arrived(call)
            arrives = meter.count()
            journal.ended(refusal(call, "unknown-caller"))
            await journal.written()
    assert (arrives, meter.count()) == (1, 4)
