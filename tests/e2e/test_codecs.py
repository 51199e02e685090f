"""Whatever codecs of a set two phones have, they hear each other."""

import contextlib
import dataclasses
import itertools
import random
import socket
import struct
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from bridge.embedded.client import Client
from bridge.embedded.phones.phone import media
from bridge.embedded.phones.steps import Callee, Caller, scenario, wait_for_cue
from bridge.embedded.processes import until
from bridge.embedded.stack import Stack, private_place
from bridge.setting_checks import CODECS
from tests.e2e.conftest import Site

_RTP = struct.Struct("!BBHII")


@dataclasses.dataclass(frozen=True)
class Codec:
    """As RFC 3551 has it: its payload type, its name, and the bytes of 20 ms."""

    kind: int
    name: str
    size: int
    begins: bytes = b""
    """What each frame begins with."""


KNOWN = {
    "ulaw": Codec(0, "PCMU", 160),
    "alaw": Codec(8, "PCMA", 160),
    "g722": Codec(9, "G722", 160),
    "gsm": Codec(3, "GSM", 33, b"\xd1"),
}


class Voice:
    """A phone's audio in one codec: noise goes out, and what comes in is kept."""

    def __init__(self, address: str, codec: Codec) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((address, 0))
        self._socket.settimeout(0.02)
        self._codec = codec
        self.port: int = self._socket.getsockname()[1]
        self.heard: list[bytes] = []

    @contextlib.contextmanager
    def talking_to(self, target: tuple[str, int]) -> Iterator[None]:
        over = threading.Event()
        thread = threading.Thread(target=self._talk, args=(target, over))
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()
            self._socket.close()

    @property
    def hears(self) -> bool:
        """Half a second of sound that is not always the same."""
        return len(self.heard) >= 25 and len(set(self.heard)) >= 20

    def _talk(self, target: tuple[str, int], over: threading.Event) -> None:
        noise = random.Random(self.port)  # noqa: S311 - noise, no secret
        for number in itertools.count():
            frame = self._codec.begins + noise.randbytes(self._codec.size - len(self._codec.begins))
            head = _RTP.pack(0x80, self._codec.kind, number & 0xFFFF, number * 160, self.port)
            self._socket.sendto(head + frame, target)
            with contextlib.suppress(TimeoutError):
                packet = self._socket.recv(2048)
                if packet[1] & 0x7F == self._codec.kind:
                    self.heard.append(packet[_RTP.size :])
            if over.wait(0.01):
                return


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Whose trunk takes every codec that can be set."""
    directory = tmp_path_factory.mktemp("codecs")
    site = {"trunk_codecs": ",".join(CODECS)}
    with Stack(directory, private_place(), site=site, durable=False).running() as stack:
        yield stack


@pytest.fixture(scope="module")
def client(stack: Stack) -> Client:
    return Client(stack.place.api_url, *stack.create_account("codecs"))


def only(codec: Codec, steps: str) -> str:
    """A phone that has no other."""
    return steps.replace("RTP/AVP 0 101", f"RTP/AVP {codec.kind} 101").replace(
        "rtpmap:0 PCMU/8000", f"rtpmap:{codec.kind} {codec.name}/8000"
    )


@pytest.mark.parametrize(
    ("first", "second"), list(itertools.combinations_with_replacement(CODECS, 2))
)
def test_two_phones_hear_each_other_whatever_each_has(
    site: Site, tmp_path: Path, first: str, second: str
) -> None:
    site.create_session()
    a, b = Caller(), Callee()
    a_voice = Voice(site.stack.place.caller_address, KNOWN[first])
    b_voice = Voice(site.stack.place.trunk_host.partition(":")[0], KNOWN[second])
    callee = site.waits(
        only(KNOWN[second], scenario(b.is_called(), b.rings(), b.answers(), b.is_hung_up_on())),
        keywords={"rtp_port": str(b_voice.port)},
    )
    talk = (a.invite(), a.hears_ringback(), a.is_answered(), wait_for_cue(), a.hangs_up())
    caller = site.calls(
        only(KNOWN[first], scenario(*talk)), keywords={"rtp_port": str(a_voice.port)}
    )
    callee.has_seen("ACK")
    answer, invite = caller.has_seen("SIP/2.0 200"), callee.has_seen("INVITE")
    with a_voice.talking_to(media(answer)), b_voice.talking_to(media(invite)):
        assert until(lambda: b_voice.hears, within=20)
        assert until(lambda: a_voice.hears, within=20)
    caller.cue()
    caller.finish()
    callee.finish()


def test_every_codec_that_can_be_set_is_tried() -> None:
    assert KNOWN.keys() == set(CODECS)
