"""Events, and what became of them."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TypeVar
from uuid import UUID

from bridge.api.cursors import make_cursor
from bridge.api.render.forms import Json, timestamp
from bridge.domain.events import Event, EventReport, attributes
from bridge.domain.privacy import OPEN, Reveal

T = TypeVar("T")


def event(report: EventReport) -> Json:
    one = report.event
    return {
        "event_id": str(one.id),
        "event_name": one.name,
        "event_time": timestamp(one.happened_at),
        "session_uuid": str(one.session) if one.session else None,
        "sequence_number": one.sequence,
        "attributes": attributes(one),
        "delivery": {
            "state": report.state,
            "attempts": report.attempts,
            "next_attempt_time": timestamp(
                report.next_attempt_at if report.state == "pending" else None
            ),
            "delivered_time": timestamp(report.delivered_at),
            "last_error": report.last_error,
        },
    }


def revealed(reveal: Reveal, shown: Event) -> Json:
    return {
        "reveal_id": str(reveal.id),
        "event_id": str(reveal.event),
        "numbers": {name: OPEN.shown(number) for name, number in shown.numbers.items()},
    }


def reveal(one: Reveal) -> Json:
    return {
        "reveal_id": str(one.id),
        "reveal_time": timestamp(one.revealed_at),
        "event_id": str(one.event),
        "event_name": one.event_name,
        "session_uuid": str(one.session) if one.session else None,
        "actor": one.actor,
        "reason": one.reason,
    }


def page(found: Sequence[EventReport], *, limit: int) -> Json:
    """The first ``limit`` of them, and whether there are others after these."""
    return _page(found, event, lambda one: (one.event.happened_at, one.event.id), limit=limit)


def reveals(found: Sequence[Reveal], *, limit: int) -> Json:
    """As `page`."""
    return _page(found, reveal, lambda one: (one.revealed_at, one.id), limit=limit)


def _page(
    found: Sequence[T],
    show: Callable[[T], Json],
    place: Callable[[T], tuple[datetime, UUID]],
    *,
    limit: int,
) -> Json:
    shown = found[:limit]
    more = len(found) > limit
    return {
        "meta": {
            "limit": limit,
            "next_cursor": make_cursor(*place(shown[-1])) if more else None,
        },
        "objects": [show(one) for one in shown],
    }
