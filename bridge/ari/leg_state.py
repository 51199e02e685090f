"""What a leg's events have said, folded one by one.  Pure."""

import dataclasses
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from bridge.ari import last_words
from bridge.domain.causes import Cause
from bridge.domain.verdicts import Evidence, Gone

_MEDIA_LOST = 1  # AST_SOFTHANGUP_DEV: of an endpoint with rtp_timeout
_SHUTDOWN = 4  # AST_SOFTHANGUP_SHUTDOWN: Asterisk, asked to stop, ends its channels first

_NOBODY_THERE = {408, 481}
"""SIP statuses that end a dialog (RFC 3261 12.2.1.2): a request within it got no answer, such as
ours whether anybody is there; nobody acknowledged the answer; the far end knows of no call."""

_LOSSES: Mapping[int, Gone] = {
    Cause.CHANNEL_UNAVAILABLE: Gone.MEDIA,
    Cause.NO_USER_RESPONSE: Gone.SIGNALLING,
}

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
    progressed: bool = False
    """A 180 or a 183 came: the carrier took the call and passed it on."""
    answered_at: datetime | None = None
    joined_at: datetime | None = None
    """Since when it was joined to the other, of a leg that an earlier process carried."""
    coupled: bool = False
    """An earlier process, which carried it, had dialled the other and coupled this one to it."""
    ended_at: datetime | None = None
    hangup_cause: int | None = None
    """ITU-T Q.850."""
    sip_code: int | None = None
    """Final SIP status with which the far end failed the leg."""
    network_blocked: bool = False
    """It did so with the words "Network Blocked" (ATIS-1000099)."""
    far_end_hung_up: bool = False
    """The phone ended the leg, and not somebody on our side."""
    silent: bool = False
    """No audio comes, and the phone was asked whether it is still there."""
    gone: Gone | None = None
    """Asterisk ended the answered leg because it found nobody there."""
    hung_up_on: bool = False
    """Somebody on our side ended the leg."""
    heard: frozenset[str] = frozenset()
    """Ids of the playbacks on it that are over."""
    not_played: frozenset[str] = frozenset()
    """Of these, those of which Asterisk could not play a sound (``failed``: ARI, Playback)."""
    lost: bool = False
    """Nobody saw it end; it was missing when we looked."""
    switch_restarted: bool = False
    """It ended, or was lost, because Asterisk was stopped or restarted."""

    @property
    def ringing(self) -> bool:
        return self.ringing_at is not None

    @property
    def answered(self) -> bool:
        return self.answered_at is not None

    @property
    def ending(self) -> bool:
        """It is over, or about to be, whoever ended it."""
        return self.ended or self.far_end_hung_up or self.hung_up_on or self.gone is not None

    @property
    def failed(self) -> bool:
        """The far end ended it with a status, and did not answer it."""
        return self.ended and not self.answered and self.sip_code is not None

    @property
    def evidence(self) -> Evidence:
        """Why it was not answered, as far as it is known."""
        return Evidence(
            sip_code=self.sip_code,
            cause=self.hangup_cause,
            progressed=self.progressed or self.ringing,  # which an earlier process may have seen
            network_blocked=self.network_blocked,
        )

    @property
    def ended(self) -> bool:
        return self.ended_at is not None


def apply(state: LegState, event: Event) -> LegState:
    """Fold one ARI event into the state.  Total: an event we do not know changes nothing.

    Of a leg that came in, StasisEnd is the last event, and has no cause, unless it is watched.  One
    that we placed, or watch, may come back, such as from where its recording is set up; its end is
    ChannelDestroyed.
    """
    if event["type"] == "Joined":  # may be learnt after the end
        return _in_order(_joined(state, event["joined_at"]))
    return state if state.ended else _in_order(_folded(state, event))


def _joined(state: LegState, at: datetime) -> LegState:
    """Whoever was joined had been answered by then: what we know only since we looked is later."""
    return dataclasses.replace(
        state,
        joined_at=min(at, state.joined_at or at),
        answered_at=min(at, state.answered_at or at),
    )


def _in_order(state: LegState) -> LegState:
    """A leg rings, is answered and ends, though some of it is dated by our clock, or by guess.

    What Asterisk dates to the millisecond may else be a moment before what we saw in its list.
    """
    ringing_at, answered_at, ended_at = state.ringing_at, state.answered_at, state.ended_at
    if ringing_at and answered_at and ringing_at > answered_at:
        ringing_at = answered_at
    latest = answered_at or ringing_at
    if ended_at and latest and latest > ended_at:
        ended_at = latest
    if (ringing_at, ended_at) == (state.ringing_at, state.ended_at):
        return state
    return dataclasses.replace(state, ringing_at=ringing_at, ended_at=ended_at)


