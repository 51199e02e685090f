"""What is done to sounds, with FFmpeg's libraries, one piece after the other.

Only for the child process: `bridge.audio.worker` is what the bridge calls.
"""

import array
import math
import wave
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import av

from bridge.audio.errors import Unusable
from bridge.audio.kinds import Kind

RATE = 8000
"""Samples a second, of telephony."""

# The few decoders that the two kinds need, of the hundreds that FFmpeg has.
_DECODERS = {
    "mp3float",
    *("pcm_u8", "pcm_s16le", "pcm_s24le", "pcm_s32le", "pcm_f32le", "pcm_f64le"),
    *("pcm_mulaw", "pcm_alaw", "gsm_ms"),
}
_RATES = range(4000, 192_001)
_MOST_CHANNELS = 8

_LOUDEST = -20.0
"""dBov that speech may have.  Telephone speech has -26 (ITU-T P.830); what is made for loudspeakers
has up to -10, and hurts in a handset."""
_SILENCE = -50.0  # dBov below which nobody speaks
_BLOCK = RATE // 50

_MP3_BIT_RATE = 32_000
"""Bits a second for two channels: 14 MB an hour, and constant, so that a place in the file is a
moment in the call."""


def to_g711(source: Path, kind: Kind, ulaw: Path, alaw: Path, *, longest: float) -> float:
    """Make a prompt: mono, as loud as a telephone voice, once in each law; the seconds it lasts.

    Raises:
        Unusable: it is no sound, or lasts more than ``longest`` seconds.
    """
    samples = array.array("h")
    for piece in _decoded(source, kind, layout="mono"):
        samples.frombytes(_bytes(piece))
        if len(samples) > longest * RATE:
            raise Unusable("too-long")
    if not samples:
        raise Unusable("not-audio")
    soften(samples)
    _write_g711(samples, ulaw, "pcm_mulaw")
    _write_g711(samples, alaw, "pcm_alaw")
    return len(samples) / RATE


def to_mp3(source: Path, target: Path) -> float:
    """Make an mp3 of a recording, a party to each channel; the seconds it lasts.

    Raises:
        Unusable: it is no wav file.
    """
    samples = 0
    with av.open(target, "w", format="mp3") as out:
        # Each channel by itself: joint coding would let one party be heard in the other's.
        stream = out.add_stream(
            "libmp3lame", rate=RATE, layout="stereo", options={"joint_stereo": "0"}
        )
        stream.bit_rate = _MP3_BIT_RATE
        for piece in _decoded(source, "wav", layout="stereo", encoding="s16p"):
            samples += piece.samples
            out.mux(stream.encode(piece))
        out.mux(stream.encode(None))
    return samples / RATE


def to_wav(source: Path, target: Path) -> float:
    """Make a wav of what Asterisk recorded on the callee's leg; the seconds it lasts.

    The caller is on the left, the callee on the right; in ``source`` it is the other way round.
    Samples of 16 bits, as they came, with no loss.
    """
    samples = 0
    with source.open("rb") as raw, wave.open(str(target), "wb") as out:
        out.setnchannels(2)
        out.setsampwidth(2)
        out.setframerate(RATE)
        while piece := raw.read(4 * RATE):
            heard = array.array("h", piece[: len(piece) // 4 * 4])  # a full disk may cut anywhere
            heard[::2], heard[1::2] = heard[1::2], heard[::2]
            out.writeframesraw(heard.tobytes())
            samples += len(heard) // 2
    return samples / RATE


def soften(samples: "array.array[int]") -> None:
    """Bring speech that is too loud for a handset down; what is quieter stays as it is.

    Making louder would raise the noise with it, and who made it may have meant it.
    """
    threshold = _BLOCK * (32768 * 10 ** (_SILENCE / 20)) ** 2
    energies = [
        sum(sample * sample for sample in samples[start : start + _BLOCK])
        for start in range(0, len(samples), _BLOCK)
    ]
    spoken = [energy for energy in energies if energy > threshold]
    if not spoken:
        return
    level = 10 * math.log10(sum(spoken) / (len(spoken) * _BLOCK * 32768**2))
    if level > _LOUDEST:
        gain = 10 ** ((_LOUDEST - level) / 20)
        samples[:] = array.array("h", (round(sample * gain) for sample in samples))


def _decoded(
    source: Path, kind: Kind, *, layout: str, encoding: str = "s16"
) -> Iterator[av.AudioFrame]:
    """The sound at telephony's rate, piece by piece."""
    resampler = av.AudioResampler(format=encoding, layout=layout, rate=RATE)
    options = {"codec_whitelist": ",".join(_DECODERS)}  # for opening, where FFmpeg looks ahead
    try:
        with av.open(source, format=kind, options=options, metadata_errors="ignore") as container:
            stream = next(iter(container.streams.audio), None)
            # There is no codec_context, whatever the types say, for a codec that FFmpeg lacks.
            if stream is None or not stream.codec_context:
                raise Unusable("unusable-format")
            if stream.codec_context.name not in _DECODERS:
                raise Unusable("unusable-format")
            if stream.rate not in _RATES or not 1 <= stream.channels <= _MOST_CHANNELS:
                raise Unusable("unusable-format")
            for packet in container.demux(stream):
                try:
                    frames = packet.decode()
                except av.InvalidDataError:
                    continue  # a damaged place, which any player leaves out
                for frame in frames:
                    yield from resampler.resample(frame)
            yield from resampler.resample(None)
    except av.FFmpegError:
        raise Unusable("not-audio") from None
    except ValueError:  # the resampler's: its format changes on the way
        raise Unusable("unusable-format") from None


def _bytes(piece: av.AudioFrame) -> bytes:
    return bytes(piece.planes[0])[: piece.samples * 2]


def _write_g711(
    samples: "array.array[int]", path: Path, codec: Literal["pcm_mulaw", "pcm_alaw"]
) -> None:
    with av.open(path, "w", format=codec.removeprefix("pcm_")) as out:  # no header: bare samples
        stream = out.add_stream(codec, rate=RATE, layout="mono")
        for start in range(0, len(samples), RATE):
            second = samples[start : start + RATE]
            frame = av.AudioFrame(format="s16", layout="mono", samples=len(second))
            frame.planes[0].update(second.tobytes())
            frame.rate = RATE
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
