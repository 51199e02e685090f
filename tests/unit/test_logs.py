"""The second net: digits that slipped into a text are masked on the way to the log."""

import pytest

from bridge.logs import mask_numbers
from tests.people import ALICE


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (f"caller {ALICE.e164}", "caller **********23"),
        ("14155550123", "*********23"),
        ("sip:14155550123@carrier", None),
        ("/?first_party=%2B14155550123&limit=1", "/?first_party=%2B*********23&limit=1"),
        ("port 5060, 2026-11-24T09:12:28.123456Z", "port 5060, 2026-11-24T09:12:28.123456Z"),
        ("1fe6c2a4-0000-4000-8000-123456789012", "1fe6c2a4-0000-4000-8000-123456789012"),
    ],
)
def test_numbers_are_masked_and_ids_are_not(text: str, shown: str | None) -> None:
    masked = mask_numbers(None, "info", {"event": text, "inner": {"x": text}})
    assert "4155550123" not in str(masked)
    if shown is not None:
        assert masked["event"] == shown
        assert masked["inner"] == {"x": shown}
