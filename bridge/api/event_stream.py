"""Events as they happen (Server-Sent Events, WHATWG HTML 9.2), and nothing missed in between.

The id of an event is the position behind it: a client that comes back with it in ``Last-Event-ID``,
as every EventSource does, is given all that was written since.  What was being given when the
connection broke is given once more.
"""

import asyncio
import collections
import contextlib
import itertools
import json
import re
import time
from collections.abc import Iterator, Sequence
from http import HTTPStatus

from aiohttp import web

from bridge.api import auth, requests
from bridge.api.ports import EventFeed
from bridge.api.problems import Problem
from bridge.api.render import events as render
from bridge.api.schemas.events import StreamEvents
from bridge.domain.errors import Unavailable
from bridge.domain.events import EventReport

FEED = web.AppKey("feed", EventFeed)
CLOSING = web.AppKey("closing", asyncio.Event)
"""Set when the service stops: a stream would keep it for as long as anybody listens."""
STREAMS = web.AppKey("streams", collections.Counter[str])
"""How many streams each account has."""

_POSITION = re.compile(r"([1-9][0-9]{0,17}):([1-9][0-9]{0,17}):((?:[1-9][0-9]{0,17}(?:,|$))*)")
_LONGEST_POSITION = 8000
_HEARTBEAT = 15.0  # seconds; proxies close what is silent for longer
_PAUSE = 0.2  # seconds, so that many events are read at once
_STREAMS = 20  # of an account at once: each asks Postgres again and again
_TRUSTED_FOR = 15.0  # seconds; a token may be revoked meanwhile
_TAKEN_WITHIN = 5.0  # seconds for a piece; whoever reads no more would keep us when we stop


async def stream(request: web.Request) -> web.StreamResponse:
    asked = requests.query(request, StreamEvents)
    feed = request.app[FEED]
    position = request.headers.get("Last-Event-ID") or await feed.position()
    if not is_position(position):
        raise Problem(HTTPStatus.BAD_REQUEST, "Last-Event-ID is not one of an event.")
    with _counted(request):
        response = web.StreamResponse(
            headers={
                "Content-Type": "text/event-stream",
                "Cache-Control": "no-store",
                "X-Accel-Buffering": "no",  # nginx would keep events until there are many
                "X-Request-ID": request[requests.API_ID],
            }
        )
        await response.prepare(request)
        try:
            async with asyncio.timeout(asked.duration):
                await _write(response, f"id: {position}\n\n")
                trusted_until = time.monotonic() + _TRUSTED_FOR
                while not request.app[CLOSING].is_set():
                    if time.monotonic() > trusted_until:
                        if not await auth.still_holds(request):
                            break
                        trusted_until = time.monotonic() + _TRUSTED_FOR
                    change = feed.next_change  # what is written while we read is seen, too
                    position = await _pass_on(request, response, position)
                    with contextlib.suppress(TimeoutError):
                        async with asyncio.timeout(_HEARTBEAT):
                            await change.wait()
                    await asyncio.sleep(_PAUSE)
        except (TimeoutError, ConnectionResetError, Unavailable):
            pass  # whoever listens comes back with the last id
        await _end(request, response)
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


@contextlib.contextmanager
def _counted(request: web.Request) -> Iterator[None]:
    """Raises: Problem: its account has as many streams as it may."""
    streams, account = request.app[STREAMS], requests.account(request)
    if streams[account] >= _STREAMS:
        raise Problem(
            HTTPStatus.TOO_MANY_REQUESTS,
            f"This account has {_STREAMS} streams of events already.",
            headers={"Retry-After": "5"},
        )
    streams[account] += 1
    try:
        yield
    finally:
        streams[account] -= 1


async def _pass_on(request: web.Request, response: web.StreamResponse, position: str) -> str:
    """Everything that is new since ``position``; the position behind it."""
    found, now = await request.app[FEED].read(requests.account(request), position)
    if found is None:
        await _write(response, f"event: missed\ndata: see the list of events\nid: {now}\n\n")
        return now
    last: Sequence[EventReport] = ()
    async for piece in found:
        if last:
            await _write(response, _messages(last, position))
        if request.app[CLOSING].is_set():
            return position
        last = piece
    text = _messages(last[:-1], position) + _messages(last[-1:], now)
    await _write(response, text or ":\n\n")
    return now


async def _write(response: web.StreamResponse, text: str) -> None:
    """Raises: TimeoutError, ConnectionResetError: nobody reads it."""
    async with asyncio.timeout(_TAKEN_WITHIN):
        await response.write(text.encode())


async def _end(request: web.Request, response: web.StreamResponse) -> None:
    """End the answer; and where nobody reads even that, the connection."""
    try:
        async with asyncio.timeout(_TAKEN_WITHIN):
            await response.write_eof()
    except (TimeoutError, ConnectionResetError):
        if request.transport:
            request.transport.abort()


def _messages(reports: Sequence[EventReport], position: str) -> str:
    """With the position that is theirs, which only the last one of all is behind."""
    return "".join(
        f"event: {one.event.name}\ndata: {json.dumps(render.event(one))}\nid: {position}\n\n"
        for one in reports
    )
