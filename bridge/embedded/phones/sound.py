"""A phone's audio: it says something that can be recognised, and keeps what it hears."""

import contextlib
import itertools
import random
import socket
import struct
import threading
from collections.abc import Iterator

from bridge.embedded.processes import until

_FRAME = 160  # bytes of PCMU (G.711, 8 kHz) in 20 ms
_HEADER = struct.Struct("!BBHII")  # RTP, RFC 3550 5.1


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
        self._words = random.Random(seed)  # noqa: S311 - noise, no secret
        self.said: list[bytes] = []
        self.heard: list[bytes] = []
        self.sources: set[str] = set()
        """Addresses, host:port, that audio came from."""

    @contextlib.contextmanager
    def speaking_to(self, target: tuple[str, int]) -> Iterator[None]:
        """Speak and listen for the length of the block."""
        over = threading.Event()
        threads = [
            threading.Thread(target=self._speak, args=(target, over)),
            threading.Thread(target=self._listen, args=(over,)),
        ]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            over.set()
            for thread in threads:
                thread.join()

    def hears(self, other: "Sound", *, frames: int = 25, within: float = 10.0) -> bool:
        """Whether it hears, one after the other and unchanged, what ``other`` says."""
        return until(lambda: _longest_run(self.heard, other.said) >= frames, within=within)

    def close(self) -> None:
        self._socket.close()

    def _speak(self, target: tuple[str, int], over: threading.Event) -> None:
        for number in itertools.count():
            frame = self._say(number)
            packet = _HEADER.pack(0x80, 0, number & 0xFFFF, number * _FRAME, self.port)
            self.said.append(frame)
            self._socket.sendto(packet + frame, target)
            if over.wait(0.02):
                return

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
