"""An Asterisk below ARI, which outlives the bridges that it serves: the test plays the phones.

What `FakeAsterisk` is to a story this is to `bridge.ari` itself: it answers requests, keeps
channels, their variables and bridges, and has the dialplan's context ``couple``.
"""

# ruff: noqa: N802, N803 - operations and their arguments are called as ARI calls them

import dataclasses
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

from bridge.ari.errors import Gone, RequestRefused
from bridge.ari.leg_state import RECORDED
from bridge.ari.legs import Legs
from bridge.ari.requests import HEARTBEAT, Requests
from bridge.domain.causes import Cause

BOOTED_AT = datetime(2026, 1, 1, tzinfo=UTC)


@dataclasses.dataclass
class Channel:
    """One leg, as Asterisk has it."""

    id: str
    name: str
    placed: bool
    made_at: str
    state: str
    variables: dict[str, str] = dataclasses.field(default_factory=dict)
    answered_at: datetime | None = None
    ended_at: datetime | None = None
    joined_at: datetime | None = None

    def json(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "name": self.name,
            "state": self.state,
            "creationtime": self.made_at,
            "dialplan": {"app_name": "Stasis", "app_data": "bridge,in"},
        }


@dataclasses.dataclass
class Bridge:
    made_at: str
    name: str
    channels: set[str] = dataclasses.field(default_factory=set)


