"""A phone's audio: it says something that can be recognised, and keeps what it hears."""

import contextlib
import itertools
import random
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
    """A UDP socket that sends and receives PCMU.

    What it says is noise from ``seed``, a different 20 ms each time, so that at the other end every
    frame can be told from every other.
    """

    def __init__(self, address: str, *, seed: int) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((address, 0))
        self._socket.settimeout(0.1)
        self.port: int = self._socket.getsockname()[1]
        self._numbers, self._clock = itertools.count(), itertools.count()
        self._words = random.Random(seed)  # noqa: S311 - noise, no secret
        self.said: list[bytes] = []
        self.heard: list[bytes] = []
        self._keys: dict[int, str] = {}
        self.sources: set[str] = set()
        """Addresses, host:port, that audio came from."""

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
        """Press keys as a phone does, in the audio stream (RFC 4733): 100 ms each, and a pause."""
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
        event, _, _ = _EVENT.unpack_from(packet, _HEADER.size)
        self._keys.setdefault(began, _KEYS[event])

    def close(self) -> None:
        self._socket.close()

    def _speak(self, target: tuple[str, int], over: threading.Event) -> None:
        for number in itertools.count():
            frame = self._say(number)
            self.said.append(frame)
            self._send(0, next(self._clock) * _FRAME, frame, target)
            if over.wait(0.02):
                return

    def _send(self, kind: int, timestamp: int, payload: bytes, target: tuple[str, int]) -> None:
        number = next(self._numbers) & 0xFFFF
        packet = _HEADER.pack(0x80, kind, number, timestamp, self.port)
        self._socket.sendto(packet + payload, target)

    def _say(self, number: int) -> bytes:
        """The frame of that number."""
        return self._words.randbytes(_FRAME)

    def _listen(self, over: threading.Event) -> None:
        while not over.is_set():
            with contextlib.suppress(TimeoutError):
                packet, (host, port) = self._socket.recvfrom(2048)
                self.sources.add(f"{host}:{port}")
                if packet[1] & 0x7F == 0:  # PCMU
                    self.heard.append(packet[_HEADER.size :])
                elif packet[1] & 0x7F == 101:
                    self._key(packet)


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
