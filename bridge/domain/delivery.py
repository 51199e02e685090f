"""What becomes of an event after a request with it: sent, to be sent again later, or dead."""

import dataclasses
import enum
from collections.abc import Mapping
from urllib.parse import parse_qsl, urlsplit

_FIRST_DELAY = 1.0
_LONGEST_DELAY = 300.0
_LONGEST_TOTAL = 60.0  # seconds; Plivo's own is 55


class Kind(enum.StrEnum):
    """What a request failed of, in the words in which a URL's fragment says what to try again."""

    CONNECT = "ct"
    READ = "rt"
    CLIENT_ERROR = "4xx"
    SERVER_ERROR = "5xx"
    OTHER = "other"
    """A redirect, or an address that is not allowed: no fragment can name it but with ``all``."""


_ALL = "all"
_NAMES = {_ALL, *(kind.value for kind in Kind if kind is not Kind.OTHER)}


@dataclasses.dataclass(frozen=True, slots=True)
class Failure:
    """Why a request did not bring its event home."""

    reason: str
    """Kebab-case, such as ``http-500``; nothing of the URL, nothing of the answer's body."""
    kinds: frozenset[Kind]
    """More than one where it cannot be told: time ran out, before or after the connection."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """How an event is sent.  Times are in seconds."""

    connect_within: float = 5.0
    within: float = 15.0
    """In all."""
    max_age: float = 86400.0
    """After this no more attempts are made; there is always one."""
    retries: int | None = None
    """``None``: as many as there is time for."""
    retried: frozenset[Kind] = frozenset(Kind)


@dataclasses.dataclass(frozen=True, slots=True)
class Delivered:
    """The receiver has said that it has it."""


@dataclasses.dataclass(frozen=True, slots=True)
class Retry:
    """To be sent again after so many seconds."""

    delay: float
    reason: str


@dataclasses.dataclass(frozen=True, slots=True)
class Dead:
    """Not to be sent again, unless somebody asks for it."""

    reason: str


Verdict = Delivered | Retry | Dead


def rules_for(url: str, defaults: Rules) -> Rules:
    """The rules with what the URL's fragment says: ``#ct=2000&rt=5000&tt=9000&rc=3&rp=5xx,ct``.

    Plivo's settings: milliseconds to connect (``ct``, 100 to 10000), to answer (``rt``, 100 to
    40000) and in all (``tt``, to 60000), retries (``rc``, 0 to 5), and what is tried again
    (``rp``).  What is out of its range is brought into it; what is no setting says nothing.
    """
    given = dict(parse_qsl(urlsplit(url).fragment))
    connect = _seconds(given, "ct", highest=10.0)
    answer = _seconds(given, "rt", highest=40.0)
    total = _seconds(given, "tt", highest=_LONGEST_TOTAL)
    connect_within = connect or defaults.connect_within
    within = total or (connect_within + answer if answer else defaults.within)
    named = {name.strip().lower() for name in given.get("rp", "").split(",")} & _NAMES or {_ALL}
    return dataclasses.replace(
        defaults,
        connect_within=min(connect_within, within),
        within=within,
        retries=_number(given, "rc", lowest=0, highest=5),
        retried=frozenset(kind for kind in Kind if named & {_ALL, kind.value}),
    )


def of_status(status: int) -> Failure | None:
    """``None``: an answer of 2xx, which means that the receiver has it."""
    match status // 100:
        case 2:
            return None
        case 4:
            kind = Kind.CLIENT_ERROR
        case 5:
            kind = Kind.SERVER_ERROR
        case _:
            kind = Kind.OTHER
    return Failure(f"http-{status}", frozenset({kind}))


def verdict(
    failure: Failure | None, rules: Rules, *, attempt: int, age: float, chance: float
) -> Verdict:
    """What follows from an attempt.

    Args:
        attempt: counted from 1.
        age: seconds since the event was due first.
        chance: from 0 to 1, so that not everybody comes again at the same moment.
    """
    if failure is None:
        return Delivered()
    delay = back_off(attempt, chance)
    used_up = rules.retries is not None and attempt > rules.retries
    if used_up or not failure.kinds & rules.retried or age + delay > rules.max_age:
        return Dead(failure.reason)
    return Retry(delay, failure.reason)


def back_off(attempt: int, chance: float) -> float:
    """Seconds until the next attempt: 1, 2, 4 and so on to 300, less up to half of it."""
    ceiling = min(_FIRST_DELAY * 2.0 ** min(attempt - 1, 30), _LONGEST_DELAY)
    return ceiling * (1 - chance / 2)


def _seconds(given: Mapping[str, str], name: str, *, highest: float) -> float | None:
    milliseconds = _number(given, name, lowest=100, highest=int(highest * 1000))
    return None if milliseconds is None else milliseconds / 1000


def _number(given: Mapping[str, str], name: str, *, lowest: int, highest: int) -> int | None:
    text = given.get(name, "")
    if not (text.isascii() and text.isdigit()):
        return None
    return min(max(int(text[:9]), lowest), highest)
