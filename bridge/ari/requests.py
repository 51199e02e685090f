"""Requests to Asterisk, by the names of its own operations."""

import json
import time
from collections.abc import Sequence
from typing import Any, Final

import aiohttp
import structlog
from aioari.client import Client

from bridge.aio import TIMED_OUT, race
from bridge.ari.errors import AsteriskUnreachable, Gone, RequestRefused
from bridge.ari.leg import Leg
from bridge.ari.transport import Transport

log = structlog.get_logger(__name__)

HEARTBEAT: Final = "BRIDGE_HEARTBEAT"
"""The global variable with the Unix time of our last beat; ``0``: no calls may come."""

_LAST_EVENT = 2.0  # seconds in which the last event of a leg that was refused a command must come

# Events no story reads.  `allowed` would silently drop kinds that a newer Asterisk adds.
_UNREAD_EVENTS = [
    {"type": kind}
    for kind in (
        "ChannelVarset",
        "ChannelDialplan",
        "ChannelCallerId",
        "ChannelConnectedLine",
        "ChannelCreated",
        "ChannelEnteredBridge",
        "ChannelLeftBridge",
        "BridgeCreated",
        "BridgeDestroyed",
        "BridgeVideoSourceChanged",
        "DeviceStateChanged",
    )
]


class Requests:
    """Requests to one Asterisk, for one Stasis application.

    Each ends within the transport's time limit.

    Args:
        app: name of the Stasis application.
    """

    def __init__(self, transport: Transport, *, app: str) -> None:
        self.app = app
        self._transport = transport
        self._api: Client | None = None

    # --- a connection (ari.stream.EventStream) ---

    async def connect(self) -> None:
        """Learn Asterisk's operations from Asterisk itself.

        Raises:
            AriError: it is away, still starting, or does not let us in.
        """
        if self._api is None:
            api = Client("http://asterisk/", self._transport)
            try:
                await api.init()
            except Gone as error:  # until its modules are loaded, Asterisk knows no ARI
                raise AsteriskUnreachable("Asterisk is still loading") from error
            self._api = api

    async def events(self) -> aiohttp.ClientWebSocketResponse:
        """The websocket on which we hear our events.

        Raises:
            AriError: Asterisk is away, still starting, or does not let us in.
        """
        return await self._transport.events(self.app)

    async def filter_events(self) -> None:
        """Keep Asterisk from sending what nobody reads: 16 events a call instead of 70.

        Forgotten by Asterisk with the application, so to be said at every connection.  aioari
        would wrap the body in an object of its own, and Asterisk then ignores it.
        """
        await self._transport.request(
            "PUT",
            f"/ari/applications/{self.app}/eventFilter",
            headers={"Content-Type": "application/json"},
            data=json.dumps({"disallowed": _UNREAD_EVENTS}),
        )

    async def beat(self, *, alive: bool) -> None:
        """Tell the dialplan that calls may come, or (not ``alive``) that none may."""
        await self.call(
            "asterisk",
            "setGlobalVar",
            variable=HEARTBEAT,
            value=str(int(time.time())) if alive else "0",
        )

    # --- the ways to ask ---

    async def call(self, resource: str, operation: str, /, **arguments: Any) -> Any:
        """Ask for an operation; what it answers, as aioari gives it.

        Raises:
            AriError: Asterisk refused it, or is away.
        """
        if self._api is None:
            raise AsteriskUnreachable("never connected")
        return await getattr(getattr(self._api, resource), operation)(**arguments)

    async def quietly(self, resource: str, operation: str, **arguments: Any) -> None:
        """Ask for something about what may be gone, which is no error."""
        try:
            await self.call(resource, operation, **arguments)
        except Gone as error:
            log.debug("gone already", operation=operation, status=error.status)

    async def on_legs(
        self, legs: Sequence[Leg], resource: str, operation: str, **arguments: Any
    ) -> None:
        """Ask for something that needs the legs to be up; that one is not is no error.

        Of a channel on its way out Asterisk may say 400, 404, 409, 412, 422 or 500, as it happens;
        what tells is that its last event follows.
        """
        try:
            await self.call(resource, operation, **arguments)
        except RequestRefused as error:
            ends = {leg.channel_id: leg.ended() for leg in legs}
            if ends and await race(within=_LAST_EVENT, **ends) == TIMED_OUT:
                raise
            log.debug("gone already", operation=operation, status=error.status)

    # --- variables of the dialplan ---

    async def variable(self, name: str) -> str:
        """Value of a global variable of the dialplan, empty if there is none."""
        return str((await self.call("asterisk", "getGlobalVar", variable=name))["value"])

    async def channel_variable(self, leg: Leg, name: str) -> str:
        """Value of a variable of the leg, empty if it has none or is gone."""
        try:
            found = await self.call(
                "channels", "getChannelVar", channelId=leg.channel_id, variable=name
            )
        except Gone:
            return ""
        return str(found["value"])

    async def set_variables(self, leg: Leg, variables: dict[str, str]) -> None:
        await self.on_legs(
            [leg], "channels", "setChannelVars", channelId=leg.channel_id, variables=variables
        )
