"""Masking sessions: create, list, get, expire."""

import dataclasses
from http import HTTPStatus

from aiohttp import web

from bridge.api import requests
from bridge.api.ports import Sessions
from bridge.api.problems import not_found, of_refusal
from bridge.api.render import sessions as render
from bridge.api.render.forms import page
from bridge.api.schemas.sessions import CreateSession, ListSessions, UpdateSession
from bridge.domain.reports import Refusal


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class SessionDefaults:
    """Seconds, where a session's creator does not say."""

    expiry: int
    ring_timeout: int
    call_time_limit: int


SESSIONS = web.AppKey("sessions", Sessions)
DEFAULTS = web.AppKey("defaults", SessionDefaults)


async def create(request: web.Request) -> web.Response:
    asked = await requests.body(request, CreateSession)
    defaults = dataclasses.asdict(request.app[DEFAULTS])
    new = asked.to_domain(requests.account(request), **defaults)
    made = await request.app[SESSIONS].create(
        dataclasses.replace(new, once=await requests.once(request))
    )
    if isinstance(made, Refusal):
        raise of_refusal(made)
    return requests.answer(request, HTTPStatus.CREATED, render.created(made))


async def list_all(request: web.Request) -> web.Response:
    asked = requests.query(request, ListSessions)
    found = await request.app[SESSIONS].list(
        requests.account(request), asked.to_domain(), limit=asked.limit, offset=asked.offset
    )
    shown = page(
        [render.listed_session(one) for one in found.items],
        found,
        url=request.url,
        limit=asked.limit,
        offset=asked.offset,
    )
    return requests.answer(request, HTTPStatus.OK, {"response": shown})


async def get(request: web.Request) -> web.Response:
    found = await request.app[SESSIONS].get(requests.account(request), requests.session_id(request))
    if found is None:
        raise not_found()
    return requests.answer(request, HTTPStatus.OK, {"response": render.session(found)})


async def update(request: web.Request) -> web.Response:
    asked = await requests.body(request, UpdateSession)
    changed = await request.app[SESSIONS].update(
        requests.account(request), requests.session_id(request), asked.to_domain()
    )
    if isinstance(changed, Refusal):
        raise of_refusal(changed)
    return requests.answer(request, HTTPStatus.OK, render.updated(changed))


async def expire(request: web.Request) -> web.Response:
    refusal = await request.app[SESSIONS].expire(
        requests.account(request), requests.session_id(request)
    )
    if refusal:
        raise of_refusal(refusal)
    return requests.answer(request, HTTPStatus.OK, {"message": "Session expired"})