class ToldAsterisk:
    """Its clock moves at every look, and by `passes`."""

    def __init__(self) -> None:
        self.channels: dict[str, Channel] = {}
        self.bridges: dict[str, Bridge] = {}
        self.variables = {"BRIDGE_KEEPS_ENDS": "yes", "BRIDGE_RECORDINGS": "/spool", HEARTBEAT: "0"}
        self.gone: dict[str, Channel] = {}
        self.serves: Legs | None = None
        """Where events go: to the legs of the bridge that is up."""
        self._now = datetime(2026, 1, 1, 12, tzinfo=UTC)
        self._ends_slowly = timedelta()

    def now(self) -> datetime:
        self._now += timedelta(microseconds=270)
        return self._now

    def passes(self, seconds: float) -> None:
        self._now += timedelta(seconds=seconds)

    # --- phones ---

    def comes_in(self, channel_id: str) -> Channel:
        """A call reaches the Stasis application; whoever is up learns of it otherwise."""
        return self._made(channel_id, "Ring", placed=False)

    def rings(self, channel_id: str) -> None:
        if channel := self.channels.get(channel_id):
            channel.state = "Ringing"
            self._tell(channel, "ChannelStateChange", channel=channel.json())

    def answers(self, channel_id: str) -> None:
        """The phone answers, or we answer the phone."""
        channel = self.channels.get(channel_id)
        if channel is None or channel.state == "Up":
            return
        channel.state, channel.answered_at = "Up", self._now
        self._tell(channel, "ChannelStateChange", channel=channel.json())
        if channel.placed:
            self._tell(channel, "StasisStart", channel=channel.json(), args=["placed"])

    def presses(self, channel_id: str, key: str) -> None:
        if channel := self.channels.get(channel_id):
            self._tell(channel, "ChannelDtmfReceived", digit=key)

    def hangs_up(self, channel_id: str, *, other_after: float = 0) -> None:
        """The phone ends its leg.  ``other_after``: seconds until the coupled one ends."""
        if channel := self.channels.get(channel_id):
            self._tell(channel, "ChannelHangupRequest", cause=16)
            self._end(channel, Cause.NORMAL_CLEARING, other_after)

    def ends_at_limit(self, channel_id: str) -> None:
        if channel := self.channels.get(channel_id):
            self._end(channel, Cause.NORMAL_CLEARING)

    # --- requests ---

    def answer_request(self, resource: str, operation: str, arguments: dict[str, Any]) -> Any:
        return getattr(self, f"_{resource}_{operation}")(**arguments)

    def _asterisk_getInfo(self, only: str) -> Any:
        return {"status": {"startup_time": BOOTED_AT.isoformat()}}

    def _asterisk_getGlobalVar(self, variable: str) -> Any:
        return {"value": self.variables.get(variable, "")}

    def _asterisk_setGlobalVar(self, variable: str, value: str = "") -> None:
        if variable == HEARTBEAT:
            value = str(int(self._now.timestamp()))
        self.variables[variable] = value
        if not value:
            del self.variables[variable]

    def _asterisk_getModule(self, moduleName: str) -> None: ...

    def _applications_subscribe(self, **_: Any) -> None: ...

    def _channels_list(self) -> Any:
        return [SimpleNamespace(json=channel.json()) for channel in self.channels.values()]

    def _channels_create(self, channelId: str, **_: Any) -> Any:
        channel = self._made(channelId, "Down", placed=True)
        self._tell(channel, "StasisStart", channel=channel.json(), args=["placed"])
        return SimpleNamespace(json=channel.json())

    def _channels_dial(self, channelId: str, timeout: int) -> None:
        self._channel(channelId)

    def _channels_ring(self, channelId: str) -> None:
        self._channel(channelId)

    def _channels_ringStop(self, channelId: str) -> None:
        self._channel(channelId)

    def _channels_answer(self, channelId: str) -> None:
        self._channel(channelId)
        self.answers(channelId)

    def _channels_hangup(self, channelId: str, reason_code: str) -> None:
        channel = self._channel(channelId)
        self._tell(channel, "ChannelHangupRequest", cause=int(reason_code), soft=True)
        self._end(channel, int(reason_code))

    def _channels_playWithId(
        self,
        channelId: str,
        playbackId: str,
        media: str,
    ) -> None:
        channel = self._channel(channelId)
        playback = {"id": playbackId, "target_uri": f"channel:{channelId}"}
        self._tell(channel, "PlaybackFinished", playback=playback)

    def _channels_getChannelVar(self, channelId: str, variable: str) -> Any:
        return {"value": self._channel(channelId).variables.get(variable, "")}

    def _channels_setChannelVars(
        self,
        channelId: str,
        variables: dict[str, str],
    ) -> None:
        self._channel(channelId).variables.update(variables)

    def _channels_continueInDialplan(self, channelId: str, **_: Any) -> None:
        channel = self._channel(channelId)
        self._tell(channel, "StasisEnd", channel=channel.json())
        self._tell(channel, "StasisStart", channel=channel.json(), args=RECORDED)

    def _bridges_list(self) -> Any:
        return [
            SimpleNamespace(json={"id": one, "creationtime": bridge.made_at, "name": bridge.name})
            for one, bridge in self.bridges.items()
        ]

    def _bridges_createWithId(
        self,
        bridgeId: str,
        type: str,
        name: str,
    ) -> None:
        if bridgeId in self.bridges:
            raise RequestRefused("changing bridge name is not implemented", 500)
        self.bridges[bridgeId] = Bridge(self.stamp(), name)

    def _bridges_addChannel(
        self,
        bridgeId: str,
        channel: list[str],
        **_: Any,
    ) -> None:
        if bridgeId not in self.bridges:
            raise Gone("bridge", 404)
        for one in [self._channel(one) for one in channel]:
            for bridge in self.bridges.values():
                bridge.channels.discard(one.id)
            self.bridges[bridgeId].channels.add(one.id)
            one.joined_at = one.joined_at or self._now

    def _bridges_destroy(self, bridgeId: str) -> None:
        if self.bridges.pop(bridgeId, None) is None:
            raise Gone("bridge", 404)

    # --- inside ---

    def _made(self, channel_id: str, state: str, *, placed: bool) -> Channel:
        name = f"PJSIP/carrier-{len(self.channels) + len(self.gone):08x}"
        channel = Channel(channel_id, name, placed, self.stamp(), state)
        self.channels[channel_id] = channel
        return channel

    def _channel(self, channel_id: str) -> Channel:
        if channel_id not in self.channels:
            raise Gone("channel", 404)
        return self.channels[channel_id]

    def _end(self, channel: Channel, cause: int, other_after: float = 0) -> None:
        if self.channels.pop(channel.id, None) is None:
            return
        self.gone[channel.id] = channel
        at = channel.ended_at = self.now()
        for bridge in self.bridges.values():
            bridge.channels.discard(channel.id)
        if int(at.timestamp()) - int(self.variables[HEARTBEAT]) >= 2:
            joined = channel.variables.get("JOINED", "")
            word = f"{at.timestamp():.6f} 0{int(cause)} {joined}"
            self.variables[f"BRIDGE_ENDED_{channel.id}"] = word
        self.passes(other_after)
        for peer in [*self.channels.values()]:
            if peer.name == channel.variables.get("PEER"):
                self._tell(peer, "ChannelHangupRequest", soft=True, cause=32)
                self._end(peer, Cause.NORMAL_CLEARING)
        self._tell(channel, "StasisEnd", channel=channel.json())
        if channel.placed:
            self._tell(channel, "ChannelDestroyed", channel=channel.json(), cause=cause)

    def _tell(self, of: Channel, kind: str, **details: Any) -> None:
        details.setdefault("channel", {"id": of.id})
        if self.serves is not None:
            self.serves.deliver({"type": kind, "timestamp": self.stamp(), **details})

    def stamp(self) -> str:
        """The time as Asterisk writes it into an event: to the millisecond."""
        return self.now().isoformat(timespec="milliseconds")


class ToldRequests(Requests):
    """Of one bridge.  ``step`` is called before and after each that it sends."""

    def __init__(self, asterisk: ToldAsterisk, step: Callable[[str], None]) -> None:
        self.app = "bridge"
        self._asterisk = asterisk
        self._step = step

    async def call(self, resource: str, operation: str, /, **arguments: Any) -> Any:
        what = f"{resource}.{operation} {arguments.get('channelId', arguments.get('variable', ''))}"
        self._step(f"before {what}")
        self._asterisk.now()
        try:
            return self._asterisk.answer_request(resource, operation, arguments)
        finally:
            self._step(f"after {what}")
