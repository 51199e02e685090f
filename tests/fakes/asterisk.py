"""An Asterisk for story tests: the test plays the phones.

It says of each command what the real one does to the legs, no more.
``tests/contract`` runs the same scenarios against it and against the real one.
"""

import asyncio
import base64
import dataclasses
import itertools
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from bridge.ari import last_words
from bridge.ari.errors import AriError
from bridge.ari.last_words import Said
from bridge.ari.leg import Leg
from bridge.ari.leg_state import RECORDED, LegState
from bridge.ari.legs import b_channel_id, bridge_id
from bridge.domain.causes import Cause
from bridge.domain.numbers import PhoneNumber
from bridge.domain.records import OpenCall
from bridge.domain.sessions import Limits

EPOCH = datetime(2026, 1, 1, 12, 0, tzinfo=UTC)

SILENCE = 30.0

Command = tuple[Any, ...]

_SIP_CODES: dict[int, int] = {
    Cause.UNALLOCATED: 404,
    Cause.USER_BUSY: 486,
    Cause.NO_ANSWER: 480,
    Cause.CALL_REJECTED: 603,
    Cause.CONGESTION: 503,
}
"""With what a phone fails its leg where a test says the cause alone."""


@dataclasses.dataclass
class FakeAsterisk:
    """Channels and bridges in memory; ``log`` holds every command in order."""

    log: list[Command] = dataclasses.field(default_factory=list)
    legs: dict[str, Leg] = dataclasses.field(default_factory=dict)
    bridges: set[str] = dataclasses.field(default_factory=set)
    coupled: dict[str, str] = dataclasses.field(default_factory=dict)
    playing: dict[str, str] = dataclasses.field(default_factory=dict)
    """The playback on each channel that has one."""
    fails_to: dict[str, AriError] = dataclasses.field(default_factory=dict)
    """Commands that fail, by name."""
    ended_alone: dict[str, datetime] = dataclasses.field(default_factory=dict)
    """When channels ended that nobody of ours saw end, where Asterisk knows."""
    silence: float = SILENCE
    """Seconds without audio after which a phone is asked whether it is there."""
    silent: set[str] = dataclasses.field(default_factory=set)
    """Channels of which no audio comes."""
    asked: asyncio.Event = dataclasses.field(default_factory=asyncio.Event)
    """Set once a silent phone was asked."""
    deaf: set[str] = dataclasses.field(default_factory=set)
    """Channels whose phones do not answer a request within the call."""
    ended_saying: dict[str, Said] = dataclasses.field(default_factory=dict)
    """What the far end said as it failed such a channel; it did so unseen."""
    can_record: bool = True
    is_swept: bool = True
    """Whether a sweep leaves nothing that may be nobody's."""
    _names: "itertools.count[int]" = dataclasses.field(default_factory=itertools.count)
    _clock: "itertools.count[int]" = dataclasses.field(default_factory=itertools.count)

    # --- what the phones and the network do ---

    def comes_in(self, channel_id: str = "a-leg") -> Leg:
        """A call reaches the Stasis application."""
        leg = self._add(channel_id, LegState())
        self.feed(leg, "StasisStart", channel=self._channel(leg, "Ring"))
        return leg

    def is_placed(self, channel_id: str) -> Leg:
        """A leg that an earlier process placed is there; of its phone nothing is heard yet."""
        leg = self._add(channel_id, LegState(placed=True))
        leg.requested = True
        self.feed(leg, "ChannelStateChange", channel=self._channel(leg, "Down"))
        return leg

    def is_to_be_placed(self, channel_id: str) -> Leg:
        """A leg that a story will place."""
        return self._add(channel_id, LegState(placed=True))

    def rings(self, leg: Leg) -> None:
        self.feed(leg, "ChannelStateChange", channel=self._channel(leg, "Ringing"))

    def answers(self, leg: Leg, *, enters: bool = True) -> None:
        self.feed(leg, "ChannelStateChange", channel=self._channel(leg, "Up"))
        if leg.state.placed and enters:
            self.enters(leg)

    def enters(self, leg: Leg) -> None:
        """A leg that was answered comes into our application, a moment later."""
        self.feed(leg, "StasisStart", channel=self._channel(leg, "Up"))

    def hangs_up(
        self,
        leg: Leg,
        cause: int | None = None,
        sip_code: int | None = None,
        *,
        blocked: bool = False,
    ) -> None:
        """The phone ends its leg; a leg that is coupled to it ends too."""
        if leg.state.placed and not leg.state.answered:  # it always has one then
            sip_code = sip_code or _SIP_CODES.get(cause or 0)
        request = {"cause": cause, "tech_cause": sip_code} if cause else {}
        self.feed(leg, "ChannelHangupRequest", **request)
        words = b":SIP 603 Network Blocked" if blocked else b""
        self._end(leg, cause or Cause.NORMAL_CLEARING, sip_code, said=words)

    def presses(self, leg: Leg, keys: str) -> None:
        """Somebody presses keys on the phone."""
        for key in keys:
            self.feed(leg, "ChannelDtmfReceived", digit=key)

    def has_played(self, leg: Leg, *, state: str = "done") -> None:
        """The sound on the leg is over; ``failed``: it could not be played."""
        playback = {"id": self.playing.pop(leg.channel_id), "state": state}
        self.feed(leg, "PlaybackFinished", playback=playback)

    def loses(self, leg: Leg, *, switch_restarted: bool = False) -> None:
        """The leg is missing after a gap in the events."""
        self.legs.pop(leg.channel_id, None)
        leg.lose(timestamp=self._now(), switch_restarted=switch_restarted)

    # --- ari.leg.Commands ---

    async def ring(self, channel_id: str) -> None:
        self._command("ring", channel_id)

    async def stop_ringing(self, channel_id: str) -> None:
        self._command("stop_ringing", channel_id)

    async def answer(self, channel_id: str) -> None:
        self._command("answer", channel_id)
        if leg := self.legs.get(channel_id):
            self.answers(leg)

    async def hangup(self, channel_id: str, cause: int) -> None:
        self._command("hangup", channel_id, cause)
        if leg := self.legs.get(channel_id):
            self.feed(leg, "ChannelHangupRequest", cause=cause, soft=True)
            self._end(leg, cause)

    async def play(self, channel_id: str, playback_id: str, media: Sequence[str]) -> None:
        self._command("play", channel_id, *media)
        if channel_id in self.legs:
            self.playing[channel_id] = playback_id

    async def stop_playing(self, playback_id: str) -> None:
        self._command("stop", playback_id)
        for channel_id, playing in [*self.playing.items()]:
            if playing == playback_id and (leg := self.legs.get(channel_id)):
                self.has_played(leg)

    # --- calls.masked_call.Switch ---

    @asynccontextmanager
    async def dial(
        self, callee: PhoneNumber, *, caller_id: PhoneNumber, call_id: UUID, limits: Limits
    ) -> AsyncIterator[Leg]:
        leg = self._add(b_channel_id(call_id), LegState(placed=True))
        try:
            await self.place(leg, callee, caller_id=caller_id, limits=limits)
            yield leg
        finally:
            await self.release(leg)

    async def place(
        self, leg: Leg, callee: PhoneNumber, *, caller_id: PhoneNumber, limits: Limits
    ) -> None:
        leg.requested = True
        self._command("dial", callee.e164, caller_id.e164)
        self.feed(leg, "ChannelCreated", channel=self._channel(leg, "Down"))

    async def couple(self, a_leg: Leg, b_leg: Leg) -> None:
        self._command("couple", a_leg.channel_id, b_leg.channel_id)
        self.coupled[a_leg.channel_id] = b_leg.channel_id

    async def record(self, b_leg: Leg, recording_id: UUID) -> bool:
        self._command("record", b_leg.channel_id, recording_id)
        if b_leg.state.ended or not self.can_record:
            return False
        self.feed(b_leg, "StasisEnd")
        back = {"channel": self._channel(b_leg, "Up"), "args": RECORDED}
        self.feed(b_leg, "StasisStart", **back)
        return True

    async def pause_recording(self, b_leg: Leg, *, call_id: UUID, paused: bool) -> bool:
        assert bridge_id(call_id) in self.bridges
        self._command("pause", b_leg.channel_id, paused)
        if not self.can_record:
            return False
        self.feed(b_leg, "StasisEnd")
        back = {"channel": self._channel(b_leg, "Up"), "args": RECORDED}
        self.feed(b_leg, "StasisStart", **back)
        return True

    @asynccontextmanager
    async def joined(
        self, a_leg: Leg, b_leg: Leg, *, call_id: UUID, call_time_limit: float
    ) -> AsyncIterator[None]:
        bridge = bridge_id(call_id)
        self._command("join", a_leg.channel_id, b_leg.channel_id)
        self.bridges.add(bridge)
        self.coupled[b_leg.channel_id] = a_leg.channel_id
        try:
            yield
        finally:
            self.bridges.discard(bridge)

    async def watch(self, *legs: Leg) -> None:
        while True:
            await asyncio.sleep(self.silence)
            for leg in legs:
                if not leg.ending:
                    leg.sounds(silent=leg.channel_id in self.silent)
                if leg.state.silent:
                    self._command("ask", leg.channel_id)
                    self.asked.set()
                    if leg.channel_id in self.deaf:
                        self.hangs_up(leg, Cause.NO_USER_RESPONSE, 408)

    async def announce(self, call_id: UUID, media: Sequence[str]) -> None:
        assert bridge_id(call_id) in self.bridges
        self._command("announce", *media)

    async def release(self, leg: Leg) -> None:
        if leg.requested:
            await leg.hangup()
        else:
            self.legs.pop(leg.channel_id, None)

    # --- calls.housekeeping.Remains ---

    def take_up(self, call: OpenCall) -> tuple[Leg, Leg]:
        started_at = call.arrival.started_at
        a_leg = self.legs.get(call.arrival.channel_id) or self._orphan(
            call.arrival.channel_id, LegState(started_at=started_at)
        )
        b_leg = self.legs.get(b_channel_id(call.arrival.call_id)) or self._orphan(
            b_channel_id(call.arrival.call_id),
            LegState(placed=True, started_at=started_at, ringing_at=call.ringing_at),
        )
        if a_leg.channel_id in self.coupled:
            a_leg.was_coupled(at=self._now())
        return a_leg, b_leg

    async def resynchronise(self) -> None:
        self._command("resynchronise")
        for leg in [*self.legs.values()]:
            if leg.playing and leg.playing not in self.playing.values():
                self.feed(leg, "PlaybackFinished", playback={"id": leg.playing})

    async def sweep(self, open_calls: Sequence[OpenCall]) -> bool:
        self._command("sweep")
        return self.is_swept

    # --- inside ---

    def _command(self, name: str, *details: Any) -> None:
        self.log.append((name, *details))
        if error := self.fails_to.get(name):
            raise error

    def _add(self, channel_id: str, state: LegState) -> Leg:
        leg = Leg(channel_id, self, state)
        self.legs[channel_id] = leg
        return leg

    def _orphan(self, channel_id: str, state: LegState) -> Leg:
        leg = Leg(channel_id, self, state)
        if said := self.ended_saying.get(channel_id):
            at = datetime.fromisoformat(self._now())
            leg.has_ended(at, Cause.CALL_REJECTED, joined_at=None, said=said)
        elif ended_at := self.ended_alone.get(channel_id):
            leg.has_ended(ended_at, Cause.NORMAL_CLEARING, joined_at=None, said=Said())
        else:
            leg.lose(timestamp=self._now(), switch_restarted=False)
        return leg

    def feed(self, leg: Leg, kind: str, **details: Any) -> None:
        leg.feed({"type": kind, "timestamp": self._now(), **details})

    def _end(self, leg: Leg, cause: int, sip_code: int | None = None, *, said: bytes = b"") -> None:
        if self.legs.pop(leg.channel_id, None) is None:
            return
        if leg.state.placed:
            details = {"cause": cause} | ({"tech_cause": sip_code} if sip_code else {})
            words = {last_words.SAID: base64.b64encode(said).decode()}
            channel = {"id": leg.channel_id, "channelvars": words}
            self.feed(leg, "ChannelDestroyed", channel=channel, **details)
        else:
            self.feed(leg, "StasisEnd")
        peer = self.legs.get(self.coupled.get(leg.channel_id, ""))
        if peer:
            self.feed(peer, "ChannelHangupRequest", soft=True)
            self._end(peer, Cause.NORMAL_CLEARING)

    def _channel(self, leg: Leg, state: str) -> dict[str, Any]:
        return {
            "id": leg.channel_id,
            "name": leg.state.name or f"PJSIP/carrier-{next(self._names):08x}",
            "state": state,
            "creationtime": self._now(),
        }

    def _now(self) -> str:
        """A clock that moves one millisecond at every look, so that the order can be told."""
        return (EPOCH + timedelta(milliseconds=next(self._clock))).isoformat()
