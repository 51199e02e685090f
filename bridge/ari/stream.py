"""The websocket: connecting and reconnecting, resynchronising, and events to legs."""

import asyncio
import base64
import dataclasses
import json
import random
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime

import aiohttp
import structlog

from bridge.ari.errors import AriError, RequestRefused
from bridge.ari.leg import Leg
from bridge.ari.leg_state import Event, LegState
from bridge.ari.legs import Legs
from bridge.ari.remains import Remains
from bridge.ari.requests import Requests
from bridge.domain.readiness import Trouble
from bridge.domain.signalling import CallerHeaders

log = structlog.get_logger(__name__)

_ESCAPED = re.compile("%(25|28|29)")
_BEAT_INTERVAL = 1.0  # the dialplan refuses calls when the last beat is older than 3 s
_FIRST_DELAY = 0.1
_LONGEST_DELAY = 1.0  # the bridge is to be back within 3 s of Asterisk


@dataclasses.dataclass(frozen=True, slots=True)
class InboundCall:
    """A call that came in, with what the dialplan took off the channel."""

    leg: Leg
    headers: CallerHeaders
    dialled: str
    """The called number as it came."""
    at: datetime


class EventStream:
    """Keeps us connected, and the legs told.

    Args:
        arrived: called for every inbound call; must not block.
        connected: called after each connection; must not block.
        inspect: looks at Asterisk before the first call of a connection; may raise `AriError`.
        replaced: called when another process took over our Stasis application.  Two masters of
            one call are none: no command may be sent after it.
    """

    def __init__(
        self,
        requests: Requests,
        remains: Remains,
        legs: Legs,
        *,
        arrived: Callable[[InboundCall], None],
        connected: Callable[[], None],
        replaced: Callable[[], None],
        inspect: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        self._requests = requests
        self._remains = remains
        self._legs = legs
        self._arrived = arrived
        self._on_connected = connected
        self._on_replaced = replaced
        self._inspect = inspect
        self.connected = False
        self.trouble: Trouble | None = None
        """What keeps us from connecting, where Asterisk answered; ``None``: nothing, or it is
        away."""
        self.admitting = True
        """Whether the dialplan is told that calls may come; off while draining."""
        self._said: str | None = None
        """What was logged of the attempts to connect since the last connection."""
        self._beating = asyncio.Lock()

    async def run(self) -> None:
        """Stay connected until cancelled."""
        delay = _FIRST_DELAY
        while True:
            try:
                async with asyncio.TaskGroup() as connection, self._connected() as websocket:
                    delay = _FIRST_DELAY
                    beat = connection.create_task(self._beat(), name="heartbeat")
                    await self._read(websocket)
                    beat.cancel()
                log.warning("asterisk disconnected", live_legs=len(list(self._legs)))
            except* AriError as errors:
                self._not_reachable(errors.exceptions[0])
            # Jitter, so that many bridges do not come back to one machine in step.  A clean close
            # waits too: an Asterisk that closes at once would be hammered.
            await asyncio.sleep(delay * random.uniform(0.8, 1.2))  # noqa: S311 - no secret
            delay = min(delay * 2, _LONGEST_DELAY)

    def _not_reachable(self, error: BaseException) -> None:
        self.trouble = _what_is_wrong(error)
        if self._said != str(error):  # said once, and not at every attempt
            self._said = str(error)
            told = {"wrong": self.trouble.wrong, "cure": self.trouble.cure} if self.trouble else {}
            log.warning("asterisk not reachable", error=self._said, **told)

    async def refuse_calls(self) -> None:
        """Have the dialplan refuse every new call (503) from now on."""
        self.admitting = False
        try:
            await self._tell_dialplan()
        except AriError as error:
            # Not connected, then: the dialplan refuses by itself once the last beat is stale.
            log.warning("asterisk not told to refuse calls", error=error)

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
        """The websocket, with Asterisk and us in step; closed when the block is left."""
        await self._requests.connect()
        async with await self._requests.events() as websocket:
            await self._requests.filter_events()
            await self._remains.look_back()
            await self._remains.resynchronise()
            if self._inspect:
                await self._inspect()
            # Until the first, the dialplan refuses every call: nobody is to take us for ready.
            await self._tell_dialplan()
            self.connected, self.trouble, self._said = True, None, None
            self._on_connected()
            log.info("asterisk connected")
            try:
                yield websocket
            finally:
                self.connected = False

    async def _beat(self) -> None:
        """Say once a second that we are alive.  Also notices an Asterisk that hangs."""
        while True:
            await asyncio.sleep(_BEAT_INTERVAL)
            await self._tell_dialplan()

    async def _tell_dialplan(self) -> None:
        """Whether calls may come.  One request after the other, for the later is to count."""
        async with self._beating:
            await self._requests.beat(alive=self.admitting)

    async def _read(self, websocket: aiohttp.ClientWebSocketResponse) -> None:
        """Deliver events until the connection ends.  Never waits for a call."""
        async for message in websocket:
            if message.type is not aiohttp.WSMsgType.TEXT:
                continue
            try:
                self._deliver(json.loads(message.data))
            except Exception as error:
                # Neither it nor what was made of it is logged: both may hold a number.
                log.error("unreadable event", error=error)

    def _deliver(self, event: Event) -> None:
        if event["type"] == "ApplicationReplaced":
            self._on_replaced()
        if self._legs.deliver(event) is None and event["type"] == "StasisStart":
            self._arrival(event)

    def _arrival(self, event: Event) -> None:
        match event.get("args"):
            case ["in", said, asserted, attested, dialled]:
                leg = self._legs.expect(event["channel"]["id"], LegState())
                leg.feed(event)
                self._arrived(
                    InboundCall(
                        leg,
                        CallerHeaders(
                            said=_texts(said),
                            asserted=_texts(asserted),
                            attested=_texts(attested),
                        ),
                        dialled="".join(_texts(dialled)),
                        at=datetime.fromisoformat(event["timestamp"]),
                    )
                )
            case _:
                # A leg that we placed and gave up: who clears up after lost calls ends it.
                log.warning("unexpected channel", channel=event["channel"]["id"])


def _what_is_wrong(error: BaseException) -> Trouble | None:
    """What must be changed before Asterisk lets us in; ``None``: nothing, it is away."""
    match error:
        case RequestRefused(status=401 | 403):
            return Trouble(
                "login-refused",
                "Asterisk does not let us in",
                "Correct BRIDGE_ARI_USER and BRIDGE_ARI_PASSWORD, or the user in ari.conf",
            )
        case RequestRefused():
            return Trouble(
                "no-ari",
                f"What answers at BRIDGE_ARI_URL does not speak ARI as we do (HTTP {error.status})",
                "Correct BRIDGE_ARI_URL, and load Asterisk's modules of ARI",
            )
        case _:
            return None


def _texts(argument: str) -> Sequence[str]:
    """Strangers' texts, as the dialplan's context ``text`` writes them down.

    Each is ``:`` and the text, with percent sign and parentheses as in a URL, in Base64, and ends
    with a dot.  One that cannot be read is ``?``.  Carriers do send names in Latin-1: the number
    beside one counts all the same.
    """
    return [_text(part) for part in argument.removesuffix(".").split(".")] if argument else []


def _text(encoded: str) -> str:
    try:
        text = base64.b64decode(encoded, validate=True).decode(errors="replace")
    except ValueError:  # also for what is not ASCII
        return "?"
    return _ESCAPED.sub(lambda escape: chr(int(escape[1], 16)), text.removeprefix(":"))
