"""SIP that is wrong in every way, from the trunk's network and from a stranger, while calls go on.

Nothing crashes, the ordinary calls complete, nothing is left, and no log has a number.  A seed
makes the same messages every time.  `make soak` tries many; ``make soak ARGS="-k seed-57"`` is one.
"""

import itertools
import os
import random
import threading
import time
from collections.abc import Iterator

import pytest

from bridge.embedded.phones.phone import header
from bridge.embedded.phones.steps import Callee, Caller, scenario
from bridge.embedded.processes import until
from tests.e2e.conftest import Site, assert_nothing_left
from tests.e2e.test_logs import assert_none_written, written
from tests.e2e.wire import (
    Leg,
    Wire,
    asterisk_has_written_all,
    invite,
    is_called,
    leg_of_caller,
    sdp,
    status,
    wires,
)

_SEEDS = range(1, 201 if "MASKING_SOAK" in os.environ else 5)
_MESSAGES = 400  # of each sender, for each seed
_ORDINARY_CALLS = 4

_METHODS = (
    "INVITE",
    "ACK",
    "BYE",
    "CANCEL",
    "OPTIONS",
    "INFO",
    "MESSAGE",
    "NOTIFY",
    "PRACK",
    "PUBLISH",
    "REFER",
    "REGISTER",
    "SUBSCRIBE",
    "UPDATE",
)
_ODD = (
    b"\r\n",
    b"\n",
    b"\r\n ",
    b"\r\n\r\n",
    b"\x00",
    b"\xff\xfe",
    b'"',
    b"<",
    b">",
    b"<<>>",
    b";",
    b",",
    b"@",
    b":",
    b"%00",
    b"%0d%0a",
    b"${EPOCH}",
    b"(",
    b")",
    b"\\",
    b"-1",
    b"0",
    b"4294967296",
    b"99999999999999999999",
    b"\xe2\x80\xae",
    b"a" * 300,
    b"[::",
    b"sip:",
    b"tel:",
)


def mutated(message: bytes, chance: random.Random) -> bytes:
    """The message, wrong in one to four ways."""
    for _ in range(chance.randint(1, 4)):
        at, till = sorted(chance.randrange(len(message) + 1) for _ in range(2))
        match chance.randrange(9):
            case 0:
                message = message[:at] + chance.choice(_ODD) + message[at:]
            case 1:
                message = message[:at] + message[min(till, at + 20) :]
            case 2:
                message = message[:till] + message[at : min(till, at + 400)] + message[till:]
            case 3:
                message = message[:at] + bytes([chance.randrange(256)]) + message[at + 1 :]
            case 4:
                lines = message.split(b"\r\n")
                chance.shuffle(lines)
                message = b"\r\n".join(lines)
            case 5:
                lines = message.split(b"\r\n")
                del lines[chance.randrange(len(lines))]
                message = b"\r\n".join(lines)
            case 6:
                lines = message.split(b"\r\n")
                place = chance.randrange(len(lines))
                lines[place:place] = [lines[place]] * chance.choice((1, 2, 60))
                message = b"\r\n".join(lines)
            case 7:
                lines = message.split(b"\r\n")
                place = chance.randrange(len(lines))
                name = lines[place].partition(b":")[0]
                lines[place] = name + b": " + chance.choice(_ODD)
                message = b"\r\n".join(lines)
            case _:
                message = message[: max(till, 1)]
        message = message[:60_000] or b"\r\n"
    return message


def templates(wire: Wire, uri: str, talks: Leg, number: str) -> Iterator[str]:
    """Right messages, with ``number`` in them, of the kinds that come from a carrier."""
    whole = invite(wire, number, uri, headers=f'P-Asserted-Identity: "{number}" <tel:{number}>\r\n')
    yield whole
    for method in _METHODS:
        yield whole.replace("INVITE", method)
        yield (
            f"{method} {talks.target} SIP/2.0\r\n"
            f"Via: SIP/2.0/UDP {wire.here};branch=z9hG4bK{number}\r\n"
            f"Max-Forwards: 70\r\nFrom: {talks.local}\r\nTo: {talks.remote}\r\n"
            f"Call-ID: {talks.call_id}\r\nCSeq: {number[-3:]} {method}\r\n"
            f"Contact: <sip:{number}@{wire.here}>\r\n"
            f"Event: {number}\r\nRefer-To: <sip:{number}@x>\r\n"
            f"Content-Type: application/sdp\r\nContent-Length: {len(sdp(wire.address))}\r\n\r\n"
            f"{sdp(wire.address)}"
        )
    for line in (
        "100 Trying",
        "180 Ringing",
        "200 OK",
        "302 Moved",
        "401 No",
        "486 Busy",
        "600 No",
    ):
        yield f"SIP/2.0 {line}\r\n" + whole.partition("\r\n")[2]


