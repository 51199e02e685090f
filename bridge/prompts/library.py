"""Prompts by URL, in time or not at all."""

import asyncio
import dataclasses
import hashlib
from collections.abc import Callable, Iterable
from pathlib import Path

import structlog

from bridge.audio import worker
from bridge.audio.errors import Unusable
from bridge.audio.kinds import kind_of
from bridge.domain.prompts import NoPrompt, Prompt
from bridge.egress.client import Answer, Egress
from bridge.egress.errors import EgressError
from bridge.prompts.cache import Cache, Entry

log = structlog.get_logger(__name__)

_FETCHES = 16  # at once
_CONVERSIONS = 2  # at once
_UNDER_WAY = 500  # fetches that are wanted at all; beyond it there is no end in sight
_FAILURES = 1000  # remembered


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class PromptLimits:
    """What a prompt may cost.

    Args:
        size: bytes that its file may have.
        seconds: that it may last.
        fetch_within: seconds that fetching it may take.
        max_age: seconds for which a copy is played before its server is asked for a newer one.
        retry_after: seconds before a URL that failed is tried again.
    """

    size: int = 5_000_000
    seconds: float = 300.0
    fetch_within: float = 15.0
    max_age: float = 300.0
    retry_after: float = 30.0


class Prompts:
    """Has prompts at hand.  `run` must be running for any to be fetched.

    Args:
        asterisk_directory: the cache's directory, as Asterisk calls it.
        now: Unix time, in seconds.
    """

    def __init__(
        self,
        egress: Egress,
        cache: Cache,
        *,
        asterisk_directory: Path,
        limits: PromptLimits,
        now: Callable[[], float],
    ) -> None:
        self._egress = egress
        self._cache = cache
        self._asterisk_directory = asterisk_directory
        self._limits = limits
        self._now = now
        self._group: asyncio.TaskGroup | None = None
        self._under_way: dict[str, asyncio.Task[Prompt | NoPrompt]] = {}
        self._failures: dict[str, tuple[str, float]] = {}
        self._fetching = asyncio.Semaphore(_FETCHES)
        self._converting = asyncio.Semaphore(_CONVERSIONS)

    async def run(self) -> None:
        """Fetch what is asked for, until cancelled."""
        async with asyncio.TaskGroup() as group:
            self._group = group
            try:
                await asyncio.Event().wait()
            finally:
                self._group = None  # nothing may be begun any more

    async def get(self, url: str, *, within: float) -> Prompt | NoPrompt:
        """The prompt, in ``within`` seconds at the latest.

        A copy is played at once, and if it is old a newer one is fetched meanwhile, for the next
        call.  What is not there in time goes on being fetched, also for the next call.
        """
        key = _key(url)
        entry = self._cache.get(key)
        task = self._wanted(url, key, entry)
        if entry:
            return self._prompt(key, entry)
        if task is None:
            stopping = self._group is None
            return NoPrompt(self._failure(key) or ("stopping" if stopping else "too-busy"))
        await asyncio.wait({task}, timeout=within)
        if not task.done():
            return NoPrompt("not-in-time")
        return NoPrompt("stopping") if task.cancelled() else task.result()

    def prefetch(self, urls: Iterable[str]) -> None:
        """See to it that these are at hand soon: a session was made that names them."""
        for url in urls:
            key = _key(url)
            self._wanted(url, key, self._cache.get(key))

    def _wanted(
        self, url: str, key: str, entry: Entry | None
    ) -> asyncio.Task[Prompt | NoPrompt] | None:
        """The fetch of this prompt, begun if there is need of one; all who want it share it."""
        if task := self._under_way.get(key):
            return task
        if entry and self._now() - entry.checked_at < self._limits.max_age:
            return None
        if self._failure(key) or self._group is None or len(self._under_way) >= _UNDER_WAY:
            return None
        task = self._group.create_task(self._fetch(url, key, entry), name=f"prompt {key[:12]}")
        self._under_way[key] = task
        task.add_done_callback(lambda _: self._under_way.pop(key, None))
        return task

    async def _fetch(self, url: str, key: str, entry: Entry | None) -> Prompt | NoPrompt:
        """Never raises: one prompt is not to end the fetching of all."""
        try:
            async with self._fetching:
                answer = await self._egress.fetch(
                    url,
                    headers=_conditions(entry),
                    within=self._limits.fetch_within,
                    read=self._limits.size,
                )
            return await self._taken_in(key, entry, answer)
        except (EgressError, Unusable) as error:
            return self._failed(key, error.reason)
        except OSError:
            return self._failed(key, "storage-failed")
        except Exception:
            log.exception("prompt crashed", prompt=key[:12])
            return self._failed(key, "crash")

    async def _taken_in(self, key: str, entry: Entry | None, answer: Answer) -> Prompt | NoPrompt:
        """What the answer makes of the copy there may be."""
        if answer.status not in {200, 304}:
            if answer.status in {404, 410}:
                self._cache.remove(key)  # its owner took it away
            return self._failed(key, f"http-{answer.status}")
        digest = hashlib.sha256(answer.body).hexdigest()
        if entry and (answer.status == 304 or digest == entry.digest):
            if self._cache.get(key) is None:  # evicted meanwhile
                return NoPrompt("not-in-time")
            entry = dataclasses.replace(entry, checked_at=self._now())
            self._cache.note(key, entry)
            return self._prompt(key, entry)
        kind = kind_of(answer.body)
        if kind is None:
            raise Unusable("not-audio")
        with self._cache.workplace() as work:
            source, ulaw, alaw = (work / name for name in ("source", "ulaw", "alaw"))
            await asyncio.to_thread(source.write_bytes, answer.body)
            async with self._converting:
                seconds = await worker.to_g711(
                    source, kind, ulaw, alaw, longest=self._limits.seconds
                )
            entry = Entry(
                seconds=seconds,
                size=ulaw.stat().st_size + alaw.stat().st_size,
                digest=digest,
                checked_at=self._now(),
                etag=_validator(answer, "ETag"),
                last_modified=_validator(answer, "Last-Modified"),
            )
            self._cache.put(key, entry, {".ulaw": ulaw, ".alaw": alaw})
        log.info("prompt fetched", prompt=key[:12], seconds=round(seconds, 1))
        return self._prompt(key, entry)

    def _prompt(self, key: str, entry: Entry) -> Prompt:
        return Prompt(f"sound:{self._asterisk_directory / key}", entry.seconds)

    def _failed(self, key: str, reason: str) -> NoPrompt:
        """Remember it for a while, so that a server in trouble is not asked at every call."""
        log.warning("prompt not fetched", prompt=key[:12], reason=reason)
        while len(self._failures) >= _FAILURES:
            del self._failures[next(iter(self._failures))]
        self._failures[key] = (reason, self._now() + self._limits.retry_after)
        return NoPrompt(reason)

    def _failure(self, key: str) -> str | None:
        """Why this URL is not tried at present."""
        reason, until = self._failures.get(key, ("", 0.0))
        if self._now() < until:
            return reason
        self._failures.pop(key, None)
        return None


def _key(url: str) -> str:
    """By what a prompt is known on disk and in logs: nothing of the URL can be read from it."""
    return hashlib.sha256(url.encode()).hexdigest()


def _validator(answer: Answer, name: str) -> str | None:
    """What the server calls this version, if it is anything that can be sent back."""
    value = answer.headers.get(name, "")
    return value if value.isascii() and 0 < len(value) < 500 else None


def _conditions(entry: Entry | None) -> dict[str, str]:
    """Headers that ask for the prompt only if it is another one (RFC 9110, 13.1)."""
    if entry is None:
        return {}
    conditions = {"If-None-Match": entry.etag, "If-Modified-Since": entry.last_modified}
    return {name: value for name, value in conditions.items() if value}
