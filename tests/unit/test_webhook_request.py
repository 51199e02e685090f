"""An event as it is sent: what is signed is what the receiver sees."""

import json
import uuid
from datetime import UTC, datetime

import pytest
from plivo.utils import validate_v3_signature

from bridge.domain.events import SESSION_TIMEOUT, Event
from bridge.domain.privacy import OPEN
from bridge.webhooks.request import Format, WebhookRequest, webhook_request
from bridge.webhooks.signatures import standard_headers

SECRET = "whsec_" + "A" * 43 + "="
EVENT = Event(
    id=uuid.UUID(int=1),
    account="MA",
    session=uuid.UUID(int=2),
    sequence=1,
    name=SESSION_TIMEOUT,
    happened_at=datetime(2026, 1, 2, tzinfo=UTC),
    attributes={},
    caller=None,
    callee=None,
    virtual_number="+12025550142",
    privacy=OPEN,
)


def sent(url: str, method: str = "GET", *, format: Format = "form") -> WebhookRequest:
    return webhook_request(
        EVENT,
        method=method,
        url=url,
        format=format,
        signed_with=[SECRET],
        at=datetime(2026, 1, 2, tzinfo=UTC),
    )


@pytest.mark.parametrize(
    ("given", "seen"),
    [
        ("https://hooks.example", "https://hooks.example/"),
        ("https://hooks.example?a=b", "https://hooks.example/?a=b"),
        ("https://hooks.example:443/x#ct=100", "https://hooks.example/x"),
        ("https://user:word@hooks.example/x", "https://hooks.example/x"),
        ("https://bücher.example/x y", "https://xn--bcher-kva.example/x%20y"),
    ],
)
def test_a_receiver_can_check_the_url_that_it_sees(given: str, seen: str) -> None:
    request = sent(given)
    query = request.url.partition("?")[2].removeprefix("a=b&")
    full = f"{seen}{'&' if '?' in seen else '?'}{query}"
    assert request.url.replace("user:word@", "") == full
    assert request.body is None
    headers = request.headers
    assert validate_v3_signature(
        "GET", full, headers["X-Plivo-Signature-V3-Nonce"], SECRET, headers["X-Plivo-Signature-V3"]
    )


@pytest.mark.parametrize("url", ["https://h/", "https://h/x?b=2&a=1"])
def test_a_body_in_json_is_no_form_to_plivos_signature(url: str) -> None:
    request = sent(url, "POST", format="json")
    assert request.headers["Content-Type"] == "application/json"
    assert request.body
    assert json.loads(request.body) == {
        "EventName": "SessionTimeout",
        "EventTimestamp": "2026-01-02 00:00:00.000000 +0000 UTC",
        "SessionUUID": str(EVENT.session),
        "VirtualNumber": "12025550142",
        "SequenceNumber": 1,
    }
    signed = (request.headers[f"X-Plivo-Signature-V3{end}"] for end in ("-Nonce", ""))
    nonce, signature = signed
    assert validate_v3_signature("POST", url, nonce, SECRET, signature)
    # The other convention covers the body, to the byte.
    assert request.headers.items() >= (
        standard_headers(
            str(EVENT.id), request.body, at=datetime(2026, 1, 2, tzinfo=UTC), secrets=[SECRET]
        ).items()
    )


def test_a_get_has_no_body_to_be_in_json() -> None:
    assert sent("https://h/", "GET", format="json").body is None


def test_no_two_requests_have_the_same_nonce() -> None:
    nonces = {sent("https://h/").headers["X-Plivo-Signature-V3-Nonce"] for _ in range(100)}
    assert len(nonces) == 100
    assert all(len(nonce) == 20 and nonce.isdigit() for nonce in nonces)


def test_the_secret_is_not_sent() -> None:
    assert SECRET not in str(sent("https://h/", "POST"))
