"""What we ask of Asterisk, in the words of call control."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

import structlog

from bridge.aio import race
from bridge.ari import last_words
from bridge.ari.errors import AriError, Gone, RequestRefused
from bridge.ari.leg import Leg
from bridge.ari.leg_state import LegState
from bridge.ari.legs import Legs, b_channel_id, bridge_id, bridge_name
from bridge.ari.requests import Requests
from bridge.domain.numbers import PhoneNumber
from bridge.domain.sessions import Limits
from bridge.domain.trunk_rules import TrunkRules

log = structlog.get_logger(__name__)

_HANGUP_WAIT = 5.0  # seconds for a leg that we hung up to be reported gone
_ENTRY_WAIT = 2.0  # seconds for a leg that was made to be in our application
_DIALPLAN_WAIT = 2.0  # seconds for a leg to come back from the dialplan
_NET = 30  # seconds after our own limits at which Asterisk ends a leg by itself

PEER: Final = "PEER"
"""A leg's variable: the name of the channel that its end ends."""


class Asterisk:
    """Commands to one Asterisk, about one leg or two.

    Every command ends within the transport's time limit.  A channel that is gone is no error:
    its last event is on the way, and the story hears it there.

    Args:
        trunk: PJSIP endpoint by which legs are placed.
        rules: how its carrier wants numbers.
        silence: seconds without audio after which a phone is asked whether it is still there.
    """

    def __init__(
        self,
        requests: Requests,
        legs: Legs,
        *,
        trunk: str,
        rules: TrunkRules = TrunkRules(),  # noqa: B008 - frozen
        silence: float = 30.0,
    ) -> None:
        self._requests = requests
        self._legs = legs
        self._trunk = trunk
        self._outbound = rules.outbound
        self._silence = silence

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
            log.warning("hang-up not delivered", channel=channel_id, error=error)

    async def play(self, channel_id: str, playback_id: str, media: Sequence[str]) -> None:
        await self._on_leg("playWithId", channel_id, playbackId=playback_id, media=",".join(media))

    async def stop_playing(self, playback_id: str) -> None:
        await self._requests.quietly("playbacks", "stop", playbackId=playback_id)

    async def _on_leg(self, operation: str, channel_id: str, **arguments: Any) -> None:
        leg = self._legs.get(channel_id)
        await self._requests.on_legs(
            [leg] if leg else [], "channels", operation, channelId=channel_id, **arguments
        )

    # --- two legs (calls.ports.Switch) ---

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
        Made first and dialled then, for to originate in one command is to follow a 302 of the
        callee, and its Contact may name any channel, such as a call to anywhere by our trunk.
        """
        leg.requested = True
        shown = f"<{self._outbound(caller_id)}>"
        channel = await self._requests.call(
            "channels",
            "create",
            channelId=leg.channel_id,
            endpoint=f"PJSIP/{self._outbound(callee)}@{self._trunk}",
            app=self._requests.app,
            appArgs="placed",
            variables={
                "CALLERID(all)": shown,
                "CONNECTEDLINE(all,i)": shown,
                # Of the first leg of an ordered call this includes the ringing of the second.
                "TIMEOUT(absolute)": str(
                    2 * limits.ring_timeout + limits.call_time_limit + 2 * _NET
                ),
                "CHANNEL(hangup_handler_push)": "couple,s,1",
                # Where Asterisk would take a callee's 302: nowhere.
                "FORWARD_CONTEXT": "unavailable",
                # In the leg's last event, as the dialplan's context couple sets it.
                last_words.SAID: {"value": "-", "report_events": True},
            },
        )
        # Its name is needed before any event has told it.
        now = datetime.now(UTC).isoformat()
        leg.feed({"type": "ChannelCreated", "timestamp": now, "channel": channel.json})
        await race(ended=leg.ended(), there=leg.in_stasis(), within=_ENTRY_WAIT)
        await self._requests.on_legs(
            [leg],
            "channels",
            "dial",
            channelId=leg.channel_id,
            timeout=limits.ring_timeout + _NET,
        )

    async def couple(self, a_leg: Leg, b_leg: Leg) -> None:
        """From now on the end of ``a_leg`` ends ``b_leg``, whether or not we are alive."""
        await self._requests.set_variables(a_leg, {PEER: b_leg.state.name or ""})

    async def record(self, b_leg: Leg, recording_id: UUID) -> bool:
        """Have what both legs say written to a file, from the join on; ``False``: it cannot be.

        MixMonitor, the cheapest way, is an application of the dialplan; so the leg goes there and
        comes back.  An Asterisk that lacks what it needs there would hang up: that is asked first.
        """
        if not await self._can_record():
            return False
        await self._requests.set_variables(b_leg, {"RECORDING": str(recording_id)})
        await self._through_dialplan(b_leg, "s")
        return b_leg.state.recorded_at is not None

    async def pause_recording(self, b_leg: Leg, *, call_id: UUID, paused: bool) -> bool:
        """Pause the recording of two who are joined, or let it go on; ``False``: it cannot be.

        The leg leaves the bridge for it, for some 10 ms, and hears nothing then.  In a pause there
        is no file open and nothing listens; afterwards the file goes on where it was.
        """
        if not await self._requests.variable("BRIDGE_CAN_PAUSE"):
            return False
        await self._through_dialplan(b_leg, "pause" if paused else "resume")
        # Also if nobody heard it come back.
        await self._add_to_bridge(bridge_id(call_id), [b_leg])
        return True

    async def _through_dialplan(self, leg: Leg, extension: str) -> None:
        """Let the leg pass through our context ``record``, and wait until it is back."""
        before = leg.state.recorded_at
        if not (leg.state.placed or leg.state.watched):
            await self._requests.call(
                "applications",
                "subscribe",
                applicationName=self._requests.app,
                eventSource=f"channel:{leg.channel_id}",
            )
            leg.watch()
        await self._requests.on_legs(
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
        directory = await self._requests.variable("BRIDGE_RECORDINGS")
        try:
            await self._requests.call("asterisk", "getModule", moduleName="app_mixmonitor.so")
        except Gone:
            return False
        return bool(directory)

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
            await self._create_bridge(bridge, named=bridge_name(a_leg, b_leg))
            await self._add_to_bridge(bridge, [a_leg, b_leg])
            kept = {"TIMEOUT(absolute)": limit}
            if b_leg.state.answered_at:
                kept[last_words.JOINED] = str(b_leg.state.answered_at.timestamp())
            await self._requests.set_variables(b_leg, {PEER: a_leg.state.name or "", **kept})
            await self._requests.set_variables(a_leg, kept)
            yield
        finally:
            await self.destroy_bridge(bridge)

    async def _create_bridge(self, bridge: str, *, named: str) -> None:
        """Its name tells who comes after us whom it joins, also when both are gone."""
        try:
            await self._requests.call(
                "bridges", "createWithId", bridgeId=bridge, type="mixing", name=named
            )
        except RequestRefused as error:
            # It is there, and no bridge can be named twice.  Else to add legs to it will fail.
            log.debug("bridge not made", status=error.status)

    async def _add_to_bridge(self, bridge: str, legs: Sequence[Leg]) -> None:
        await self._requests.on_legs(
            legs,
            "bridges",
            "addChannel",
            bridgeId=bridge,
            channel=[leg.channel_id for leg in legs],
            # Connected-line updates are how the number of one would be shown to the other.
            inhibitConnectedLineUpdates=True,
        )

    async def watch(self, *legs: Leg) -> None:
        """Ask phones of which no audio comes whether they are still there.  Never returns.

        By a re-INVITE, which every phone knows.  Any answer to it will do, also a refusal, because
        somebody gave it; Asterisk ends the leg if none comes for 32 s, or one by which there is no
        such call (408, 481).  Session timers (RFC 4028) would end a phone that refuses, too.
        """
        heard = dict.fromkeys(legs, 0)
        while True:
            await asyncio.sleep(self._silence)
            for leg in legs:
                try:
                    await self._listen(leg, heard)
                except AriError as error:
                    log.debug("phone not watched", channel=leg.channel_id, error=error)

    async def _listen(self, leg: Leg, heard: dict[Leg, int]) -> None:
        """``heard``: how many packets of each leg's audio had come when it was looked at last."""
        if leg.ending:
            return
        found = await self._requests.call("channels", "rtpstatistics", channelId=leg.channel_id)
        before, heard[leg] = heard[leg], int(found["rxcount"])
        leg.sounds(silent=heard[leg] == before)
        if leg.state.silent:
            await self._requests.set_variables(leg, {"PJSIP_SEND_SESSION_REFRESH()": "invite"})

    async def announce(self, call_id: UUID, media: Sequence[str]) -> None:
        """Let both hear sounds over what they say.  Does not wait for the end of them."""
        try:
            await self._requests.quietly(
                "bridges", "play", bridgeId=bridge_id(call_id), media=",".join(media)
            )
        except AriError as error:
            log.warning("announcement not played", error=error)

    async def destroy_bridge(self, bridge: str) -> None:
        try:
            await self._requests.quietly("bridges", "destroy", bridgeId=bridge)
        except AriError as error:
            log.warning("bridge not removed", bridge=bridge, error=error)

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
