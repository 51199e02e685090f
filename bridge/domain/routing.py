"""One inbound call: whom to ring, or why nobody."""

import dataclasses
from datetime import datetime

from bridge.domain.numbers import PhoneNumber
from bridge.domain.sessions import Session, Side


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Lookup:
    """What the store knows of a (caller, virtual number) pair at ``now``, its own clock."""

    now: datetime
    number_in_service: bool
    """Whether the dialled number is one of ours and takes calls."""
    session: Session | None = None
    """The session that holds, or last held, the pair."""
    caller_side: Side | None = None
    calls_up: int = 0
    """Other calls of that session that have not ended."""


@dataclasses.dataclass(frozen=True, slots=True)
class Connect:
    """Ring ``callee``, who is to see ``caller_id``.  Nothing else crosses to the other leg."""

    session: Session
    callee: PhoneNumber
    caller_id: PhoneNumber


@dataclasses.dataclass(frozen=True, slots=True)
class Refuse:
    """Connect nobody, and do not answer."""

    reason: str


def route(lookup: Lookup) -> Connect | Refuse:
    """Decide an inbound call.  Whoever is not a party of a live session is refused."""
    if not lookup.number_in_service:
        return Refuse("number-not-in-service")
    if lookup.session is None or lookup.caller_side is None:
        return Refuse("unknown-caller")
    if not lookup.session.is_live(lookup.now):
        return Refuse("session-expired")
    if lookup.calls_up:
        return Refuse("session-busy")
    return Connect(
        lookup.session,
        callee=lookup.session.party(lookup.caller_side.other),
        caller_id=lookup.session.virtual_number,
    )
