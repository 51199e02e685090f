"""Applications that are asked about calls, over HTTP, and that misbehave."""

import asyncio
import dataclasses
import ipaddress
import json
import socket
import uuid
from collections.abc import AsyncIterator
from typing import Any

import pytest
import structlog
from plivo.utils import validate_v3_signature

from bridge.domain.advice import Advice, Allow, Deny, Question, Redirect, Webhook
from bridge.domain.egress import EgressRules
from bridge.domain.reports import SessionReport
from bridge.domain.routing import Connect, Fallback, Forward, Refuse, route
from bridge.domain.sessions import Side
from bridge.egress.client import Egress
from bridge.store.accounts import Accounts
from bridge.store.calls import Calls
from bridge.store.journal import Journal
from bridge.store.pool import Database
from bridge.store.signing import SigningSecrets
from bridge.webhooks.advice import Applications
from bridge.webhooks.signatures import standard_headers
from tests.adapters.conftest import Api, session_between, sessions_of
from tests.adapters.test_calls import arrival, end, record
from tests.fakes.asterisk import EPOCH
from tests.fakes.origin import (
    Origin,
    hangs,
    hangs_up,
    hangs_up_half_way,
    never_ends,
    says,
    trickles,
)
from tests.people import ALICE, BOB, CAROL, MALLORY, VIRTUAL

LOOPBACK = EgressRules(networks=(ipaddress.ip_network("127.0.0.1"),))
REFUSES = json.dumps({"action": "refuse"}).encode()
ALLOWS = json.dumps({"action": "allow"}).encode()


@pytest.fixture
async def origin() -> AsyncIterator[Origin]:
    async with Origin.serving() as origin:
        yield origin


@dataclasses.dataclass
class Asking:
    """Asks about a call of Alice to Bob."""

    applications: Applications
    account: str
    question: Question

    async def __call__(self, url: str, backup: str | None = None) -> Advice | None:
        return await self.applications.advice(Webhook(self.account, url, backup), self.question)


@pytest.fixture
def patience() -> float:
    """Seconds that an application has to answer."""
    return 30.0


@pytest.fixture
async def ask(database: Database, account: str, patience: float) -> AsyncIterator[Asking]:
    question = Question(
        call_id=uuid.UUID(int=7),
        session=uuid.UUID(int=1),
        caller=ALICE,
        caller_side=Side.FIRST,
        callee=BOB,
        virtual_number=VIRTUAL.e164,
    )
    async with Egress.opened(LOOPBACK) as egress:
        applications = Applications(
            egress,
            facts=sessions_of(database).facts,
            secrets=SigningSecrets(database).list,
            now=lambda: EPOCH,
            within=patience,
        )
        yield Asking(applications, account, question)


def redirects_to(number: str) -> bytes:
    return json.dumps({"action": "redirect", "number": number}).encode()


async def test_the_question_is_signed_and_in_the_names_of_events(
    ask: Asking, origin: Origin, database: Database
) -> None:
    origin.answer = says(200, ALLOWS)
    assert await ask(f"{origin.url}/routing?x=1#ct=1") == Allow()
    [request], [body] = origin.requests, origin.bodies
    assert json.loads(body) == {
        "EventName": "SessionRouting",
        "EventTimestamp": "2026-01-01 12:00:00.000000 +0000 UTC",
        "SessionUUID": str(uuid.UUID(int=1)),
        "CallerParty": "first",
        "From": ALICE.e164[1:],
        "To": BOB.e164[1:],
        "VirtualNumber": VIRTUAL.e164[1:],
    }
    [secret] = [one.secret for one in await SigningSecrets(database).list(ask.account)]
    headers = request.headers
    message_id = f"{uuid.UUID(int=7)}-SessionRouting"
    expected = standard_headers(message_id, body, at=EPOCH, secrets=[secret])
    assert {name: headers[name] for name in expected} == expected
    signed = headers["X-Plivo-Signature-V3"], headers["X-Plivo-Signature-V3-Nonce"]
    assert validate_v3_signature(
        "POST", f"{origin.url}/routing?x=1", signed[1], secret, signed[0], {}
    )


