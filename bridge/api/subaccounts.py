"""Parts of an account: create, list, get, update, remove."""

from http import HTTPStatus

from aiohttp import web

from bridge.api import requests
from bridge.api.ports import Subaccounts
from bridge.api.problems import not_found, of_refusal
from bridge.api.render import subaccounts as render
from bridge.api.render.forms import page
from bridge.api.schemas.subaccounts import (
    CreateSubaccount,
    ListSubaccounts,
    RemoveSubaccount,
    UpdateSubaccount,
)

SUBACCOUNTS = web.AppKey("subaccounts", Subaccounts)


async def create(request: web.Request) -> web.Response:
    asked = await requests.body(request, CreateSubaccount)
    auth_id = await request.app[SUBACCOUNTS].create(
        requests.account(request), asked.name, enabled=asked.enabled
    )
    made = {"auth_id": auth_id, "auth_token": None, "message": "created"}
    return requests.answer(request, HTTPStatus.CREATED, made)


async def list_all(request: web.Request) -> web.Response:
    asked = requests.query(request, ListSubaccounts)
    found = await request.app[SUBACCOUNTS].list(
        requests.account(request), limit=asked.limit, offset=asked.offset
    )
    return requests.answer(
        request, HTTPStatus.OK, page(found, render.subaccount, asked.window, request.url)
    )


async def get(request: web.Request) -> web.Response:
    found = await request.app[SUBACCOUNTS].get(
        requests.account(request), requests.subaccount(request)
    )
    if found is None:
        raise not_found()
    return requests.answer(request, HTTPStatus.OK, render.subaccount(found))


async def update(request: web.Request) -> web.Response:
    asked = await requests.body(request, UpdateSubaccount)
    changed = await request.app[SUBACCOUNTS].update(
        requests.account(request),
        requests.subaccount(request),
        name=asked.name,
        enabled=asked.enabled,
    )
    if not changed:
        raise not_found()
    return requests.answer(request, HTTPStatus.ACCEPTED, {"message": "changed"})


async def remove(request: web.Request) -> web.Response:
    asked = await requests.arguments(request, RemoveSubaccount)
    refusal = await request.app[SUBACCOUNTS].remove(
        requests.account(request), requests.subaccount(request), retire_numbers=asked.cascade
    )
    if refusal:
        raise of_refusal(refusal)
    return web.Response(status=HTTPStatus.NO_CONTENT)
