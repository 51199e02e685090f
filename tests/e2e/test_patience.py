"""What only shows after a minute; `make soak` waits for it, `make test` does not."""

import os

import pytest

from bridge.embedded.phones.phone import header
from tests.e2e.conftest import Site
from tests.e2e.wire import calls, is_called, leg_of_caller, sdp, wires

pytestmark = pytest.mark.skipif("MASKING_SOAK" not in os.environ, reason="only in `make soak`")


def test_a_caller_who_never_acknowledges_and_says_nothing_keeps_nobody_for_ever(
    site: Site,
) -> None:
    """Asterisk hangs up for want of audio, not of the ACK (README, known limits)."""
    site.create_session()
    with wires(site) as (caller, callee):
        request = calls(site, caller)
        callee.response(is_called(callee), "200 OK", tag="1", body=sdp(callee.address))
        answer = caller.final(header(request, "Call-ID"), "INVITE")
        goodbye = callee.gets(lambda message: message.startswith("BYE "), within=90)
        callee.response(goodbye, "200 OK")
        leg_of_caller(caller, request, answer).send("ACK")  # now its BYE may follow
    assert site.call_record(site.alice)["answered_at"]
