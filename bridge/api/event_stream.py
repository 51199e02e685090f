"""Events as they happen (Server-Sent Events, WHATWG HTML 9.2), and nothing missed in between.

The id of an event is the position behind it: a client that comes back with it in ``Last-Event-ID``,
as every EventSource does, is given all that was written since.  What was being given when the
connection broke is given once more.
"""

import asyncio
import contextlib
import itertools
import json
import re
from http import HTTPStatus

from aiohttp import web

from bridge.api import requests
from bridge.api.ports import EventFeed
from bridge.api.problems import Problem
from bridge.api.render import events as render
from bridge.api.schemas.events import StreamEvents
from bridge.domain.errors import Unavailable
from bridge.domain.events import EventReport

FEED = web.AppKey("feed", EventFeed)
CLOSING = web.AppKey("closing", asyncio.Event)
"""Set when the service stops: a stream would keep it for as long as anybody listens."""

_POSITION = re.compile(r"([1-9][0-9]{0,17}):([1-9][0-9]{0,17}):((?:[1-9][0-9]{0,17}(?:,|$))*)")
_LONGEST_POSITION = 8000
_HEARTBEAT = 15.0  # seconds; proxies close what is silent for longer
_PAUSE = 0.2  # seconds, so that many events are read at once


async def stream(request: web.Request) -> web.StreamResponse:
    asked = requests.query(request, StreamEvents)
    feed = request.app[FEED]
    position = request.headers.get("Last-Event-ID") or await feed.position()
    if not is_position(position):
        raise Problem(HTTPStatus.BAD_REQUEST, "Last-Event-ID is not one of an event.")
    response = web.StreamResponse(
        headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store"}
    )
    response.headers["X-Request-ID"] = request[requests.API_ID]
    await response.prepare(request)
    try:
        async with asyncio.timeout(asked.duration):
            await response.write(f"id: {position}\n\n".encode())
            while not request.app[CLOSING].is_set():
                change = feed.next_change  # what is written while we read is seen, too
                position = await _pass_on(request, response, position)
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(_HEARTBEAT):
                        await change.wait()
                await asyncio.sleep(_PAUSE)
    except (TimeoutError, ConnectionResetError, Unavailable):
        pass  # whoever listens comes back with the last id
    return response


async def close_streams(app: web.Application) -> None:
    """Have every stream end; see `CLOSING`."""
    app[CLOSING].set()
    await app[FEED].look()


def is_position(text: str) -> bool:
    """Whether Postgres takes it for a snapshot: lowest, highest, and what was open between them."""
    found = _POSITION.fullmatch(text) if len(text) <= _LONGEST_POSITION else None
    if not found or text.endswith(","):
        return False
    low, high = int(found[1]), int(found[2])
    open_then = [int(one) for one in found[3].split(",") if one]
    in_order = all(a < b for a, b in itertools.pairwise(open_then))
    return low <= high and in_order and all(low <= one < high for one in open_then)


async def _pass_on(request: web.Request, response: web.StreamResponse, position: str) -> str:
    """Everything that is new since ``position``; the position behind it."""
    found, now = await request.app[FEED].read(requests.account(request), position)
    if found is None:
        text = f"event: missed\ndata: more than can be sent; see the list\nid: {now}\n\n"
    elif found:
        texts = [_message(one) for one in found]
        text = "".join(f"{one}id: {position}\n\n" for one in texts[:-1])
        text += f"{texts[-1]}id: {now}\n\n"
    else:
        text = ":\n\n"
    await response.write(text.encode())
    return now


def _message(report: EventReport) -> str:
    return f"event: {report.event.name}\ndata: {json.dumps(render.event(report))}\n"
