"""The application that is told of calls: keeps what it was told, and misbehaves on command."""

import asyncio
import contextlib
import dataclasses
import threading
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from urllib.parse import parse_qsl

from aiohttp import web

from tests.fakes.origin import Behaviour, Origin, hangs, hangs_up_half_way, says, slowly


@dataclasses.dataclass(frozen=True, slots=True)
class Mood:
    """What a receiver does with a request."""

    name: str
    behaviour: Behaviour | None
    """``None``: it is not there; connections are refused."""
    takes: bool
    """It has the event, whether or not the sender gets to know."""


WELL = Mood("well", says(200), takes=True)
AWAY = Mood("away", None, takes=False)
SLOW = Mood("slow", slowly(0.3, says(200)), takes=True)
FAILING = Mood("answers 500", says(500), takes=False)
HALF_WAY = Mood("closes half-way", hangs_up_half_way, takes=True)
HANGING = Mood("hangs", hangs, takes=False)


@dataclasses.dataclass(frozen=True, slots=True)
class Receipt:
    """One request, as it came."""

    at: datetime
    url: str
    form: Mapping[str, str]
    nonce: str
    signature: str
    taken: bool

    @property
    def session(self) -> str:
        return self.form["SessionUUID"]

    @property
    def sequence(self) -> int:
        return int(self.form["SequenceNumber"])


class Receiver:
    """Serves in a thread of its own, for the length of `serving`."""

    def __init__(self, host: str) -> None:
        self.receipts: list[Receipt] = []
        self.url = ""
        self._host = host
        self._mood = WELL
        self._origin: Origin
        self._loop: asyncio.AbstractEventLoop
        self._over: asyncio.Event

    @contextlib.contextmanager
    def serving(self) -> Iterator["Receiver"]:
        up = threading.Event()
        thread = threading.Thread(target=lambda: asyncio.run(self._serve(up)), daemon=True)
        thread.start()
        if not up.wait(10):
            raise RuntimeError("the receiver did not start")
        try:
            yield self
        finally:
            self._loop.call_soon_threadsafe(self._over.set)
            thread.join(10)

    def has_moods(self, moods: Sequence[tuple[float, Mood]]) -> None:
        """Go through them, each for so many seconds, and be well again.  Does not wait."""
        asyncio.run_coroutine_threadsafe(self._go_through(moods), self._loop)

    @property
    def mood(self) -> Mood:
        return self._mood

    async def _serve(self, up: threading.Event) -> None:
        self._loop, self._over = asyncio.get_running_loop(), asyncio.Event()
        async with Origin.serving(self._host) as self._origin:
            self._origin.answer = self._answer
            self.url = f"{self._origin.url}/events"
            up.set()
            await self._over.wait()

    async def _go_through(self, moods: Sequence[tuple[float, Mood]]) -> None:
        for seconds, mood in (*moods, (0.0, WELL)):
            if mood is AWAY:
                await self._origin.goes_away()
            elif self._mood is AWAY:
                await self._origin.comes_back()
            self._mood = mood
            await asyncio.sleep(seconds)

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        mood = self._mood
        form = dict(parse_qsl((await request.read()).decode()))
        self.receipts.append(
            Receipt(
                at=datetime.now(UTC),
                url=str(request.url),
                form=form,
                nonce=request.headers["X-Plivo-Signature-V3-Nonce"],
                signature=request.headers["X-Plivo-Signature-V3"],
                taken=mood.takes,
            )
        )
        behaviour = mood.behaviour or says(503)
        return await behaviour(request)
