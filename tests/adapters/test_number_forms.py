"""A number in other forms: as the trunk's carrier writes it, and as a customer does."""

from types import SimpleNamespace
from typing import Any
from uuid import UUID

from bridge.ari.client import Asterisk
from bridge.ari.legs import Legs
from bridge.ari.requests import Requests
from bridge.ari.transport import Transport
from bridge.domain.routing import Connect, Refuse, route
from bridge.domain.sessions import Limits
from bridge.domain.signalling import caller_number, dialled_number
from bridge.domain.trunk_rules import OutboundFormat, TrunkRules
from bridge.store.calls import Calls
from bridge.store.pool import Database
from tests.adapters.conftest import Api
from tests.adapters.test_calls import arrival
from tests.people import ALICE, VIRTUAL

AT = "2026-01-01T12:00:00.000+0000"


class Told(Requests):
    """Keeps what is asked of the leg that is placed, which ends when it is hung up."""

    made: dict[str, Any]

    def __init__(self, transport: Transport, legs: Legs) -> None:
        super().__init__(transport, app="bridge")
        self._legs = legs

    async def call(self, resource: str, operation: str, /, **arguments: Any) -> Any:
        channel_id = arguments["channelId"]
        leg = self._legs.get(channel_id)
        assert leg
        if operation == "create":
            self.made = arguments
            channel = {"id": channel_id, "name": "x", "state": "Down", "creationtime": AT}
            leg.feed({"type": "StasisStart", "timestamp": AT, "channel": channel})
            return SimpleNamespace(json=channel)
        if operation == "dial":
            assert "caller" not in arguments
            return None
        return leg.feed({"type": "ChannelDestroyed", "timestamp": AT, "cause": 16})


async def test_callee_and_caller_id_are_written_as_the_carrier_wants_them() -> None:
    for style, callee, caller_id in (
        (OutboundFormat.E164, "+14155550123", "+12025550142"),
        (OutboundFormat.DIGITS, "14155550123", "12025550142"),
        (OutboundFormat.NATIONAL, "0014155550123", "0012025550142"),
    ):
        legs, rules = Legs(), TrunkRules(region="DE", outbound_format=style)
        transport = Transport("http://127.0.0.1:1", "bridge", "x" * 16, command_timeout=1)
        told = Told(transport, legs)
        asterisk = Asterisk(told, legs, trunk="carrier", rules=rules)
        legs.serve(asterisk)
        limits = Limits(ring_timeout=30, call_time_limit=60)
        async with asterisk.dial(ALICE, caller_id=VIRTUAL, call_id=UUID(int=1), limits=limits):
            pass
        assert told.made["endpoint"] == f"PJSIP/{callee}@carrier"
        shown = told.made["variables"]
        assert {shown["CALLERID(all)"], shown["CONNECTEDLINE(all,i)"]} == {f"<{caller_id}>"}
        assert "originator" not in told.made
        await transport.close()


async def test_a_party_is_found_whatever_form_customer_and_carrier_give_the_number(
    api: Api, database: Database
) -> None:
    """The 1 that Mexico gave up, which one of the two may still send."""
    made = await api.session(second_party="+5215512345678")
    assert made["session"]["second_party"] == "525512345678"
    calls = Calls(database, node="here")
    for signalled in ("+5215512345678", "+525512345678", "005215512345678"):
        caller = caller_number(f"<sip:{signalled}@carrier>", "", TrunkRules())
        dialled = dialled_number("2025550142", TrunkRules(prepend="1"))
        decision = route(await calls.arrived(arrival(caller, dialled=dialled)))
        if signalled == "+5215512345678":
            assert isinstance(decision, Connect)
            assert decision.callee == ALICE
        else:
            assert isinstance(decision, Refuse)  # the session has a call up
            assert decision.reason == "session-busy"


async def test_a_virtual_number_is_kept_in_the_form_in_which_it_is_looked_up(api: Api) -> None:
    assert (await api("POST", "Number/", {"numbers": "+4402079460123"}))[0] == 201
    for form in ("442079460123", "4402079460123", "%2B442079460123"):
        assert (await api("GET", f"Number/{form}/"))[0] == 200
