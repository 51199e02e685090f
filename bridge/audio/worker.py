"""Has a child process convert a file."""

import asyncio
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from bridge.audio.errors import Unusable
from bridge.audio.kinds import Kind
from bridge.domain.json_text import BadJson, read_json

_G711 = 8000  # bytes a second
_MP3 = 4000
_WAV = 32_000


async def to_g711(
    source: Path, kind: Kind, ulaw: Path, alaw: Path, *, longest: float, within: float = 30.0
) -> float:
    """Write a sound as mono G.711, in each law, which Asterisk plays as it is; its seconds.

    Args:
        longest: seconds that it may last.
        within: seconds that this may take.

    Raises:
        Unusable: there is nothing to be made of it.
    """
    return await _convert(
        {"to": "g711", "kind": kind, "longest": longest},
        [source, ulaw, alaw],
        cpu_s=10 + int(longest / 20),  # of which a machine of today needs a tenth
        largest=int(longest * _G711) + 4096,
        within=within,
    )


async def to_mp3(source: Path, target: Path, *, longest: float, within: float) -> float:
    """Write a recording (wav) as mp3, a party to each channel, at 14 MB an hour; its seconds.

    Takes about 20 s of one core for an hour of recording, at a low priority.

    Args:
        longest: seconds that it may last.
        within: seconds that this may take.

    Raises:
        Unusable: there is nothing to be made of it.
    """
    return await _convert(
        {"to": "mp3"},
        [source, target],
        cpu_s=10 + int(longest / 20),
        largest=int(longest * _MP3) + 4096,
        within=within,
    )


async def to_wav(source: Path, target: Path, *, longest: float, within: float) -> float:
    """Write what Asterisk recorded (raw) as wav, the caller left, the callee right; its seconds.

    115 MB an hour.

    Args:
        longest: seconds that it may last.
        within: seconds that this may take.

    Raises:
        Unusable: it could not be done.
    """
    return await _convert(
        {"to": "wav"},
        [source, target],
        cpu_s=10 + int(longest / 20),
        largest=int(longest * _WAV) + 4096,
        within=within,
    )


async def _convert(
    job: dict[str, Any], paths: list[Path], *, cpu_s: int, largest: int, within: float
) -> float:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-I", "-m", "bridge.audio", json.dumps(job), str(cpu_s), str(largest)),
        *map(str, paths),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={},
    )
    try:
        async with asyncio.timeout(within):
            told, _ = await process.communicate()
    except TimeoutError:
        raise Unusable("conversion-failed") from None
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode != 0:
        raise Unusable("conversion-failed")
    match _told(told):
        case {"seconds": int(seconds) | float(seconds)}:
            return float(seconds)
        case {"reason": str(reason)}:
            raise Unusable(reason)
    raise Unusable("conversion-failed")


def _told(text: bytes) -> Any:
    """What the child says; a file from anywhere was in its hands.

    Raises:
        Unusable: it is no JSON.
    """
    try:
        return read_json(text)
    except BadJson:
        raise Unusable("conversion-failed") from None
