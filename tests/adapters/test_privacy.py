"""An account's privacy: nothing but a reveal, which is written down, gives the parties' digits."""

import asyncio
import base64
import ipaddress
import json
import re
import uuid
from collections.abc import AsyncIterator
from urllib.parse import parse_qsl, unquote_plus

import aiohttp
import pytest
import structlog

from bridge.api.event_stream import FEED
from bridge.domain.access import Scope
from bridge.domain.delivery import Rules
from bridge.domain.egress import EgressRules
from bridge.domain.events import DeliveryState, EventFilter, attributes
from bridge.domain.privacy import NumberForm
from bridge.domain.records import Arrival, Role
from bridge.egress.client import Egress
from bridge.store.accounts import Accounts
from bridge.store.calls import Calls
from bridge.store.event_log import EventLog
from bridge.store.numbers import Numbers
from bridge.store.outbox import Outbox
from bridge.store.pool import Database
from bridge.webhooks.delivery import Delivery
from tests.adapters.conftest import Api, session_between
from tests.adapters.test_calls import arrival, end
from tests.adapters.test_command_line import Terminal, masking_bridge
from tests.adapters.test_webhooks import ALL, record
from tests.fakes.asterisk import EPOCH
from tests.fakes.origin import Origin
from tests.people import ALICE, BOB, CAROL, MALLORY, VIRTUAL

__all__ = ["masking_bridge"]  # a fixture

PARTIES = (ALICE, BOB)


@pytest.fixture
async def origin() -> AsyncIterator[Origin]:
    async with Origin.serving() as origin:
        yield origin


def assert_hidden(text: str) -> None:
    """No party's number is in it, in any notation."""
    plain = f"{text} {unquote_plus(text)}"
    digits = re.sub(r"[^0-9]", "", plain)
    joined = re.sub(r"[\s().+-]", "", plain)  # as people write numbers
    for number in PARTIES:
        national = number.e164[2:]
        assert national not in digits
        assert national not in joined
        assert national[::-1] not in digits
        for written in (number.e164, number.e164[1:], national):
            assert written.encode().hex() not in plain.lower()
            assert base64.b64encode(written.encode()).decode().rstrip("=") not in plain


def test_the_search_finds_every_notation() -> None:
    for written in (
        *("14155550123", "From=%2B14155550123", "(415) 555-0123", "+1 415 555 01 23"),
        *("3210555514", ALICE.e164.encode().hex(), base64.b64encode(b"4155550123").decode()),
    ):
        with pytest.raises(AssertionError):
            assert_hidden(f"a b {written} c")


async def a_call(database: Database, one: Arrival) -> None:
    calls = Calls(database, node="here")
    await calls.arrived(one)
    async with database.transaction() as connection:
        await calls.write_placed(connection, one.call_id, Role.B, EPOCH)
    await end(calls, database, record(one))


async def deliver(database: Database) -> None:
    rules = EgressRules(networks=(ipaddress.ip_network("127.0.0.1"),))
    async with Egress.opened(rules) as egress:
        delivery = Delivery(
            Outbox(database), egress, rules=Rules(connect_within=30, within=30), now=lambda: EPOCH
        )
        while await delivery.send_one():
            pass


@pytest.mark.parametrize("form", [NumberForm.LAST2, NumberForm.TOKEN])
@pytest.mark.parametrize(
    ("method", "format"), [("GET", "form"), ("POST", "form"), ("POST", "json")]
)
async def test_a_receiver_gets_no_digits(
    database: Database, account: str, origin: Origin, form: NumberForm, method: str, format: str
) -> None:
    options = {
        "callback_url": origin.url,
        "callback_method": method,
        "callback_format": format,
        "callback_events": "all",
    }
    await session_between(database, account, options=options)
    await Accounts(database).mask_events(account, form)
    await a_call(database, arrival())
    await deliver(database)
    assert len(origin.requests) == len(ALL)
    for request, body in zip(origin.requests, origin.bodies, strict=True):
        headers = "\n".join(f"{name}: {value}" for name, value in request.headers.items())
        assert_hidden(f"{request.path_qs}\n{headers}\n{body.decode()}")
        given = dict(request.query) if method == "GET" else dict(parse_qsl(body.decode()))
        if format == "json":
            given = json.loads(body)
        assert given["FirstParty"] == given["From"] != given["To"] == given["SecondParty"]
        assert re.fullmatch(r"\*\*\*23" if form is NumberForm.LAST2 else "tok_.{32}", given["From"])
        assert given["VirtualNumber"] == VIRTUAL.e164[1:]


