"""A recording as a person can see it on a terminal: how loud each party was, moment by moment."""

import array
import io
import math
import wave
from collections.abc import Sequence

_BARS = " ▁▂▃▄▅▆▇█"
_QUIET, _LOUD = -60.0, -5.0  # dBov at which a column is empty, and full


def levels(content: bytes, *, columns: int) -> tuple[list[float], list[float]]:
    """How loud (dBov) the caller and the callee were in each of so many parts of a wav file."""
    with wave.open(io.BytesIO(content)) as file:
        samples = array.array("h", file.readframes(file.getnframes()))
    caller, callee = samples[::2], samples[1::2]
    width = max(len(caller) // columns, 1)
    starts = range(0, width * columns, width)
    return (
        [_level(caller[start : start + width]) for start in starts],
        [_level(callee[start : start + width]) for start in starts],
    )


def waveform(levels: Sequence[float]) -> str:
    """A character for each."""
    steps = len(_BARS) - 1
    heights = [(level - _QUIET) / (_LOUD - _QUIET) for level in levels]
    return "".join(_BARS[round(min(max(height, 0), 1) * steps)] for height in heights)


def _level(samples: "array.array[int]") -> float:
    power = sum(sample * sample for sample in samples) / max(len(samples), 1)
    return 10 * math.log10(max(power, 1e-9) / 32768**2)
