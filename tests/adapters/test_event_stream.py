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
from hypothesis import given
from hypothesis import strategies as st

from bridge.ari import stream
from bridge.ari.client import Asterisk
from bridge.ari.errors import AsteriskUnreachable
from bridge.ari.legs import Legs
from bridge.ari.remains import Remains
from bridge.ari.requests import Requests
from bridge.ari.stream import EventStream, InboundCall
from bridge.ari.transport import Transport
from bridge.domain.signalling import Caller, caller
from bridge.domain.trunk_rules import TrunkRules

AT = "2026-01-01T12:00:00.000+0000"


def encoded(text: str) -> str:
    """As the dialplan hands it over."""
    escaped = text.replace("%", "%25").replace("(", "%28").replace(")", "%29")
    return f"{base64.b64encode(f':{escaped}'.encode()).decode()}."


def arrival(channel_id: str, *, args: list[str] | None = None) -> dict[str, Any]:
    asserted = encoded("<sip:alice@x>") + encoded("") + encoded("<tel:+14155550123>")
    given = ["in", encoded('"a, b" <sip:+14155550123@carrier>'), asserted, "", encoded("+1202")]
    channel = {"id": channel_id, "name": "PJSIP/carrier-1", "state": "Ring", "creationtime": AT}
    return {
        "type": "StasisStart",
        "timestamp": AT,
        "args": given if args is None else args,
        "channel": channel,
    }


class ListedRequests(Requests):
    """Keeps what is said at a connection; its websocket is a real one."""

    def __init__(self, transport: Transport) -> None:
        super().__init__(transport, app="bridge")
        self.said: list[str] = []
        self.fails_at: str | None = None
        self.beats: asyncio.Queue[asyncio.Event] | None = None
        """Those under way, each until its event is set; ``None``: they take no time."""

    async def connect(self) -> None:
        self.say("connect")

    async def filter_events(self) -> None:
        self.say("filter events")

    async def beat(self, *, alive: bool) -> None:
        if self.beats is not None:
            self.beats.put_nowait(arrived := asyncio.Event())
            await arrived.wait()
        self.say("alive" if alive else "refuse calls")

    def say(self, what: str) -> None:
        if self.fails_at == what:
            self.fails_at = None  # once
            raise AsteriskUnreachable(what)
        self.said.append(what)


class ListedRemains(Remains):
    """Keeps when it is told to look at what was missed, among what else is said."""

    def __init__(self, requests: ListedRequests, legs: Legs, asterisk: Asterisk) -> None:
        super().__init__(requests, legs, asterisk)
        self._listed = requests

    async def look_back(self) -> None:
        self._listed.say("look back")

    async def resynchronise(self) -> None:
        self._listed.say("resynchronise")


class Line:
    """The far end of the websocket, and what our side made of what came over it."""

    def __init__(self) -> None:
        self.sockets: list[web.WebSocketResponse] = []
        self.arrivals: asyncio.Queue[InboundCall] = asyncio.Queue()
        self.connections: asyncio.Queue[str] = asyncio.Queue()
        """Of each, what Asterisk had been told last when it was called one."""
        self.replaced = asyncio.Event()
        self.requests: ListedRequests
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
        line.requests = ListedRequests(transport)
        line.requests.fails_at = fails_at
        asterisk = Asterisk(line.requests, legs, trunk="carrier")
        legs.serve(asterisk)
        line.stream = EventStream(
            line.requests,
            ListedRemains(line.requests, legs, asterisk),
            legs,
            arrived=line.arrivals.put_nowait,
            connected=lambda: line.connections.put_nowait(line.requests.said[-1]),
            replaced=line.replaced.set,
        )
        running = tasks.create_task(line.stream.run())
        await line.connections.get()
        yield line
        running.cancel()
        await transport.close()


async def test_every_connection_filters_events_and_looks_at_what_was_missed() -> None:
    """And is none before the dialplan lets calls in."""
    async with listening() as line:
        await line.sockets[-1].close()
        assert await line.connections.get() == "alive"
        said = [one for one in line.requests.said if one != "alive"]
    assert said == ["connect", "filter events", "look back", "resynchronise"] * 2


@pytest.mark.parametrize(
    "moment", ["connect", "filter events", "look back", "resynchronise", "alive"]
)
async def test_a_failure_at_any_moment_of_a_connection_leads_to_another(moment: str) -> None:
    async with listening(fails_at=moment) as line:
        await line.send(arrival("a-1"))
        assert (await line.arrivals.get()).leg.channel_id == "a-1"
        for socket in line.sockets[:-1]:
            assert socket.closed


async def test_a_call_comes_in_with_what_the_dialplan_took_off_its_channel() -> None:
    async with listening() as line:
        await line.send(arrival("a-1"))
        inbound = await line.arrivals.get()
    headers = inbound.headers
    assert headers.said == ['"a, b" <sip:+14155550123@carrier>']
    assert headers.asserted == ["<sip:alice@x>", "", "<tel:+14155550123>"]
    assert (headers.attested, inbound.dialled) == ([], "+1202")
    assert inbound.leg.state.name == "PJSIP/carrier-1"


@pytest.mark.parametrize(
    "event",
    [
        "not JSON",
        "[]",
        "null",
        {},
        {"type": "StasisStart"},
        {"type": "StasisStart", "channel": "a-1", "args": ["in", "", "", "", ""]},
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
        await line.send(arrival("a-1", args=["in", "%%%.", "ä", "=.", "...."]))
        inbound = await line.arrivals.get()
    headers = inbound.headers
    assert (headers.said, headers.asserted, headers.attested) == (["?"], ["?"], ["?"])
    assert caller(headers, TrunkRules()) == Caller(None)


@given(text=st.text(st.characters(exclude_categories=["Cs"])))
def test_a_text_comes_out_of_the_dialplan_s_form_as_it_went_in(text: str) -> None:
    assert stream._texts(encoded(text) + encoded("")) == [text, ""]


async def test_a_name_in_latin_1_does_not_hide_the_number_beside_it() -> None:
    sent = base64.b64encode(':"Zoë" <sip:+14155550123@carrier>'.encode("latin-1")).decode() + "."
    async with listening() as line:
        await line.send(arrival("a-1", args=["in", sent, "", "", ""]))
        inbound = await line.arrivals.get()
    assert inbound.headers.said[0].endswith("<sip:+14155550123@carrier>")


async def test_who_took_over_our_application_is_noticed() -> None:
    async with listening() as line:
        await line.send({"type": "ApplicationReplaced", "timestamp": AT})
        await line.replaced.wait()


async def test_from_the_moment_of_draining_the_dialplan_is_told_to_refuse() -> None:
    async with listening() as line:
        await line.stream.refuse_calls()
        assert line.requests.said[-1] == "refuse calls"
        assert not line.stream.admitting


async def test_a_beat_that_is_under_way_does_not_undo_it() -> None:
    async with listening() as line, asyncio.TaskGroup() as tasks:
        line.requests.beats = asyncio.Queue()
        alive = await line.requests.beats.get()
        tasks.create_task(line.stream.refuse_calls())
        await asyncio.sleep(0)
        assert line.requests.beats.empty(), "one could overtake the other"
        alive.set()
        (await line.requests.beats.get()).set()
    assert line.requests.said[-2:] == ["alive", "refuse calls"]


async def test_draining_with_asterisk_away_is_no_error() -> None:
    async with listening() as line:
        line.requests.fails_at = "refuse calls"
        await line.stream.refuse_calls()
        assert not line.stream.admitting
