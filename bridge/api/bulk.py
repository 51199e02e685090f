"""Many sessions in one request; each is made or ended for itself, with a report of its own."""

import dataclasses
from http import HTTPStatus
from typing import Any

from aiohttp import web

from bridge.api import requests
from bridge.api.problems import Problem, of_refusal
from bridge.api.render import sessions as render
from bridge.api.schemas.sessions import CreateSessions, ExpireSessions
from bridge.api.sessions import SESSIONS, make
from bridge.domain.reports import DryRun, SessionReport

Json = dict[str, Any]


async def create(request: web.Request) -> web.Response:
    asked = await requests.body(request, CreateSessions)
    once = await requests.once(request)
    results = []
    for index, sent in enumerate(asked.sessions):
        try:
            # Sent again, the whole is the same to the byte, and so each of its sessions is.
            own = once and dataclasses.replace(once, key=f"{once.key}:{index}")
            made = await make(request, _json_object(sent), own)
            results.append(_result(made))
        except Problem as problem:
            results.append({"status": problem.status.value, **problem.content})
    return _report(request, results)


async def expire(request: web.Request) -> web.Response:
    asked = await requests.body(request, ExpireSessions)
    results: list[Json] = []
    for session_id in asked.session_uuids:
        refusal = await request.app[SESSIONS].expire(
            requests.account(request),
            session_id,
            requests.by(request, asked.reason),
            hang_up=asked.hangup,
        )
        named = {"session_uuid": str(session_id)}
        if refusal:
            problem = of_refusal(refusal)
            results.append({"status": problem.status.value, **named, **problem.content})
        else:
            results.append({"status": HTTPStatus.OK.value, **named, "message": "Session expired"})
    return _report(request, results)


def _json_object(sent: Any) -> Json:
    if not isinstance(sent, dict):
        raise Problem(HTTPStatus.BAD_REQUEST, "A session must be a JSON object.")
    return sent


def _result(made: SessionReport | DryRun) -> Json:
    """What a single request answers, without what is said twice there."""
    if isinstance(made, DryRun):
        return {"status": HTTPStatus.OK.value, **render.would_be(made)}
    shown = render.created(made)
    kept = {name: shown[name] for name in ("session_uuid", "virtual_number", "message", "session")}
    return {"status": HTTPStatus.CREATED.value, **kept}


def _report(request: web.Request, results: list[Json]) -> web.Response:
    numbered = [{"index": index, **result} for index, result in enumerate(results)]
    return requests.answer(request, HTTPStatus.OK, {"results": numbered})
