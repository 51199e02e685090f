"""Every leg we know, by channel id; and the ids we choose.

The ids of what we make derive from the call's id, so that a process that starts after a crash
finds and finishes every call with no table to look in.
"""

from collections.abc import Iterator
from uuid import UUID

from bridge.ari.leg import Commands, Leg
from bridge.ari.leg_state import Event, LegState
from bridge.domain.records import ORDERED_PREFIX

_LEG_PREFIX = "b-"
_BRIDGE_PREFIX = "br-"


def b_channel_id(call_id: UUID) -> str:
    """Id of the channel that we place in a call."""
    return f"{_LEG_PREFIX}{call_id}"


def bridge_id(call_id: UUID) -> str:
    """Id of the bridge that joins the two legs of a call."""
    return f"{_BRIDGE_PREFIX}{call_id}"


def bridge_name(a_leg: Leg, b_leg: Leg) -> str:
    """Name of a bridge: the ids of the channels that it is made for."""
    return f"{a_leg.channel_id} {b_leg.channel_id}"


def is_placed_channel(channel_id: str) -> bool:
    return channel_id.startswith((ORDERED_PREFIX, _LEG_PREFIX))


def channel_of_bridge(bridge: str) -> str | None:
    """Id of the B-leg's channel of the call whose bridge this is; ``None`` if it is not ours."""
    if not bridge.startswith(_BRIDGE_PREFIX):
        return None
    return _LEG_PREFIX + bridge.removeprefix(_BRIDGE_PREFIX)


class Legs:
    """The legs of live calls.  Delivers each event to its leg, at once and in order."""

    def __init__(self) -> None:
        self._legs: dict[str, Leg] = {}
        self._commands: Commands | None = None

    def serve(self, commands: Commands) -> None:
        """Name who carries out the legs' commands; to be called once, before the first leg."""
        self._commands = commands

    def expect(self, channel_id: str, state: LegState) -> Leg:
        """A leg for a channel that is, or is about to be: register before asking for it."""
        if self._commands is None:
            raise RuntimeError("serve() was not called")
        leg = Leg(channel_id, self._commands, state)
        self._legs[channel_id] = leg
        return leg

    def forget(self, leg: Leg) -> None:
        """Idempotent: a leg is dropped once, whoever does it first."""
        self._legs.pop(leg.channel_id, None)

    def get(self, channel_id: str) -> Leg | None:
        return self._legs.get(channel_id)

    def __iter__(self) -> Iterator[Leg]:
        return iter(list(self._legs.values()))

    def deliver(self, event: Event) -> Leg | None:
        """Feed the event to its leg, which is returned if there is one.

        Synchronous on purpose: a slow call can never hold up another call's events.
        """
        leg = self._legs.get(_channel_of(event))
        if leg:
            leg.feed(event)
        return leg

    def seen(self) -> list[Leg]:
        """Legs that Asterisk has shown us and not yet ended: those a snapshot must hold."""
        return [leg for leg in self if leg.state.started_at and not leg.state.ended]


def _channel_of(event: Event) -> str:
    """Id of the channel that the event is about; empty if it is about none."""
    match event:
        case {"channel": {"id": str(channel)}}:
            return channel
        case {"peer": {"id": str(channel)}}:  # Dial
            return channel
        case {"playback": {"target_uri": str(target)}}:
            return target.removeprefix("channel:")
        case _:
            return ""
