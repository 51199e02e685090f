"""What answers of every kind are made of."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, TypeVar

from yarl import URL

from bridge.domain.numbers import PhoneNumber
from bridge.domain.reports import Ending, Page
from bridge.domain.requests import Window

Json = dict[str, Any]
T = TypeVar("T")


def digits(number: PhoneNumber) -> str:
    """A number as sessions and lists show it: without the plus."""
    return number.e164.removeprefix("+")


def page(found: Page[T], show: Callable[[T], Json], window: Window, url: URL) -> Json:
    """One page of a list, with the paths to its neighbours, which keep the filter.

    Args:
        show: makes an item what the list holds.
        url: that of the request.
    """
    limit, offset = window.limit, window.offset

    def neighbour(start: int) -> str:
        return str(url.update_query(limit=limit, offset=start).relative())

    return {
        "meta": {
            "limit": limit,
            "next": neighbour(offset + limit) if offset + limit < found.total else None,
            "offset": offset,
            "previous": neighbour(max(offset - limit, 0)) if offset else None,
            "total_count": found.total,
        },
        "objects": [show(item) for item in found.items],
    }


def timestamp(at: datetime | None) -> str:
    """UTC as Go prints it, which is how Plivo does; empty for never."""
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S +0000 UTC") if at else ""


def hangup(ending: Ending | None) -> Json:
    """Why a call ended and whose doing it was, in Plivo's words; null while it is up."""
    return {
        "hangup_cause_name": ending.cause.name if ending else None,
        "hangup_cause_code": ending.cause.code if ending else None,
        "hangup_source": ending.source if ending else None,
    }
