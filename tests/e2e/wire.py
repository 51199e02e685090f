"""A phone whose every message is written by hand, for what SIPp cannot say.

`Wire` is a socket; `Leg` one side of a call.  Nothing is sent twice and nothing is answered by
itself, so that a test sees exactly what comes.
"""

import contextlib
import dataclasses
import itertools
import re
import select
import socket
import time
from collections.abc import Callable, Iterator

from bridge.embedded.phones.phone import header
from bridge.embedded.processes import until
from tests.e2e.conftest import Site

_IDS = itertools.count(1)


def new_id(kind: str = "id") -> str:
    """For a Call-ID, a tag or a branch; never the same twice in a run."""
    return f"{kind}-{next(_IDS)}"


def sdp(address: str, port: int = 9) -> str:
    """A description of audio at ``address``."""
    return (
        f"v=0\r\no=- 1 1 IN IP4 {address}\r\ns=-\r\nc=IN IP4 {address}\r\nt=0 0\r\n"
        f"m=audio {port} RTP/AVP 0 101\r\na=rtpmap:101 telephone-event/8000\r\n"
    )


def status(message: str) -> int:
    """Of a response; 0 for a request."""
    return int(message.split()[1]) if message.startswith("SIP/2.0 ") else 0


class Wire:
    """A UDP socket that talks to Asterisk; ``here`` is its host:port.

    Calls come to ``port``, if one is given, and all else in them to a port of its own: what
    Asterisk sends again after the test must not reach the phone of the next.
    """

    def __init__(self, address: str, asterisk: tuple[str, int], port: int = 0) -> None:
        self._sockets = [
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in ([0, port] if port else [0])
        ]
        for one, number in zip(self._sockets, [0, port], strict=False):
            one.bind((address, number))
        self._asterisk = asterisk
        self.address = address
        self.here = f"{address}:{self._sockets[0].getsockname()[1]}"
        self.contact = self.here
        """Where its answers say that requests of their calls are to go."""
        self.received: list[str] = []
        self._looked_at = 0

    def send(self, message: str | bytes) -> None:
        raw = message.encode("latin-1") if isinstance(message, str) else message
        self._sockets[0].sendto(raw, self._asterisk)

    def gets(self, wanted: Callable[[str], object], *, within: float = 20.0) -> str:
        """The next message that is ``wanted``; those before it are passed over.

        Raises:
            AssertionError: it did not come ``within`` seconds.
        """
        deadline = time.monotonic() + within
        while True:
            while self._looked_at < len(self.received):
                message = self.received[self._looked_at]
                self._looked_at += 1
                if wanted(message):
                    return message
            left = max(0.001, deadline - time.monotonic())
            ready, _, _ = select.select(self._sockets, [], [], left)
            if not ready:
                seen = [message.splitlines()[0] for message in self.received]
                raise AssertionError(f"not what was wanted: {seen[-20:]}")
            self.received += [one.recv(65535).decode("latin-1") for one in ready]

    def final(self, call_id: str, method: str) -> str:
        """The final response to a request of that method."""
        return self.gets(
            lambda message: (
                status(message) >= 200
                and header(message, "Call-ID") == call_id
                and header(message, "CSeq").endswith(f" {method}")
            )
        )

    def bye(self, call_id: str) -> str:
        """The BYE of that call: one of an earlier call may be sent again, and come before it."""
        return self.gets(
            lambda message: message.startswith("BYE ") and header(message, "Call-ID") == call_id
        )

    def request(
        self, method: str, uri: str, *, headers: str = "", body: str = "", call_id: str = ""
    ) -> str:
        """Send a request outside any call; its text."""
        text = (
            f"{method} {uri} SIP/2.0\r\nVia: SIP/2.0/UDP {self.here};branch=z9hG4bK{new_id()}\r\n"
            f"Max-Forwards: 70\r\nFrom: <sip:carrier@{self.here}>;tag={new_id()}\r\n"
            f"To: <{uri}>\r\nCall-ID: {call_id or new_id('call')}\r\nCSeq: 1 {method}\r\n"
            f"Contact: <sip:{self.here}>\r\n{headers}Content-Length: {len(body)}\r\n\r\n{body}"
        )
        self.send(text)
        return text

    def response(
        self, request: str, line: str, *, tag: str = "", headers: str = "", body: str = ""
    ) -> None:
        """Answer a request, with ``tag`` in To if that has none yet."""
        to = header(request, "To")
        if tag and ";tag=" not in to:
            to += f";tag={tag}"
        kind = "Content-Type: application/sdp\r\n" if body else ""
        self.send(
            f"SIP/2.0 {line}\r\nVia: {header(request, 'Via')}\r\n"
            f"From: {header(request, 'From')}\r\nTo: {to}\r\n"
            f"Call-ID: {header(request, 'Call-ID')}\r\n"
            f"CSeq: {header(request, 'CSeq')}\r\nContact: <sip:phone@{self.contact}>\r\n"
            f"{headers}{kind}Content-Length: {len(body)}\r\n\r\n{body}"
        )

    def close(self) -> None:
        for one in self._sockets:
            one.close()


