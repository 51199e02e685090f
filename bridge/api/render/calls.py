"""Legs of calls: calls in Plivo's sense."""

from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID

from bridge.api.cursors import make_cursor
from bridge.api.render.forms import Json, digits, hangup
from bridge.domain.records import Origin, Role
from bridge.domain.reports import LegReport, Page


def ordered(account: str, leg_id: UUID) -> Json:
    """The answer to an order: the leg that is placed first."""
    return {
        "message": "Call initiated",
        "call_uuid": str(leg_id),
        "resource_uri": f"/v1/Account/{account}/Call/{leg_id}/",
    }


def call(account: str, one: LegReport) -> Json:
    """A whole call, as the leg that it began with."""
    return {name: value for name, value in leg(account, one).items() if name != "parent_call_uuid"}


def next_cursor(found: Page[LegReport]) -> str | None:
    """Where the next page begins, whatever comes or goes meanwhile."""
    if not found.more:
        return None
    last = found.items[-1]
    return make_cursor(last.started_at, last.call)


def leg(account: str, one: LegReport) -> Json:
    """One leg, as Plivo describes a call."""
    inbound = one.role is Role.A and one.origin is Origin.INBOUND
    party, virtual = one.shown_number, digits(one.virtual_number)
    outcome = one.ending.outcome if one.ending else None
    return {
        "answer_time": _call_time(one.answered_at),
        "bill_duration": one.seconds,
        "billed_duration": one.charge.billed_seconds,
        "call_direction": "inbound" if inbound else "outbound",
        "call_duration": one.seconds,
        "call_uuid": str(one.id),
        "end_time": _call_time(one.ended_at),
        "from_number": party if inbound else virtual,
        "initiation_time": _call_time(one.started_at),
        "parent_call_uuid": str(one.parent) if one.parent else None,
        "resource_uri": f"/v1/Account/{account}/Call/{one.id}/",
        "to_number": virtual if inbound else party,
        "total_amount": _money(one.charge.amount),
        "total_rate": _money(one.charge.price_per_minute),
        **hangup(one.ending),
        "session_uuid": str(one.session) if one.session else None,
        "caller_party": one.caller_side.value if one.caller_side else None,
        "disposition": outcome.disposition.value if outcome else "in-progress",
        "reason": outcome.reason if outcome else None,
    }


def _money(amount: Decimal) -> str:
    """With five places, as Plivo has it, or six where there are."""
    return f"{amount:.6f}".removesuffix("0")


def _call_time(at: datetime | None) -> str | None:
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S+00:00") if at else None
