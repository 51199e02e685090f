"""What an application was told, or is to be told: list, send again, show the numbers of."""

import uuid
from http import HTTPStatus

import structlog
from aiohttp import web

from bridge.api import requests
from bridge.api.ports import Events
from bridge.api.problems import not_found, of_refusal
from bridge.api.render import events as render
from bridge.api.schemas.events import ListEvents, NewestFirst, RevealNumbers

log = structlog.get_logger(__name__)

EVENTS = web.AppKey("events", Events)


async def list_all(request: web.Request) -> web.Response:
    return await _list(request, None)


async def of_session(request: web.Request) -> web.Response:
    return await _list(request, requests.session_id(request))


async def replay(request: web.Request) -> web.Response:
    refusal = await request.app[EVENTS].replay(
        requests.account(request), requests.uuid_in_path(request, "event_id")
    )
    if refusal:
        raise of_refusal(refusal)
    return requests.answer(request, HTTPStatus.ACCEPTED, {"message": "on its way"})


async def replay_dead(request: web.Request) -> web.Response:
    count = await request.app[EVENTS].replay_dead(requests.account(request))
    return requests.answer(
        request, HTTPStatus.ACCEPTED, {"message": "on their way", "count": count}
    )


async def reveal(request: web.Request) -> web.Response:
    asked = await requests.body(request, RevealNumbers)
    found = await request.app[EVENTS].reveal(
        requests.account(request),
        requests.uuid_in_path(request, "event_id"),
        requests.by(request, asked.reason),
    )
    if found is None:
        raise not_found()
    noted, shown = found
    log.info("numbers of an event shown", event_id=str(noted.event), actor=noted.actor)
    return requests.answer(request, HTTPStatus.OK, render.revealed(noted, shown))


async def reveals(request: web.Request) -> web.Response:
    asked = requests.query(request, NewestFirst)
    found = await request.app[EVENTS].reveals(
        requests.account(request), limit=asked.limit + 1, after=asked.cursor
    )
    return requests.answer(request, HTTPStatus.OK, render.reveals(found, limit=asked.limit))


async def _list(request: web.Request, session: uuid.UUID | None) -> web.Response:
    asked = requests.query(request, ListEvents)
    found = await request.app[EVENTS].list(
        requests.account(request),
        asked.to_domain(session),
        limit=asked.limit + 1,  # one more tells that there is more
    )
    if found is None:
        raise not_found()
    return requests.answer(request, HTTPStatus.OK, render.page(found, limit=asked.limit))
