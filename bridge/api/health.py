"""Whether the service is alive, and whether it can carry calls."""

from http import HTTPStatus

from aiohttp import web

from bridge import metrics as exposition
from bridge.api.ports import Readiness

READINESS: web.AppKey[Readiness] = web.AppKey("readiness")


async def metrics(_request: web.Request) -> web.Response:
    """For Prometheus."""
    headers = {"Content-Type": exposition.CONTENT_TYPE}
    return web.Response(body=exposition.exposition(), headers=headers)


async def alive(_request: web.Request) -> web.Response:
    """The process runs.  Says nothing of the rest: to restart it would not bring Postgres back."""
    return web.json_response({"status": "alive"})


async def ready(request: web.Request) -> web.Response:
    """Each part by name, and 503 if one is not ready."""
    parts = dict(await request.app[READINESS]())
    everything = all(parts.values())
    return web.json_response(
        {"status": "ready" if everything else "not ready", **parts},
        status=HTTPStatus.OK if everything else HTTPStatus.SERVICE_UNAVAILABLE,
    )
