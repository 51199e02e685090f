"""The customer ends a call over the API."""

import pytest

from bridge.embedded.phones.steps import Callee, Caller, scenario
from tests.e2e.conftest import Site


@pytest.mark.parametrize("by", ["leg", "session"])
def test_both_phones_of_a_call_are_hung_up(site: Site, by: str) -> None:
    session = site.create_session()["session_uuid"]
    a, b = Caller(), Callee()
    callee = site.waits(scenario(b.is_called(), b.rings(), b.answers(), b.is_hung_up_on()))
    caller = site.calls(
        scenario(a.invite(), a.hears_ringback(), a.is_answered(), a.is_hung_up_on())
    )
    caller.has_seen("SIP/2.0 200")  # Asterisk acknowledges the callee's before we know of it
    if by == "session":
        path = f"Masking/Session/{session}/?hangup=true"
    else:
        [leg] = site.stack.rows(
            "SELECT leg.id FROM leg JOIN call ON call.id = leg.call WHERE call.virtual_number = $1",
            site.virtual,
        )
        path = f"Call/{leg['id']}/"
    status, _ = site.client.request("DELETE", path)
    assert status in {200, 204}
    caller.finish()
    callee.finish()
    call = site.call_record()
    assert (call["disposition"], call["reason"]) == ("completed", "customer-hung-up")
    assert call["hung_up_by"] == "bridge"


def test_a_phone_that_rings_stops_ringing(site: Site) -> None:
    session = site.create_session()["session_uuid"]
    a, b = Caller(), Callee()
    callee = site.waits(scenario(b.is_called(), b.rings(), b.is_cancelled()))
    caller = site.calls(scenario(a.invite(), a.hears_ringback(), a.is_refused(480)))
    caller.has_seen("SIP/2.0 180")
    site.client.request("DELETE", f"Masking/Session/{session}/?hangup=true")
    caller.finish()
    callee.finish()
    call = site.call_record()
    assert (call["disposition"], call["reason"]) == ("cancelled", "customer-hung-up")
