"""When legs ended that nobody of ours saw end."""

import base64
from datetime import UTC, datetime, timedelta

import pytest

from bridge.ari.last_words import BLIND, LastWord, Said, joined_at, latest_end, read, read_said

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def test_a_last_word_is_a_time_to_the_microsecond_and_a_cause() -> None:
    assert read("1767268800.250000 016 ") == LastWord(NOON + timedelta(seconds=0.25), 16, None)


def test_of_a_leg_that_was_joined_to_another_it_also_says_since_when() -> None:
    assert read("1767268800.000000 016 1767265200.5") == LastWord(
        NOON, 16, joined_at=NOON - HOUR + timedelta(seconds=0.5)
    )


def test_a_leg_that_ended_of_no_cause_has_none() -> None:
    assert read("1767268800.000000 0") == LastWord(NOON, None, None)


@pytest.mark.parametrize("said", ["", "-"], ids=["came-in", "placed"])
@pytest.mark.parametrize("joined", ["", "1767265200.5"])
def test_a_leg_that_was_answered_said_nothing_and_has_a_word_all_the_same(
    said: str, joined: str
) -> None:
    """As the dialplan writes it, with what the leg's variable is at first."""
    word = read(f"1767268800.000000 016 {joined} :{said}")
    assert word
    assert (word.at, word.cause, word.said) == (NOON, 16, Said())
    assert (word.joined_at is None) is (joined == "")


def said(text: bytes) -> str:
    return base64.b64encode(text).decode()


@pytest.mark.parametrize(
    ("text", "understood"),
    [
        (b":SIP 486 Busy Here", Said(486)),
        (b":SIP 603 Decline", Said(603)),
        (b":SIP 603 Network Blocked", Said(603, network_blocked=True)),
        (b":SIP 603 network  blocked ", Said(603, network_blocked=True)),
        (b":SIP 603 Network Blocked no more", Said(603)),
        (b":SIP 488 ", Said(488)),
        (b":SIP 480 \xe4\xf6 with, comma", Said(480)),
        (b":SIP 180 Ringing", Said()),
        (b":SIP 200 OK", Said()),
        (b":", Said()),
        (b"", Said()),
    ],
)
def test_of_what_the_far_end_said_the_status_is_kept_and_none_of_its_words(
    text: bytes, understood: Said
) -> None:
    assert read_said(said(text)) == understood
    for joined in ("", "1767265200.5"):
        word = read(f"1767268800.000000 021 {joined} :{said(text)}")
        assert word
        assert (word.cause, word.said) == (21, understood)


@pytest.mark.parametrize("value", ["-", "not base64", "\u00e4", "====", ":"])
def test_what_is_no_base64_says_nothing(value: str) -> None:
    assert read_said(value) == Said()


@pytest.mark.parametrize(
    "value", ["", "yesterday 16", "1767268800.0 ", "1 2 3 4", "nan 16", "1 16 then", "1e99 16"]
)
def test_what_cannot_be_read_is_no_word(value: str) -> None:
    assert read(value) is None


def test_since_when_a_leg_is_joined_to_the_other_is_a_unix_time_or_nothing() -> None:
    assert joined_at("1767268800.25") == NOON + timedelta(seconds=0.25)
    assert joined_at("") is None


def test_a_leg_without_one_ended_soon_after_the_last_heartbeat_however_long_ago_that_is() -> None:
    assert latest_end(NOON, NOON - HOUR, now=NOON + HOUR) == NOON + BLIND


def test_but_not_later_than_now() -> None:
    now = NOON + BLIND / 2
    assert latest_end(NOON, NOON - HOUR, now=now) == now


def test_nor_before_it_began() -> None:
    assert latest_end(NOON, NOON + BLIND, now=NOON + HOUR) == NOON + HOUR


def test_where_nothing_is_known_of_heartbeats_it_may_have_ended_just_now() -> None:
    assert latest_end(None, NOON, now=NOON + HOUR) == NOON + HOUR
