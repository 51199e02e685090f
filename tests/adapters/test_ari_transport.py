"""HTTP to Asterisk: what is tried again, what is not, and what each answer means."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from bridge.ari.errors import AsteriskUnreachable, Gone, RequestRefused
from bridge.ari.transport import Transport

PASSWORD = "ari-password-1234"  # noqa: S105
NUMBER = "+14155550123"


class Server:
    """Answers as the test says, and keeps what it was asked."""

    def __init__(self) -> None:
        self.requests: list[web.Request] = []
        self.answer: Callable[[web.Request], Awaitable[web.StreamResponse]] = self.status(200)

    async def serve(self, request: web.Request) -> web.StreamResponse:
        self.requests.append(request)
        return await self.answer(request)

    def status(self, status: int) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def answer(_request: web.Request) -> web.StreamResponse:
            return web.json_response({"message": f"about {NUMBER}"}, status=status)

        return answer

    async def hangs_up(self, request: web.Request) -> web.StreamResponse:
        """The connection is closed, as Asterisk does with one that was idle too long."""
        assert request.transport
        request.transport.close()
        return web.Response()


@pytest.fixture
def server() -> Server:
    return Server()


@pytest.fixture
def patience() -> float:
    """Seconds that Asterisk may take."""
    return 30.0


@pytest.fixture
async def transport(server: Server, patience: float) -> AsyncIterator[Transport]:
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", server.serve)
    async with TestServer(app) as running:
        url = str(running.make_url(""))
        transport = Transport(url, "bridge", PASSWORD, command_timeout=patience)
        yield transport
        await transport.close()


async def test_the_password_goes_into_a_header_and_never_into_the_url(
    transport: Transport, server: Server
) -> None:
    await transport.request("GET", "http://elsewhere/ari/channels", params={"all": True})
    [request] = server.requests
    assert request.headers["Authorization"].startswith("Basic ")
    assert PASSWORD not in str(request.url)
    assert request.query == {"all": "true"}


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (404, Gone),
        (409, Gone),
        (412, Gone),
        (422, Gone),
        (400, RequestRefused),
        (401, RequestRefused),
        (500, RequestRefused),
        (503, AsteriskUnreachable),
    ],
)
async def test_each_status_means_one_thing_and_no_error_repeats_what_asterisk_said(
    transport: Transport, server: Server, status: int, error: type[Exception]
) -> None:
    server.answer = server.status(status)
    with pytest.raises(error) as raised:
        await transport.request("POST", f"http://x/ari/channels/{NUMBER}")
    assert NUMBER not in str(raised.value)


@pytest.mark.parametrize(("method", "tries"), [("GET", 2), ("PUT", 2), ("DELETE", 2), ("POST", 1)])
async def test_a_lost_connection_is_tried_once_more_where_that_does_no_harm(
    transport: Transport, server: Server, method: str, tries: int
) -> None:
    server.answer = server.hangs_up
    with pytest.raises(AsteriskUnreachable):
        await transport.request(method, "http://x/ari/channels")
    assert len(server.requests) == tries


@pytest.mark.parametrize("patience", [0.2])
async def test_an_asterisk_that_hangs_is_given_up(transport: Transport, server: Server) -> None:
    never = asyncio.Event()

    async def hang(_request: web.Request) -> web.StreamResponse:
        await never.wait()
        return web.Response()

    server.answer = hang
    with pytest.raises(AsteriskUnreachable, match="no answer"):
        await transport.request("GET", "http://x/ari/channels")
    never.set()


async def test_where_nobody_listens_asterisk_is_away() -> None:
    transport = Transport("http://127.0.0.1:9", "bridge", PASSWORD, command_timeout=1)
    try:
        with pytest.raises(AsteriskUnreachable):
            await transport.request("GET", "http://x/ari/channels")
        with pytest.raises(AsteriskUnreachable):
            await transport.events("bridge")
    finally:
        await transport.close()
