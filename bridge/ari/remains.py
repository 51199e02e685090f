"""What a gap leaves in Asterisk: legs that went on or ended unseen, and what is nobody's."""

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import structlog

from bridge.ari import last_words
from bridge.ari.client import PEER, Asterisk
from bridge.ari.errors import Gone
from bridge.ari.leg import Leg
from bridge.ari.leg_state import LegState
from bridge.ari.legs import Legs, b_channel_id, channel_of_bridge, is_placed_channel
from bridge.ari.requests import HEARTBEAT, Requests
from bridge.domain.causes import Cause
from bridge.domain.records import OpenCall, Origin

log = structlog.get_logger(__name__)

_GRACE = 3.0  # seconds in which a channel or bridge may be nobody's: its caller hears nothing


class Remains:
    """Brings legs up to date with what Asterisk has, and removes there what belongs to none."""

    def __init__(self, requests: Requests, legs: Legs, asterisk: Asterisk) -> None:
        self._requests = requests
        self._legs = legs
        self._asterisk = asterisk
        self._last_beat: datetime | None = None
        """The last before this connection."""
        self._there: Collection[str] = ()
        """Ids of the channels that Asterisk had when it was last asked, in this connection."""
        self._taken_up: set[Leg] = set()
        """Those of which nothing is known yet but what the call log says."""
        self._words: set[str] = set()
        """Ids of the channels whose last word was read, and is still there."""

    async def look_back(self) -> None:
        """Learn since when nobody saw legs end.  At every connection, before any beat."""
        seconds = await self._requests.variable(HEARTBEAT)
        keeps_ends = bool(await self._requests.variable("BRIDGE_KEEPS_ENDS"))
        was_here = keeps_ends and seconds.isdigit() and int(seconds) > 0
        self._last_beat = datetime.fromtimestamp(int(seconds), UTC) if was_here else None
        for leg in self._legs:
            leg.unseen_since = self._last_beat
        self._there = ()

    def take_up(self, call: OpenCall) -> tuple[Leg, Leg]:
        """The legs of a call that an earlier process carried; `resynchronise` finds them."""
        arrival = call.arrival
        a_leg = self._legs.expect(
            arrival.channel_id,
            LegState(
                placed=arrival.origin is Origin.CALL_ME,
                started_at=arrival.started_at,
                ringing_at=call.caller_ringing_at,
                answered_at=call.caller_answered_at,
            ),
        )
        b_state = LegState(placed=True, started_at=arrival.started_at, ringing_at=call.ringing_at)
        b_leg = self._legs.expect(b_channel_id(arrival.call_id), b_state)
        a_leg.unseen_since = b_leg.unseen_since = self._last_beat
        self._taken_up |= {a_leg, b_leg}
        return a_leg, b_leg

    async def resynchronise(self) -> None:
        """Tell every leg what it may have missed; one that is gone learns that it is lost.

        A leg counts as gone only if Asterisk had shown it to us before we asked: one that is just
        being placed may not be in the list yet.
        """
        seen = self._legs.seen()
        info = await self._requests.call("asterisk", "getInfo", only="status")
        booted_at = datetime.fromisoformat(info["status"]["startup_time"])
        channels = {channel["id"]: channel for channel in await self._channels()}
        listed_before, self._there = self._there, channels.keys()
        now = datetime.now(UTC)
        for leg in self._legs:
            if channel := channels.get(leg.channel_id):
                leg.feed(
                    {"type": "ChannelStateChange", "timestamp": now.isoformat(), "channel": channel}
                )
        for leg in self._taken_up.intersection(seen):
            if leg.channel_id in channels:
                await self._recall(leg)
        if self._taken_up:
            await self._recall_joins()
        for leg in seen:
            if leg.channel_id not in channels and leg.state.started_at:
                if word := await self._last_word(leg.channel_id):
                    leg.has_ended(word.at, word.cause, joined_at=word.joined_at, said=word.said)
                    continue
                # One that was there since ended after our beat: the dialplan kept no word then.
                unseen_since = None if leg.channel_id in listed_before else leg.unseen_since
                at = last_words.latest_end(unseen_since, leg.state.started_at, now=now)
                leg.lose(
                    timestamp=at.isoformat(), switch_restarted=leg.state.started_at < booted_at
                )
            elif playback := leg.playing:
                await self._learn_of_end(leg, playback)
        self._taken_up.difference_update(seen)  # others may have been taken up meanwhile

    async def _learn_of_end(self, leg: Leg, playback: str) -> None:
        """Of a sound, which may have ended unseen; then somebody would wait for it for ever."""
        try:
            found = await self._requests.call("playbacks", "get", playbackId=playback)
            state = found.json["state"]
        except Gone:
            state = "done"
        # Asterisk tells the end of a sound, and forgets the sound a moment later.
        if state in {"done", "failed"}:
            leg.feed(
                {"type": "PlaybackFinished", "timestamp": _now(), "playback": {"id": playback}}
            )

    async def _recall(self, leg: Leg) -> None:
        """Learn from a leg's variables how far the process came that carried it."""
        joined_at = last_words.joined_at(
            await self._requests.channel_variable(leg, last_words.JOINED)
        )
        if joined_at:
            leg.was_joined(joined_at)
        if await self._requests.channel_variable(leg, PEER):
            leg.was_coupled(at=_now())

    async def _recall_joins(self) -> None:
        """Learn from the bridges which calls were joined.

        A bridge outlives its legs, so it tells of those too that ended before anybody could ask.
        """
        for bridge in await self._bridges():
            for channel_id in bridge["name"].split():
                leg = self._legs.get(channel_id)
                if leg in self._taken_up:
                    leg.was_joined(datetime.fromisoformat(bridge["creationtime"]))

    async def _last_word(self, channel_id: str) -> last_words.LastWord | None:
        """What the dialplan kept of the end of a leg; it keeps it until `sweep`."""
        value = await self._requests.variable(last_words.ended_variable(channel_id))
        if value:
            self._words.add(channel_id)
        return last_words.read(value)

    async def sweep(self, open_calls: Sequence[OpenCall]) -> bool:
        """Remove channels, bridges and last words of ours that belong to no leg we know.

        What tells how a call of ``open_calls`` went stays, or whoever comes after us, if we are
        killed before that is written down, would not know it.  Channels and bridges younger than
        `_GRACE` are left alone, for their call may just be on its way to us: then it is ``False``,
        as it is if anything else was left, and they must be looked at again soon.
        """
        still_open = {call.arrival.channel_id for call in open_calls}
        still_open |= {b_channel_id(call.arrival.call_id) for call in open_calls}
        for channel_id in self._words - still_open:
            variable = last_words.ended_variable(channel_id)
            await self._requests.call("asterisk", "setGlobalVar", variable=variable)
            self._words.discard(channel_id)
        young = bool(self._words)
        ours = f"{self._requests.app},"
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
            await self._asterisk.hangup(channel["id"], Cause.CONGESTION)
        for bridge in await self._bridges():
            leg_id = channel_of_bridge(bridge["id"])
            if leg_id is None or self._is_up(leg_id):
                continue
            if leg_id in still_open or self._legs.get(leg_id) or _age(bridge) <= _GRACE:
                young = True
                continue
            log.warning("stray bridge removed", bridge=bridge["id"])
            await self._asterisk.destroy_bridge(bridge["id"])
        return not young

    def _is_up(self, channel_id: str) -> bool:
        leg = self._legs.get(channel_id)
        return leg is not None and not leg.state.ended

    async def _channels(self) -> list[Mapping[str, Any]]:
        return [channel.json for channel in await self._requests.call("channels", "list")]

    async def _bridges(self) -> list[Mapping[str, Any]]:
        return [bridge.json for bridge in await self._requests.call("bridges", "list")]


def _now() -> str:
    return datetime.now(UTC).isoformat()


def _age(thing: Mapping[str, Any]) -> float:
    """Seconds since a channel or bridge was made."""
    made_at = datetime.fromisoformat(thing["creationtime"])
    return (datetime.now(UTC) - made_at).total_seconds()
