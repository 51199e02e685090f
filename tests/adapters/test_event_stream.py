"""The websocket to Asterisk: what is said at every connection, and what comes in on it."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from bridge.ari.client import Asterisk
from bridge.ari.errors import AsteriskUnreachable
from bridge.ari.legs import Legs
from bridge.ari.stream import EventStream, InboundCall
from bridge.ari.transport import Transport

AT = "2026-01-01T12:00:00.000+0000"


def encoded(text: str) -> str:
    """As the dialplan hands it over."""
    return base64.b64encode(f":{text}".encode()).decode()


def arrival(channel_id: str, *, args: list[str] | None = None) -> dict[str, Any]:
    given = ["in", encoded('"a, b" <sip:+14155550123@carrier>'), encoded(""), encoded("+1202")]
    channel = {"id": channel_id, "name": "PJSIP/carrier-1", "state": "Ring", "creationtime": AT}
    return {
        "type": "StasisStart",
        "timestamp": AT,
        "args": given if args is None else args,
        "channel": channel,
    }


class ListedAsterisk(Asterisk):
    """Keeps what it is asked at a connection; the websocket beside it is a real one."""

    def __init__(self, transport: Transport, legs: Legs) -> None:
        super().__init__(transport, legs, app="bridge", trunk="carrier")
        self.said: list[str] = []
        self.fails_at: str | None = None

    async def connect(self) -> None:
        self._say("connect")

    async def filter_events(self) -> None:
        self._say("filter events")

    async def resynchronise(self) -> None:
        self._say("resynchronise")

    async def beat(self, *, alive: bool) -> None:
        self._say("alive" if alive else "refuse calls")

    def _say(self, what: str) -> None:
        if self.fails_at == what:
            self.fails_at = None  # once
            raise AsteriskUnreachable(what)
        self.said.append(what)


class Line:
    """The far end of the websocket, and what our side made of what came over it."""

    def __init__(self) -> None:
        self.sockets: list[web.WebSocketResponse] = []
        self.arrivals: asyncio.Queue[InboundCall] = asyncio.Queue()
        self.connections: asyncio.Queue[None] = asyncio.Queue()
        self.replaced = asyncio.Event()
        self.asterisk: ListedAsterisk
        self.stream: EventStream

    async def serve(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        self.sockets.append(socket)
        async for _ in socket:
            pass
        return socket

    async def send(self, event: object) -> None:
        await self.sockets[-1].send_str(event if isinstance(event, str) else json.dumps(event))


@asynccontextmanager
async def listening(*, fails_at: str | None = None) -> AsyncIterator[Line]:
    """The stream, running, at a server that takes its websocket."""
    line, legs = Line(), Legs()
    app = web.Application()
    app.router.add_get("/ari/events", line.serve)
    async with asyncio.timeout(10), TestServer(app) as server, asyncio.TaskGroup() as tasks:
        transport = Transport(str(server.make_url("")), "bridge", "x" * 16, command_timeout=2)
        line.asterisk = ListedAsterisk(transport, legs)
        line.asterisk.fails_at = fails_at
        legs.serve(line.asterisk)
        line.stream = EventStream(
            transport,
            line.asterisk,
            legs,
            arrived=line.arrivals.put_nowait,
            connected=lambda: line.connections.put_nowait(None),
            replaced=line.replaced.set,
        )
        running = tasks.create_task(line.stream.run())
        await line.connections.get()
        yield line
        running.cancel()
        await transport.close()


async def test_every_connection_filters_events_and_looks_at_what_was_missed() -> None:
    async with listening() as line:
        await line.sockets[-1].close()
        await line.connections.get()
        said = [one for one in line.asterisk.said if one != "alive"]
    assert said == ["connect", "filter events", "resynchronise"] * 2


@pytest.mark.parametrize("moment", ["connect", "filter events", "resynchronise", "alive"])
async def test_a_failure_at_any_moment_of_a_connection_leads_to_another(moment: str) -> None:
    async with listening(fails_at=moment) as line:
        if moment == "alive":  # the first beat follows the connection
            await line.connections.get()
        await line.send(arrival("a-1"))
        assert (await line.arrivals.get()).leg.channel_id == "a-1"
        for socket in line.sockets[:-1]:
            assert socket.closed


async def test_a_call_comes_in_with_what_the_dialplan_took_off_its_channel() -> None:
    async with listening() as line:
        await line.send(arrival("a-1"))
        inbound = await line.arrivals.get()
    assert inbound.from_header == '"a, b" <sip:+14155550123@carrier>'
    assert (inbound.asserted_identity, inbound.dialled) == ("", "+1202")
    assert inbound.leg.state.name == "PJSIP/carrier-1"


@pytest.mark.parametrize(
    "event",
    [
        "not JSON",
        "[]",
        "null",
        {},
        {"type": "StasisStart"},
        {"type": "StasisStart", "channel": "a-1", "args": ["in", "", "", ""]},
        {**arrival("a-0"), "timestamp": "yesterday"},
        arrival("a-0", args=["placed"]),
        arrival("a-0", args=[]),
        {"type": "SomethingNew", "timestamp": AT},
    ],
    ids=lambda event: str(event)[:40],
)
async def test_an_event_that_cannot_be_read_holds_up_nothing(event: object) -> None:
    async with listening() as line:
        await line.send(event)
        await line.send(arrival("a-1"))
        assert (await line.arrivals.get()).leg.channel_id == "a-1"
        assert len(line.sockets) == 1, "it connected again"


async def test_arguments_that_are_no_base64_are_nobody_s_number() -> None:
    async with listening() as line:
        await line.send(arrival("a-1", args=["in", "%%%", "ä", "="]))
        inbound = await line.arrivals.get()
    assert (inbound.from_header, inbound.asserted_identity, inbound.dialled) == ("", "", "")


async def test_a_name_in_latin_1_does_not_hide_the_number_beside_it() -> None:
    sent = base64.b64encode(':"Zoë" <sip:+14155550123@carrier>'.encode("latin-1")).decode()
    async with listening() as line:
        await line.send(arrival("a-1", args=["in", sent, "", ""]))
        inbound = await line.arrivals.get()
    assert inbound.from_header.endswith("<sip:+14155550123@carrier>")


async def test_who_took_over_our_application_is_noticed() -> None:
    async with listening() as line:
        await line.send({"type": "ApplicationReplaced", "timestamp": AT})
        await line.replaced.wait()


async def test_from_the_moment_of_draining_the_dialplan_is_told_to_refuse() -> None:
    async with listening() as line:
        await line.stream.refuse_calls()
        assert line.asterisk.said[-1] == "refuse calls"
        assert not line.stream.admitting


async def test_draining_with_asterisk_away_is_no_error() -> None:
    async with listening() as line:
        line.asterisk.fails_at = "refuse calls"
        await line.stream.refuse_calls()
        assert not line.stream.admitting