@dataclasses.dataclass
class Leg:
    """One side of a call, as its phone knows it."""

    wire: Wire
    call_id: str
    local: str
    remote: str
    target: str
    cseq: int

    def send(self, method: str, *, headers: str = "", body: str = "", kind: str = "") -> None:
        """Send a request within the call."""
        if method != "ACK":
            self.cseq += 1
        content = f"Content-Type: {kind}\r\n" if kind else ""
        self.wire.send(
            f"{method} {self.target} SIP/2.0\r\n"
            f"Via: SIP/2.0/UDP {self.wire.here};branch=z9hG4bK{new_id()}\r\nMax-Forwards: 70\r\n"
            f"From: {self.local}\r\nTo: {self.remote}\r\nCall-ID: {self.call_id}\r\n"
            f"CSeq: {self.cseq} {method}\r\nContact: <sip:phone@{self.wire.here}>\r\n"
            f"{headers}{content}Content-Length: {len(body)}\r\n\r\n{body}"
        )

    def asks(self, method: str, *, headers: str = "", body: str = "", kind: str = "") -> int:
        """Send a request within the call; the status of its final response, 0 if there is none.

        Asterisk takes a call's requests one after another.  So an OPTIONS is sent after it: what
        has no answer when that has its own, gets none.
        """
        self.send(method, headers=headers, body=body, kind=kind)
        asked = f"{self.cseq} {method}"
        self.send("OPTIONS")
        last = f"{self.cseq} OPTIONS"
        answer = self._final({asked, last})
        if header(answer, "CSeq") != asked:
            return 0
        self._final({last})
        return status(answer)

    def _final(self, sequences: set[str]) -> str:
        return self.wire.gets(
            lambda message: (
                status(message) >= 200
                and header(message, "Call-ID") == self.call_id
                and header(message, "CSeq") in sequences
            )
        )


@contextlib.contextmanager
def wires(site: Site) -> Iterator[tuple[Wire, Wire]]:
    """A wire that calls, and one that calls of ours reach through the trunk."""
    place = site.stack.place
    asterisk = (place.sip_host, place.sip_port)
    host, _, port = place.trunk_host.partition(":")
    with contextlib.ExitStack() as closes:
        caller = Wire(place.caller_address, asterisk)
        closes.callback(caller.close)
        callee = Wire(host, asterisk, int(port))
        closes.callback(callee.close)
        yield caller, callee


def invite(wire: Wire, number: str, uri: str, *, headers: str = "", body: str | None = None) -> str:
    """An INVITE of a caller with that number, in full."""
    offer = sdp(wire.address) if body is None else body
    return (
        f"INVITE {uri} SIP/2.0\r\nVia: SIP/2.0/UDP {wire.here};branch=z9hG4bK{new_id()}\r\n"
        f"Max-Forwards: 70\r\nFrom: <sip:{number}@{wire.here}>;tag={new_id()}\r\nTo: <{uri}>\r\n"
        f"Call-ID: {new_id('call')}\r\nCSeq: 1 INVITE\r\nContact: <sip:phone@{wire.here}>\r\n"
        f"{headers}Content-Type: application/sdp\r\nContent-Length: {len(offer)}\r\n\r\n{offer}"
    )