@pytest.mark.parametrize(
    ("misbehaves", "patience"),
    [
        (says(500), 30.0),
        (says(302, Location="http://169.254.169.254/"), 30.0),
        (says(204), 30.0),
        (says(200, b"<html>"), 30.0),
        (says(200, b"[" * 100_000), 30.0),
        (says(200, b'{"action": "allow", "action": "refuse"}'), 30.0),
        (says(200, b'{"action": "allow", "more": 1e999}'), 30.0),
        (says(200, b'{"action": "allow", "more": ' + b"9" * 5000 + b"}"), 30.0),
        (says(200, b'{"action": "allow", "more": ' + b"[" * 954 + b"]" * 954 + b"}"), 30.0),
        (says(200, b'{"action": "maybe"}'), 30.0),
        (says(200, redirects_to(ALICE.e164)), 30.0),
        (says(200, redirects_to("+19005550123")), 30.0),
        (hangs, 1.0),  # which is for the backup, too
        (trickles, 1.0),
        (never_ends, 30.0),
        (hangs_up, 30.0),
        (hangs_up_half_way, 30.0),
    ],
)
async def test_where_no_advice_is_to_be_had_the_backup_is_asked(
    ask: Asking, origin: Origin, misbehaves: Any
) -> None:
    origin.answer = misbehaves
    async with Origin.serving() as backup:
        backup.answer = says(200, REFUSES)
        assert await ask(origin.url, backup.url) == Deny()
    assert await ask(origin.url) is None


@pytest.mark.parametrize(
    "url",
    ["http://169.254.169.254/latest/", f"http://[2606:4700:4700::1111%25{'a' * 64}]/"],
)
async def test_a_url_that_leads_where_requests_may_not_go_says_nothing(
    ask: Asking, url: str
) -> None:
    assert await ask(url) is None


@pytest.mark.parametrize("allowed", [False, True])
async def test_a_question_goes_over_plain_http_only_where_the_operator_says_so(
    database: Database, ask: Asking, origin: Origin, allowed: bool
) -> None:
    """A session that was made before has such a URL, and gets what the backup or default says."""
    rules = dataclasses.replace(LOOPBACK, numbers_over_http=allowed)
    port = int(origin.url.rpartition(":")[2])
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]
    origin.answer = says(200, ALLOWS)
    async with Egress.opened(rules, lookup=lambda *_, **__: found) as egress:
        asking = dataclasses.replace(
            ask,
            applications=Applications(
                egress,
                facts=sessions_of(database).facts,
                secrets=SigningSecrets(database).list,
                now=lambda: EPOCH,
                within=30.0,
            ),
        )
        with structlog.testing.capture_logs() as lines:
            advice = await asking(f"http://app.test:{port}/")
        assert await asking("http://app.test", origin.url) == Allow(), "on loopback it may"
    assert advice == (Allow() if allowed else None)
    reasons = [line.get("reason") for line in lines]
    assert reasons == [None if allowed else "plain-http-not-allowed"]
    assert [json.loads(body)["From"] for body in origin.bodies] == [ALICE.e164[1:]] * (1 + allowed)


async def test_a_call_goes_where_it_is_sent_unless_that_is_a_virtual_number(
    ask: Asking, origin: Origin, session: SessionReport
) -> None:
    origin.answer = says(200, redirects_to(CAROL.e164))
    assert await ask(origin.url) == Redirect(CAROL)
    origin.answer = says(200, redirects_to(VIRTUAL.e164))
    assert await ask(origin.url) is None


async def test_a_call_goes_to_no_country_that_the_account_does_not_connect(
    ask: Asking, origin: Origin, database: Database
) -> None:
    await Accounts(database).allow_countries(ask.account, ["US"])
    origin.answer = says(200, redirects_to("+442079460123"))
    assert await ask(origin.url) is None


# --- who is asked, and what a number has for those whose session is over ---


async def test_a_session_s_own_webhook_comes_before_its_account_s(
    database: Database, account: str
) -> None:
    calls, accounts = Calls(database, node="here"), Accounts(database)
    await session_between(database, account)
    await accounts.update(
        account,
        None,
        {
            "routing_url": "https://account.test",
            "routing_default": "allow",
            "out_of_session_url": "https://strangers.test",
            "out_of_session_backup_url": "https://backup.test",
        },
    )
    decision = route(await calls.arrived(arrival()))
    assert isinstance(decision, Connect)
    assert decision.webhook == Webhook(account, "https://account.test", allows_by_default=True)
    stranger = route(await calls.arrived(arrival(MALLORY)))
    assert stranger == Refuse(
        "unknown-caller",
        webhook=Webhook(account, "https://strangers.test", "https://backup.test"),
    )
    async with database.connection() as connection:
        await connection.execute("UPDATE call SET ended_at = now(), disposition = 'cancelled'")
        await connection.execute(
            'UPDATE session SET options = options || \'{"routing_url": "https://own.test"}\''
        )
    decision = route(await calls.arrived(arrival()))
    assert isinstance(decision, Connect)
    assert decision.webhook == Webhook(account, "https://own.test")


