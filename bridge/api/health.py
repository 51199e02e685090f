"""Whether the service is alive, and whether it can carry calls."""

from collections.abc import Mapping
from http import HTTPStatus

from aiohttp import web

from bridge import metrics as exposition
from bridge.api.ports import Readiness
from bridge.domain.readiness import Need, Part

READINESS: web.AppKey[Readiness] = web.AppKey("readiness")


async def metrics(_request: web.Request) -> web.Response:
    """For Prometheus."""
    headers = {"Content-Type": exposition.CONTENT_TYPE}
    return web.Response(body=exposition.exposition(), headers=headers)


async def alive(_request: web.Request) -> web.Response:
    """The process runs.  Says nothing of the rest: to restart it would not bring Postgres back."""
    return web.json_response({"status": "alive"})


async def ready(request: web.Request) -> web.Response:
    """Each part by name, what is wrong with it, and 503 if one is not ready."""
    return _answer(await request.app[READINESS]())


async def ready_for_calls(request: web.Request) -> web.Response:
    """As `ready`, of the parts that calls need."""
    return _answer(_needed(await request.app[READINESS](), Need.CALLS))


async def ready_for_api(request: web.Request) -> web.Response:
    """As `ready`, of the parts that requests need."""
    return _answer(_needed(await request.app[READINESS](), Need.API))


def _needed(parts: Mapping[str, Part], need: Need) -> Mapping[str, Part]:
    return {name: part for name, part in parts.items() if need in part.needs}


def _answer(parts: Mapping[str, Part]) -> web.Response:
    troubles = {
        name: {"reason": part.trouble.word, "wrong": part.trouble.wrong, "cure": part.trouble.cure}
        for name, part in parts.items()
        if part.trouble
    }
    return web.json_response(
        {
            "status": "not ready" if troubles else "ready",
            **{name: part.is_well for name, part in parts.items()},
            "troubles": troubles,
        },
        status=HTTPStatus.SERVICE_UNAVAILABLE if troubles else HTTPStatus.OK,
    )