def acknowledge(wire: Wire, request: str, answer: str) -> None:
    """ACK a final failure (RFC 3261, 17.1.1.3)."""
    uri = request.split()[1]
    wire.send(
        f"ACK {uri} SIP/2.0\r\nVia: {header(request, 'Via')}\r\nMax-Forwards: 70\r\n"
        f"From: {header(request, 'From')}\r\nTo: {header(answer, 'To')}\r\n"
        f"Call-ID: {header(request, 'Call-ID')}\r\n"
        f"CSeq: {header(request, 'CSeq').split()[0]} ACK\r\nContent-Length: 0\r\n\r\n"
    )


def is_refused(wire: Wire, request: str) -> int:
    """Send an INVITE that is to fail; its final status."""
    wire.send(request)
    answer = wire.final(header(request, "Call-ID"), "INVITE")
    acknowledge(wire, request, answer)
    return status(answer)


def calls(site: Site, caller: Wire) -> str:
    """Alice calls the virtual number; her INVITE."""
    place = site.stack.place
    request = invite(caller, site.alice, f"sip:{site.virtual}@{place.sip}")
    caller.send(request)
    return request


def is_called(callee: Wire) -> str:
    """The INVITE of a call that came."""
    return callee.gets(
        lambda message: message.startswith("INVITE ") and ";tag=" not in header(message, "To")
    )


def connected(site: Site, caller: Wire, callee: Wire) -> tuple[Leg, Leg]:
    """Alice and Bob talk; her leg and his."""
    request = calls(site, caller)
    came = is_called(callee)
    tag = new_id("tag")
    callee.response(came, "180 Ringing", tag=tag)
    callee.response(came, "200 OK", tag=tag, body=sdp(callee.address))
    answer = caller.final(header(request, "Call-ID"), "INVITE")
    assert status(answer) == 200
    alice = leg_of_caller(caller, request, answer)
    alice.send("ACK")
    callee.gets(lambda message: message.startswith("ACK "))
    bob = Leg(
        callee,
        header(came, "Call-ID"),
        local=f"{header(came, 'To')};tag={tag}",
        remote=header(came, "From"),
        target=contact(came),
        cseq=1,
    )
    return alice, bob


def leg_of_caller(wire: Wire, request: str, answer: str) -> Leg:
    """The side of the phone that sent an INVITE, and was answered."""
    return Leg(
        wire,
        header(request, "Call-ID"),
        local=header(request, "From"),
        remote=header(answer, "To"),
        target=contact(answer),
        cseq=1,
    )


def contact(message: str) -> str:
    """The address in its Contact header."""
    found = re.search(r"<([^>]*)>", header(message, "Contact"))
    assert found, "no Contact"
    return found[1]


def hang_up(leg: Leg, other: Leg) -> None:
    """One side says BYE; the other is hung up on."""
    leg.send("BYE")
    asked = f"{leg.cseq} BYE"
    leg.wire.gets(lambda message: header(message, "CSeq") == asked and status(message) == 200)
    goodbye = other.wire.bye(other.call_id)
    other.wire.response(goodbye, "200 OK")


def asterisk_has_written_all(site: Site, wire: Wire) -> str:
    """All of Asterisk's log, when what was sent before is done with, and written down.

    A PUBLISH without Event is warned of; Asterisk writes its warnings in order.
    """
    log = site.stack.asterisk
    before = log.log_text.count("pubsub_on_rx_publish_request")
    wire.request("PUBLISH", f"sip:carrier@{site.stack.place.sip}", call_id=new_id("last"))
    assert until(lambda: log.log_text.count("pubsub_on_rx_publish_request") > before)
    return log.log_text
