"""Events, and what became of them."""

from collections.abc import Sequence

from bridge.api.cursors import make_cursor
from bridge.api.render.forms import Json, timestamp
from bridge.domain.events import Event, EventReport, attributes
from bridge.domain.privacy import OPEN, Reveal


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


def reveals(found: Sequence[Reveal], *, limit: int) -> Json:
    """As `page`."""
    last = found[limit - 1] if len(found) > limit else None
    return {
        "meta": {
            "limit": limit,
            "next_cursor": make_cursor(last.revealed_at, last.id) if last else None,
        },
        "objects": [reveal(one) for one in found[:limit]],
    }


def page(found: Sequence[EventReport], *, limit: int) -> Json:
    """The first ``limit`` of them, and whether there are others after these."""
    shown = found[:limit]
    last = shown[-1].event if len(found) > limit else None
    return {
        "meta": {
            "limit": limit,
            "next_cursor": make_cursor(last.happened_at, last.id) if last else None,
        },
        "objects": [event(one) for one in shown],
    }
