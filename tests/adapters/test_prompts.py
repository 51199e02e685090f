"""Prompts by URL: fetched once, in time or not at all, from servers in every mood."""

import asyncio
import dataclasses
import hashlib
import ipaddress
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from bridge.domain.egress import EgressRules
from bridge.domain.prompts import NoPrompt, Prompt
from bridge.egress.client import Egress
from bridge.prompts.cache import Cache
from bridge.prompts.library import PromptLimits, Prompts
from tests.fakes.origin import Origin, hangs, hangs_up, never_ends, says
from tests.sounds import g711, level_at, mp3, tone, wav

LOOPBACK = EgressRules(networks=(ipaddress.ip_network("127.0.0.1"),))
HELLO = wav(tone(0.5, hz=440))
GOODBYE = mp3(tone(0.5, hz=1000))
LIMITS = PromptLimits(size=50_000, seconds=2.0, fetch_within=10.0, max_age=300.0, retry_after=30.0)
ASTERISK_S = Path("/srv/asterisk/prompts")


class Clock:
    def __init__(self) -> None:
        self.time = 1_000_000.0

    def __call__(self) -> float:
        return self.time


@dataclasses.dataclass
class Bench:
    """A library with a server to fetch from."""

    directory: Path
    clock: Clock
    origin: Origin
    prompts: Prompts

    async def get(self, path: str = "/hello.wav", *, within: float = 30) -> Prompt | NoPrompt:
        return await self.prompts.get(self.origin.url + path, within=within)

    def sound(self, path: str = "/hello.wav") -> Path:
        return self.directory / f"{_key(self.origin.url + path)}.ulaw"


def _key(url: str) -> str:
    return hashlib.sha256(url.encode()).hexdigest()


@asynccontextmanager
async def library(
    directory: Path, clock: Clock, limits: PromptLimits = LIMITS, rules: EgressRules = LOOPBACK
) -> AsyncIterator[Prompts]:
    async with Egress.opened(rules) as egress, asyncio.TaskGroup() as group:
        prompts = Prompts(
            egress,
            Cache(directory, largest=1_000_000),
            asterisk_directory=ASTERISK_S,
            limits=limits,
            now=clock,
        )
        running = group.create_task(prompts.run())
        await asyncio.sleep(0)
        yield prompts
        running.cancel()


async def fetches_are_done() -> None:
    while fetches := [task for task in asyncio.all_tasks() if task.get_name()[:6] == "prompt"]:
        await asyncio.wait(fetches)


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    clock, directory = Clock(), tmp_path / "prompts"
    async with Origin.serving() as origin, library(directory, clock) as prompts:
        origin.answer = says(200, HELLO)
        yield Bench(directory, clock, origin, prompts)


@pytest.mark.parametrize(("content", "hz"), [(HELLO, 440), (GOODBYE, 1000)], ids=["wav", "mp3"])
async def test_a_prompt_is_at_hand_as_asterisk_plays_it(
    bench: Bench, content: bytes, hz: float
) -> None:
    bench.origin.answer = says(200, content, Content_Type="text/html")
    prompt = await bench.get()
    key = _key(f"{bench.origin.url}/hello.wav")
    assert isinstance(prompt, Prompt)
    assert prompt.media == f"sound:{ASTERISK_S}/{key}"
    assert prompt.seconds == pytest.approx(0.5, abs=0.1)
    for ending in ("ulaw", "alaw"):
        assert level_at(g711(bench.directory / f"{key}.{ending}"), hz) == pytest.approx(-20, abs=2)


async def test_nothing_of_the_url_is_written_down(bench: Bench) -> None:
    await bench.get("/hello.wav?to=14155550123&token=secret")
    for path in bench.directory.iterdir():
        assert not [
            word
            for word in ("14155550123", "secret", "127.0.0.1", "hello.wav")
            if word in path.name or word.encode() in path.read_bytes()
        ]


async def test_it_is_fetched_once(bench: Bench) -> None:
    first = await bench.get()
    assert await bench.get(within=0) == first
    assert len(bench.origin.requests) == 1


async def test_all_who_want_it_at_once_share_one_fetch(bench: Bench) -> None:
    async with asyncio.TaskGroup() as group:
        calls = [group.create_task(bench.get()) for _ in range(20)]
    assert {type(call.result()) for call in calls} == {Prompt}
    assert len(bench.origin.requests) == 1


