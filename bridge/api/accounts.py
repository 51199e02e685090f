"""The account itself."""

from http import HTTPStatus

from aiohttp import web

from bridge.api import requests
from bridge.api.auth import ACCOUNTS
from bridge.api.problems import not_found
from bridge.api.render import accounts as render
from bridge.api.schemas.accounts import UpdateAccount
from bridge.api.sessions import EGRESS_RULES
from bridge.domain.requests import Facts


async def get(request: web.Request) -> web.Response:
    found = await request.app[ACCOUNTS].get(requests.account(request))
    if found is None:
        raise not_found()
    return requests.answer(request, HTTPStatus.OK, render.account(found))


async def update(request: web.Request) -> web.Response:
    facts = Facts(egress=request.app[EGRESS_RULES])
    asked = requests.validated(UpdateAccount, await requests.json_object(request), facts=facts)
    await request.app[ACCOUNTS].update(requests.account(request), asked.name, asked.webhooks)
    return requests.answer(request, HTTPStatus.ACCEPTED, {"message": "changed"})
