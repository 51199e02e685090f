"""Phones that say a tone, and whether it is in a recording."""

import math
from array import array
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import av

from bridge.embedded.phones.sound import Sound

_RATE = 8000
_FRAME = 160


class Tone(Sound):
    """Says a sine of ``hertz``, at a tenth of the loudest."""

    def __init__(self, address: str, *, hertz: int) -> None:
        super().__init__(address, seed=hertz)
        self.hertz = hertz

    def _say(self, number: int) -> bytes:
        first = number * _FRAME
        return bytes(
            _mu_law(round(3276 * math.sin(2 * math.pi * self.hertz * at / _RATE)))
            for at in range(first, first + _FRAME)
        )


def channels(recording: Path, format: Literal["mp3", "wav"]) -> "tuple[array[float], array[float]]":
    """The caller's and the callee's samples of a recording, each from -1 to 1."""
    left, right = array("f"), array("f")
    resampler = av.AudioResampler(format="fltp", layout="stereo", rate=_RATE)
    with av.open(recording, format=format) as container:
        [stream] = container.streams.audio
        assert (stream.rate, stream.channels) == (_RATE, 2)
        for frame in container.decode(stream):
            for piece in resampler.resample(frame):
                for samples, plane in zip((left, right), piece.planes, strict=True):
                    samples.frombytes(bytes(plane)[: piece.samples * 4])
    return left, right


def loudness(samples: Sequence[float], hertz: int) -> float:
    """How loud that tone is in them (Goertzel): 1 is a sine as loud as can be."""
    turn = 2 * math.pi * hertz / _RATE
    real = sum(sample * math.cos(turn * at) for at, sample in enumerate(samples))
    imaginary = sum(sample * math.sin(turn * at) for at, sample in enumerate(samples))
    return 2 * math.hypot(real, imaginary) / len(samples)


def _mu_law(sample: int) -> int:
    """ITU-T G.711, 16 bits in."""
    sign, magnitude = (0x80, -sample) if sample < 0 else (0, sample)
    magnitude = min(magnitude, 32635) + 132
    exponent = magnitude.bit_length() - 8
    return ~(sign | exponent << 4 | (magnitude >> (exponent + 3)) & 0x0F) & 0xFF
