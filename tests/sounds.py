"""Sounds made on the spot."""

import array
import io
import math
import wave
from collections.abc import Sequence
from pathlib import Path

import av

Samples = Sequence[int]


def tone(seconds: float, *, hz: float = 1000, dbov: float = -20, rate: int = 8000) -> Samples:
    """A sine of that level (0 dBov is a square wave of full scale)."""
    peak = 32768 * 10 ** (dbov / 20) * math.sqrt(2)
    return [
        max(-32768, min(32767, round(peak * math.sin(2 * math.pi * hz * number / rate))))
        for number in range(round(seconds * rate))
    ]


def wav(*channels: Samples, rate: int = 8000) -> bytes:
    """A wav file, 16 bits a sample."""
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(len(channels))
        out.setsampwidth(2)
        out.setframerate(rate)
        interleaved = [sample for moment in zip(*channels, strict=True) for sample in moment]
        out.writeframes(array.array("h", interleaved).tobytes())
    return file.getvalue()


def mp3(*channels: Samples, rate: int = 8000) -> bytes:
    """An mp3 file."""
    file = io.BytesIO()
    with (
        av.open(io.BytesIO(wav(*channels, rate=rate)), "r") as source,
        av.open(file, "w", format="mp3") as out,
    ):
        layout = "mono" if len(channels) == 1 else "stereo"
        stream = out.add_stream("libmp3lame", rate=rate, layout=layout)
        resampler = av.AudioResampler(format="s16p", layout=layout, rate=rate)
        for frame in source.decode(audio=0):
            for piece in resampler.resample(frame):
                out.mux(stream.encode(piece))
        out.mux(stream.encode(None))
    return file.getvalue()


def g711(path: Path) -> Samples:
    """What is heard of a file of ``.ulaw`` or ``.alaw``."""
    kind = {".ulaw": "mulaw", ".alaw": "alaw"}[path.suffix]
    return heard(path.read_bytes(), kind)[0]


def heard(content: bytes, kind: str) -> list[Samples]:
    """The channels of a file, as samples at 8000 a second."""
    options = {"sample_rate": "8000"} if kind.endswith("law") else {}
    with av.open(io.BytesIO(content), "r", format=kind, options=options) as source:
        count = source.streams.audio[0].channels
        layout = "mono" if count == 1 else "stereo"
        resampler = av.AudioResampler(format="s16", layout=layout, rate=8000)
        samples = array.array("h")
        for frame in source.decode(audio=0):
            for piece in resampler.resample(frame):
                samples.frombytes(bytes(piece.planes[0])[: piece.samples * 2 * count])
    return [samples[channel::count] for channel in range(count)]


def level(samples: Samples) -> float:
    """In dBov."""
    return 10 * math.log10(sum(sample**2 for sample in samples) / len(samples) / 32768**2 + 1e-12)


def level_at(samples: Samples, hz: float) -> float:
    """Of one frequency, in dBov (Goertzel)."""
    turn = 2 * math.cos(2 * math.pi * hz / 8000)
    before, now = 0.0, 0.0
    for sample in samples:
        before, now = now, sample + turn * now - before
    power = (before**2 + now**2 - turn * before * now) * 2 / len(samples) ** 2
    return 10 * math.log10(power / 32768**2 + 1e-12)
