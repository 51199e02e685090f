"""Odd URLs that events are sent to: called and signed as the receiver sees them, or not taken."""

import base64
from urllib.parse import parse_qsl

import pytest
import structlog
from plivo.utils import validate_v3_signature

from bridge.egress.client import Egress
from bridge.store.calls import Calls
from bridge.store.pool import Database
from tests.adapters.conftest import PARTIES, Api
from tests.adapters.test_webhooks import (
    Sessions,
    a_call,
    calls,
    delivery_of,
    egress,
    origin,
    session,
    states,
)
from tests.fakes.origin import Origin

__all__ = ["calls", "egress", "origin", "session"]  # fixtures


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize(
    "form",
    [
        *("http://{}", "http://{}?x", "http://{}//a//b/", "http://{}/%7e/~/%2F/x/../y"),
        *("http://{}/ä/%E0%A4%A", "http://{}/;p=1?x;y#rc=1", "http://{}/?a=1+%2B%20&a=&=&From=me"),
        *("http://{}/?q=a%26b%3Dc%23d%25e", "http://{}/?%zz=%&x='\"<>{{}}|^`", "HTTP://u@{}/"),
    ],
)
async def test_a_receiver_can_check_what_it_sees(
    calls: Calls,
    database: Database,
    session: Sessions,
    egress: Egress,
    origin: Origin,
    method: str,
    form: str,
) -> None:
    url = form.format(origin.url.removeprefix("http://"))
    await a_call(calls, database, await session(url, callback_method=method))
    assert await delivery_of(database, egress).send_one()
    async with database.connection() as connection:
        secret = await connection.fetchval("SELECT secret FROM signing_secret")
    [request], [body] = origin.requests, origin.bodies
    assert validate_v3_signature(
        method,
        f"http://{request.host}{request.raw_path}",
        request.headers["X-Plivo-Signature-V3-Nonce"],
        secret,
        request.headers["X-Plivo-Signature-V3"],
        dict(parse_qsl(body.decode())),
    )


async def test_credentials_of_any_letters_are_sent(
    calls: Calls, database: Database, session: Sessions, egress: Egress, origin: Origin
) -> None:
    url = origin.url.replace("//", "//usér:p%3A%E2%82%AC@")
    await a_call(calls, database, await session(url))
    assert await delivery_of(database, egress).send_one()
    sent = origin.requests[0].headers["Authorization"].removeprefix("Basic ")
    assert base64.b64decode(sent).decode() == "usér:p:€"


UNFIT = [
    "http://us:secret@bücher..example/",
    "http://us:secret@%2e¾.example/",
    "http://us%3Aer:secret@example.com/",
    f"http://us:secret@[2606:4700:4700::1111%25{'a' * 64}]/",
]


@pytest.mark.parametrize("url", UNFIT)
async def test_a_url_that_nobody_could_call_is_not_taken(api: Api, url: str) -> None:
    status, refused = await api("POST", "Masking/Session/", {**PARTIES, "callback_url": url})
    assert (status, refused["error"]) == (
        400,
        "Invalid parameter. callback_url should be a valid URL.",
    )


@pytest.mark.parametrize(
    ("url", "fault"),
    [
        ("http://ⓛocalhost/", "leads where requests may not go"),
        ("http://127。0。0。1:8088/", "leads where requests may not go"),
        (f"http://hooks.example/{'字' * 900}", "should be a valid URL"),
    ],
)
async def test_a_url_is_judged_by_what_would_be_called(api: Api, url: str, fault: str) -> None:
    """Not by its letters, of which one may stand for another or for nine."""
    status, refused = await api("POST", "Masking/Session/", {**PARTIES, "callback_url": url})
    assert (status, refused["error"]) == (400, f"Invalid parameter. callback_url {fault}.")


@pytest.mark.parametrize("url", UNFIT)
async def test_one_that_was_taken_before_is_a_failure_and_no_log_tells_it(
    calls: Calls, database: Database, session: Sessions, egress: Egress, url: str
) -> None:
    await a_call(calls, database, await session(url))
    with structlog.testing.capture_logs() as lines:
        assert await delivery_of(database, egress).send_one()
    assert (await states(database))[0] == (1, "pending", 1, "malformed-url")
    assert [line["event"] for line in lines] == ["event not delivered yet"]
