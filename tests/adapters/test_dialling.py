"""What Asterisk is told to dial, and as whom: in the form that the trunk's carrier wants."""

from types import SimpleNamespace
from typing import Any
from uuid import UUID

from bridge.ari.client import Asterisk
from bridge.ari.legs import Legs
from bridge.ari.transport import Transport
from bridge.domain.sessions import Limits
from bridge.domain.trunk_rules import OutboundFormat, TrunkRules
from tests.people import ALICE, VIRTUAL

AT = "2026-01-01T12:00:00.000+0000"


class Told(Asterisk):
    """Keeps what it is told of the leg that is placed, which ends when it is hung up."""

    originated: dict[str, Any]

    async def _call(self, resource: str, operation: str, **arguments: Any) -> Any:
        channel_id = arguments["channelId"]
        if operation == "originateWithId":
            self.originated = arguments
            channel = {"id": channel_id, "name": "x", "state": "Down", "creationtime": AT}
            return SimpleNamespace(json=channel)
        leg = self._legs.get(channel_id)
        assert leg
        return leg.feed({"type": "ChannelDestroyed", "timestamp": AT, "cause": 16})


async def test_callee_and_caller_id_are_written_as_the_carrier_wants_them() -> None:
    for style, callee, caller_id in (
        (OutboundFormat.E164, "+14155550123", "+12025550142"),
        (OutboundFormat.DIGITS, "14155550123", "12025550142"),
        (OutboundFormat.NATIONAL, "0014155550123", "0012025550142"),
    ):
        legs, rules = Legs(), TrunkRules(region="DE", outbound_format=style)
        transport = Transport("http://127.0.0.1:1", "bridge", "x" * 16, command_timeout=1)
        asterisk = Told(transport, legs, app="bridge", trunk="carrier", rules=rules)
        legs.serve(asterisk)
        limits = Limits(ring_timeout=30, call_time_limit=60)
        async with asterisk.dial(ALICE, caller_id=VIRTUAL, call_id=UUID(int=1), limits=limits):
            pass
        assert asterisk.originated["endpoint"] == f"PJSIP/{callee}@carrier"
        assert asterisk.originated["callerId"] == f"<{caller_id}>"
        assert "originator" not in asterisk.originated
        await transport.close()
