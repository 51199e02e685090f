"""A web server of somebody else's, on loopback, that answers as the test says."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from aiohttp import web
from aiohttp.test_utils import TestServer

Behaviour = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Origin:
    """Keeps what it was asked.  ``answer`` is what it does."""

    def __init__(self, host: str = "127.0.0.1") -> None:
        self.requests: list[web.Request] = []
        self.bodies: list[bytes] = []
        self.asked = asyncio.Event()
        self.answer: Behaviour = says(200)
        self.url = ""
        self._host = host
        self._port: int | None = None
        self._server: TestServer | None = None

    @classmethod
    @asynccontextmanager
    async def serving(cls, host: str = "127.0.0.1") -> AsyncIterator["Origin"]:
        origin = cls(host)
        await origin.comes_back()
        try:
            yield origin
        finally:
            await origin.goes_away()

    async def goes_away(self) -> None:
        """Ends its connections, whatever is on them, and refuses new ones."""
        if self._server:
            await self._server.close()
        self._server = None

    async def comes_back(self) -> None:
        """Serves, where it served before.

        On an address with ports of its own, if it was away: elsewhere somebody may have its port.
        """
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._serve)
        self._server = TestServer(app, host=self._host, port=self._port)
        await self._server.start_server(shutdown_timeout=0.01)
        self._port = self._server.port
        self.url = str(self._server.make_url("")).rstrip("/")

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        self.requests.append(request)
        self.bodies.append(body)
        self.asked.set()
        return await self.answer(request)


def says(status: int, body: bytes = b"", **headers: str) -> Behaviour:
    """An answer; ``ETag`` and the like by keyword, ``_`` for ``-``."""

    async def answer(_request: web.Request) -> web.StreamResponse:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return web.Response(status=status, body=body, headers=named)

    return answer


def slowly(seconds: float, then: Behaviour) -> Behaviour:
    """Takes so long before it answers."""

    async def answer(request: web.Request) -> web.StreamResponse:
        await asyncio.sleep(seconds)
        return await then(request)

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
