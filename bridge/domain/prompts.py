"""What a call gets when it asks for the sound behind a URL."""

import dataclasses


@dataclasses.dataclass(frozen=True, slots=True)
class Prompt:
    """A sound that is ready to be played.

    Args:
        media: what Asterisk is told to play, ``sound:/…``.
        seconds: how long it lasts.
    """

    media: str
    seconds: float


@dataclasses.dataclass(frozen=True, slots=True)
class NoPrompt:
    """There is none, and the call goes on without.

    ``reason`` is ``not-in-time``, ``http-404`` and the like, or another word of what went wrong;
    nothing of the URL.
    """

    reason: str


@dataclasses.dataclass(frozen=True, slots=True)
class MissedPrompt:
    """What a call should have played and had to do without."""

    url: str
    reason: str
    """As in `NoPrompt`."""
