"""What we ask of Asterisk, in the words of call control."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import structlog
from aioari.client import Client

from bridge.aio import TIMED_OUT, race
from bridge.ari.errors import AriError, AsteriskUnreachable, Gone, RequestRefused
from bridge.ari.leg import Leg, LegState
from bridge.ari.legs import (
    Legs,
    b_channel_id,
    bridge_id,
    channel_of_bridge,
    is_placed_channel,
)
from bridge.ari.transport import Transport
from bridge.domain.causes import Cause
from bridge.domain.numbers import PhoneNumber
from bridge.domain.records import OpenCall, Origin
from bridge.domain.sessions import Limits
from bridge.domain.trunk_rules import TrunkRules

log = structlog.get_logger(__name__)

_HANGUP_WAIT = 5.0  # seconds for a leg that we hung up to be reported gone
_LAST_EVENT = 2.0  # seconds in which the last event of a leg that was refused a command must come
_DIALPLAN_WAIT = 2.0  # seconds for a leg to come back from the dialplan
_GRACE = 3.0  # seconds in which a channel or bridge may be nobody's: its caller hears nothing
_NET = 30  # seconds after our own limits at which Asterisk ends a leg by itself

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
        "Dial",
    )
]


class Asterisk:
    """Commands to one Asterisk, for one Stasis application.

    Every command ends within the transport's time limit.  A channel that is gone is no error:
    its last event is on the way, and the story hears it there.

    Args:
        app: name of the Stasis application.
        trunk: PJSIP endpoint by which legs are placed.
        rules: how its carrier wants numbers.
    """

    def __init__(
        self,
        transport: Transport,
        legs: Legs,
        *,
        app: str,
        trunk: str,
        rules: TrunkRules = TrunkRules(),  # noqa: B008 - frozen
    ) -> None:
        self.app = app
        self._transport = transport
        self._legs = legs
        self._trunk = trunk
        self._outbound = rules.outbound
        self._api: Client | None = None

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

    async def filter_events(self) -> None:
        """Keep Asterisk from sending what nobody reads: 13 events a call instead of 70.

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
        await self._call(
            "asterisk",
            "setGlobalVar",
            variable="BRIDGE_HEARTBEAT",
            value=str(int(time.time())) if alive else "0",
        )

    # --- one leg (ari.leg.Commands) ---

    async def ring(self, channel_id: str) -> None:
        await self._on_leg("ring", channel_id)

    async def stop_ringing(self, channel_id: str) -> None:
        await self._on_leg("ringStop", channel_id)

    async def answer(self, channel_id: str) -> None:
        await self._on_leg("answer", channel_id)

    async def hangup(self, channel_id: str, cause: int) -> None:
        try:
            await self._on_leg("hangup", channel_id, reason_code=str(cause))
        except AriError as error:
            # Not the story's problem any more: who clears up after lost calls ends it later.
            log.warning("hang-up not delivered", channel=channel_id, error=str(error))

    async def play(self, channel_id: str, playback_id: str, media: Sequence[str]) -> None:
        await self._on_leg("playWithId", channel_id, playbackId=playback_id, media=",".join(media))

    async def stop_playing(self, playback_id: str) -> None:
        await self._quietly("playbacks", "stop", playbackId=playback_id)

    # --- two legs (calls.masked_call.Switch) ---

    @asynccontextmanager
    async def dial(
        self,
        callee: PhoneNumber,
        *,
        caller_id: PhoneNumber,
        call_id: UUID,
        limits: Limits,
    ) -> AsyncIterator[Leg]:
        """Place the other leg; it is ended when the block is left."""
        b_leg = self._legs.expect(b_channel_id(call_id), LegState(placed=True))
        try:
            await self.place(b_leg, callee, caller_id=caller_id, limits=limits)
            yield b_leg
        finally:
            await self.release(b_leg)

    async def place(
        self, leg: Leg, callee: PhoneNumber, *, caller_id: PhoneNumber, limits: Limits
    ) -> None:
        """Call ``callee`` on a leg that is known but not yet there.

        What crosses from one leg to the other is ``caller_id`` and nothing else: ``originator``
        would copy caller ID, redirecting and variables of the caller's leg, so it is never passed.
        """
        leg.requested = True
        channel = await self._call(
            "channels",
            "originateWithId",
            channelId=leg.channel_id,
            endpoint=f"PJSIP/{self._outbound(callee)}@{self._trunk}",
            app=self.app,
            appArgs="placed",
            callerId=f"<{self._outbound(caller_id)}>",
            timeout=limits.ring_timeout + _NET,
            variables={
                # Of the first leg of an ordered call this includes the ringing of the second.
                "TIMEOUT(absolute)": str(
                    2 * limits.ring_timeout + limits.call_time_limit + 2 * _NET
                ),
                "CHANNEL(hangup_handler_push)": "couple,s,1",
                # Where Asterisk would take a callee's 302: nowhere.
                "FORWARD_CONTEXT": "unavailable",
            },
        )
        # Its name is needed before any event has told it.
        leg.feed({"type": "ChannelCreated", "timestamp": _now(), "channel": channel.json})

    async def couple(self, a_leg: Leg, b_leg: Leg) -> None:
        """From now on the end of ``a_leg`` ends ``b_leg``, whether or not we are alive."""
        await self._set_variables(a_leg, {"PEER": b_leg.state.name or ""})

    async def record(self, b_leg: Leg, recording_id: UUID) -> bool:
        """Have what both legs say written to a file, from the join on; ``False``: it cannot be.

        MixMonitor, the cheapest way, is an application of the dialplan; so the leg goes there and
        comes back.  An Asterisk that lacks what it needs there would hang up: that is asked first.
        """
        if not await self._can_record():
            return False
        await self._set_variables(b_leg, {"RECORDING": str(recording_id)})
        await self._through_dialplan(b_leg, "s")
        return b_leg.state.recorded_at is not None

    async def pause_recording(self, b_leg: Leg, *, call_id: UUID, paused: bool) -> bool:
        """Pause the recording of two who are joined, or let it go on; ``False``: it cannot be.

        The leg leaves the bridge for it, for some 10 ms, and hears nothing then.  In a pause there
        is no file open and nothing listens; afterwards the file goes on where it was.
        """
        can_pause = await self._call("asterisk", "getGlobalVar", variable="BRIDGE_CAN_PAUSE")
        if not can_pause["value"]:
            return False
        await self._through_dialplan(b_leg, "pause" if paused else "resume")
        # Also if nobody heard it come back.
        await self._add_to_bridge(bridge_id(call_id), [b_leg])
        return True

    async def _through_dialplan(self, leg: Leg, extension: str) -> None:
        """Let the leg pass through our context ``record``, and wait until it is back."""
        before = leg.state.recorded_at
        if not (leg.state.placed or leg.state.watched):
            await self._call(
                "applications",
                "subscribe",
                applicationName=self.app,
                eventSource=f"channel:{leg.channel_id}",
            )
            leg.watch()
        await self._on_legs(
            [leg],
            "channels",
            "continueInDialplan",
            channelId=leg.channel_id,
            context="record",
            extension=extension,
            priority=1,
        )
        await race(ended=leg.ended(), back=leg.recorded(after=before), within=_DIALPLAN_WAIT)

    async def _can_record(self) -> bool:
        """Whether the dialplan has our context, which comes with that variable, and its module."""
        found = await self._call("asterisk", "getGlobalVar", variable="BRIDGE_RECORDINGS")
        try:
            await self._call("asterisk", "getModule", moduleName="app_mixmonitor.so")
        except Gone:
            return False
        return bool(found["value"])

    @asynccontextmanager
    async def joined(
        self, a_leg: Leg, b_leg: Leg, *, call_id: UUID, call_time_limit: float
    ) -> AsyncIterator[None]:
        """Let the two hear each other; the bridge is removed when the block is left.

        Asterisk holds the time limit too, a little later than we do, and couples the legs both
        ways, so that neither the limit nor the hang-up needs us.
        """
        bridge = bridge_id(call_id)
        limit = str(int(call_time_limit) + _NET)
        try:
            await self._quietly("bridges", "createWithId", bridgeId=bridge, type="mixing")
            await self._add_to_bridge(bridge, [a_leg, b_leg])
            await self._set_variables(
                b_leg, {"PEER": a_leg.state.name or "", "TIMEOUT(absolute)": limit}
            )
            await self._set_variables(a_leg, {"TIMEOUT(absolute)": limit})
            yield
        finally:
            await self.destroy_bridge(bridge)

    async def _add_to_bridge(self, bridge: str, legs: Sequence[Leg]) -> None:
        await self._on_legs(
            legs,
            "bridges",
            "addChannel",
            bridgeId=bridge,
            channel=[leg.channel_id for leg in legs],
            # Connected-line updates are how the number of one would be shown to the other.
            inhibitConnectedLineUpdates=True,
        )

    async def announce(self, call_id: UUID, media: Sequence[str]) -> None:
        """Let both hear sounds over what they say.  Does not wait for the end of them."""
        try:
            await self._quietly(
                "bridges", "play", bridgeId=bridge_id(call_id), media=",".join(media)
            )
        except AriError as error:
            log.warning("announcement not played", error=str(error))

    async def destroy_bridge(self, bridge: str) -> None:
        try:
            await self._quietly("bridges", "destroy", bridgeId=bridge)
        except AriError as error:
            log.warning("bridge not removed", bridge=bridge, error=str(error))

    async def release(self, leg: Leg) -> None:
        """End the leg if it is up, and wait until it is reported gone, so its record is whole."""
        if not leg.requested:
            self._legs.forget(leg)
            return
        await leg.hangup()
        try:
            async with asyncio.timeout(_HANGUP_WAIT):
                await leg.ended()
        except TimeoutError:
            log.warning("leg not reported gone", channel=leg.channel_id)
        finally:
            self._legs.forget(leg)

    # --- after a gap (calls.housekeeping.Remains) ---

    def take_up(self, call: OpenCall) -> tuple[Leg, Leg]:
        """The legs of a call that an earlier process carried; `resynchronise` finds them."""
        arrival = call.arrival
        a_leg = self._legs.expect(
            arrival.channel_id,
            LegState(
                placed=arrival.origin is Origin.CALL_ME,
                started_at=arrival.started_at,
                ringing_at=call.caller_ringing_at,
                answered_at=call.caller_answered_at or call.answered_at,
            ),
        )
        b_state = LegState(
            placed=True,
            started_at=arrival.started_at,
            ringing_at=call.ringing_at,
            answered_at=call.answered_at,
        )
        return a_leg, self._legs.expect(b_channel_id(arrival.call_id), b_state)

    async def resynchronise(self) -> None:
        """Tell every leg what it may have missed; one that is gone learns that it is lost.

        A leg counts as gone only if Asterisk had shown it to us before we asked: one that is just
        being placed may not be in the list yet.
        """
        seen = self._legs.seen()
        booted_at = datetime.fromisoformat(
            (await self._call("asterisk", "getInfo", only="status"))["status"]["startup_time"]
        )
        channels = {channel["id"]: channel for channel in await self._channels()}
        now = _now()
        for leg in self._legs:
            if channel := channels.get(leg.channel_id):
                leg.feed({"type": "ChannelStateChange", "timestamp": now, "channel": channel})
        for leg in seen:
            if leg.channel_id not in channels and leg.state.started_at:
                leg.lose(timestamp=now, switch_restarted=leg.state.started_at < booted_at)

    async def sweep(self) -> bool:
        """Remove channels and bridges of ours that belong to no leg we know.

        Those younger than `_GRACE` are left alone, for their call may just be on its way to us:
        then it is ``False``, and they must be looked at again soon.
        """
        young = False
        ours = f"{self.app},"
        for channel in await self._channels():
            in_app = channel["dialplan"]["app_data"].startswith(ours)
            if not in_app and not is_placed_channel(channel["id"]):
                continue
            if self._legs.get(channel["id"]):
                continue
            if _age(channel) <= _GRACE:
                young = True
                continue
            log.warning("stray channel removed", channel=channel["id"])
            await self.hangup(channel["id"], Cause.CONGESTION)
        for bridge in [bridge.json for bridge in await self._call("bridges", "list")]:
            leg_id = channel_of_bridge(bridge["id"])
            if leg_id is None or self._legs.get(leg_id):
                continue
            if _age(bridge) <= _GRACE:
                young = True
                continue
            log.warning("stray bridge removed", bridge=bridge["id"])
            await self.destroy_bridge(bridge["id"])
        return not young

    async def _channels(self) -> list[Mapping[str, Any]]:
        return [channel.json for channel in await self._call("channels", "list")]

    # --- requests ---

    async def _set_variables(self, leg: Leg, variables: dict[str, str]) -> None:
        await self._on_legs(
            [leg], "channels", "setChannelVars", channelId=leg.channel_id, variables=variables
        )

    async def _on_leg(self, operation: str, channel_id: str, **arguments: Any) -> None:
        leg = self._legs.get(channel_id)
        await self._on_legs(
            [leg] if leg else [], "channels", operation, channelId=channel_id, **arguments
        )

    async def _on_legs(
        self, legs: Sequence[Leg], resource: str, operation: str, **arguments: Any
    ) -> None:
        """Ask for something that needs the legs to be up; that one is not is no error.

        Of a channel on its way out Asterisk may say 400, 404, 409, 412, 422 or 500, as it happens;
        what tells is that its last event follows.
        """
        try:
            await self._call(resource, operation, **arguments)
        except RequestRefused as error:
            ends = {leg.channel_id: leg.ended() for leg in legs}
            if ends and await race(within=_LAST_EVENT, **ends) == TIMED_OUT:
                raise
            log.debug("gone already", operation=operation, status=error.status)

    async def _quietly(self, resource: str, operation: str, **arguments: Any) -> None:
        try:
            await self._call(resource, operation, **arguments)
        except Gone as error:
            log.debug("gone already", operation=operation, status=error.status)

    async def _call(self, resource: str, operation: str, **arguments: Any) -> Any:
        if self._api is None:
            raise AsteriskUnreachable("never connected")
        return await getattr(getattr(self._api, resource), operation)(**arguments)


def _now() -> str:
    return datetime.now(UTC).isoformat()


def _age(thing: Mapping[str, Any]) -> float:
    """Seconds since a channel or bridge was made."""
    made_at = datetime.fromisoformat(thing["creationtime"])
    return (datetime.now(UTC) - made_at).total_seconds()
