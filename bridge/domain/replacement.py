"""A virtual number that does its sessions no good any more, and others in its place."""

import dataclasses
import uuid
from collections.abc import Sequence
from datetime import datetime

from bridge.domain.allocation import Claim, Need
from bridge.domain.numbers import PhoneNumber
from bridge.domain.reports import SessionReport
from bridge.domain.requests import Refusal
from bridge.domain.sessions import Side


@dataclasses.dataclass(frozen=True, slots=True)
class Replaced:
    """A session that has another number now."""

    session: uuid.UUID
    virtual_number: PhoneNumber
    second_virtual_number: PhoneNumber | None


@dataclasses.dataclass(frozen=True, slots=True)
class NotReplaced:
    """A session that keeps its number, for there is none in its place."""

    session: uuid.UUID
    refusal: Refusal


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Replacement:
    """What became of some of a number's sessions."""

    replaced: Sequence[Replaced]
    not_replaced: Sequence[NotReplaced]
    next: tuple[datetime, uuid.UUID] | None
    """The last session that was looked at, if others come after it."""


def claim_instead(report: SessionReport, bad: PhoneNumber, instead: PhoneNumber | None) -> Claim:
    """What a session needs in place of a number, and nothing if it does not have it.

    Its PINs stay, for people have them.

    Args:
        instead: this number and no other; ``None``: any of the same country.
    """
    session = report.session

    def need(sides: Sequence[Side]) -> Need:
        return Need(
            callers=[(number, side) for side in sides for number in session.numbers(side)],
            anybody=session.missing_side if report.takes_anybody else None,
            pin_sides=[side for side in sides if report.pins and report.pins.given(side)],
            country=None if instead else bad.country,
            named=instead,
            known_with=None,
        )

    if session.second_virtual_number is None:
        needs = {Side.FIRST: need(list(Side))} if session.virtual_number == bad else {}
    else:
        needs = {side: need([side]) for side in Side if session.number_for(side) == bad}
    return Claim(
        account=session.account,
        subaccount=report.subaccount,
        needs=needs,
        pins=report.pins,
        session=session.id,
    )