@pytest.mark.parametrize("form", [NumberForm.LAST2, NumberForm.TOKEN])
async def test_no_list_no_stream_and_no_terminal_shows_digits(
    api: Api, database: Database, masking_bridge: Terminal, form: NumberForm
) -> None:
    made = await api.session(callback_url="https://hooks.example/", callback_events="all")
    await Accounts(database).mask_events(api.account, form)
    assert (await api("GET", ""))[1]["event_privacy"] == form
    path = f"/v1/Account/{api.account}/Event/Stream/"
    async with asyncio.timeout(20), api.client.get(path, headers=api.auth) as stream:
        await stream.content.readline()
        await a_call(database, arrival())
        assert api.client.app
        await api.client.app[FEED].look()
        lines: list[bytes] = []
        while sum(line.startswith(b"data:") for line in lines) < len(ALL):
            lines.append(await stream.content.readline())
    assert_hidden(b"".join(lines).decode())
    for listed in ("Event/", f"Masking/Session/{made['session_uuid']}/Event/", "Reveal/"):
        status, found = await api("GET", listed)
        assert status == 200
        assert_hidden(json.dumps(found))
    assert_hidden(masking_bridge("events", "list", api.account).stdout)


async def test_the_form_is_that_of_the_moment_at_which_an_event_leaves(
    api: Api, database: Database
) -> None:
    made = await api.session()
    await a_call(database, arrival())

    async def shown() -> str:
        _, found = await api("GET", f"Masking/Session/{made['session_uuid']}/Event/")
        return str(found["objects"][0]["attributes"]["From"])

    assert await shown() == ALICE.e164[1:]
    await Accounts(database).mask_events(api.account, NumberForm.LAST2)
    assert await shown() == "***23"
    await Accounts(database).mask_events(api.account, NumberForm.FULL)
    assert await shown() == ALICE.e164[1:]


async def test_a_number_has_one_token_in_an_account_and_another_in_every_other(
    database: Database, account: str
) -> None:
    other, its_number = await Accounts(database).create("Other", token="8" * 64), CAROL
    await Numbers(database, trunk="carrier").add(other, [its_number])
    await session_between(database, account)
    await session_between(database, other, virtual_number=its_number)
    for dialled, caller in ((VIRTUAL, ALICE), (VIRTUAL, BOB), (its_number, ALICE)):
        await a_call(database, arrival(caller, dialled=dialled.e164))
    tokens = []
    for one in (account, other):
        await Accounts(database).mask_events(one, NumberForm.TOKEN)
        found = await EventLog(database).list(one, EventFilter(), limit=99)
        assert found
        told = [attributes(report.event) for report in found if report.event.session]
        tokens.append({event[name] for event in told for name in ("From", "To")})
    assert [len(both) for both in tokens] == [2, 2]
    assert tokens[0].isdisjoint(tokens[1])


async def test_whom_a_call_reached_in_another_session_is_not_told(
    database: Database, account: str
) -> None:
    """As of one that asked for a PIN, and the PIN was another's."""
    asked = await session_between(database, account)
    await Numbers(database, trunk="carrier").add(account, [MALLORY])
    await session_between(database, account, second_party=CAROL)
    one = arrival(dialled=MALLORY.e164)
    await a_call(database, one)
    async with database.connection() as connection:
        await connection.execute(
            "INSERT INTO event (account, session, sequence, call, name)"
            " VALUES ($1, $2, 1, $3, 'SessionPinAuthenticationStatus')",
            account,
            asked.session.id,
            one.call_id,
        )
    [told] = (
        await EventLog(database).list(account, EventFilter(session=asked.session.id), limit=9) or ()
    )
    assert (told.event.caller, told.event.callee) == (ALICE, None)


