"""Calls: all of an account, and single legs, which are calls in Plivo's sense."""

from http import HTTPStatus

from aiohttp import web

from bridge.api import requests
from bridge.api.ports import Calls, Orders
from bridge.api.problems import not_found, of_refusal
from bridge.api.render import calls as render
from bridge.api.render.forms import page
from bridge.api.schemas.calls import ListCalls
from bridge.api.schemas.sessions import CallParties
from bridge.domain.requests import Refusal

CALLS = web.AppKey("calls", Calls)
ORDERS = web.AppKey("orders", Orders)


async def order(request: web.Request) -> web.Response:
    account = requests.account(request)
    asked = await requests.body(request, CallParties)
    leg = await request.app[ORDERS].order(account, requests.session_id(request), asked.first)
    if isinstance(leg, Refusal):
        raise of_refusal(leg)
    return requests.answer(request, HTTPStatus.CREATED, render.ordered(account, leg))


async def hang_up(request: web.Request) -> web.Response:
    account = requests.account(request)
    asked = await request.app[CALLS].hang_up(account, requests.uuid_in_path(request, "call_uuid"))
    if not asked:
        raise not_found()
    return web.Response(status=HTTPStatus.NO_CONTENT)


async def list_all(request: web.Request) -> web.Response:
    account = requests.account(request)
    asked = requests.query(request, ListCalls)
    found = await request.app[CALLS].list(account, asked.to_domain(), asked.window)
    shown = page(found, lambda one: render.call(account, one), asked.window, request.url)
    shown["meta"]["next_cursor"] = render.next_cursor(found)
    return requests.answer(request, HTTPStatus.OK, shown)


async def get(request: web.Request) -> web.Response:
    account = requests.account(request)
    found = await request.app[CALLS].leg(account, requests.uuid_in_path(request, "call_uuid"))
    if found is None:
        raise not_found()
    return requests.answer(request, HTTPStatus.OK, render.leg(account, found))