class Fuzz(threading.Thread):
    """Sends wrong messages from one wire; ``told``: what was sent with each number."""

    def __init__(self, wire: Wire, uri: str, talks: Leg, numbers: Iterator[str], seed: int) -> None:
        super().__init__()
        self._wire, self._uri, self._talks, self._numbers = wire, uri, talks, numbers
        self._chance = random.Random(seed)  # noqa: S311
        self.told: dict[str, str] = {}

    def run(self) -> None:
        for number in itertools.islice(self._numbers, _MESSAGES):
            right = list(templates(self._wire, self._uri, self._talks, number))
            wrong = mutated(self._chance.choice(right).encode("latin-1"), self._chance)
            self.told[number] = wrong.decode("latin-1")
            self._wire.send(wrong)
            time.sleep(0.004)  # so that Asterisk reads all of it, and the ordinary calls' too


def fiction(area: int) -> Iterator[str]:
    """Numbers reserved for fiction, in that area and those after it."""
    return (f"+1{code}555{last:04}" for code in range(area, area + 40) for last in range(100, 200))


def ordinary_call(site: Site) -> None:
    a, b = Caller(), Callee()
    callee = site.waits(scenario(b.is_called(), b.rings(), b.answers(), b.is_hung_up_on()))
    site.calls(scenario(a.invite(), a.hears_ringback(), a.is_answered(), a.hangs_up())).finish()
    callee.finish()


@pytest.mark.parametrize("seed", _SEEDS, ids=[f"seed-{seed}" for seed in _SEEDS])
def test_calls_go_on_and_nothing_is_left_or_told_of_sip_that_is_wrong(
    site: Site, seed: int
) -> None:
    place = site.stack.place
    marks: dict[str, int] = {}
    written(site, marks)
    asterisk = site.stack.asterisk.pid
    carol, dave, *_ = fiction(802)
    other = site.another_virtual_number()
    site.client.create_session(carol, dave, virtual_number=other)
    site.create_session(virtual_number=site.virtual)
    elsewhere = place.caller_address.rpartition(".")[0] + ".9"
    stranger = Wire(elsewhere, (place.sip_host, place.sip_port))
    with wires(site) as (caller, callee):
        # A call that the wrong messages know all of.
        trunk = Wire(callee.address, (place.sip_host, place.sip_port))
        uri = f"sip:{other}@{place.sip}"
        request = invite(caller, carol, uri)
        caller.send(request)
        came = is_called(callee)
        callee.contact = trunk.here  # the ordinary calls' phones are at its own address
        callee.response(came, "200 OK", tag="1", body=sdp(callee.address))
        answer = caller.final(header(request, "Call-ID"), "INVITE")
        assert status(answer) == 200
        talks = leg_of_caller(caller, request, answer)
        talks.send("ACK")
        trunk.gets(lambda message: message.startswith("ACK "))
        callee.close()
        senders = [
            Fuzz(wire, f"sip:{site.virtual}@{place.sip}", talks, numbers, seed)
            for wire, numbers in ((trunk, fiction(803)), (stranger, fiction(850)))
        ]
        for sender in senders:
            sender.start()
        for done in range(1, _ORDINARY_CALLS + 1):
            ordinary_call(site)
            assert completed(site, done)
        for sender in senders:
            sender.join()
        talks.cseq = 5000  # above all that was tried
        talks.send("BYE")
        assert_nothing_left(site.stack)
        asterisk_has_written_all(site, caller)
        told = {carol: "the call's", dave: "the call's"}
        for sender in senders:
            told |= sender.told
        assert_none_written(site, told, marks)
        trunk.close()
    stranger.close()
    assert site.stack.asterisk.pid == asterisk
    assert site.stack.asterisk.running
    log = (site.stack.directory / "bridge.log").read_text()
    assert "crash" not in log
    assert "Traceback" not in log


def completed(site: Site, count: int) -> bool:
    """Whether that many calls have gone through the virtual number, each of them whole."""

    def all_ended() -> bool:
        rows = site.stack.rows(
            "SELECT disposition FROM call WHERE virtual_number = $1 AND caller = $2"
            " AND ended_at IS NOT NULL",
            site.virtual,
            site.alice,
        )
        return [row["disposition"] for row in rows] == ["completed"] * count

    return until(all_ended)
