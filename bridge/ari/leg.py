"""One side of a call: a channel, what its events have said so far, what may be asked of it."""

import asyncio
import contextlib
import dataclasses
import itertools
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

import structlog

from bridge.ari.errors import AriError
from bridge.domain.causes import Cause

log = structlog.get_logger(__name__)

_STOP_WAIT = 2.0  # seconds for a sound that we stop to be reported over

Event = Mapping[str, Any]
"""One ARI event as it came, https://docs.asterisk.org (REST Data Models)."""

RECORDED = ["placed", "recorded"]
"""With what the dialplan's context ``record`` gives a leg back to our application."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class LegState:
    """Everything a leg's events have said so far.  Times are Asterisk's."""

    placed: bool = False
    """We placed this leg, so its last event is ChannelDestroyed; one that came in ends earlier."""
    watched: bool = False
    """It came in, and its events come to us also while it is out of our application."""
    name: str | None = None
    """The channel's name, by which Asterisk's dialplan knows it."""
    started_at: datetime | None = None
    in_stasis: bool = False
    """It is in our application; elsewhere Asterisk refuses to bridge it (422)."""
    recorded_at: datetime | None = None
    """When it came back into our application from where its recording was set up, or changed."""
    ringing_at: datetime | None = None
    answered_at: datetime | None = None
    ended_at: datetime | None = None
    hangup_cause: int | None = None
    """ITU-T Q.850."""
    sip_code: int | None = None
    """Final SIP status with which the far end failed the leg."""
    far_end_hung_up: bool = False
    """The phone ended the leg, and not somebody on our side."""
    heard: frozenset[str] = frozenset()
    """Ids of the playbacks on it that are over."""
    lost: bool = False
    """Nobody saw it end; it was missing when we looked."""
    switch_restarted: bool = False
    """It was lost because Asterisk was restarted."""

    @property
    def ringing(self) -> bool:
        return self.ringing_at is not None

    @property
    def answered(self) -> bool:
        return self.answered_at is not None

    @property
    def ended(self) -> bool:
        return self.ended_at is not None


def apply(state: LegState, event: Event) -> LegState:
    """Fold one ARI event into the state.  Total: an event we do not know changes nothing.

    Of a leg that came in, StasisEnd is the last event, and has no cause, unless it is watched.  One
    that we placed, or watch, may come back, such as from where its recording is set up; its end is
    ChannelDestroyed.
    """
    if state.ended:
        return state
    at = datetime.fromisoformat(event["timestamp"])
    match event:
        case {"type": "StasisStart", "channel": channel}:
            recorded_at = at if event.get("args") == RECORDED else state.recorded_at
            state = dataclasses.replace(state, in_stasis=True, recorded_at=recorded_at)
            return _folded_channel(state, channel, at)
        case {"type": "ChannelStateChange" | "ChannelCreated", "channel": channel}:
            return _folded_channel(state, channel, at)
        case {"type": "PlaybackFinished", "playback": {"id": str(playback)}}:
            return dataclasses.replace(state, heard=state.heard | {playback})
        case {"type": "ChannelHangupRequest", "soft": True}:
            return state  # asked for on our side; its "cause" is a flag of Asterisk's own
        case {"type": "ChannelHangupRequest"}:
            return dataclasses.replace(
                state,
                hangup_cause=event.get("cause") or state.hangup_cause,
                sip_code=event.get("tech_cause") or state.sip_code,
                far_end_hung_up=True,
            )
        case {"type": "ChannelDestroyed"}:
            return dataclasses.replace(
                state,
                ended_at=at,
                hangup_cause=event.get("cause") or state.hangup_cause,
                sip_code=event.get("tech_cause") or state.sip_code,
            )
        case {"type": "StasisEnd"} if not (state.placed or state.watched):
            return dataclasses.replace(state, ended_at=at)
        case {"type": "StasisEnd"}:
            return dataclasses.replace(state, in_stasis=False)
        case {"type": "Lost"}:
            return dataclasses.replace(
                state, ended_at=at, lost=True, switch_restarted=event["switch_restarted"]
            )
        case _:
            return state


def _folded_channel(state: LegState, channel: Mapping[str, Any], at: datetime) -> LegState:
    state = dataclasses.replace(
        state,
        in_stasis=state.in_stasis or channel.get("dialplan", {}).get("app_name") == "Stasis",
        name=channel["name"],
        started_at=state.started_at or datetime.fromisoformat(channel["creationtime"]),
    )
    if channel["state"] == "Ringing" and not state.ringing:
        return dataclasses.replace(state, ringing_at=at)
    if channel["state"] == "Up" and not state.answered:
        return dataclasses.replace(state, answered_at=at)
    return state


class Commands(Protocol):
    """What a leg asks of Asterisk.  A channel that is gone is no error to any of them."""

    async def ring(self, channel_id: str) -> None: ...
    async def stop_ringing(self, channel_id: str) -> None: ...
    async def answer(self, channel_id: str) -> None: ...
    async def hangup(self, channel_id: str, cause: int) -> None: ...
    async def play(self, channel_id: str, playback_id: str, media: Sequence[str]) -> None: ...
    async def stop_playing(self, playback_id: str) -> None: ...


class Leg:
    """One channel.  Stories wait for its states, which cannot be missed by asking late."""

    def __init__(self, channel_id: str, commands: Commands, state: LegState) -> None:
        self.channel_id = channel_id
        self.state = state
        self.requested = not state.placed or state.started_at is not None
        """It is, or may be, at Asterisk; not so a leg that we are still to place."""
        self.asked_to_hang_up: Cause | None = None
        """The cause with which our side ended it."""
        self._commands = commands
        self._changed = asyncio.Event()
        self._digits: asyncio.Queue[str] = asyncio.Queue()
        self._playbacks = itertools.count(1)

    def lose(self, *, timestamp: str, switch_restarted: bool) -> None:
        """Asterisk has no such channel any more, and nobody saw it end."""
        self.feed({"type": "Lost", "timestamp": timestamp, "switch_restarted": switch_restarted})

    def feed(self, event: Event) -> None:
        """Called by the event reader; never blocks, never drops."""
        if event["type"] == "ChannelDtmfReceived":  # each counts, so they are no part of the state
            self._digits.put_nowait(event["digit"])
            return
        self.state = apply(self.state, event)
        self._changed.set()
        self._changed = asyncio.Event()

    def watch(self) -> None:
        """Its events come to us from now on wherever it is."""
        self.state = dataclasses.replace(self.state, watched=True)

    async def answered(self) -> None:
        """Return once the leg was answered and can be bridged.

        Asterisk reports the answer of a leg that we placed a moment before the leg is in our
        application; at a busy time that moment is long enough to be refused in.
        """
        while not (self.state.answered and self.state.in_stasis):
            await self._changed.wait()

    async def recorded(self, *, after: datetime | None = None) -> None:
        """Return once the leg's recording is set up, or changed since ``after``."""
        while not (
            self.state.in_stasis and self.state.recorded_at and self.state.recorded_at != after
        ):
            await self._changed.wait()

    async def rings(self) -> None:
        """Return once the phone has been heard to ring."""
        while not self.state.ringing:
            await self._changed.wait()

    async def ended(self) -> None:
        """Return once the leg is over."""
        while not self.state.ended:
            await self._changed.wait()

    async def ring(self) -> None:
        """Let the caller hear ringback.

        Made by the caller's own network (180 Ringing); for a leg that is answered by Asterisk, in
        the tone of ``indications.conf``, until `stop_ringing`.
        """
        await self._commands.ring(self.channel_id)

    async def stop_ringing(self) -> None:
        """End the tone: in a bridge it would go on, in the place of what the other says."""
        await self._commands.stop_ringing(self.channel_id)

    async def answer(self) -> None:
        await self._commands.answer(self.channel_id)

    async def play(self, media: Sequence[str]) -> None:
        """Let whoever is at the phone hear sounds, one after the other, to their end or the leg's.

        Whoever cancels it stops the sound, and can give the next command at once: as long as a
        sound plays on a leg that is in no bridge, Asterisk holds back what else is asked of it.
        A sound that cannot be played is skipped: the call goes on.
        """
        playback = f"{self.channel_id}-{next(self._playbacks)}"
        try:
            await self._commands.play(self.channel_id, playback, media)
            await self._has_heard(playback)
        except AriError as error:
            log.warning("sound not played", channel=self.channel_id, error=str(error))
        except asyncio.CancelledError:
            await self._stop(playback)
            raise

    async def digit(self) -> str:
        """The next key pressed on the phone: ``0`` to ``9``, ``*``, ``#``, ``A`` to ``D``.

        Keys that nobody has asked for yet are kept.  It is a secret: part of a PIN, perhaps.
        """
        return await self._digits.get()

    def forget_digits(self) -> None:
        """Forget keys that were pressed before they were asked for: they mean something else."""
        self._digits = asyncio.Queue()

    async def _stop(self, playback: str) -> None:
        with contextlib.suppress(AriError, TimeoutError):
            async with asyncio.timeout(_STOP_WAIT):
                await self._commands.stop_playing(playback)
                await self._has_heard(playback)

    async def _has_heard(self, playback: str) -> None:
        while playback not in self.state.heard and not self.state.ended:
            await self._changed.wait()

    async def hangup(self, cause: Cause | None = None) -> None:
        """End the leg.  Idempotent: the first cause wins, and a leg already gone is no error.

        Without a cause: normal clearing; but congestion for a caller who was not answered, of whose
        normal clearing Asterisk would make "declined everywhere" (603).
        """
        if self.state.ended or self.asked_to_hang_up is not None:
            return
        if cause is None:
            unanswered_caller = not (self.state.answered or self.state.placed)
            cause = Cause.CONGESTION if unanswered_caller else Cause.NORMAL_CLEARING
        self.asked_to_hang_up = cause
        await self._commands.hangup(self.channel_id, cause)
