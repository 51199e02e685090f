"""Events, and what became of them."""

from collections.abc import Sequence

from bridge.api.cursors import make_cursor
from bridge.api.render.forms import Json, timestamp
from bridge.domain.events import EventReport, attributes


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
