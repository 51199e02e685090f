"""Who is calling: HTTP Basic, the Auth ID as user and the Auth Token as password (RFC 7617)."""

import base64
import binascii
import math
from http import HTTPStatus

from aiohttp import web

from bridge.api.limits import RateLimit
from bridge.api.ports import Accounts
from bridge.api.problems import Problem, not_found
from bridge.domain.access import Bearer, Scope

ACCOUNTS = web.AppKey("accounts", Accounts)
LIMIT = web.AppKey("limit", RateLimit)
BEARER = web.RequestKey("bearer", Bearer)
"""Whose request it is, once it has passed."""


async def check(request: web.Request, needed: Scope, *, for_operator: bool = False) -> None:
    """Let the request pass if it proves to be of the account in its path, and may do that.

    ``for_operator``: an operator's token may do it in any account.

    Raises:
        Problem: 401 without valid credentials; 429 for too many requests; 404 for an account
            that is not theirs, which tells nothing of whether it exists; 403 for what the
            token may not do.
        Unavailable: Postgres is away.
    """
    given = _credentials(request)
    bearer = await _bearer(request, given)
    if given is None or bearer is None:
        raise Problem(
            HTTPStatus.UNAUTHORIZED,
            "Authentication credentials are missing or wrong.",
            headers={"WWW-Authenticate": 'Basic realm="masking", charset="UTF-8"'},
        )
    if wait := request.app[LIMIT].wait(given[0]):
        raise Problem(
            HTTPStatus.TOO_MANY_REQUESTS,
            "Too many requests; try again later.",
            headers={"Retry-After": str(math.ceil(wait))},
        )
    is_operator = for_operator and bearer.scope is Scope.OPERATOR
    if request.match_info["auth_id"] != given[0] and not is_operator:
        raise not_found()
    if not bearer.scope.allows(needed) and not is_operator:
        text = f"This token may not do that; its scope is {bearer.scope}."
        raise Problem(HTTPStatus.FORBIDDEN, text)
    request[BEARER] = bearer


async def still_holds(request: web.Request) -> bool:
    """Whether what a request has shown is good by now, too: a token may be revoked while it lasts.

    Raises:
        Unavailable: Postgres is away.
    """
    return await _bearer(request, _credentials(request)) is not None


async def _bearer(request: web.Request, given: tuple[str, str] | None) -> Bearer | None:
    return await request.app[ACCOUNTS].authenticate(*given) if given else None


def _credentials(request: web.Request) -> tuple[str, str] | None:
    scheme, _, encoded = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        text = base64.b64decode(encoded.strip(), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError, ValueError):
        return None
    auth_id, _, token = text.partition(":")
    return (auth_id, token) if "\0" not in auth_id else None  # Postgres takes no NUL in a text
