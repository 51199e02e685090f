"""An event as it is sent: what is signed is what the receiver sees."""

import uuid
from datetime import UTC, datetime

import pytest
from plivo.utils import validate_v3_signature

from bridge.domain.events import SESSION_TIMEOUT, Event
from bridge.webhooks.request import WebhookRequest, webhook_request

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
)


def sent(url: str, method: str = "GET") -> WebhookRequest:
    return webhook_request(
        EVENT, method=method, url=url, signed_with=[SECRET], at=datetime(2026, 1, 2, tzinfo=UTC)
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


def test_no_two_requests_have_the_same_nonce() -> None:
    nonces = {sent("https://h/").headers["X-Plivo-Signature-V3-Nonce"] for _ in range(100)}
    assert len(nonces) == 100
    assert all(len(nonce) == 20 and nonce.isdigit() for nonce in nonces)


def test_the_secret_is_not_sent() -> None:
    assert SECRET not in str(sent("https://h/", "POST"))
