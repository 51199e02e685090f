"""What is said to one party while the other waits: prompts, and what the keys answer."""

from collections.abc import Iterable, Sequence
from typing import Protocol

import structlog

from bridge.aio import race
from bridge.ari.errors import AriError
from bridge.ari.leg import Leg
from bridge.domain.announcements import Announcement
from bridge.domain.prompts import NoPrompt, Prompt
from bridge.domain.sessions import AnswerGuard

log = structlog.get_logger(__name__)

_PROMPT_WAIT = 2.0  # seconds that a prompt gets to be at hand; the call goes on without it
_GUARD_ASKS = 2  # times that whoever answers is asked to accept
_GUARD_WAIT = 5.0  # seconds for a key after each


class Prompts(Protocol):
    """Sounds by URL."""

    async def get(self, url: str, *, within: float) -> Prompt | NoPrompt:
        """The sound, in ``within`` seconds at the latest, or why there is none."""

    def prefetch(self, urls: Iterable[str]) -> None:
        """See to it that they are at hand soon."""


async def say(leg: Leg, url: str | None, prompts: Prompts) -> None:
    """Let the party hear the prompt, answering its call if need be; return at its end.

    A prompt that cannot be had is skipped and logged: no call fails for want of one.
    """
    if url is None:
        return
    prompt = await prompts.get(url, within=_PROMPT_WAIT)
    if isinstance(prompt, NoPrompt):
        log.warning("prompt skipped", reason=prompt.reason)
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
        log.warning("caller hears nothing", error=str(error))


async def accepts(callee: Leg, guard: AnswerGuard) -> bool:
    """Whether a person has answered, as far as the guard can tell; ``False`` also if it hangs up.

    A mailbox presses no key, and so is never connected.
    """
    if guard is AnswerGuard.NONE:
        return not callee.state.ended
    for _ in range(_GUARD_ASKS):
        key = await _key_while(callee, Announcement.PRESS_1_TO_ACCEPT.media)
        if key is not None:
            return key == "1"
        if callee.state.ended:
            break
    return False


def time_left(seconds: float) -> Sequence[str]:
    """How both are told that their time is running out: in words if it is a minute, else a beep."""
    return Announcement.ONE_MINUTE_LEFT.media if seconds == 60 else ("sound:beep",)


async def _key_while(leg: Leg, media: Sequence[str]) -> str | None:
    """The first key pressed while sounds are played, or soon after; it ends them."""
    pressed: list[str] = []

    async def press() -> None:
        pressed.append(await leg.digit())

    if await race(ended=leg.ended(), pressed=press(), played=leg.play(media)) == "played":
        await race(ended=leg.ended(), pressed=press(), within=_GUARD_WAIT)
    return pressed[0] if pressed else None
