"""What a call has to tell, worked out from its rows, and from nothing else."""

import math
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

Row = Mapping[str, Any]


def to_tell(call: Row) -> Sequence[str]:
    """Names of the events of a call that came in, as its rows have it."""
    if call["disposition"] == "refused":
        return []
    caller, callee = ("First", "Second") if call["caller_side"] == "first" else ("Second", "First")
    names = [f"Session{caller}PartyHangup", "SessionPartiesHangup"]
    if call["a_answered"]:
        names.append(f"Session{caller}PartyAnswer")
    if call["has_b"]:
        names.append(f"Session{callee}PartyHangup")
    if call["b_rang"]:
        names.append("SessionSecondPartyRing" if callee == "Second" else "SessionFirstPartyRinging")
    if call["b_answered"]:
        names.append(f"Session{callee}PartyAnswer")
    return names


def to_charge(call: Row) -> Mapping[str, Mapping[str, Any]]:
    """What the hang-up events must say of time and money."""
    caller, callee = ("First", "Second") if call["caller_side"] == "first" else ("Second", "First")
    talked = {leg: _seconds(call[f"{leg}_answered"], call[f"{leg}_ended"]) for leg in "ab"}
    billed = {leg: call[f"{leg}_billed"] or 0 for leg in "ab"}
    return {
        f"Session{caller}PartyHangup": {"Duration": talked["a"], "BilledDuration": billed["a"]},
        f"Session{callee}PartyHangup": {"Duration": talked["b"], "BilledDuration": billed["b"]},
        "SessionPartiesHangup": {
            "Duration": sum(talked.values()),
            "BilledDuration": sum(billed.values()),
        },
    }


def _seconds(answered_at: datetime | None, ended_at: datetime | None) -> int:
    if answered_at is None or ended_at is None:
        return 0
    return math.ceil((ended_at - answered_at).total_seconds())