async def test_what_was_prefetched_is_there_at_once(bench: Bench) -> None:
    bench.prompts.prefetch([f"{bench.origin.url}/{name}" for name in ("a", "b", "a")])
    await fetches_are_done()
    assert isinstance(await bench.get("/a", within=0), Prompt)
    assert isinstance(await bench.get("/b", within=0), Prompt)
    assert len(bench.origin.requests) == 2


async def test_a_call_does_not_wait_longer_than_it_said_and_the_next_one_has_it(
    bench: Bench,
) -> None:
    released = asyncio.Event()

    async def slow(_request: web.Request) -> web.Response:
        await released.wait()
        return web.Response(body=HELLO)

    bench.origin.answer = slow
    for within in (0, 0.05):
        assert await bench.get(within=within) == NoPrompt("not-in-time")
    released.set()
    assert isinstance(await bench.get(), Prompt)
    assert len(bench.origin.requests) == 1


async def test_a_call_that_ends_ends_no_fetch(bench: Bench) -> None:
    released = asyncio.Event()

    async def slow(_request: web.Request) -> web.Response:
        await released.wait()
        return web.Response(body=HELLO)

    bench.origin.answer = slow
    async with asyncio.TaskGroup() as group:
        call = group.create_task(bench.get())
        await bench.origin.asked.wait()
        call.cancel()
    released.set()
    assert isinstance(await bench.get(), Prompt)
    assert len(bench.origin.requests) == 1


@pytest.mark.parametrize(
    ("given", "asked"),
    [
        ({"ETag": '"v1"'}, {"If-None-Match": '"v1"'}),
        (
            {"Last-Modified": "Mon, 06 Jul 2026 10:00:00 GMT"},
            {"If-Modified-Since": "Mon, 06 Jul 2026 10:00:00 GMT"},
        ),
    ],
    ids=["ETag", "Last-Modified"],
)
async def test_an_old_copy_is_played_at_once_and_its_server_asked_meanwhile(
    bench: Bench, given: dict[str, str], asked: dict[str, str]
) -> None:
    bench.origin.answer = says(200, HELLO, **given)
    first = await bench.get()
    bench.origin.answer = says(304)
    bench.clock.time += LIMITS.max_age
    assert await bench.get(within=0) == first
    await fetches_are_done()
    assert await bench.get(within=0) == first
    assert len(bench.origin.requests) == 2
    assert asked.items() <= dict(bench.origin.requests[1].headers).items()
    assert level_at(g711(bench.sound()), 440) == pytest.approx(-20, abs=1)


async def test_what_has_changed_is_heard_by_the_next_call(bench: Bench) -> None:
    bench.origin.answer = says(200, HELLO, ETag='"v1"')
    await bench.get()
    bench.origin.answer = says(200, GOODBYE, ETag='"v2"')
    bench.clock.time += LIMITS.max_age
    await bench.get()
    await fetches_are_done()
    assert isinstance(await bench.get(within=0), Prompt)
    assert level_at(g711(bench.sound()), 1000) == pytest.approx(-20, abs=2)


async def test_what_is_the_same_is_not_converted_again(bench: Bench) -> None:
    """From a server that knows neither ETag nor Last-Modified."""
    await bench.get()
    written = bench.sound().stat()
    bench.clock.time += LIMITS.max_age
    await bench.get()
    await fetches_are_done()
    assert len(bench.origin.requests) == 2
    assert bench.sound().stat().st_ino == written.st_ino


@pytest.mark.parametrize("etag", ["\u00e9", "a" * 600])
async def test_an_odd_version_is_not_sent_back(bench: Bench, etag: str) -> None:
    bench.origin.answer = says(200, HELLO, ETag=etag)
    await bench.get()
    bench.clock.time += LIMITS.max_age
    await bench.get()
    await fetches_are_done()
    assert "If-None-Match" not in bench.origin.requests[1].headers


async def test_a_copy_outlives_its_server(bench: Bench) -> None:
    first = await bench.get()
    bench.origin.answer = says(500)
    for _ in range(3):
        bench.clock.time += LIMITS.max_age
        assert await bench.get(within=0) == first
        await fetches_are_done()
        assert await bench.get(within=0) == first
    assert len(bench.origin.requests) == 4


@pytest.mark.parametrize("status", [404, 410])
async def test_what_its_owner_took_away_is_played_no_more(bench: Bench, status: int) -> None:
    await bench.get()
    bench.origin.answer = says(status)
    bench.clock.time += LIMITS.max_age
    await bench.get()
    await fetches_are_done()
    assert await bench.get() == NoPrompt(f"http-{status}")
    assert list(bench.directory.iterdir()) == []


