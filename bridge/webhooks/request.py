"""An event as it is sent."""

import dataclasses
import json
import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal
from urllib.parse import urlencode

from yarl import URL

from bridge.domain.events import Event, attributes
from bridge.egress.client import parse
from bridge.webhooks.signatures import plivo_headers, standard_headers

Format = Literal["form", "json"]
"""What the body of a POST is."""

_FORM = "application/x-www-form-urlencoded"


@dataclasses.dataclass(frozen=True, slots=True)
class WebhookRequest:
    """Everything about a request but how long it may take."""

    method: Literal["GET", "POST"]
    url: str
    headers: dict[str, str]
    body: bytes | None


def webhook_request(
    event: Event,
    *,
    method: str,
    url: str,
    format: Format,
    signed_with: Sequence[str],
    at: datetime,
) -> WebhookRequest:
    """The event in the body (POST), or in the query of the URL (GET); signed for this one attempt.

    A GET is signed by Plivo's convention alone: the other one covers nothing but a body.

    Raises:
        Forbidden: the URL is none.
    """
    told = attributes(event)
    if method == "POST" and format == "json":
        return json_request(url, told, message_id=str(event.id), signed_with=signed_with, at=at)
    form = {name: str(value) for name, value in told.items()}
    target = _whole(parse(url).with_fragment(None))
    nonce = new_nonce()
    if method == "GET":
        target = target.extend_query(form)
        headers = plivo_headers("GET", _seen(target), {}, nonce=nonce, secrets=signed_with)
        return WebhookRequest("GET", str(target), headers, None)
    body = urlencode(form).encode()
    headers = {
        "Content-Type": _FORM,
        **plivo_headers("POST", _seen(target), form, nonce=nonce, secrets=signed_with),
        **standard_headers(str(event.id), body, at=at, secrets=signed_with),
    }
    return WebhookRequest("POST", str(target), headers, body)


def json_request(
    url: str,
    content: Mapping[str, Any],
    *,
    message_id: str,
    signed_with: Sequence[str],
    at: datetime,
) -> WebhookRequest:
    """An event or a question in JSON; its body is covered by Standard Webhooks' signature.

    To Plivo's signature a body that is no form carries nothing.

    Raises:
        Forbidden: the URL is none.
    """
    target = _whole(parse(url).with_fragment(None))
    body = json.dumps(content).encode()
    headers = {
        "Content-Type": "application/json",
        **plivo_headers("POST", _seen(target), {}, nonce=new_nonce(), secrets=signed_with),
        **standard_headers(message_id, body, at=at, secrets=signed_with),
    }
    return WebhookRequest("POST", str(target), headers, body)


def new_nonce() -> str:
    """Twenty digits, as Plivo's are."""
    return str(secrets.randbelow(9 * 10**19) + 10**19)


def _whole(url: URL) -> URL:
    """With the slash that a request has for an empty path."""
    return url if url.raw_path != "/" else url.with_path("/", keep_query=True)


def _seen(url: URL) -> str:
    """As the receiver sees it: credentials come to it in a header."""
    return str(url.with_user(None))