async def test_only_a_reveal_gives_the_numbers_and_it_is_written_down(
    api: Api, database: Database
) -> None:
    made = await api.session(callback_events="all")
    await Accounts(database).mask_events(api.account, NumberForm.TOKEN)
    await a_call(database, arrival())
    _, found = await api("GET", "Event/")
    event = next(one for one in found["objects"] if one["event_name"] == "SessionPartiesHangup")
    path = f"Event/{event['event_id']}/Reveal/"
    with structlog.testing.capture_logs() as lines:
        status, seen = await api("POST", path, {"reason": "a complaint, ticket 4711"})
    assert status == 200
    alice, bob = (number.e164[1:] for number in PARTIES)
    assert seen["numbers"] == {
        "From": alice,
        "To": bob,
        "FirstParty": alice,
        "SecondParty": bob,
    }
    assert_hidden(str(lines))
    assert "numbers of an event shown" in [line["event"] for line in lines]
    _, reveals = await api("GET", "Reveal/")
    [token] = await Accounts(database).tokens(api.account)
    [noted] = reveals["objects"]
    assert noted.pop("reveal_time")
    assert noted == {
        "reveal_id": seen["reveal_id"],
        "event_id": event["event_id"],
        "event_name": "SessionPartiesHangup",
        "session_uuid": made["session_uuid"],
        "actor": f"token {token.id} (first)",
        "reason": "a complaint, ticket 4711",
    }


async def test_nobody_is_shown_numbers_without_right_reason_or_event(
    api: Api, database: Database
) -> None:
    made = await api.session()
    await a_call(database, arrival())
    _, found = await api("GET", f"Masking/Session/{made['session_uuid']}/Event/")
    path = f"Event/{found['objects'][0]['event_id']}/Reveal/"
    for body in ({}, {"reason": ""}, {"reason": " \u3000"}, {"reason": 7}, {"why": "x"}):
        assert (await api("POST", path, body))[0] == 400
    assert (await api("POST", path, {"reason": "x" * 201}))[0] == 400
    assert (await api("POST", f"Event/{uuid.uuid4()}/Reveal/", {"reason": "x"}))[0] == 404
    await Accounts(database).add_token(api.account, "9" * 64, name="looks", scope=Scope.READ)
    looks = {"Authorization": aiohttp.encode_basic_auth(api.account, "9" * 64)}
    assert (await api("POST", path, {"reason": "x"}, headers=looks))[0] == 403
    other = await Accounts(database).create("Other", token="8" * 64)
    theirs = {"Authorization": aiohttp.encode_basic_auth(other, "8" * 64)}
    full = f"/v1/Account/{other}/{path}"
    assert (await api("POST", full, {"reason": "x"}, headers=theirs))[0] == 404
    assert (await api("GET", "Reveal/"))[1]["objects"] == []


async def test_reveals_are_listed_page_by_page_and_outlive_their_events(
    api: Api, database: Database
) -> None:
    await api.session()
    await a_call(database, arrival())
    events = await EventLog(database).list(
        api.account, EventFilter(state=DeliveryState.NONE), limit=9
    )
    assert events
    for number, one in enumerate(events):
        body = {"reason": f"no. {number}"}
        assert (await api("POST", f"Event/{one.event.id}/Reveal/", body))[0] == 200
    async with database.connection() as connection:
        await connection.execute("DELETE FROM event")
    seen, cursor = [], ""
    while cursor is not None:
        _, page = await api("GET", f"Reveal/?limit=2&cursor={cursor}")
        seen += [one["reason"] for one in page["objects"]]
        cursor = page["meta"]["next_cursor"]
    assert seen == [f"no. {number}" for number in reversed(range(len(events)))]


async def test_the_operator_may_see_numbers_too_and_is_written_down(
    api: Api, database: Database, masking_bridge: Terminal
) -> None:
    made = await api.session()
    await Accounts(database).mask_events(api.account, NumberForm.LAST2)
    await a_call(database, arrival())
    _, found = await api("GET", f"Masking/Session/{made['session_uuid']}/Event/")
    event = found["objects"][0]["event_id"]
    asked = ("events", "reveal", api.account, event, "--reason")
    assert masking_bridge(*asked, " ").returncode == 1
    assert masking_bridge(*asked, "the police").stdout == (
        f"From: {ALICE.e164[1:]}\nTo: {BOB.e164[1:]}\n"
    )
    listed = masking_bridge("events", "reveals", api.account).stdout
    assert "operator" in listed
    assert_hidden(listed)
    unknown = ("events", "reveal", api.account, str(uuid.uuid4()), "--reason", "x")
    assert masking_bridge(*unknown).returncode == 1
