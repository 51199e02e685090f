"""What Asterisk's dialplan keeps of a leg that ended while nobody of ours was there.

Its context ``couple`` writes it into a global variable of the leg's own, once the last heartbeat is
older than `BLIND`; so nothing has to be cleared up after the calls that we do see.
"""

import base64
import binascii
import dataclasses
import re
from datetime import UTC, datetime, timedelta
from typing import Final

BLIND: Final = timedelta(seconds=2)
"""For so long after the last heartbeat the dialplan takes us for alive, and keeps nothing."""

JOINED: Final = "JOINED"
"""A leg's variable: the Unix time from which on it was joined to the other."""

SAID: Final = "SAID"
"""A leg's variable: with what status line it was failed, in Base64 behind a colon."""

_TIME: Final = r"[0-9]{1,10}(?:\.[0-9]+)?"
_WORD: Final = re.compile(
    rf"(?P<at>{_TIME}) (?P<cause>[0-9]{{1,4}}) ?(?P<joined>{_TIME})?"
    r"(?: :(?P<said>[A-Za-z0-9+/=-]*))?"
)
_STATUS_LINE: Final = re.compile(r":SIP (?P<code>[3-6][0-9][0-9])\b\s*(?P<phrase>.*)", re.S)


@dataclasses.dataclass(frozen=True, slots=True)
class Said:
    """What the far end said as it failed a leg.  Not its words: they may hold a number."""

    sip_code: int | None = None
    """Final SIP status of the INVITE."""
    network_blocked: bool = False
    """The reason phrase was "Network Blocked" (ATIS-1000099)."""


def read_said(value: str) -> Said:
    """From the variable `SAID`; nothing is known where it is empty or cannot be read."""
    try:
        text = base64.b64decode(value, validate=True).decode(errors="replace")
    except (binascii.Error, ValueError):  # also for what is not ASCII
        return Said()
    found = _STATUS_LINE.fullmatch(text)
    if found is None:
        return Said()
    return Said(int(found["code"]), found["phrase"].lower().split() == ["network", "blocked"])


@dataclasses.dataclass(frozen=True, slots=True)
class LastWord:
    """How one leg ended."""

    at: datetime
    cause: int | None
    """ITU-T Q.850; ``None`` where Asterisk had none."""
    joined_at: datetime | None
    """Since when it was joined to the other; ``None``: it was not."""
    said: Said = Said()


def ended_variable(channel_id: str) -> str:
    """Name of the global variable in which the leg's last word is."""
    return f"BRIDGE_ENDED_{channel_id}"


def read(value: str) -> LastWord | None:
    """From ``seconds.microseconds cause joined :said``, the last two being optional.

    ``None`` where there is no word, or it cannot be read.
    """
    found = _WORD.fullmatch(value)
    if found is None:
        return None
    return LastWord(
        _time(found["at"]),
        int(found["cause"]) or None,
        _time(found["joined"]) if found["joined"] else None,
        read_said(found["said"] or ""),
    )


def joined_at(value: str) -> datetime | None:
    """From a leg's variable `JOINED`; ``None`` where it has none."""
    return _time(value) if re.fullmatch(_TIME, value) else None


def _time(seconds: str) -> datetime:
    return datetime.fromtimestamp(float(seconds), UTC)


def latest_end(unseen_since: datetime | None, started_at: datetime, *, now: datetime) -> datetime:
    """When a leg that is gone, and left no word, ended at the latest.

    ``unseen_since``: the last heartbeat before the gap in which it ended; ``None`` where that is
    not known, or the dialplan keeps no words.
    """
    if unseen_since is None or unseen_since < started_at:
        return now
    return min(now, unseen_since + BLIND)
