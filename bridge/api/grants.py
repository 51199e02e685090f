"""Which numbers an account may add to its pool: the operator's to say, for any account."""

from http import HTTPStatus

from aiohttp import web

from bridge.api import requests
from bridge.api.auth import ACCOUNTS
from bridge.api.ports import Grants
from bridge.api.problems import Problem, not_found
from bridge.api.render import grants as render
from bridge.api.schemas.grants import GrantNumbers

GRANTS = web.AppKey("grants", Grants)


async def list_all(request: web.Request) -> web.Response:
    account = requests.account(request)
    if await request.app[ACCOUNTS].get(account) is None:
        raise not_found()
    found = await request.app[GRANTS].list(account)
    return requests.answer(
        request, HTTPStatus.OK, {"objects": [render.grant(one) for _, one in found]}
    )


async def grant(request: web.Request) -> web.Response:
    asked = await requests.body(request, GrantNumbers)
    account = requests.account(request)
    if await request.app[ACCOUNTS].get(account) is None:
        raise not_found()
    held = await request.app[GRANTS].grant(account, asked.numbers, by=requests.by(request).actor)
    if held:
        places = [str(asked.numbers.index(one) + 1) for one in held if one in asked.numbers]
        raise Problem(
            HTTPStatus.CONFLICT,
            f"Another account holds numbers of no. {', '.join(places)} of numbers: revoke them "
            "there, and retire those of them that are in its pool. None was granted.",
            reason="numbers-held-elsewhere",
        )
    return requests.answer(request, HTTPStatus.CREATED, {"message": "granted"})


async def revoke(request: web.Request) -> web.Response:
    account, grant_id = requests.account(request), requests.uuid_in_path(request, "grant_id")
    if not await request.app[GRANTS].revoke_grant(account, grant_id):
        raise not_found()
    return web.Response(status=HTTPStatus.NO_CONTENT)
