"""The callee does not answer: what the caller is told, and what is written down."""

import pytest

from bridge.embedded.phones.steps import Callee, Caller, scenario, wait_for_cue
from tests.e2e.conftest import Site, assert_nothing_left

Row = tuple[int, str, str, str, str]
"""What the caller gets; disposition, reason, fault, and who hung up."""


BUSY = (486, "busy", "busy", "callee", "callee")
DECLINED = (480, "no-answer", "declined", "callee", "callee")
NO_ANSWER = (480, "no-answer", "no-answer", "callee", "callee")
WRONG_NUMBER = (480, "failed", "unreachable", "customer", "carrier")
REFUSED = (503, "failed", "carrier-refused", "carrier", "carrier")
FAILED = (503, "failed", "carrier-failed", "carrier", "carrier")
NEVER_RANG = (503, "failed", "never-rang", "carrier", "carrier")
BLOCKED = (503, "failed", "blocked-as-spam", "carrier", "carrier")


@pytest.mark.parametrize("before", ["", "180", "183"])
@pytest.mark.parametrize(
    ("status", "at_once", "rings"),
    [
        ("486 Busy Here", BUSY, BUSY),
        ("600 Busy Everywhere", BUSY, BUSY),
        ("480 Temporarily Unavailable", NO_ANSWER, NO_ANSWER),
        ("603 Decline", DECLINED, DECLINED),
        ("603 Network Blocked", BLOCKED, BLOCKED),
        ("607 Unwanted", BLOCKED, BLOCKED),
        ("401 Unauthorized", REFUSED, REFUSED),
        ("407 Proxy Authentication Required", REFUSED, REFUSED),
        ("403 Forbidden", REFUSED, DECLINED),
        ("408 Request Timeout", NEVER_RANG, (480, "no-answer", "unreachable", "callee", "callee")),
        ("404 Not Found", WRONG_NUMBER, WRONG_NUMBER),
        ("410 Gone", WRONG_NUMBER, WRONG_NUMBER),
        ("484 Address Incomplete", WRONG_NUMBER, WRONG_NUMBER),
        ("488 Not Acceptable Here", FAILED, FAILED),
        ("503 Service Unavailable", FAILED, FAILED),
        ("500 Server Internal Error", FAILED, FAILED),
        (
            "699 (Any), really? \xe4: &quot;x&quot;",
            (480, "failed", "unreachable", "unknown", "unknown"),
            DECLINED,
        ),
    ],
)
def test_the_caller_learns_busy_not_available_or_congestion_and_nothing_finer(
    site: Site, *, status: str, at_once: Row, rings: Row, before: str
) -> None:
    """And the record says whose doing it was: a trunk refuses before a phone rings."""
    site.create_session()
    a, b = Caller(), Callee()
    told, *verdict, hung_up_by = rings if before else at_once
    progress = {"180": [b.rings()], "183": [b.sends_early_media()]}.get(before, [])
    headers = ""
    if status.startswith(("401", "407")):
        name = "WWW" if status.startswith("401") else "Proxy"
        headers = f'{name}-Authenticate: Digest realm="carrier", nonce="n1"\n'
    callee = site.waits(scenario(b.is_called(), *progress, b.fails(status, headers=headers)))
    site.calls(scenario(a.invite(), a.is_refused(told))).finish()
    callee.finish()
    call = site.call_record()
    assert [call["disposition"], call["reason"], call["fault"]] == verdict
    assert call["hung_up_by"] == hung_up_by
    assert call["answered_at"] is None
    assert call["shown_number"] == site.virtual
    a_leg, b_leg = site.leg_records(call)
    assert a_leg["sip_code"] == told
    assert b_leg["sip_code"] == int(status[:3])


def test_a_callee_who_forwards_his_phone_is_not_followed(site: Site) -> None:
    """A 302 would have us call a stranger, and show him the virtual number."""
    site.create_session()
    a, b = Caller(), Callee()
    elsewhere = f"Contact: <sip:+13035550997@{site.stack.place.trunk_host}>\n"
    callee = site.waits(
        scenario(b.is_called(), b.fails("302 Moved Temporarily", headers=elsewhere))
    )
    site.calls(scenario(a.invite(), a.is_refused(480))).finish()
    callee.finish()
    assert site.call_record()["disposition"] in {"failed", "no-answer"}
    assert site.stack.rows("SELECT 1 FROM call WHERE virtual_number = '+13035550997'") == []


def test_a_callee_who_lets_it_ring_too_long(site: Site) -> None:
    """The API's shortest ring timeout is 5 s."""
    session = site.create_session(ring_timeout=5)
    site.stack.rows(
        "UPDATE session SET ring_timeout = 1 WHERE id = $1::text::uuid", session["session_uuid"]
    )
    a, b = Caller(), Callee()
    callee = site.waits(scenario(b.is_called(), b.rings(), b.is_cancelled()))
    site.calls(scenario(a.invite(), a.is_refused(480))).finish()
    callee.finish()
    call = site.call_record()
    assert (call["disposition"], call["reason"]) == ("no-answer", "ring-timeout")
    assert [leg["sip_code"] for leg in site.leg_records(call)] == [480, 487]


def test_a_caller_who_gives_up_while_it_rings(site: Site) -> None:
    site.create_session()
    a, b = Caller(), Callee()
    callee = site.waits(scenario(b.is_called(), b.rings(), b.is_cancelled()))
    caller = site.calls(scenario(a.invite(), a.hears_ringback(), wait_for_cue(), a.cancels()))
    caller.has_seen("SIP/2.0 180")
    callee.has_seen("INVITE")
    caller.cue()
    caller.finish()
    callee.finish()
    call = site.call_record()
    assert (call["disposition"], call["hung_up_by"]) == ("cancelled", "caller")
    assert [leg["sip_code"] for leg in site.leg_records(call)] == [487, 487]


def test_nobody_listens_where_the_callee_should_be(site: Site) -> None:
    """Nothing is at the carrier's port: its fault, and the caller is not kept waiting."""
    site.create_session(ring_timeout=5)
    a = Caller()
    site.calls(scenario(a.invite(), a.is_refused(503))).finish()
    call = site.call_record()
    assert (call["disposition"], call["reason"]) == ("failed", "never-rang")
    assert call["fault"] == "carrier"
    assert call["answered_at"] is None


def test_a_redirection_that_names_a_channel_of_asterisk_s_calls_nobody(site: Site) -> None:
    """A callee's Contact is text of its choice, and our trunk is no secret."""
    site.create_session()
    a, b = Caller(), Callee(contact="PJSIP%2F+13035550998%40carrier")
    callee = site.waits(
        scenario(b.is_called(), b.rings(), b.fails("302 Moved Temporarily"), wait_for_cue())
    )
    site.calls(scenario(a.invite(), a.is_refused(480))).finish()
    assert_nothing_left(site.stack)
    assert len(callee.calls) == 1
    callee.cue()
    callee.finish()
