"""What a file is, and what is made of it for a telephone."""

import array
import struct
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.audio import convert
from bridge.audio.errors import Unusable
from bridge.audio.kinds import kind_of
from tests.sounds import Samples, g711, heard, level, level_at, mp3, tone, wav

ID3 = b"ID3\x04\0\0\0\0\0\x0a" + b"TIT2 title"
MP3 = mp3(tone(0.2))
WAV = wav(tone(0.2))


def prompt(tmp_path: Path, content: bytes, *, longest: float = 10) -> tuple[float, Samples]:
    """Seconds, and what is heard."""
    (tmp_path / "source").write_bytes(content)
    kind = kind_of(content)
    assert kind
    ulaw, alaw = tmp_path / "prompt.ulaw", tmp_path / "prompt.alaw"
    seconds = convert.to_g711(tmp_path / "source", kind, ulaw, alaw, longest=longest)
    assert ulaw.stat().st_size == alaw.stat().st_size == round(seconds * 8000)
    if level(g711(ulaw)) > -60:  # A-law has no zero
        assert level(g711(alaw)) == pytest.approx(level(g711(ulaw)), abs=0.5)
    return seconds, g711(ulaw)


@pytest.mark.parametrize(
    ("kind", "content"),
    [
        ("wav", WAV),
        ("mp3", MP3),
        ("mp3", ID3 + MP3),
        ("mp3", ID3 + ID3 + MP3),
        ("mp3", b"ID3\x03\0\0\0\0\x7f\x7f" + bytes(127 * 129) + MP3),
        (None, b""),
        (None, b"<!DOCTYPE html><title>404</title>"),
        (None, b"RIFF\x10\0\0\0AVI LIST"),
        (None, b"\x1f\x8b\x08\0gzip"),
        (None, b"OggS\0\x02"),
        (None, b"fLaC\0\0\0\x22"),
        (None, ID3 + b"fLaC\0\0\0\x22"),
        (None, ID3),
        (None, b"ID3\x04\0\0\xff\xff\xff\xff" + MP3),
        (None, b"\xff\xfe<\0h\0t\0m\0l\0"),  # UTF-16
        (None, b"\xff\xf1\x50\x80\x04\x3f\xfc"),  # AAC
        (None, b"\xff\xfb"),
        (None, b"#EXTM3U\nhttp://127.0.0.1/"),
    ],
)
def test_a_file_is_what_its_content_is(kind: str | None, content: bytes) -> None:
    assert kind_of(content) == kind


@pytest.mark.parametrize(
    "content",
    [
        wav(tone(1)),
        wav(tone(1, rate=44100), tone(1, rate=44100), rate=44100),
        wav(tone(1, rate=48000), rate=48000),
        mp3(tone(1)),
        mp3(tone(1, rate=44100), tone(1, rate=44100), rate=44100),
    ],
    ids=["wav 8", "wav 44.1 stereo", "wav 48", "mp3 8", "mp3 44.1 stereo"],
)
def test_a_prompt_sounds_as_its_file_does(tmp_path: Path, content: bytes) -> None:
    seconds, samples = prompt(tmp_path, content)
    assert seconds == pytest.approx(1, abs=0.06)
    assert level_at(samples, 1000) == pytest.approx(-20, abs=1)
    assert level(samples) == pytest.approx(-20, abs=1)


def test_both_channels_are_heard(tmp_path: Path) -> None:
    _, samples = prompt(tmp_path, wav(tone(1, hz=440), tone(1, hz=1000)))
    assert level_at(samples, 440) == pytest.approx(level_at(samples, 1000), abs=0.2)


def test_what_a_telephone_cannot_carry_is_left_out_and_makes_no_other_tones(
    tmp_path: Path,
) -> None:
    """5 kHz at 8000 samples a second would be heard as 3 kHz."""
    high = tone(1, hz=5000, rate=44100)
    _, samples = prompt(tmp_path, wav(high, rate=44100))
    assert level(samples) < -55


def test_mp3s_put_one_after_the_other_are_heard_to_the_end(tmp_path: Path) -> None:
    """As text-to-speech services make them; the header of the first tells the length of itself."""
    seconds, samples = prompt(tmp_path, mp3(tone(1, hz=440)) + mp3(tone(1, hz=1000)))
    assert seconds == pytest.approx(2, abs=0.2)
    assert level_at(samples[9000:15000], 1000) == pytest.approx(-20, abs=1)


def test_a_damaged_mp3_is_heard_but_for_the_damage(tmp_path: Path) -> None:
    content = bytearray(mp3(tone(2, rate=44100), rate=44100))
    content[5000:5200] = bytes(200)
    seconds, samples = prompt(tmp_path, bytes(content))
    assert seconds == pytest.approx(2, abs=0.3)
    assert level_at(samples[-6000:-2000], 1000) == pytest.approx(-20, abs=1)


