"""What an application says of a call: connect it, refuse it, or send it elsewhere."""

import dataclasses
import enum
import uuid
from typing import Any, TypeAlias

from bridge.domain.causes import Cause
from bridge.domain.egress import LONGEST_GIVEN_URL, EgressRules, Fault
from bridge.domain.numbers import PhoneNumber
from bridge.domain.sessions import Side


@dataclasses.dataclass(frozen=True, slots=True)
class Webhook:
    """Whom to ask about a call."""

    account: str
    """Whose it is."""
    url: str
    backup_url: str | None = None
    """Asked where the other does not answer in time, or nothing that can be understood."""
    allows_by_default: bool = False
    """Whether the call goes on where neither does."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A call that is about to be connected, or refused for want of a session."""

    call_id: uuid.UUID
    caller: PhoneNumber | None
    virtual_number: str
    """As it was dialled."""
    session: uuid.UUID | None = None
    """``None``, like what follows: the caller is no party of a live session on this number."""
    caller_side: Side | None = None
    callee: PhoneNumber | None = None


class RefusedAs(enum.StrEnum):
    """What a caller is told whom the application refuses."""

    REJECTED = "rejected"
    BUSY = "busy"
    UNAVAILABLE = "unavailable"
    CONGESTION = "congestion"

    @property
    def cause(self) -> Cause:
        return _CAUSES[self]


_CAUSES = {
    RefusedAs.REJECTED: Cause.CALL_REJECTED,
    RefusedAs.BUSY: Cause.USER_BUSY,
    RefusedAs.UNAVAILABLE: Cause.NO_ANSWER,
    RefusedAs.CONGESTION: Cause.CONGESTION,
}


@dataclasses.dataclass(frozen=True, slots=True)
class Allow:
    """Connect the call; where there was no session, because there is one now."""


@dataclasses.dataclass(frozen=True, slots=True)
class Deny:
    """Do not."""

    told: RefusedAs = RefusedAs.REJECTED
    play: str | None = None
    """URL of what the caller hears instead."""


@dataclasses.dataclass(frozen=True, slots=True)
class Redirect:
    """Connect the caller to another number."""

    number: PhoneNumber
    play: str | None = None
    """URL of what the caller hears while that phone rings."""


Advice: TypeAlias = Allow | Deny | Redirect


class NoAdvice(Exception):
    """What came is no advice to be followed; ``reason`` is a word that holds nothing of it."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def read_advice(content: Any) -> Advice:
    """An application's answer, as JSON: ``action`` is ``allow``, ``refuse`` or ``redirect``.

    With ``refuse`` go ``cause`` (one of `RefusedAs`) and ``play_url``; with ``redirect`` go
    ``number`` (E.164) and ``play_url``.  What is not known is passed over.

    A refusal is one however wrong its details are: where the default is to go on, a call would be
    connected that was refused.

    Raises:
        NoAdvice: it says nothing that can be done.
    """
    match content:
        case {"action": "allow"}:
            return Allow()
        case {"action": "refuse"}:
            return Deny(_cause(content.get("cause")), _url(content.get("play_url")))
        case {"action": "redirect"}:
            return Redirect(_number(content.get("number")), _url(content.get("play_url")))
    raise NoAdvice("no-action")


def _cause(value: Any) -> RefusedAs:
    try:
        return RefusedAs(value)
    except ValueError:
        return RefusedAs.REJECTED


def _number(value: Any) -> PhoneNumber:
    try:
        return PhoneNumber(value).canonical
    except (TypeError, ValueError):
        raise NoAdvice("no-number") from None


def _url(value: Any) -> str | None:
    """What is none, such as text that is no Unicode and could not even be written down, is skipped
    like any prompt that cannot be had."""
    if not isinstance(value, str):
        return None
    fault = EgressRules().fault(value, longest=LONGEST_GIVEN_URL)
    return None if fault in {Fault.MALFORMED, Fault.TOO_LONG, Fault.SCHEME} else value
