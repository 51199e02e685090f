"""Where a page ended: what a list has given is taken, and nothing that Postgres would not take."""

import base64
import uuid
from datetime import UTC, datetime, timedelta, timezone

import pytest

from bridge.api.cursors import make_cursor, read_cursor

ROW = uuid.UUID(int=1)


def test_what_a_list_has_given_is_taken() -> None:
    for zone in (UTC, timezone(timedelta(hours=-7))):
        at = datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=zone)
        assert read_cursor(make_cursor(at, ROW)) == (at, ROW)


@pytest.mark.parametrize(
    "text",
    [
        *("", "x", f"2026-01-02 {ROW}", f"2026-01-02T03:04:05 {ROW}", "2026-01-02T03:04:05Z x"),
        f"0001-01-01T00:00:00+14:00 {ROW}",
        f"9999-12-31T23:59:59-14:00 {ROW}",
    ],
)
def test_a_moment_or_an_id_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  whatever it says
        read_cursor(base64.urlsafe_b64encode(text.encode()).decode().rstrip("="))


@pytest.mark.parametrize("cursor", ["é", "a", "!!!!", "gICA"])
def test_what_is_no_base64_of_a_text_is_refused(cursor: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  whatever it says
        read_cursor(cursor)
