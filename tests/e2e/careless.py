"""A phone that puts its number into all of RTP and RTCP that is not its audio.

None of it is made up: header extensions (RFC 8285), contributing sources, padding and RTCP's items
(RFC 3550), XR (RFC 3611), feedback (RFC 4585), comfort noise (RFC 3389), text (RFC 4103), payload
types that nobody agreed on.
"""

import itertools
import socket
import struct

from bridge.embedded.phones.sound import Sound

_EVERY = 5
"""Packets of audio, after each of which come one of every other kind, and its RTCP."""
_EVENTS = 101
_NEVER = range(64, 96)
"""Payload types that look like RTCP's (RFC 5761 4)."""


class CarelessSound(Sound):
    """Says its ``number`` wherever there is room for one, and nothing of it in its audio."""

    def __init__(self, address: str, *, seed: int, number: str, kind: int = 0) -> None:
        super().__init__(address, seed=seed)
        self.kind = kind
        self._text = number.encode()
        self.ssrc = int(number.removeprefix("+1")) & 0xFFFFFFFF
        self.sources_told = (socket.inet_aton(address), struct.pack("!I", self.ssrc ^ 0x5A5A5A5A))
        """The contributing sources of its packets; the first is where it is."""
        self._kinds = itertools.cycle(set(range(128)) - {0, 8, _EVENTS} - set(_NEVER))

    @property
    def secrets(self) -> dict[str, bytes]:
        """What must not be in any packet that the other phone receives."""
        return {
            "number": self._text.removeprefix(b"+1"),
            "number as digits in halves of bytes": bytes.fromhex(self._text[2:].decode()),
            "SSRC": struct.pack("!I", self.ssrc),
            "address": self.sources_told[0],
            "contributing source": self.sources_told[1],
            "address as text": self.address.encode(),
        }

    def _packet(self, kind: int, number: int, timestamp: int, payload: bytes) -> bytes:
        bits = 0x80 | 0x20 | 0x10 | len(self.sources_told)  # padded, extended
        header = struct.pack("!BBHII", bits, kind, number, timestamp, self.ssrc)
        return header + b"".join(self.sources_told) + self._extension() + payload + self._padding()

    def _send(self, kind: int, timestamp: int, payload: bytes, target: tuple[str, int]) -> None:
        super()._send(kind, timestamp, payload, target)
        if kind == self.kind and len(self.said) % _EVERY == 0:
            self._send(next(self._kinds), timestamp, self._text * 4, target)
            self._send(13, timestamp, b"\x40" + self._text, target)  # comfort noise
            self._send(_EVENTS, timestamp, b"\xf0\x0a\x00\xa0" + self._text, target)  # no key
            self._control.sendto(self._rtcp(timestamp), (target[0], target[1] + 1))

    def _extension(self) -> bytes:
        """One element, of two that share four bits each: identifier 1, and its length less one."""
        element = bytes((1 << 4 | len(self._text) - 1,)) + self._text
        words = -(-len(element) // 4)
        return struct.pack("!HH", 0xBEDE, words) + element.ljust(words * 4, b"\0")

    def _padding(self) -> bytes:
        return self._text + bytes((len(self._text) + 1,))

    def _rtcp(self, timestamp: int) -> bytes:
        """A compound packet of everything that RTCP knows."""
        ssrc = struct.pack("!I", self.ssrc)
        number = _words(self._text)
        items = b"".join(
            bytes((kind, len(self._text))) + self._text
            for kind in range(1, 8)  # CNAME to NOTE
        )
        private = bytes((8, 2 + len(self._text))) + b"\x01x" + self._text
        block = ssrc + bytes(20)
        return b"".join(
            (
                _report(200, 1, ssrc + bytes(8) + struct.pack("!I", timestamp) + bytes(8) + block),
                _report(201, 1, ssrc + block),
                _report(202, 1, _words(ssrc + items + private + b"\0")),
                _report(204, 0, ssrc + b"NUMB" + number),  # APP
                _report(205, 1, ssrc + ssrc + number),  # RTPFB, NACK
                _report(206, 1, ssrc + ssrc),  # PSFB, a picture was lost
                _report(206, 4, ssrc + ssrc + ssrc + bytes(4)),  # a whole picture is asked for
                _report(206, 15, ssrc + bytes(4) + b"REMB\x01\x03\xff\xff" + ssrc),
                _report(206, 15, ssrc + bytes(4) + b"NUMB" + number),
                _report(207, 0, ssrc + struct.pack("!BBH", 255, 0, len(number) // 4) + number),
                _report(192, 0, ssrc),  # a whole picture, in the old way
                _report(209, 0, ssrc + number),  # a kind that there is none of
            )
        )

    def assert_got_nothing_of(self, other: "CarelessSound") -> None:
        """Of all that ``other`` sent nothing came but its audio and its keys."""
        for packet in self.packets:
            kind = packet[1] & 0x7F
            assert packet[0] == 0x80, f"padding, an extension or sources: {packet.hex()}"
            assert kind in (self.kind, _EVENTS), f"payload type {kind}: {packet.hex()}"
            if kind == _EVENTS:
                assert len(packet) == 16, packet.hex()
                assert packet[12] < 16, f"no key: {packet.hex()}"
        for what, secret in other.secrets.items():
            for packet in (*self.packets, *self.reports):
                assert secret not in packet, f"the other's {what}: {packet.hex()}"

    def says_goodbye(self, target: tuple[str, int]) -> None:
        """RTCP's BYE, with the number as its reason."""
        reason = bytes((len(self._text),)) + self._text
        bye = _report(203, 1, struct.pack("!I", self.ssrc) + _words(reason))
        self._control.sendto(bye, (target[0], target[1] + 1))


def _words(text: bytes) -> bytes:
    return text.ljust(-(-len(text) // 4) * 4, b"\0")


def _report(kind: int, count: int, body: bytes) -> bytes:
    return struct.pack("!BBH", 0x80 | count, kind, len(body) // 4) + body
