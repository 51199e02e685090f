"""A phone's audio: it says something that can be recognised, and keeps what it hears."""

import contextlib
import itertools
import random
import select
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator

from bridge.embedded.processes import until

_FRAME = 160  # bytes of PCMU (G.711, 8 kHz) in 20 ms
_HEADER = struct.Struct("!BBHII")  # RTP, RFC 3550 5.1
_EVENT = struct.Struct("!BBH")  # a key, RFC 4733 2.3
_KEYS = "0123456789*#ABCD"


class Sound:
    """Two UDP sockets that send and receive PCMU: one for RTP, and above it one for RTCP.

    What it says is noise from ``seed``, a different 20 ms each time, so that at the other end every
    frame can be told from every other.
    """

    kind = 0
    """RTP's payload type of what it says and hears: PCMU; 8 is PCMA (RFC 3551 6)."""

    def __init__(self, address: str, *, seed: int) -> None:
        self._socket, self._control = _pair(address)
        self.address = address
        self.port: int = self._socket.getsockname()[1]
        self.ssrc = self.port
        """Which of the streams at the other end is ours (RFC 3550 3)."""
        self._numbers, self._clock = itertools.count(), itertools.count()
        self._words = random.Random(seed)  # noqa: S311 - noise, no secret
        self.said: list[bytes] = []
        self.heard: list[bytes] = []
        self._keys: dict[int, str] = {}
        self.sources: set[str] = set()
        """Addresses, host:port, that audio came from."""
        self.packets: list[bytes] = []
        """Every RTP packet that came, whole."""
        self.reports: list[bytes] = []
        """Every RTCP packet that came, whole."""

    def speaking_to(self, target: tuple[str, int]) -> contextlib.AbstractContextManager[None]:
        """Speak and listen for the length of the block."""
        return self._busy(self._listen, lambda over: self._speak(target, over))

    def listening(self) -> contextlib.AbstractContextManager[None]:
        """Only listen."""
        return self._busy(self._listen)

    @contextlib.contextmanager
    def _busy(self, *work: Callable[[threading.Event], None]) -> Iterator[None]:
        over = threading.Event()
        threads = [threading.Thread(target=one, args=(over,)) for one in work]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            over.set()
            for thread in threads:
                thread.join()

    def presses(self, keys: str, target: tuple[str, int]) -> None:
        """Press keys as a phone does, in the audio stream (RFC 4733): 100 ms each, and a pause.

        Audio comes first, as from every phone that is not silent: of a stream that begins with a
        key Asterisk loses the key, while it learns where the stream comes from.
        """
        for number in range(10):
            self._send(self.kind, next(self._clock) * _FRAME, self._say(number), target)
            time.sleep(0.02)
        for key in keys:
            began = next(self._clock) * _FRAME
            for number in range(1, 9):  # the last three say that the key is up, for one may be lost
                at_end = 0x80 if number > 5 else 0
                duration = min(number, 5) * _FRAME
                event = _EVENT.pack(_KEYS.index(key), at_end | 10, duration)
                self._send(101, began, event, target)
                time.sleep(0.02)
            for _ in range(5):
                next(self._clock)
                time.sleep(0.02)

    def hears(self, other: "Sound", *, frames: int = 25) -> bool:
        """Whether it hears, one after the other and unchanged, what ``other`` says."""
        return until(lambda: _longest_run(self.heard, other.said) >= frames)

    @property
    def keys(self) -> str:
        """The keys that were pressed at the other end."""
        return "".join(self._keys.values())

    def _key(self, packet: bytes) -> None:
        """A key comes in many packets, which bear the time at which it went down."""
        _, _, _, began, _ = _HEADER.unpack_from(packet)
        event, _, _ = _EVENT.unpack_from(payload(packet))
        self._keys.setdefault(began, _KEYS[event : event + 1])  # others are no keys

    def close(self) -> None:
        self._socket.close()
        self._control.close()

    def _speak(self, target: tuple[str, int], over: threading.Event) -> None:
        for number in itertools.count():
            frame = self._say(number)
            self.said.append(frame)
            self._send(self.kind, next(self._clock) * _FRAME, frame, target)
            if over.wait(0.02):
                return

    def _send(self, kind: int, timestamp: int, payload: bytes, target: tuple[str, int]) -> None:
        number = next(self._numbers) & 0xFFFF
        self._socket.sendto(self._packet(kind, number, timestamp, payload), target)

    def _packet(self, kind: int, number: int, timestamp: int, payload: bytes) -> bytes:
        """One RTP packet: ``kind`` is its payload type, ``number`` counts packets."""
        return _HEADER.pack(0x80, kind, number, timestamp, self.ssrc) + payload

    def _say(self, number: int) -> bytes:
        """The frame of that number."""
        return self._words.randbytes(_FRAME)

    def _listen(self, over: threading.Event) -> None:
        while not over.is_set():
            for ready in select.select([self._socket, self._control], [], [], 0.1)[0]:
                packet, (host, port) = ready.recvfrom(2048)
                self.sources.add(f"{host}:{port}")
                if ready is self._control:
                    self.reports.append(packet)
                else:
                    self._take(packet)

    def _take(self, packet: bytes) -> None:
        self.packets.append(packet)
        if packet[1] & 0x7F == self.kind:
            self.heard.append(payload(packet))
        elif packet[1] & 0x7F == 101:
            self._key(packet)


def payload(packet: bytes) -> bytes:
    """What an RTP packet carries, without its header and what is added there (RFC 3550 5.1)."""
    start = _HEADER.size + 4 * (packet[0] & 0x0F)  # each contributing source
    if packet[0] & 0x10:  # a header extension
        start += 4 + 4 * int.from_bytes(packet[start + 2 : start + 4], "big")
    end = len(packet) - (packet[-1] if packet[0] & 0x20 else 0)  # padding
    return packet[start:end]


def _pair(address: str) -> tuple[socket.socket, socket.socket]:
    """Two sockets on ports that follow each other, the first of them even (RFC 3550 11)."""
    while True:
        first, second = (socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2))
        first.bind((address, 0))
        port = first.getsockname()[1]
        if port % 2 == 0:
            with contextlib.suppress(OSError):
                second.bind((address, port + 1))
                return first, second
        first.close()
        second.close()


def _longest_run(heard: list[bytes], said: list[bytes]) -> int:
    """Length of the longest stretch of ``said`` that was heard in order and whole."""
    place = {frame: number for number, frame in enumerate(list(said))}
    longest = run = 0
    expected = None
    for frame in list(heard):
        number = place.get(frame)
        run = run + 1 if number is not None and number == expected else int(number is not None)
        expected = None if number is None else number + 1
        longest = max(longest, run)
    return longest
