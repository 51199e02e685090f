"""Phones that say a tone, and whether it is in a recording."""

import math
from array import array
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import av

from bridge.embedded.phones.sound import Sound
from bridge.embedded.processes import until

_RATE = 8000
_FRAME = 160


class Tone(Sound):
    """Says a sine of ``hertz``, at a tenth of the loudest.

    A multiple of 50 Hz: then every frame is the same, and where one is late, as on a busy machine,
    those before it and those after it are still one sine.
    """

    def __init__(self, address: str, *, hertz: int) -> None:
        super().__init__(address, seed=hertz)
        self._frame = _sine(hertz)

    def says(self, hertz: int, *, until_heard_by: Sound) -> None:
        """From now on; what it said before is through when this returns.

        Raises:
            AssertionError: the other does not hear it.
        """
        self._frame = _sine(hertz)
        assert until(lambda: until_heard_by.heard[-1:] == [self._frame])

    def _say(self, number: int) -> bytes:
        return self._frame


class Keys(Sound):
    """Presses keys that are heard, as of a phone that knows no other way (ITU-T Q.23)."""

    def __init__(self, address: str, keys: str) -> None:
        super().__init__(address, seed=0)
        self._pressed = keys

    def _say(self, number: int) -> bytes:
        key, part = divmod(number, 10)  # 100 ms each, and a pause
        if part >= 5 or key >= len(self._pressed):
            return b"\xff" * _FRAME
        row, column = divmod("123 456 789 *0# ".index(self._pressed[key]), 4)
        pair = (697, 770, 852, 941)[row], (1209, 1336, 1477)[column]
        return bytes(
            _mu_law(round(sum(6000 * math.sin(2 * math.pi * hertz * at / _RATE) for hertz in pair)))
            for at in range(number * _FRAME, (number + 1) * _FRAME)
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


def levels(samples: Sequence[float], hertz: int) -> list[float]:
    """How loud that tone is in each whole tenth of a second."""
    tenth = _RATE // 10
    starts = range(0, len(samples) - tenth + 1, tenth)
    return [loudness(samples[start : start + tenth], hertz) for start in starts]


def loudness(samples: Sequence[float], hertz: int) -> float:
    """How loud that tone is in them (Goertzel): 1 is a sine as loud as can be."""
    turn = 2 * math.pi * hertz / _RATE
    real = sum(sample * math.cos(turn * at) for at, sample in enumerate(samples))
    imaginary = sum(sample * math.sin(turn * at) for at, sample in enumerate(samples))
    return 2 * math.hypot(real, imaginary) / len(samples)


def _sine(hertz: int) -> bytes:
    """A frame of it."""
    return bytes(
        _mu_law(round(3276 * math.sin(2 * math.pi * hertz * at / _RATE))) for at in range(_FRAME)
    )


def _mu_law(sample: int) -> int:
    """ITU-T G.711, 16 bits in."""
    sign, magnitude = (0x80, -sample) if sample < 0 else (0, sample)
    magnitude = min(magnitude, 32635) + 132
    exponent = magnitude.bit_length() - 8
    return ~(sign | exponent << 4 | (magnitude >> (exponent + 3)) & 0x0F) & 0xFF
