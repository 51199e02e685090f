"""What an application may answer when it is asked about a call."""

from typing import Any

import pytest

from bridge.domain.advice import Advice, Allow, Deny, NoAdvice, Redirect, RefusedAs, read_advice
from bridge.domain.causes import sip_status
from tests.people import CAROL


@pytest.mark.parametrize(
    ("answer", "advice"),
    [
        ({"action": "allow", "more": 1}, Allow()),
        ({"action": "refuse"}, Deny()),
        (
            {"action": "refuse", "cause": "busy", "play_url": "https://x.test/no.mp3"},
            Deny(RefusedAs.BUSY, "https://x.test/no.mp3"),
        ),
        ({"action": "redirect", "number": CAROL.e164}, Redirect(CAROL)),
    ],
)
def test_it_allows_refuses_or_redirects(answer: Any, advice: Advice) -> None:
    assert read_advice(answer) == advice


@pytest.mark.parametrize(
    ("answer", "fault"),
    [
        ({}, "no-action"),
        ({"action": "connect"}, "no-action"),
        ([], "no-action"),
        (None, "no-action"),
        ("allow", "no-action"),
        ({"action": ["allow"]}, "no-action"),
        ({"action": "redirect"}, "no-number"),
        ({"action": "redirect", "number": 13035550177}, "no-number"),
        ({"action": "redirect", "number": "911"}, "no-number"),
    ],
)
def test_what_cannot_be_done_is_a_fault_that_repeats_nothing(answer: Any, fault: str) -> None:
    with pytest.raises(NoAdvice, match=f"^{fault}$"):
        read_advice(answer)


@pytest.mark.parametrize(
    "details", [{"cause": "hell"}, {"cause": []}, {"cause": None}, {"play_url": 1}]
)
def test_a_refusal_is_one_however_wrong_its_details_are(details: dict[str, Any]) -> None:
    assert read_advice({"action": "refuse", **details}) == Deny()


@pytest.mark.parametrize(
    "url",
    [
        "",
        "sorry.mp3",
        "file:///etc/passwd",
        "https://x.test/\0",  # no text that Postgres takes
        "https://x.test/\ud800",  # nor one that has any bytes
        "https://x.test/" + "x" * 1000,
    ],
)
def test_a_prompt_that_is_no_url_is_skipped(url: str) -> None:
    assert read_advice({"action": "refuse", "play_url": url}) == Deny()
    redirect = {"action": "redirect", "number": CAROL.e164, "play_url": url}
    assert read_advice(redirect) == Redirect(CAROL)


def test_what_a_caller_is_told_tells_nothing_about_a_number() -> None:
    assert {sip_status(one.cause) for one in RefusedAs} == {403, 480, 486, 503}
