"""Positions in the stream of events: what a client sends back, and what it makes up."""

import pytest

from bridge.api.event_stream import is_position


@pytest.mark.parametrize("text", ["1:1:", "10:20:", "10:20:10,15,19", "10:20:10"])
def test_what_postgres_gives_is_taken(text: str) -> None:
    assert is_position(text)


@pytest.mark.parametrize(
    "text",
    [
        *("", "0", "x", "1:1", "2:1:", "0:1:", "01:2:", "10:20:9", "10:20:20", "10:20:15,12"),
        *("10:20:15,15", "10:20:15,", "10:20:,15", "-1:2:", "1:2:\n", "9" * 19 + ":1:", "²:3:"),
        "1:9999:" + "1," * 5000 + "1",
    ],
)
def test_what_postgres_would_not_take_is_none(text: str) -> None:
    assert not is_position(text)
