"""A web server of somebody else's, on loopback, that answers as the test says."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from aiohttp import web
from aiohttp.test_utils import TestServer

Behaviour = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Origin:
    """Keeps what it was asked.  ``answer`` is what it does."""

    def __init__(self) -> None:
        self.requests: list[web.Request] = []
        self.bodies: list[bytes] = []
        self.asked = asyncio.Event()
        self.answer: Behaviour = says(200)
        self.url = ""

    @classmethod
    @asynccontextmanager
    async def serving(cls) -> AsyncIterator["Origin"]:
        origin = cls()
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", origin._serve)
        async with TestServer(app) as server:
            origin.url = str(server.make_url("")).rstrip("/")
            yield origin

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        self.requests.append(request)
        self.asked.set()
        self.bodies.append(await request.read())
        return await self.answer(request)


def says(status: int, body: bytes = b"", **headers: str) -> Behaviour:
    """An answer; ``ETag`` and the like by keyword, ``_`` for ``-``."""

    async def answer(_request: web.Request) -> web.StreamResponse:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return web.Response(status=status, body=body, headers=named)

    return answer


async def hangs(_request: web.Request) -> web.StreamResponse:
    """Takes the request and never answers."""
    await asyncio.Event().wait()
    raise AssertionError


async def trickles(request: web.Request) -> web.StreamResponse:
    """Answers at once, begins the body, and never ends it."""
    response = web.StreamResponse()
    await response.prepare(request)
    await response.write(b"a")
    await asyncio.Event().wait()
    return response


async def never_ends(request: web.Request) -> web.StreamResponse:
    """A body as long as anybody reads."""
    response = web.StreamResponse()
    await response.prepare(request)
    while True:
        await response.write(b"a" * 65536)


async def hangs_up(request: web.Request) -> web.StreamResponse:
    """Closes the connection where the answer should be."""
    assert request.transport
    request.transport.close()
    return web.Response()


async def hangs_up_half_way(request: web.Request) -> web.StreamResponse:
    """Closes the connection in the middle of the body."""
    response = web.StreamResponse(headers={"Content-Length": "1000"})
    await response.prepare(request)
    await response.write(b"a" * 500)
    assert request.transport
    request.transport.close()
    return response