async def test_a_failure_is_remembered_for_a_while(bench: Bench) -> None:
    bench.origin.answer = says(503)
    for _ in range(3):
        assert await bench.get() == NoPrompt("http-503")
    assert len(bench.origin.requests) == 1
    bench.origin.answer = says(200, HELLO)
    bench.clock.time += LIMITS.retry_after
    assert isinstance(await bench.get(), Prompt)


@pytest.mark.parametrize(
    ("reason", "behaviour"),
    [
        ("http-403", says(403)),
        ("http-206", says(206, HELLO[:1000])),
        ("not-audio", says(200, b"<html>Sign in</html>", Content_Type="audio/mpeg")),
        ("not-audio", says(200, b"")),
        ("not-audio", says(304)),
        ("not-audio", says(200, GOODBYE[:4] + bytes(1000))),
        ("too-long", says(200, wav(tone(2.5)))),
        ("too-large", says(200, wav(tone(4)))),
        ("too-large", never_ends),
        ("broken-answer", hangs_up),
        ("address-not-allowed", says(302, Location="http://169.254.169.254/latest/meta-data/")),
        ("too-many-redirects", says(302, Location="/hello.wav")),
    ],
)
async def test_what_cannot_be_had_is_said_in_a_word(
    bench: Bench, reason: str, behaviour: Any
) -> None:
    bench.origin.answer = behaviour
    assert await bench.get() == NoPrompt(reason)
    assert list(bench.directory.iterdir()) == []


async def test_a_compressed_prompt_is_not_blown_up(bench: Bench) -> None:
    async def bomb(_request: web.Request) -> web.Response:
        response = web.Response(body=bytes(10_000_000))
        response.enable_compression(web.ContentCoding.gzip)
        return response

    bench.origin.answer = bomb
    assert await bench.get() == NoPrompt("not-audio")


async def test_a_server_that_hangs_is_given_up(tmp_path: Path) -> None:
    limits = dataclasses.replace(LIMITS, fetch_within=0.1)
    async with Origin.serving() as origin, library(tmp_path, Clock(), limits) as prompts:
        origin.answer = hangs
        assert await prompts.get(origin.url, within=30) == NoPrompt("timed-out")


async def test_loopback_is_not_asked_unless_it_is_allowed(tmp_path: Path) -> None:
    async with (
        Origin.serving() as origin,
        library(tmp_path, Clock(), rules=EgressRules()) as prompts,
    ):
        assert await prompts.get(origin.url, within=30) == NoPrompt("address-not-allowed")
        assert origin.requests == []


async def test_a_restart_finds_what_was_there(bench: Bench) -> None:
    first = await bench.get()
    async with library(bench.directory, bench.clock) as prompts:
        assert await prompts.get(f"{bench.origin.url}/hello.wav", within=0) == first
    assert len(bench.origin.requests) == 1


async def test_what_somebody_removed_is_fetched_again(bench: Bench) -> None:
    await bench.get()
    for path in bench.directory.iterdir():
        path.unlink()
    assert isinstance(await bench.get(), Prompt)
    assert bench.sound().exists()


async def test_no_room_on_disk_is_no_prompt_and_no_more(bench: Bench) -> None:
    bench.directory.rmdir()
    assert await bench.get() == NoPrompt("storage-failed")
    bench.directory.mkdir()
    bench.clock.time += LIMITS.retry_after
    assert isinstance(await bench.get(), Prompt)


async def test_there_is_an_end_to_what_is_fetched_at_once(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bridge.prompts.library._UNDER_WAY", 1)
    bench.origin.answer = hangs
    bench.prompts.prefetch([f"{bench.origin.url}/slow"])
    assert await bench.get() == NoPrompt("too-busy")


async def test_who_waits_while_it_stops_is_told(tmp_path: Path) -> None:
    async with Origin.serving() as origin, asyncio.TaskGroup() as group:
        origin.answer = hangs
        async with library(tmp_path, Clock()) as prompts:
            call = group.create_task(prompts.get(origin.url, within=60))
            await origin.asked.wait()
        assert await call == NoPrompt("stopping")
        assert await prompts.get(origin.url, within=60) == NoPrompt("stopping")
        assert list(tmp_path.iterdir()) == []
