"""What is said to one party while the other waits: prompts, and what the keys answer."""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Protocol

import structlog

from bridge.aio import race
from bridge.ari.errors import AriError
from bridge.ari.leg import Leg
from bridge.domain.announcements import Announcement
from bridge.domain.pins import Wrong
from bridge.domain.prompts import MissedPrompt, NoPrompt, Prompt
from bridge.domain.routing import AskPin, Lookup
from bridge.domain.sessions import AnswerGuard

log = structlog.get_logger(__name__)

_PROMPT_WAIT = 2.0  # seconds that a prompt gets to be at hand; the call goes on without it
_GUARD_ASKS = 2  # times that whoever answers is asked to accept
_GUARD_WAIT = 5.0  # seconds for a key after each
_KEY_WAIT = 3.0  # seconds between two digits of a PIN


class Prompts(Protocol):
    """Sounds by URL."""

    async def get(self, url: str, *, within: float) -> Prompt | NoPrompt:
        """The sound, in ``within`` seconds at the latest, or why there is none."""

    def prefetch(self, urls: Iterable[str]) -> None:
        """See to it that they are at hand soon."""


class NotingPrompts:
    """Prompts, and which of them a call had to do without."""

    def __init__(self, prompts: Prompts, missed: list[MissedPrompt]) -> None:
        self._prompts = prompts
        self._missed = missed

    async def get(self, url: str, *, within: float) -> Prompt | NoPrompt:
        prompt = await self._prompts.get(url, within=within)
        if isinstance(prompt, NoPrompt):
            log.warning("prompt skipped", reason=prompt.reason)
            if url not in {one.url for one in self._missed}:
                self._missed.append(MissedPrompt(url, prompt.reason))
        return prompt

    def prefetch(self, urls: Iterable[str]) -> None:
        self._prompts.prefetch(urls)


async def say(leg: Leg, url: str | None, prompts: Prompts) -> None:
    """Let the party hear the prompt, answering its call if need be; return at its end.

    A prompt that cannot be had is skipped: no call fails for want of one.
    """
    if url is None:
        return
    prompt = await prompts.get(url, within=_PROMPT_WAIT)
    if isinstance(prompt, NoPrompt):
        return
    if not leg.state.answered:
        await leg.answer()
    await leg.play([prompt.media])


async def entertain(caller: Leg, url: str | None, prompts: Prompts) -> None:
    """What the caller hears while the callee's phone rings: its prompt, and then ringback."""
    try:
        await say(caller, url, prompts)
        if caller.state.answered:  # its network makes no ringback any more
            await caller.ring()
    except AriError as error:
        log.warning("caller hears nothing", error=error)


async def accepts(callee: Leg, guard: AnswerGuard) -> bool:
    """Whether a person has answered, as far as the guard can tell; ``False`` also if it hangs up.

    A mailbox presses no key, and so is never connected.
    """
    if guard is AnswerGuard.NONE:
        return not callee.state.ended
    for _ in range(_GUARD_ASKS):
        key = await key_while(callee, Announcement.PRESS_1_TO_ACCEPT.media, within=_GUARD_WAIT)
        if key is not None:
            return key == "1"
        if callee.state.ended:
            break
    return False


def time_left(seconds: float) -> Sequence[str]:
    """How both are told that their time is running out: in words if it is a minute, else a beep."""
    return Announcement.ONE_MINUTE_LEFT.media if seconds == 60 else ("sound:beep",)


async def ask_pin(
    caller: Leg,
    question: AskPin,
    prompts: Prompts,
    check: Callable[[str, int], Awaitable[Lookup | Wrong]],
) -> Lookup | None:
    """Ask a caller for a PIN as often as it may try; what the right one leads to, else ``None``.

    Where too many were wrong of late, it hears ringback before it is asked.

    A key ends the question at once; ``#``, the last digit that a PIN can have, or a pause ends the
    PIN.  No input counts as a try, but not as a wrong PIN.  What is typed is never written down.

    ``check``: given what was typed, which may be nothing, and how often it was asked before.
    """
    if question.pause:
        await ring_for(caller, question.pause)
        if caller.state.ended:
            return None
    if not caller.state.answered:
        await caller.answer()
    asks = await _sound(question.prompt, prompts, otherwise=Announcement.ENTER_PIN)
    for retry in range(question.retries + 1):
        pin = await _pin_while(caller, asks, longest=question.length, within=question.wait)
        if caller.state.ended:
            return None
        found = await check(pin, retry)
        if isinstance(found, Lookup):
            return found
        if pin:
            wrong = await _sound(question.incorrect, prompts, otherwise=Announcement.INCORRECT_PIN)
            await caller.play(wrong)
        if retry < question.retries and found.wait:
            await ring_for(caller, found.wait)
    return None


async def ring_for(caller: Leg, seconds: float) -> None:
    """Let the caller hear ringback, answered or not, for so long, or until it hangs up."""
    await caller.ring()
    await race(ended=caller.ended(), within=seconds)
    if caller.state.answered and not caller.state.ended:
        await caller.stop_ringing()


async def _sound(url: str | None, prompts: Prompts, *, otherwise: Announcement) -> Sequence[str]:
    prompt = await prompts.get(url, within=_PROMPT_WAIT) if url else None
    return [prompt.media] if isinstance(prompt, Prompt) else otherwise.media


async def _pin_while(leg: Leg, media: Sequence[str], *, longest: int, within: float) -> str:
    """What is typed during the question, or begun ``within`` seconds after it; may be nothing."""
    key = await key_while(leg, media, within=within)
    if key == "#":  # of the PIN before, which was complete without it
        key = await _key(leg, within=within)
    typed = ""
    while key is not None and key != "#":
        typed += key
        if len(typed) == longest:
            break
        key = await _key(leg, within=_KEY_WAIT)
    return typed


async def key_while(leg: Leg, media: Sequence[str], *, within: float) -> str | None:
    """The first key pressed while sounds are played, which ends them, or ``within`` after."""
    pressed: list[str] = []

    async def press() -> None:
        pressed.append(await leg.digit())

    await race(ended=leg.ended(), pressed=press(), played=leg.play(media))
    return pressed[0] if pressed else await _key(leg, within=within)


async def _key(leg: Leg, *, within: float) -> str | None:
    pressed: list[str] = []

    async def press() -> None:
        pressed.append(await leg.digit())

    await race(ended=leg.ended(), pressed=press(), within=within)
    return pressed[0] if pressed else None
