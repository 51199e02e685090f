"""Whether calls can be carried and requests answered, and if not, for want of what.

What is cheap is asked at each request: whether we are connected to Asterisk, and whether Postgres
answers.  All else is looked at when we connect, and every ten seconds, so that the answer costs
Asterisk nothing, however often somebody asks.
"""

import asyncio
import contextlib
import shutil
import tempfile
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

import structlog

from bridge import metrics
from bridge.domain.errors import Unavailable
from bridge.domain.readiness import Need, Part, Trouble

log = structlog.get_logger(__name__)

_INTERVAL = 10.0
_LEAST_ROOM = 100_000_000  # bytes: 50 minutes of one recording
_DISK_WAIT = 5.0  # seconds; a directory of a network may hang

REFUSED_FOR = {
    "trunk": "trunk-missing",
    "modules": "asterisk-unfit",
    "forbidden_modules": "asterisk-unfit",
    "dialplan": "asterisk-unfit",
}
"""Parts without which a call is refused, and the reason that its record gets."""

Look = Callable[[], Awaitable[Sequence[Part]]]


class Stream(Protocol):
    """The connection to Asterisk."""

    @property
    def connected(self) -> bool: ...
    @property
    def admitting(self) -> bool: ...
    @property
    def trouble(self) -> Trouble | None: ...


class Readiness:
    """Every part, as it was found last.

    Args:
        at_once: what is cheap enough to be asked for each answer.
        now_and_then: looks at all else but Asterisk; each may raise `Unavailable`, and is then
            repeated at the next time.
        asterisk: looks at Asterisk; may raise `Unavailable`.
    """

    def __init__(
        self,
        *,
        at_once: Look,
        now_and_then: Sequence[Look],
        asterisk: Look,
    ) -> None:
        self._at_once = at_once
        self._now_and_then = now_and_then
        self._asterisk = asterisk
        self._found: dict[str, Part] = {}

    async def __call__(self) -> Mapping[str, Part]:
        """Every part by its name."""
        parts = {part.name: part for part in await self._at_once()} | self._found
        for part in parts.values():
            _count(part)
        return parts

    @property
    def no_calls(self) -> str | None:
        """The reason for which each call is refused now; ``None``: calls can be carried."""
        return next(
            (
                reason
                for name, reason in REFUSED_FOR.items()
                if name in self._found and not self._found[name].is_well
            ),
            None,
        )

    async def run(self, stream: Stream) -> None:
        """Look from time to time, until cancelled."""
        while True:
            for look in self._now_and_then:
                await self._take(look)
            if stream.connected:
                await self._take(self._asterisk)
            for part in await self._at_once():
                _count(part)
            await asyncio.sleep(_INTERVAL)

    async def connected(self) -> None:
        """Look at the Asterisk to which we have just connected.

        Raises:
            Unavailable: it is away again.
        """
        self._note(await self._asterisk())

    async def _take(self, look: Look) -> None:
        try:
            self._note(await look())
        except Unavailable:
            pass  # which is a part of its own
        except Exception:
            # What is wrong with a look must not end calls.
            log.exception("not looked at")

    def _note(self, parts: Sequence[Part]) -> None:
        for part in parts:
            before = self._found.get(part.name)
            self._found[part.name] = part
            _count(part)
            if part.trouble is None:
                if before and before.trouble:
                    log.info("part is well again", part=part.name, trouble=before.trouble.word)
                continue
            if before is None or before.trouble != part.trouble:
                log.error(
                    "part is not well",
                    part=part.name,
                    trouble=part.trouble.word,
                    wrong=part.trouble.wrong,
                    cure=part.trouble.cure,
                )


def _count(part: Part) -> None:
    metrics.PART_READY.labels(part.name).set(part.is_well)
    for one in _TOLD.setdefault(part.name, set()):
        metrics.PART_TROUBLE.labels(part.name, one).set(0)
    if part.trouble:
        _TOLD[part.name].add(part.trouble.word)
        metrics.PART_TROUBLE.labels(part.name, part.trouble.word).set(1)


_TOLD: dict[str, set[str]] = {}
"""The troubles of each part that the metrics have."""


async def connection(stream: Stream) -> Sequence[Part]:
    """How we stand with Asterisk."""
    calls = frozenset({Need.CALLS})
    trouble = None if stream.connected else stream.trouble or _ASTERISK_AWAY
    return [
        Part("asterisk", calls, trouble),
        Part("accepting_calls", calls, None if stream.admitting else _STOPPING),
    ]


_ASTERISK_AWAY = Trouble(
    "away",
    "Asterisk does not answer",
    "Start it, or correct BRIDGE_ARI_URL; in its http.conf must be enabled=yes",
)
_STOPPING = Trouble("stopping", "The bridge is stopping", "Start it again, or wait for the next")


async def directory(name: str, variable: str, path: Path, *, is_ours: bool = False) -> Part:
    """Whether a directory can be written to, and has room.

    Args:
        name: the part's.
        variable: the setting that says where it is.
        is_ours: it is made, for nobody but us, if it is not there.
    """
    try:
        async with asyncio.timeout(_DISK_WAIT):
            wrong = await asyncio.to_thread(_wrong_with, path, is_ours=is_ours)
    except TimeoutError:
        wrong = "does not answer"
    if wrong is None:
        return Part(name, frozenset())
    word, cure = ("no-room", "Make room there") if wrong == _NO_ROOM else ("not-usable", _CURE)
    return Part(name, frozenset(), Trouble(word, f"The directory of {variable} {wrong}", cure))


_CURE = "Make it, let the bridge's user write to it, and let Asterisk's user too where it must"
_NO_ROOM = "has less than 100 MB of room"


def _wrong_with(path: Path, *, is_ours: bool) -> str | None:
    try:
        if is_ours:
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path) as file:  # where it can be, without a name
            file.write(b".")
            file.flush()
    except FileNotFoundError:
        return "is not there"
    except (NotADirectoryError, FileExistsError):
        return "is no directory"
    except PermissionError:
        return "may not be written to"
    except OSError as error:
        return f"cannot be written to ({error.strerror})"
    with contextlib.suppress(OSError):
        if shutil.disk_usage(path).free < _LEAST_ROOM:
            return _NO_ROOM
    return None
