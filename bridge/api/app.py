"""The aiohttp application, made from the table of operations."""

import asyncio
import collections
import traceback
import uuid
from http import HTTPStatus
from pathlib import PurePath
from typing import Any

import structlog
from aiohttp import web
from aiohttp.typedefs import Handler

from bridge.api import auth
from bridge.api.auth import ACCOUNTS, LIMIT
from bridge.api.calls import CALLS, ORDERS
from bridge.api.documentation import DOCUMENT
from bridge.api.event_stream import CLOSING, FEED, STREAMS, close_streams
from bridge.api.events import EVENTS
from bridge.api.grants import GRANTS
from bridge.api.health import READINESS
from bridge.api.limits import RateLimit
from bridge.api.media import MEDIA, RECORDINGS, MediaAccess
from bridge.api.numbers import NUMBERS, REPLACEMENTS
from bridge.api.openapi import describe
from bridge.api.operations import OPERATIONS, Operation
from bridge.api.ports import (
    Accounts,
    Calls,
    EventFeed,
    Events,
    Grants,
    Numbers,
    Orders,
    Prompts,
    Readiness,
    Recordings,
    Replacements,
    Sessions,
    Subaccounts,
)
from bridge.api.problems import Problem
from bridge.api.requests import API_ID, answer
from bridge.api.sessions import DEFAULTS, EGRESS_RULES, PROMPTS, SESSIONS, SessionDefaults
from bridge.api.subaccounts import SUBACCOUNTS
from bridge.domain.egress import EgressRules
from bridge.domain.errors import Unavailable

log = structlog.get_logger(__name__)

_LARGEST_BODY = 256 * 1024  # a hundred sessions
_FRAMES = 12  # innermost, of an exception that nobody foresaw
_PROBES = {operation.path for operation in OPERATIONS if operation.public}


def make_app(
    *,
    accounts: Accounts,
    calls: Calls,
    events: Events,
    feed: EventFeed,
    grants: Grants,
    limit: RateLimit,
    media: MediaAccess,
    numbers: Numbers,
    orders: Orders,
    recordings: Recordings,
    replacements: Replacements,
    sessions: Sessions,
    subaccounts: Subaccounts,
    defaults: SessionDefaults,
    egress_rules: EgressRules,
    prompts: Prompts,
    readiness: Readiness,
) -> web.Application:
    """The whole API over the given parts."""
    app = web.Application(middlewares=[_identified, _explained], client_max_size=_LARGEST_BODY)
    app[ACCOUNTS], app[NUMBERS], app[SESSIONS] = accounts, numbers, sessions
    app[MEDIA], app[REPLACEMENTS], app[GRANTS] = media, replacements, grants
    app[RECORDINGS], app[SUBACCOUNTS] = recordings, subaccounts
    app[EVENTS], app[FEED], app[CLOSING] = events, feed, asyncio.Event()
    app[STREAMS] = collections.Counter()
    app.on_shutdown.append(close_streams)
    app[CALLS], app[LIMIT], app[ORDERS] = calls, limit, orders
    app[DEFAULTS], app[READINESS] = defaults, readiness
    app[EGRESS_RULES], app[PROMPTS] = egress_rules, prompts
    app[DOCUMENT] = describe(OPERATIONS)
    for operation in OPERATIONS:
        handler = operation.handler if operation.public else _authenticated(operation)
        for path in (operation.path, f"{operation.path}/"):
            app.router.add_route(operation.method, path, handler)
    return app


def _authenticated(operation: Operation) -> Handler:
    async def handler(request: web.Request) -> web.StreamResponse:
        await auth.check(request, operation.scope, for_operator=operation.for_operator)
        return await operation.handler(request)

    return handler


@web.middleware
async def _identified(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Give the request an id, and write one line about it: no query, no body, no number."""
    request[API_ID] = str(uuid.uuid4())
    with structlog.contextvars.bound_contextvars(request_id=request[API_ID]):
        response = await handler(request)
        resource = request.match_info.route.resource
        path = resource.canonical if resource else None
        tell = log.debug if path in _PROBES else log.info
        tell("request", method=request.method, resource=path, status=response.status)
    response.headers["X-Request-ID"] = request[API_ID]
    return response


@web.middleware
async def _explained(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Every error in Plivo's form: ``{"api_id": …, "error": …}``."""
    try:
        return await handler(request)
    except Problem as problem:
        return _error(request, problem)
    except web.HTTPException as error:  # of aiohttp's own: no such path, method, size
        headers = {"Allow": error.headers["Allow"]} if "Allow" in error.headers else {}
        status = HTTPStatus(error.status)
        text = f"{status.phrase}."
        if isinstance(error, web.HTTPRequestEntityTooLarge):
            text = f"The body must be no longer than {_LARGEST_BODY} bytes."
        return _error(request, Problem(status, text, headers=headers))
    except Unavailable:
        return _error(
            request,
            Problem(
                HTTPStatus.SERVICE_UNAVAILABLE,
                "Temporarily unavailable; try again.",
                headers={"Retry-After": "2"},
            ),
        )
    except (web.RequestPayloadError, ConnectionResetError):  # the latter's answer nobody reads
        text = "The body is not what the request's headers say."
        return _error(request, Problem(HTTPStatus.BAD_REQUEST, text))
    except Exception as error:
        # Neither it nor what it was about: an exception of a library quotes what was sent.
        log.error("request crashed", **_place(error))
        return _error(request, Problem(HTTPStatus.INTERNAL_SERVER_ERROR, "Internal server error."))


def _place(error: BaseException) -> dict[str, Any]:
    """Of an exception, and of those that it comes from, the type and where it was raised; nothing
    that it says."""
    errors = [error]
    while (cause := errors[-1].__cause__ or errors[-1].__context__) and cause not in errors:
        errors.append(cause)
    frames = traceback.extract_tb(error.__traceback__)[-_FRAMES:]
    return {
        "error": " from ".join(f"{type(one).__module__}.{type(one).__name__}" for one in errors),
        "at": [f"{_in_package(one.filename)}:{one.lineno} {one.name}" for one in frames],
    }


def _in_package(path: str) -> str:
    """``asyncpg/connection.py`` says what a file is, wherever Python is installed."""
    return "/".join(PurePath(path).parts[-2:])


def _error(request: web.Request, problem: Problem) -> web.Response:
    response = answer(request, problem.status, problem.content)
    response.headers.update(problem.headers)
    return response
