"""The callee does not answer: what the caller is told, and what is written down."""

import pytest

from bridge.embedded.phones.steps import Callee, Caller, scenario, wait_for_cue
from tests.e2e.conftest import Site, assert_nothing_left


@pytest.mark.parametrize(
    ("status", "told", "verdict"),
    [
        ("486 Busy Here", 486, ("busy", "busy", "callee")),
        ("600 Busy Everywhere", 486, ("busy", "busy", "callee")),
        ("480 Temporarily Unavailable", 480, ("no-answer", "no-answer", "callee")),
        ("603 Decline", 480, ("no-answer", "declined", "callee")),
        ("403 Forbidden", 480, ("no-answer", "declined", "callee")),
        ("408 Request Timeout", 480, ("no-answer", "unreachable", "callee")),
        ("404 Not Found", 480, ("failed", "unreachable", "customer")),
        ("410 Gone", 480, ("failed", "unreachable", "unknown")),
        ("484 Address Incomplete", 480, ("failed", "unreachable", "unknown")),
        ("503 Service Unavailable", 503, ("failed", "carrier-failed", "carrier")),
        ("500 Server Internal Error", 503, ("failed", "carrier-failed", "carrier")),
    ],
)
@pytest.mark.parametrize("rings_first", [True, False], ids=["rings", "at-once"])
def test_the_caller_learns_busy_not_available_or_congestion_and_nothing_finer(
    site: Site, *, status: str, told: int, verdict: tuple[str, str, str], rings_first: bool
) -> None:
    site.create_session()
    a, b = Caller(), Callee()
    ringing = [b.rings()] if rings_first else []
    callee = site.waits(scenario(b.is_called(), *ringing, b.fails(status)))
    site.calls(scenario(a.invite(), a.is_refused(told))).finish()
    callee.finish()
    call = site.call_record()
    assert (call["disposition"], call["reason"], call["fault"]) == verdict
    assert call["hung_up_by"] == "callee"
    assert call["answered_at"] is None
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
    """Nothing is at the carrier's port: unreachable, and the caller is not kept waiting."""
    site.create_session(ring_timeout=5)
    a = Caller()
    site.calls(scenario(a.invite(), a.is_refused(480))).finish()
    call = site.call_record()
    assert call["disposition"] == "no-answer"
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
