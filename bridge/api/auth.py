"""Who is calling: HTTP Basic, the Auth ID as user and the Auth Token as password (RFC 7617)."""

import binascii
from http import HTTPStatus

from aiohttp import BasicAuth, web

from bridge.api.ports import Accounts
from bridge.api.problems import Problem, not_found

ACCOUNTS = web.AppKey("accounts", Accounts)


async def check(request: web.Request) -> None:
    """Let the request pass if it proves to be of the account in its path.

    Raises:
        Problem: 401 without valid credentials; 404 for an account that is not theirs, which
            tells nothing of whether it exists.
        Unavailable: Postgres is away.
    """
    given = _credentials(request)
    if not given or not await request.app[ACCOUNTS].authenticate(given.login, given.password):
        raise Problem(
            HTTPStatus.UNAUTHORIZED,
            "Authentication credentials are missing or wrong.",
            headers={"WWW-Authenticate": 'Basic realm="masking", charset="UTF-8"'},
        )
    if request.match_info["auth_id"] != given.login:
        raise not_found()


def _credentials(request: web.Request) -> BasicAuth | None:
    try:
        given = BasicAuth.decode(request.headers.get("Authorization", ""), encoding="utf-8")
    except (ValueError, UnicodeDecodeError, binascii.Error):
        return None
    return given if "\0" not in given.login else None  # Postgres takes no NUL in a text