def _folded(state: LegState, event: Event) -> LegState:
    at = datetime.fromisoformat(event["timestamp"])
    match event:
        case {"type": "StasisStart", "channel": channel}:
            recorded_at = at if event.get("args") == RECORDED else state.recorded_at
            state = dataclasses.replace(state, in_stasis=True, recorded_at=recorded_at)
            return _folded_channel(state, channel, at)
        case {"type": "ChannelStateChange" | "ChannelCreated", "channel": channel}:
            return _folded_channel(state, channel, at)
        case {"type": "PlaybackFinished", "playback": {"id": str(playback), "state": "failed"}}:
            return dataclasses.replace(
                state,
                heard=state.heard | {playback},
                not_played=state.not_played | {playback},
            )
        case {"type": "Dial", "dialstatus": "RINGING" | "PROGRESS"}:
            return dataclasses.replace(state, progressed=True)
        case {"type": "PlaybackFinished", "playback": {"id": str(playback)}}:
            return dataclasses.replace(state, heard=state.heard | {playback})
        case {"type": "ChannelHangupRequest", "soft": True, "cause": flag} if flag == _SHUTDOWN:
            return dataclasses.replace(state, switch_restarted=True)
        case {"type": "ChannelHangupRequest", "soft": True, "cause": flag} if flag == _MEDIA_LOST:
            return dataclasses.replace(state, gone=Gone.MEDIA)
        case {"type": "ChannelHangupRequest", "soft": True}:
            # Asked for on our side; its "cause" is a flag of Asterisk's own.
            return dataclasses.replace(state, hung_up_on=True)
        case {"type": "ChannelHangupRequest"}:
            gone = state.answered and event.get("tech_cause") in _NOBODY_THERE
            return dataclasses.replace(
                state,
                hangup_cause=event.get("cause") or state.hangup_cause,
                sip_code=event.get("tech_cause") or state.sip_code,
                far_end_hung_up=state.far_end_hung_up or not gone,
                gone=_nobody_answered(state) if gone else state.gone,
            )
        case {"type": "ChannelDestroyed"}:
            said = last_words.read_said(_variables(event).get(last_words.SAID, ""))
            return dataclasses.replace(
                state,
                ended_at=at,
                hangup_cause=event.get("cause") or state.hangup_cause,
                sip_code=event.get("tech_cause") or state.sip_code,
                network_blocked=said.network_blocked,
                gone=state.gone or _unseen_loss(state, event),
            )
        case {"type": "StasisEnd"} if not (state.placed or state.watched):
            return dataclasses.replace(state, ended_at=at)
        case {"type": "StasisEnd"}:
            return dataclasses.replace(state, in_stasis=False)
        case {"type": "Silent" | "Heard" as kind}:
            return dataclasses.replace(state, silent=kind == "Silent")
        case {"type": "Coupled"}:
            return dataclasses.replace(state, coupled=True)
        case {"type": "Lost"}:
            return dataclasses.replace(
                state, ended_at=at, lost=True, switch_restarted=event["switch_restarted"]
            )
        case _:
            return state


def _unseen_loss(state: LegState, event: Event) -> Gone | None:
    """What the cause alone says of an end of which no request for it was seen."""
    if not state.answered or state.far_end_hung_up or state.hung_up_on:
        return None
    found = _LOSSES.get(event.get("cause") or 0)
    return _nobody_answered(state) if found is Gone.SIGNALLING else found


def _nobody_answered(state: LegState) -> Gone:
    """A request within the call got no answer: ours, perhaps, whether anybody is there."""
    return Gone.MEDIA if state.silent else Gone.SIGNALLING


def _variables(event: Event) -> Mapping[str, str]:
    """Those of the channel's variables that are in its events, because we asked for it."""
    found: Mapping[str, str] = event.get("channel", {}).get("channelvars") or {}
    return found


def _folded_channel(state: LegState, channel: Mapping[str, Any], at: datetime) -> LegState:
    state = dataclasses.replace(
        state,
        in_stasis=state.in_stasis or channel.get("dialplan", {}).get("app_name") == "Stasis",
        name=channel["name"],
        started_at=state.started_at or datetime.fromisoformat(channel["creationtime"]),
    )
    if channel["state"] == "Ringing" and not state.ringing:
        return dataclasses.replace(state, ringing_at=at, progressed=True)
    if channel["state"] == "Up" and not state.answered:
        return dataclasses.replace(state, answered_at=at)
    return state
