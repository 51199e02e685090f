"""What a phone, or a proxy between, may ask in the middle of a call, method by method.

What must be answered is answered, what is dangerous is done by nobody, the call goes on, and none
of it reaches the other phone.  What is answered by nobody (0) stands in README's known limits.
"""

from collections.abc import Sequence

import pytest

from bridge.embedded.phones.phone import header
from tests.e2e.conftest import Site
from tests.e2e.test_leaks import assert_nothing_of
from tests.e2e.wire import connected, hang_up, wires

NUMBER = "+18085550142"
_DTMF = "application/dtmf-relay"

# Method, further headers, kind of body, body, and the answer.
REQUESTS: Sequence[tuple[str, str, str, str, int]] = (
    ("OPTIONS", "", "", "", 200),
    ("OPTIONS", f"Subject: {NUMBER}\r\n", "text/plain", NUMBER, 200),
    ("INFO", "", "", "", 200),
    ("INFO", f"X-Number: {NUMBER}\r\n", "", "", 200),
    ("INFO", "", _DTMF, "Signal=5\r\nDuration=160\r\n", 200),
    ("INFO", "", _DTMF, f"Signal={NUMBER}\r\n", 500),
    ("INFO", "", "application/media_control+xml", f"<n>{NUMBER}</n>", 200),
    ("INFO", "Info-Package: number\r\n", "application/x-number", NUMBER, 0),
    ("INFO", "", "text/plain", NUMBER, 0),
    ("UPDATE", f"P-Asserted-Identity: <sip:{NUMBER}@phone>\r\n", "", "", 200),
    ("MESSAGE", "", "text/plain", NUMBER, 0),
    ("NOTIFY", f"Event: {NUMBER}\r\nSubscription-State: active\r\n", "text/plain", NUMBER, 0),
    ("NOTIFY", "Event: refer\r\nSubscription-State: active\r\n", "", "", 0),
    ("SUBSCRIBE", f"Event: {NUMBER}\r\nExpires: 60\r\n", "", "", 0),
    ("PUBLISH", f"Event: {NUMBER}\r\n", "text/plain", NUMBER, 0),
    ("REFER", f"Refer-To: <sip:{NUMBER}@phone>\r\nReferred-By: <sip:{NUMBER}@a>\r\n", "", "", 0),
    ("REGISTER", f"X-Number: {NUMBER}\r\n", "", "", 501),
    ("DANCE", f"X-Number: {NUMBER}\r\n", "text/plain", NUMBER, 0),
)


@pytest.mark.parametrize("callers", [True, False], ids=["caller", "callee"])
def test_each_request_in_a_call_is_answered_and_passed_on_to_nobody(
    site: Site, *, callers: bool
) -> None:
    site.create_session()
    with wires(site) as (caller, callee):
        alice, bob = connected(site, caller, callee)
        asking, other = (alice, bob) if callers else (bob, alice)
        before = len(other.wire.received)
        answers = [
            (
                method,
                headers,
                kind,
                body,
                asking.asks(method, headers=headers, body=body, kind=kind),
            )
            for method, headers, kind, body, _ in REQUESTS
        ]
        hang_up(asking, other)
        to_other = other.wire.received[before:]
    assert answers == list(REQUESTS)
    assert [message.split()[0] for message in to_other] == ["BYE"]
    assert_nothing_of(NUMBER, other.wire.received)
    assert site.call_record()["disposition"] == "completed"


def test_allow_names_nothing_that_is_never_done(site: Site) -> None:
    """On our INVITEs, on our answers to them, and to OPTIONS."""
    site.create_session()
    with wires(site) as (caller, callee):
        alice, bob = connected(site, caller, callee)
        alice.asks("OPTIONS")
        hang_up(alice, bob)
        told = [
            message for message in (*caller.received, *callee.received) if "\nAllow:" in message
        ]
    assert {message.split()[0] for message in told} == {"INVITE", "SIP/2.0"}
    for message in told:
        allowed = header(message, "Allow").split(", ")
        assert {"INVITE", "ACK", "BYE", "CANCEL", "OPTIONS", "INFO", "UPDATE"} <= set(allowed)
        assert not {"REFER", "MESSAGE", "REGISTER"} & set(allowed)