def test_loud_is_brought_down_to_a_telephone_voice(tmp_path: Path) -> None:
    _, samples = prompt(tmp_path, wav([*tone(1, dbov=-4), *[0] * 8000]))
    assert level(samples[:8000]) == pytest.approx(-20, abs=0.3)


@pytest.mark.parametrize("dbov", [-21, -40])
def test_what_is_not_loud_stays_as_it_is(dbov: float) -> None:
    samples = array.array("h", tone(1, dbov=dbov))
    before = samples[:]
    convert.soften(samples)
    assert samples == before


def test_silence_is_a_sound(tmp_path: Path) -> None:
    seconds, samples = prompt(tmp_path, wav([0] * 8000))
    assert seconds == 1
    assert not any(samples)


def test_a_prompt_may_last_so_long_and_no_longer(tmp_path: Path) -> None:
    assert prompt(tmp_path, wav(tone(2)), longest=2)[0] == 2
    with pytest.raises(Unusable, match="too-long"):
        prompt(tmp_path, wav(tone(2.1)), longest=2)


def test_a_title_in_whatever_script_does_no_harm(tmp_path: Path) -> None:
    title = b"LIST" + struct.pack("<I", 16) + b"INFOINAM" + struct.pack("<I", 4) + b"\xff\xfe\xc3("
    seconds, _ = prompt(tmp_path, WAV[:36] + title + WAV[36:])
    assert seconds == pytest.approx(0.2)


def header(rate: int = 8000, channels: int = 1, code: int = 1, bits: int = 16) -> bytes:
    """A wav file with a header that may lie."""
    width = channels * bits // 8
    form = struct.pack("<HHIIHH", code, channels, rate, rate * width & 0xFFFFFFFF, width, bits)
    body = bytes(16_000)
    return (
        b"RIFF" + struct.pack("<I", 36 + len(body)) + b"WAVEfmt " + struct.pack("<I", 16) + form
        + b"data" + struct.pack("<I", 0xFFFF_FFFF) + body
    )  # fmt: skip


@pytest.mark.parametrize(
    ("reason", "content"),
    [
        ("unusable-format", header(rate=1)),  # a second of 16 kB would become two hours
        ("unusable-format", header(rate=2**30)),
        ("unusable-format", header(channels=255)),
        ("unusable-format", header(code=0x2000)),  # AC-3, one of the decoders that are not let in
        ("unusable-format", header(code=0x1234)),
        ("unusable-format", header(code=2, bits=4)),  # ADPCM
        ("unusable-format", header(channels=0)),
        ("not-audio", header(code=0x55)),  # mp3 in a wav file, or so it says
        ("not-audio", WAV[:12]),
        ("not-audio", WAV[:44]),
        ("not-audio", b"\xff\xfb\x90\x64" + bytes(2000)),
    ],
)
def test_what_no_sound_can_be_made_of(tmp_path: Path, reason: str, content: bytes) -> None:
    with pytest.raises(Unusable) as raised:
        prompt(tmp_path, content)
    assert raised.value.reason == reason


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from([WAV, MP3, ID3 + MP3]),
    st.lists(st.tuples(st.integers(0, 1500), st.integers(0, 255)), max_size=30),
    st.integers(4, 3000),
)
def test_whatever_a_file_holds_it_is_a_sound_or_unusable(
    tmp_path_factory: pytest.TempPathFactory,
    content: bytes,
    changes: list[tuple[int, int]],
    length: int,
) -> None:
    changed = bytearray(content)
    for place, byte in changes:
        changed[place % len(changed)] = byte
    path = tmp_path_factory.mktemp("hostile")
    (path / "source").write_bytes(changed[:length])
    kind = kind_of(bytes(changed[:length]))
    if kind:
        try:
            seconds = convert.to_g711(path / "source", kind, path / "u", path / "a", longest=5)
            assert 0 < seconds <= 5
        except Unusable:
            pass


def test_a_recording_s_parties_stay_in_their_channels(tmp_path: Path) -> None:
    first = [*tone(2, hz=440), *[0] * 16_000]
    second = [*[0] * 16_000, *tone(2, hz=1000)]
    (tmp_path / "call.wav").write_bytes(wav(first, second))
    assert convert.to_mp3(tmp_path / "call.wav", tmp_path / "call.mp3") == 4
    content = (tmp_path / "call.mp3").read_bytes()
    assert kind_of(content) == "mp3"
    assert len(content) == pytest.approx(4 * 4000, rel=0.1)
    left, right = heard(content, "mp3")
    assert level_at(left[2000:14_000], 440) == pytest.approx(-20, abs=1)
    assert level_at(right[18_000:30_000], 1000) == pytest.approx(-20, abs=1)
    assert level(right[2000:14_000]) < -60
    assert level(left[18_000:30_000]) < -60
    assert len(left) == pytest.approx(4 * 8000, abs=1200)
