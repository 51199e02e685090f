"""What a stranger can send: SIP in somebody else's name, and audio to every open port.

A stranger is at an address of their own.  All that they know of a call they are told by the test.
"""

import contextlib
import dataclasses
import re
import select
import socket
import struct
import time
from collections.abc import Sequence

from bridge.embedded.phones.phone import Phone, header
from bridge.embedded.phones.steps import sdp

_RECEIVED = 65536


class Stranger:
    """A UDP socket at an address that is none of the trunk's."""

    def __init__(self, address: str, port: int = 0) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((address, port))
        self._socket.setblocking(False)
        self.address = address
        self.port: int = self._socket.getsockname()[1]

    def __enter__(self) -> "Stranger":
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def sends(self, packet: bytes, target: tuple[str, int]) -> None:
        self._socket.sendto(packet, target)

    def received(self, *, within: float = 0.0) -> list[bytes]:
        """What has come since it was last asked; if nothing has, it waits ``within`` seconds."""
        packets: list[bytes] = []
        select.select([self._socket], [], [], within)
        with contextlib.suppress(BlockingIOError):
            while True:
                packets.append(self._socket.recv(_RECEIVED))
        return packets

    def is_answered(self, message: bytes, target: tuple[str, int]) -> str:
        """The first line of what comes back; empty if nothing does within a second."""
        self.sends(message, target)
        answers = self.received(within=1)
        return answers[0].decode(errors="replace").split("\r\n")[0] if answers else ""

    def sprays(self, targets: Sequence[tuple[str, int]], *, packets: int) -> None:
        """Audio, as of a phone: so many packets to each, in sequence, one every 20 ms."""
        for number in range(packets):
            head = struct.pack("!BBHII", 0x80, 0, number, number * 160, 0x12345678)
            for target in targets:
                self.sends(head + b"\x55" * 160, target)
            time.sleep(0.02)


@dataclasses.dataclass(frozen=True, slots=True)
class Dialog:
    """A call that is up, as one of its phones knows it (RFC 3261 12)."""

    call_id: str
    local: str
    """The phone's own address and tag, as it says them in From."""
    remote: str
    """Asterisk's."""
    target: str
    """Where the phone sends requests: Asterisk's Contact."""
    via: str
    """Host and port that the phone names as its own."""
    invite: str

    @classmethod
    def of_caller(cls, phone: Phone) -> "Dialog":
        [invite] = {text for text in phone.sent if text.startswith("INVITE")}
        answers = [text for text in phone.received if re.match("SIP/2.0 (18|200)", text)]
        return cls._of(invite, header(invite, "From"), header(answers[-1], "To"), answers[-1])

    @classmethod
    def of_callee(cls, phone: Phone) -> "Dialog":
        invite = next(text for text in phone.received if text.startswith("INVITE"))
        answer = [text for text in phone.sent if re.match("SIP/2.0 (18|200)", text)][-1]
        own = header(answer, "Contact")
        return cls._of(invite, header(answer, "To"), header(invite, "From"), invite, own=own)

    @classmethod
    def _of(cls, invite: str, local: str, remote: str, told: str, *, own: str = "") -> "Dialog":
        contact = re.search(r"<([^>]*)>", header(told, "Contact"))
        via = re.search(r"@([0-9.]+:\d+)", own or header(invite, "Contact"))
        assert contact is not None
        assert via is not None
        call_id = header(invite, "Call-ID")
        return cls(call_id, local, remote, contact[1], via[1], invite)

    def request(
        self, method: str, *, cseq: int, headers: str = "", body: str = "", kind: str = ""
    ) -> bytes:
        """One that the phone could send now, from wherever it is sent."""
        return _message(
            f"{method} {self.target} SIP/2.0\n"
            f"Via: SIP/2.0/UDP {self.via};rport;branch=z9hG4bK-{method}-{cseq}-{id(self)}\n"
            f"From: {self.local}\nTo: {self.remote}\nCall-ID: {self.call_id}\n"
            f"CSeq: {cseq} {method}\nContact: <sip:phone@{self.via}>\n"
            f"Max-Forwards: 70\n{headers}",
            body,
            kind or "application/sdp",
        )

    def cancel(self) -> bytes:
        """Of the INVITE that the phone sent."""
        invite = self.invite
        return _message(
            f"CANCEL {invite.split()[1]} SIP/2.0\nVia: {header(invite, 'Via')};rport\n"
            f"From: {header(invite, 'From')}\nTo: {header(invite, 'To')}\n"
            f"Call-ID: {self.call_id}\nCSeq: {header(invite, 'CSeq').split()[0]} CANCEL\n"
            "Max-Forwards: 70\n",
            "",
            "",
        )

    def redirects_audio(self, cseq: int, sound: Stranger) -> bytes:
        """A re-INVITE by which the other's audio would go to ``sound``."""
        body = sdp().replace("[local_ip]", sound.address).replace("[rtp_port]", str(sound.port))
        return self.request("INVITE", cseq=cseq, body=body)


def answer_to(invite: str, status: str, *, body: str = "") -> bytes:
    """An answer to an INVITE of ours, as if from the phone that it went to."""
    copied = "".join(f"{name}: {header(invite, name)}\n" for name in ("Via", "From"))
    head = (
        f"SIP/2.0 {status}\n{copied}To: {header(invite, 'To')};tag=forged\n"
        f"Call-ID: {header(invite, 'Call-ID')}\nCSeq: {header(invite, 'CSeq')}\n"
        "Contact: <sip:forged@127.0.0.1:9>\n"
    )
    return _message(head, body, "application/sdp")


def _message(head: str, body: str, kind: str) -> bytes:
    content = body.replace("\n", "\r\n").encode()
    described = f"Content-Type: {kind}\n" if content else ""
    head = f"{head}{described}Content-Length: {len(content)}\n\n"
    return head.replace("\n", "\r\n").encode() + content
