"""The child process that decodes: what it gives back, and what it may not do."""

import asyncio
import os
import sys
from pathlib import Path

import pytest

from bridge.audio import worker
from bridge.audio.errors import Unusable
from tests.sounds import g711, heard, level_at, mp3, tone, wav


async def convert(tmp_path: Path, content: bytes, *, longest: float = 10) -> float:
    (tmp_path / "source").write_bytes(content)
    return await worker.to_g711(
        tmp_path / "source",
        "mp3",
        tmp_path / "prompt.ulaw",
        tmp_path / "prompt.alaw",
        longest=longest,
    )


def instead_of_python(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, script: str) -> None:
    program = tmp_path / "python"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(program))


async def test_a_prompt_is_made_in_both_laws(tmp_path: Path) -> None:
    assert await convert(tmp_path, mp3(tone(1))) == pytest.approx(1, abs=0.05)
    for name in ("prompt.ulaw", "prompt.alaw"):
        assert level_at(g711(tmp_path / name), 1000) == pytest.approx(-20, abs=1)


async def test_what_is_wrong_with_a_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(Unusable, match="not-audio"):
        await convert(tmp_path, bytes(1000))
    with pytest.raises(Unusable, match="too-long"):
        await convert(tmp_path, mp3(tone(2)), longest=1)


async def test_a_recording_becomes_mp3(tmp_path: Path) -> None:
    (tmp_path / "call.wav").write_bytes(wav(tone(2, hz=440), tone(2, hz=1000)))
    seconds = await worker.to_mp3(
        tmp_path / "call.wav", tmp_path / "call.mp3", longest=3600, within=30
    )
    assert seconds == 2
    left, right = heard((tmp_path / "call.mp3").read_bytes(), "mp3")
    assert level_at(left, 440) == pytest.approx(-20, abs=1)
    assert level_at(right, 1000) == pytest.approx(-20, abs=1)


async def test_nothing_longer_than_was_said_is_written(tmp_path: Path) -> None:
    (tmp_path / "call.wav").write_bytes(wav(tone(20), tone(20)))
    with pytest.raises(Unusable, match="conversion-failed"):
        await worker.to_mp3(tmp_path / "call.wav", tmp_path / "call.mp3", longest=1, within=30)
    assert (tmp_path / "call.mp3").stat().st_size <= 4000 + 4096


async def test_the_decoder_gets_none_of_the_bridge_s_secrets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BRIDGE_DATABASE_URL", "postgresql://bridge:secret@127.0.0.1/masking")
    instead_of_python(
        monkeypatch, tmp_path, f"/usr/bin/env > {tmp_path}/environment; echo '{{\"seconds\": 1}}'"
    )
    assert await convert(tmp_path, b"") == 1
    assert "secret" not in (tmp_path / "environment").read_text()


@pytest.mark.parametrize("script", ["kill -SEGV $$", "kill -XCPU $$", "exit 1"])
async def test_a_decoder_that_dies_is_a_file_that_is_of_no_use(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str
) -> None:
    instead_of_python(monkeypatch, tmp_path, script)
    with pytest.raises(Unusable, match="conversion-failed"):
        await convert(tmp_path, b"")


async def test_a_decoder_that_hangs_is_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    instead_of_python(monkeypatch, tmp_path, "exec sleep 60")
    with pytest.raises(Unusable, match="conversion-failed"):
        await worker.to_mp3(tmp_path, tmp_path / "x", longest=1, within=0.01)


async def test_no_decoder_outlives_its_conversion(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started = tmp_path / "started"
    os.mkfifo(started)
    instead_of_python(monkeypatch, tmp_path, f"echo $$ > {started}; exec sleep 60")
    async with asyncio.TaskGroup() as group:
        conversion = group.create_task(
            worker.to_mp3(tmp_path, tmp_path / "x", longest=1, within=60)
        )
        pid = int(await asyncio.to_thread(started.read_text))
        conversion.cancel()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
