"""Where a page of a list ended, for the next to begin there."""

import base64
import binascii
from datetime import UTC, datetime
from uuid import UUID


def make_cursor(at: datetime, row_id: UUID) -> str:
    """A word that means this row, safe in a URL."""
    return base64.urlsafe_b64encode(f"{at.isoformat()} {row_id}".encode()).decode().rstrip("=")


def read_cursor(cursor: str) -> tuple[datetime, UUID]:
    """The row that a cursor means.

    Raises:
        ValueError: it is none.
    """
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
    except (binascii.Error, UnicodeError) as error:
        raise ValueError("not a cursor") from error
    at, _, row_id = text.partition(" ")
    moment = datetime.fromisoformat(at)
    if moment.tzinfo is None:
        raise ValueError("not a cursor")
    try:
        return moment.astimezone(UTC), UUID(row_id)
    except OverflowError as error:  # before the first year of UTC, or after its last
        raise ValueError("not a cursor") from error
