"""A number in other forms: as the trunk's carrier writes it, and as a customer does."""

import dataclasses
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest

from bridge.ari.client import Asterisk
from bridge.ari.legs import Legs
from bridge.ari.requests import Requests
from bridge.ari.transport import Transport
from bridge.domain.numbers import OTHER_FORMS, PhoneNumber
from bridge.domain.pins import Guess, Pins, Wrong
from bridge.domain.requests import NewSession, Refusal
from bridge.domain.routing import Connect, Lookup, Refuse, route
from bridge.domain.sessions import Limits, Side
from bridge.domain.signalling import CallerHeaders, caller, dialled_number
from bridge.domain.trunk_rules import BareDigits, OutboundFormat, TrunkRules, read
from bridge.store.calls import Calls
from bridge.store.orders import Orders
from bridge.store.pool import Database
from bridge.store.sessions import Sessions
from tests.adapters.conftest import BY, Api, session_between, sessions_of
from tests.adapters.test_calls import arrival
from tests.people import ALICE, BOB, VIRTUAL

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
        said = CallerHeaders(said=[f"<sip:{signalled}@carrier>"])
        calling = caller(said, TrunkRules()).number
        dialled = dialled_number("2025550142", TrunkRules(prepend="1"))
        decision = route(await calls.arrived(arrival(calling, dialled=dialled)))
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


MOBILE, SHOWN = PhoneNumber("+5491123456789"), PhoneNumber("+541123456789")
NEIGHBOUR = PhoneNumber("+5491155550199")


@pytest.mark.parametrize("party", [MOBILE, SHOWN], ids=["with 9", "without"])
@pytest.mark.parametrize("signalled", [MOBILE, SHOWN], ids=["with 9", "without"])
async def test_an_argentine_mobile_is_one_caller_in_both_forms_and_dialled_as_it_was_given(
    database: Database, account: str, party: PhoneNumber, signalled: PhoneNumber
) -> None:
    await session_between(
        database, account, first_party=party, second_party=NEIGHBOUR, geomatch=False
    )
    calls = Calls(database, node="here")
    call = arrival(signalled)
    to_the_other = route(await calls.arrived(call))
    assert isinstance(to_the_other, Connect)
    assert to_the_other.callee == NEIGHBOUR
    async with database.connection() as connection:
        await connection.execute("UPDATE call SET ended_at = now(), disposition = 'cancelled'")
        assert await connection.fetchval("SELECT caller FROM call") == signalled.e164
    back = route(await calls.arrived(arrival(PhoneNumber("+541155550199"))))
    assert isinstance(back, Connect)
    assert back.callee == party


async def test_the_two_forms_of_a_number_are_no_two_parties(
    api: Api, database: Database, account: str
) -> None:
    await session_between(
        database, account, first_party=MOBILE, second_party=NEIGHBOUR, geomatch=False
    )
    other = await sessions_of(database).create(
        NewSession(
            account=account,
            first_party=SHOWN,
            second_party=BOB,
            expiry=60,
            ring_timeout=30,
            call_time_limit=60,
            options={},
            virtual_number=VIRTUAL,
        ),
        BY,
    )
    assert other is Refusal.NAMED_NUMBER_IN_USE
    for alternates in ({}, {"first_party_alternates": [SHOWN.e164]}):
        second = BOB.e164 if alternates else SHOWN.e164
        status, _ = await api(
            "POST",
            "Masking/Session/",
            {"first_party": MOBILE.e164, "second_party": second, **alternates},
        )
        assert status == 400


async def test_whoever_types_a_pin_in_another_form_of_a_party_s_number_is_that_party(
    database: Database, account: str
) -> None:
    """A PIN leads no party to itself, and wrong ones count for one caller."""
    made = await session_between(
        database,
        account,
        first_party=MOBILE,
        second_party=NEIGHBOUR,
        geomatch=False,
        pins=Pins(first="1111", second="2222"),
        options={
            "is_pin_authentication_required": True,
            "force_pin_authentication": True,
            "pin_prompt_play": "https://x.test/pin.mp3",
            "first_party_pin": "1111",
            "second_party_pin": "2222",
        },
    )
    calls = Calls(database, node="here")
    call = arrival(SHOWN)
    await calls.arrived(call)
    guess = Guess("2222", 0, asked_by=made.session.id)
    assert isinstance(await calls.identify(call, guess), Wrong)
    found = await calls.identify(call, dataclasses.replace(guess, pin="1111"))
    assert isinstance(found, Lookup)
    assert found.caller_side is Side.FIRST


async def test_a_range_that_the_library_does_not_know_can_be_allowed(
    database: Database, account: str
) -> None:
    number = PhoneNumber("+12025550")
    orders = Orders(database, node="here")
    for ranges in ((), ("+120255",)):
        facts = await Sessions(database, orders, ranges=ranges).facts(account, [], None)
        assert (facts.fault_of_party(number) is None) == bool(ranges)
    assert number.country == "US"


def test_a_national_number_of_such_a_range_is_read() -> None:
    known = TrunkRules(region="US", bare_digits=BareDigits.NATIONAL)
    allowed = dataclasses.replace(known, ranges=("+1202555",))
    assert read("20255501", known).number is None
    assert read("20255501", allowed).number == PhoneNumber("+120255501")


def test_every_other_form_has_its_source_and_leads_to_one_form() -> None:
    for form in OTHER_FORMS:
        assert form.source
    for e164 in ("+5215512345678", "+5491123456789", "+541123456789", "+14155550123"):
        kept = PhoneNumber(e164).lookup_form
        assert kept.lookup_form == kept
