"""What Asterisk and the dialplan make of a header that says who calls: what came, or nothing."""

import asyncio
import random
import socket
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from bridge.ari.stream import InboundCall
from bridge.domain.signalling import caller
from bridge.domain.trunk_rules import TrunkRules
from tests.contract.rigs import RealRig
from tests.headers import Headers, headers
from tests.people import ALICE, BOB, MALLORY

RULES = TrunkRules()
_FIRST_DIALLED = 2025550000

_STRANGE = {
    "a quoted parenthesis and quote": (
        [f'"\\)\\"<tel:{ALICE.e164}>\\"" <sip:{MALLORY.e164}@carrier>'],
        [],
        MALLORY,
    ),
    "the same, asserted": (
        ["<sip:anonymous@anonymous.invalid>"],
        [f'"\\)\\"<tel:{ALICE.e164}>\\"" <sip:{MALLORY.e164}@carrier>'],
        MALLORY,
    ),
    "the number in the second line": (
        ["<sip:anonymous@anonymous.invalid>"],
        ["<sip:alice@carrier>", f"<tel:{ALICE.e164}>"],
        ALICE,
    ),
    "an empty line before": (
        ["<sip:anonymous@anonymous.invalid>"],
        ["", f"<tel:{ALICE.e164}>"],
        ALICE,
    ),
    "two numbers in two lines": (
        ["<sip:anonymous@anonymous.invalid>"],
        [f"<tel:{ALICE.e164}>", f"<tel:{BOB.e164}>"],
        None,
    ),
    "two From": ([f"<sip:{ALICE.e164}@x>", f"<sip:{BOB.e164}@x>"], [], None),
    "more lines than any carrier sends": (
        ["<sip:anonymous@x>"],
        [f"<tel:{ALICE.e164}>"] * 21,
        None,
    ),
    "a name longer than Asterisk's arguments": (
        [f'"{"(" * 3000}" <sip:{ALICE.e164}@x>'],
        [],
        None,
    ),
    "a long name of parentheses": (
        [f'"{"()" * 150}" <sip:{ALICE.e164}@x>'],
        [f"<tel:{BOB.e164}>"] * 20,
        ALICE,
    ),
    "two names that together are longer than Asterisk's arguments": (
        [f'"{")(" * 490}" <sip:{ALICE.e164}@x>'],
        [f'"{")(" * 490}" <sip:{BOB.e164}@x>'],
        None,
    ),
    "a level in a header of its own": ([f"<sip:{ALICE.e164}@x>"], [], ALICE),
}


class CallingPhone:
    """Sends INVITEs as they are written, and hears nothing."""

    def __init__(self, address: str, sip_host: str) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((address, 0))
        self._sip_host = sip_host

    def invites(self, dialled: str, said: list[str], others: list[str]) -> None:
        host, port = self._socket.getsockname()
        tagged = [f"From: {line};tag={number}" for number, line in enumerate(said)]
        message = "\r\n".join(
            [
                f"INVITE sip:{dialled}@{self._sip_host} SIP/2.0",
                f"Via: SIP/2.0/UDP {host}:{port};branch=z9hG4bK{dialled}",
                "Max-Forwards: 70",
                *tagged,
                *others,
                f"To: <sip:{dialled}@{self._sip_host}>",
                f"Call-ID: {dialled}",
                "CSeq: 1 INVITE",
                f"Contact: <sip:{host}:{port}>",
                "Content-Length: 0",
                "\r\n",
            ]
        )
        self._socket.sendto(message.encode(), (self._sip_host, 5060))

    def close(self) -> None:
        self._socket.close()


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[RealRig]:
    async with RealRig.up(tmp_path) as real:
        yield real


@pytest.fixture
def phone(rig: RealRig) -> Iterator[CallingPhone]:
    phone = CallingPhone(rig.place.caller_address, rig.place.sip_host)
    yield phone
    phone.close()


async def arrivals(rig: RealRig, wanted: int) -> dict[str, InboundCall]:
    """The calls that come in, by the number dialled; each is refused."""
    found: dict[str, InboundCall] = {}
    async with asyncio.timeout(60):
        while len(found) < wanted:
            inbound = await rig.arrivals.get()
            found[inbound.dialled] = inbound
            await inbound.leg.hangup()
    return found


async def test_asterisk_and_the_parser_name_the_address_s_own_number_or_nobody(
    rig: RealRig, phone: CallingPhone
) -> None:
    made: dict[str, Headers] = {}
    rng = random.Random(4711)  # noqa: S311 - no secret
    for count in range(150):
        dialled = f"+1{_FIRST_DIALLED + count}"
        made[dialled] = headers(rng)
    right = 0  # of a line that is folded more than once, Asterisk's parser loses the beginning
    for dialled, one in made.items():
        asserted = [f"P-Asserted-Identity: {line}" for line in one.asserted]
        phone.invites(dialled, list(one.said), asserted)
        found = (await arrivals(rig, 1))[dialled]
        number = caller(found.headers, RULES).number
        assert number is None or number in one.named, one
        right += number == one.caller
    assert right > 0.9 * len(made)


async def test_a_strange_header_reaches_the_parser_whole_or_not_at_all_and_no_log(
    rig: RealRig, phone: CallingPhone
) -> None:
    for number, (name, (said, asserted, who)) in enumerate(_STRANGE.items()):
        dialled = f"+1{_FIRST_DIALLED + number}"
        others = [f"P-Asserted-Identity: {line}" for line in asserted]
        phone.invites(dialled, said, [*others, "Attestation-Info: B"])
        found = (await arrivals(rig, 1))[dialled]
        assert caller(found.headers, RULES).number == who, name
        assert found.headers.attested == ["B"], name
    for one in (ALICE, BOB, MALLORY):
        assert one.e164[1:] not in rig.log_text
    assert "KCgoKCgo" not in rig.log_text, "Base64 of what was sent"