async def test_an_account_is_asked_through_the_urls_that_it_gave(api: Api) -> None:
    given = {"routing_url": "https://app.test/r", "out_of_session_url": "https://app.test/o"}
    status, _ = await api("POST", "", given)
    assert status == 202
    status, _ = await api("POST", "", {"routing_url": "", "routing_default": "allow"})
    assert status == 202
    _, shown = await api("GET", "")
    assert {name: shown[name] for name in given} == given
    assert (shown["routing_default"], shown["routing_backup_url"]) == ("allow", None)
    await api("POST", "", {"routing_url": None})
    _, shown = await api("GET", "")
    assert (shown["routing_url"], shown["name"]) == (None, "Acme")
    status, answer = await api("POST", "", {"routing_url": "http://169.254.169.254/"})
    assert status == 400
    assert "routing_url leads where requests may not go." in answer["error"]


@pytest.mark.parametrize("url", ["http://app.test/", "HTTP://app.test:8443/", "http://8.8.8.8/"])
async def test_a_url_for_questions_must_be_https(api: Api, url: str) -> None:
    names = ["routing_url", "routing_backup_url"]
    of_account = [*names, "out_of_session_url", "out_of_session_backup_url"]
    parties = {"first_party": ALICE.e164, "second_party": BOB.e164, "session_expiry": 3600}
    _, made = await api("POST", "Masking/Session/", parties)
    for path, fields, given in (
        ("", {}, of_account),
        ("Masking/Session/", parties, names),
        (f"Masking/Session/{made['session_uuid']}/", {}, names),
    ):
        status, answer = await api("POST", path, fields | dict.fromkeys(given, url))
        assert status == 400
        for name in given:
            assert f"{name} must begin with https://" in answer["error"]
        assert "BRIDGE_ROUTING_ALLOW_HTTP" in answer["error"]


async def test_a_stranger_for_whom_a_session_was_made_is_found_in_it(
    database: Database, account: str
) -> None:
    calls, call = Calls(database, node="here"), arrival()
    await calls.arrived(call)
    assert await calls.look_again(call) is None
    made = await session_between(database, account)
    found = await calls.look_again(call)
    assert found
    decision = route(found)
    assert isinstance(decision, Connect)
    assert (decision.session.id, decision.callee) == (made.session.id, BOB)
    await end(calls, database, record(call))
    async with database.connection() as connection:
        assert await connection.fetchval("SELECT session FROM call") == made.session.id


async def test_whose_session_is_over_gets_what_the_number_has(api: Api, database: Database) -> None:
    made = await api.session()
    body = {"fallback_number": CAROL.e164, "fallback_play_url": "https://x.test/bye.mp3"}
    assert (await api("POST", f"Number/{VIRTUAL.e164}/", body))[0] == 202
    await api("DELETE", f"Masking/Session/{made['session_uuid']}/")
    calls = Calls(database, node="here")
    lookup = await calls.arrived(arrival())
    assert lookup.fallback == Fallback(CAROL, "https://x.test/bye.mp3")
    decision = route(lookup)
    assert isinstance(decision, Forward)
    assert (decision.callee, decision.caller_id) == (CAROL, VIRTUAL)
    assert isinstance(route(await calls.arrived(arrival(MALLORY))), Refuse)
    await api("POST", f"Number/{VIRTUAL.e164}/", {"fallback_number": None})
    async with database.connection() as connection:
        await connection.execute("UPDATE call SET ended_at = now(), disposition = 'cancelled'")
    assert route(await calls.arrived(arrival())) == Refuse(
        "session-expired", "https://x.test/bye.mp3"
    )


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        ({"fallback_number": VIRTUAL.e164}, "fallback_number is a virtual number."),
        ({"fallback_number": "+19005550123"}, "fallback_number is a"),
        ({"fallback_number": "911"}, "fallback_number is not a valid phone number."),
        ({"fallback_play_url": {}}, "fallback_play_url should be a valid URL."),
        ({"fallback_number": []}, "fallback_number is not a valid phone number."),
        ({"fallback_play_url": "ftp://x"}, "fallback_play_url should be a valid URL."),
    ],
)
async def test_a_number_sends_nobody_where_no_party_may_be(
    api: Api, body: dict[str, str], fault: str
) -> None:
    status, answer = await api("POST", f"Number/{VIRTUAL.e164}/", body)
    assert status == 400
    assert fault in answer["error"]


@pytest.mark.parametrize("in_session", [True, False])
async def test_a_call_that_was_sent_elsewhere_says_so_and_leaves_its_session_if_it_has_to(
    database: Database, account: str, *, in_session: bool
) -> None:
    made = await session_between(database, account)
    calls, call = Calls(database, node="here"), arrival()
    await calls.arrived(call)
    journal = Journal(database, calls)
    journal.redirected(call.call_id, CAROL, in_session=in_session)
    async with asyncio.TaskGroup() as group:
        writing = group.create_task(journal.run())
        await journal.written()
        writing.cancel()
    [open_call] = await calls.open_calls()
    assert open_call.callee == CAROL
    assert open_call.limits
    async with database.connection() as connection:
        session = await connection.fetchval("SELECT session FROM call")
    assert session == (made.session.id if in_session else None)
