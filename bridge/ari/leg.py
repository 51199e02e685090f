"""One side of a call: a channel, its state to wait for, and what may be asked of it."""

import asyncio
import contextlib
import dataclasses
import itertools
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Protocol

import structlog

from bridge.ari.errors import AriError
from bridge.ari.last_words import Said
from bridge.ari.leg_state import Event, LegState, apply
from bridge.domain.causes import Cause

log = structlog.get_logger(__name__)

_STOP_WAIT = 2.0  # seconds for a sound that we stop to be reported over


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
        self.unseen_since: datetime | None = None
        """Since when its end would not have been seen, and nothing has been heard of it."""
        self.asked_to_hang_up: Cause | None = None
        """The cause with which our side ended it."""
        self._commands = commands
        self._changed = asyncio.Event()
        self._digits: asyncio.Queue[str] = asyncio.Queue()
        self._playbacks = itertools.count(1)
        self.playing: str | None = None
        """Id of the playback on it that is not known to be over."""

    @property
    def ending(self) -> bool:
        """It is over, or about to be, whoever ended it."""
        return self.state.ending or self.asked_to_hang_up is not None

    def was_joined(self, joined_at: datetime) -> None:
        """An earlier process joined it to the other then."""
        self.feed({"type": "Joined", "timestamp": joined_at.isoformat(), "joined_at": joined_at})

    def was_coupled(self, *, at: str) -> None:
        """An earlier process had its end end the other, which was dialled by then."""
        self.feed({"type": "Coupled", "timestamp": at})

    def sounds(self, *, silent: bool) -> None:
        """Whether audio comes from its phone; if not, the phone is asked whether it is there."""
        now = datetime.now(UTC).isoformat()
        self.feed({"type": "Silent" if silent else "Heard", "timestamp": now})

    def has_ended(
        self, at: datetime, cause: int | None, *, joined_at: datetime | None, said: Said
    ) -> None:
        """It ended then; no event will say so, for nobody was there to get it."""
        if joined_at:
            self.was_joined(joined_at)
        word = {"timestamp": at.isoformat(), "cause": cause, "tech_cause": said.sip_code}
        self.feed({"type": "ChannelDestroyed", **word})
        self.state = dataclasses.replace(self.state, network_blocked=said.network_blocked)

    def lose(self, *, timestamp: str, switch_restarted: bool) -> None:
        """Asterisk has no such channel any more, and nobody saw it end."""
        self.feed({"type": "Lost", "timestamp": timestamp, "switch_restarted": switch_restarted})

    def feed(self, event: Event) -> None:
        """Called by the event reader; never blocks, never drops."""
        self.unseen_since = None
        if event["type"] == "ChannelDtmfReceived":  # each counts, so they are no part of the state
            self._digits.put_nowait(event["digit"])
            return
        self.state = apply(self.state, event)
        self._changed.set()
        self._changed = asyncio.Event()

    def watch(self) -> None:
        """Its events come to us from now on wherever it is."""
        self.state = dataclasses.replace(self.state, watched=True)

    async def in_stasis(self) -> None:
        """Return once the leg is in our application."""
        while not self.state.in_stasis:
            await self._changed.wait()

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

    async def play(self, media: Sequence[str]) -> bool:
        """Let whoever is at the phone hear sounds, one after the other, to their end or the leg's.

        ``True``: they were played to their end, as far as Asterisk says.

        Whoever cancels it stops the sound, and can give the next command at once: as long as a
        sound plays on a leg that is in no bridge, Asterisk holds back what else is asked of it.
        A sound that cannot be played is skipped: the call goes on.
        """
        playback = f"{self.channel_id}-{next(self._playbacks)}"
        try:
            await self._commands.play(self.channel_id, playback, media)
            self.playing = playback
            await self._has_heard(playback)
        except AriError as error:
            log.warning("sound not played", channel=self.channel_id, error=error)
            return False
        except asyncio.CancelledError:
            await self._stop(playback)
            raise
        finally:
            self.playing = None
        if playback in self.state.not_played:
            log.warning("sound not played", channel=self.channel_id, error="failed")
        return playback in self.state.heard - self.state.not_played

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
