"""Signatures of events: Plivo's own validator takes them, and takes no others."""

from datetime import UTC, datetime
from urllib.parse import urlencode

import hypothesis
import pytest
from hypothesis import strategies as st
from plivo.utils import validate_v3_signature

from bridge.webhooks.signatures import plivo_headers, standard_headers

SECRET = "whsec_" + "A" * 43 + "="
NEXT = "whsec_" + "B" * 43 + "="
NONCE = "12345678901234567890"
FORM = {"EventName": "SessionTimeout", "From": "14155550123", "Amount": "", "z": "+ &="}
URLS = [
    "https://hooks.example/plivo",
    "https://hooks.example/",
    "http://127.0.0.1:8000/a/b",
    "https://hooks.example/plivo?b=2&a=1",
    "https://hooks.example/plivo?b=2&a=9&a=1&b=",
    "https://hooks.example/plivo?empty=&sum=1%2B1&space=a+b%20c",
    "https://hooks.example/p;v=1/q;w=2?a=1",
]


def valid(
    method: str, url: str, form: dict[str, str], headers: dict[str, str], secret: str
) -> bool:
    return bool(
        validate_v3_signature(
            method,
            url,
            headers["X-Plivo-Signature-V3-Nonce"],
            secret,
            headers["X-Plivo-Signature-V3"],
            form,
        )
    )


@pytest.mark.parametrize("url", URLS)
def test_the_sdk_takes_a_post(url: str) -> None:
    headers = plivo_headers("POST", url, FORM, nonce=NONCE, secrets=[SECRET])
    assert valid("POST", url, dict(FORM), headers, SECRET)
    assert headers["X-Plivo-Signature-Ma-V3"] == headers["X-Plivo-Signature-V3"]


@pytest.mark.parametrize("url", URLS)
def test_the_sdk_takes_a_get_with_everything_in_its_url(url: str) -> None:
    full = url + ("&" if "?" in url else "?") + urlencode(FORM)
    headers = plivo_headers("GET", full, {}, nonce=NONCE, secrets=[SECRET])
    assert valid("GET", full, {}, headers, SECRET)


@pytest.mark.parametrize("url", URLS)
def test_the_sdk_takes_a_post_of_nothing(url: str) -> None:
    headers = plivo_headers("POST", url, {}, nonce=NONCE, secrets=[SECRET])
    assert valid("POST", url, {}, headers, SECRET)


ASCII = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=8)


@hypothesis.given(st.lists(st.tuples(ASCII, ASCII), max_size=5))
def test_the_sdk_takes_any_query(pairs: list[tuple[str, str]]) -> None:
    """Of ASCII; at anything else the validator itself gives up."""
    url = "https://hooks.example/plivo?" + urlencode(pairs)
    for method, form in [("GET", {}), ("POST", dict(FORM))]:
        headers = plivo_headers(method, url, form, nonce=NONCE, secrets=[SECRET])
        assert valid(method, url, form, headers, SECRET)


def test_either_secret_is_enough_while_two_are_valid() -> None:
    headers = plivo_headers("POST", URLS[0], FORM, nonce=NONCE, secrets=[NEXT, SECRET])
    assert valid("POST", URLS[0], dict(FORM), headers, SECRET)
    assert valid("POST", URLS[0], dict(FORM), headers, NEXT)


@pytest.mark.parametrize(
    ("method", "url", "form", "secret"),
    [
        ("POST", URLS[0], {**FORM, "From": "13035550166"}, SECRET),
        ("POST", URLS[1], FORM, SECRET),
        ("GET", URLS[0], FORM, SECRET),
        ("POST", URLS[0], FORM, NEXT),
    ],
)
def test_what_was_changed_is_not_taken(
    method: str, url: str, form: dict[str, str], secret: str
) -> None:
    headers = plivo_headers("POST", URLS[0], FORM, nonce=NONCE, secrets=[SECRET])
    assert not valid(method, url, dict(form), headers, secret)


def test_standard_webhooks_own_vector() -> None:
    """That of its reference libraries, ``test_sign_function`` in libraries/python/tests of
    github.com/standard-webhooks/standard-webhooks; not one of our own output.
    """
    headers = standard_headers(
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        b'{"test": 2432232314}',
        at=datetime.fromtimestamp(1614265330, UTC),
        secrets=["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"],
    )
    assert headers == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


def test_standard_webhooks_are_signed_with_both_secrets_too() -> None:
    headers = standard_headers("1", b"", at=datetime.now(UTC), secrets=[NEXT, SECRET])
    assert headers["webhook-signature"].count("v1,") == 2
