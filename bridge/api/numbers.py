"""The pool of virtual numbers: add, list, get, update, remove, replace."""

import functools
from http import HTTPStatus
from typing import TypeVar

from aiohttp import web

from bridge.api import requests
from bridge.api.ports import Numbers, Replacements
from bridge.api.problems import not_found, of_numbers, of_refusal
from bridge.api.render import numbers as render
from bridge.api.render.forms import page
from bridge.api.schemas.fields import any_bare
from bridge.api.schemas.numbers import (
    AddNumbers,
    ListNumbers,
    ReplaceNumber,
    UpdateNumber,
    fallback_named,
)
from bridge.api.sessions import PROMPTS, facts_about

_Model = TypeVar("_Model", AddNumbers, UpdateNumber)

_NUMBERS = ("numbers", "fallback_number")

NUMBERS = web.AppKey("numbers", Numbers)
REPLACEMENTS = web.AppKey("replacements", Replacements)


async def add(request: web.Request) -> web.Response:
    asked = await _body(request, AddNumbers)
    refused = await request.app[NUMBERS].add_granted(
        requests.account(request), asked.numbers, asked.to_domain()
    )
    if refused:
        raise of_numbers(refused, asked.numbers)
    return requests.answer(request, HTTPStatus.CREATED, render.added(asked.numbers))


async def list_all(request: web.Request) -> web.Response:
    account = requests.account(request)
    asked = requests.query(request, ListNumbers)
    found = await request.app[NUMBERS].list(
        account, asked.to_domain(), limit=asked.limit, offset=asked.offset
    )
    show = functools.partial(render.virtual_number, account)
    return requests.answer(request, HTTPStatus.OK, page(found, show, asked.window, request.url))


async def get(request: web.Request) -> web.Response:
    account = requests.account(request)
    found = await request.app[NUMBERS].get(account, requests.number(request))
    if found is None:
        raise not_found()
    return requests.answer(request, HTTPStatus.OK, render.virtual_number(account, found))


async def update(request: web.Request) -> web.Response:
    number = requests.number(request)
    asked = await _body(request, UpdateNumber)
    refusal = await request.app[NUMBERS].update(
        requests.account(request), number, asked.to_domain()
    )
    if refusal:
        raise of_refusal(refusal)
    return requests.answer(request, HTTPStatus.ACCEPTED, {"message": "changed"})


async def remove(request: web.Request) -> web.Response:
    refusal = await request.app[NUMBERS].remove(requests.account(request), requests.number(request))
    if refusal:
        raise of_refusal(refusal)
    return web.Response(status=HTTPStatus.NO_CONTENT)


async def replace(request: web.Request) -> web.Response:
    asked = await requests.body(request, ReplaceNumber)
    found = await request.app[REPLACEMENTS].replace(
        requests.account(request),
        requests.number(request),
        requests.by(request, asked.reason),
        instead=asked.virtual_number,
        limit=asked.limit,
        after=asked.cursor,
    )
    if found is None:
        raise not_found()
    return requests.answer(request, HTTPStatus.OK, render.replacement(found))


async def _body(request: web.Request, model: type[_Model]) -> _Model:
    """Raises: Problem: naming everything that is wrong with it."""
    sent = await requests.json_object(request)
    facts = await facts_about(
        request, fallback_named(sent), at_home=any_bare(sent.get(name) for name in _NUMBERS)
    )
    asked = requests.validated(model, sent, facts=facts)
    request.app[PROMPTS].prefetch(filter(None, [asked.fallback_play_url]))
    return asked
