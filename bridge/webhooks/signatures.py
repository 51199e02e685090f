"""How a receiver can tell that an event is ours, and unchanged.

Two conventions, one secret: ``whsec_`` and 32 random bytes in base64.  For Plivo's the whole text
is what its SDK calls the auth token; for Standard Webhooks the bytes are the key.  An account has
two secrets while they are being changed, and every request is signed with both.
"""

import base64
import hashlib
import hmac
from collections.abc import Iterable, Mapping
from datetime import datetime
from urllib.parse import parse_qs, urlparse

SECRET_PREFIX = "whsec_"  # noqa: S105 - says what follows


def plivo_headers(
    method: str, url: str, form: Mapping[str, str], *, nonce: str, secrets: Iterable[str]
) -> dict[str, str]:
    """Plivo's signature V3, as ``plivo.utils.validate_v3_signature`` computes it.

    Args:
        url: as the receiver sees it: with its query, without credentials and fragment.
        form: what a POST carries in its body; a GET has everything in its URL.
        nonce: never used before.
    """
    base = _get_base(url) if method == "GET" else _post_base(url, form)
    message = f"{base}.{nonce}".encode()
    signed = ",".join(_base64_hmac(secret.encode(), message) for secret in secrets)
    return {
        "X-Plivo-Signature-V3": signed,
        "X-Plivo-Signature-Ma-V3": signed,  # that of the main account: a subaccount has no secret
        "X-Plivo-Signature-V3-Nonce": nonce,
    }


def standard_headers(
    event_id: str, body: bytes, *, at: datetime, secrets: Iterable[str]
) -> dict[str, str]:
    """https://www.standardwebhooks.com: the id stays the same however often an event is sent."""
    timestamp = str(int(at.timestamp()))
    message = f"{event_id}.{timestamp}.".encode() + body
    signatures = (_base64_hmac(_key(secret), message) for secret in secrets)
    return {
        "webhook-id": event_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": " ".join(f"v1,{signature}" for signature in signatures),
    }


def _get_base(url: str) -> str:
    query = _sorted_query(url)
    return _without_query(url) + (f"?{query}" if query else "")


def _post_base(url: str, form: Mapping[str, str]) -> str:
    if not form:
        return _get_base(url)
    query = _sorted_query(url)
    fields = "".join(f"{name}{form[name]}" for name in sorted(form))
    return f"{_without_query(url)}?{query}{'.' if query else ''}{fields}"


def _without_query(url: str) -> str:
    """The SDK drops what stands behind a semicolon in the last part of the path, too."""
    parts = urlparse(url)
    return f"{parts.scheme}://{parts.netloc}{parts.path}"


def _sorted_query(url: str) -> str:
    """Decoded, the values of a repeated name sorted."""
    named = parse_qs(urlparse(url).query, keep_blank_values=True)
    return "&".join(f"{name}={value}" for name in sorted(named) for value in sorted(named[name]))


def _key(secret: str) -> bytes:
    return base64.b64decode(secret.removeprefix(SECRET_PREFIX))


def _base64_hmac(key: bytes, message: bytes) -> str:
    return base64.b64encode(hmac.digest(key, message, hashlib.sha256)).decode()
