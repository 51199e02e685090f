"""A call that was ordered rings the one party and then the other, on real SIP.

Both are called through the trunk, so one phone plays them both, in two calls.
"""

import pytest

from bridge.embedded.phones.phone import Phone, header, media, user
from bridge.embedded.phones.steps import Callee, scenario
from bridge.embedded.processes import until
from tests.e2e.conftest import Site
from tests.e2e.test_leaks import assert_nothing_of


def both(site: Site, *ends: str, calls: int = 2) -> Phone:
    """A phone that takes so many calls, each with its own audio."""
    b = Callee()
    steps = ends or (b.answers(), b.hangs_up_on_cue_or_is_hung_up_on())
    sounds = [site.callee_sound() for _ in range(calls)]
    return site.waits(
        scenario(b.is_called(), b.rings(), *steps).replace("[rtp_port]", "[field0]"),
        calls=calls,
        callers=[str(sound.port) for sound in sounds],
    )


def invites(phone: Phone, count: int) -> list[str]:
    """The calls that it was given, once there are so many."""
    assert until(lambda: len(phone.calls) == count), phone.calls
    return phone.calls


def acknowledged(phone: Phone) -> set[str]:
    """The calls that it has answered and Asterisk knows of it; an ACK may come more than once."""
    return {header(one, "Call-ID") for one in phone.received if one.startswith("ACK")}


@pytest.mark.parametrize("ordered_with", ["the session", "an operation"])
def test_both_ring_one_after_the_other_and_see_only_their_virtual_numbers(
    site: Site, ordered_with: str
) -> None:
    second_number = site.another_virtual_number()
    numbers = {
        "virtual_number_mode": "per_party",
        "virtual_number": site.virtual,
        "second_virtual_number": second_number,
    }
    phone = both(site)
    if ordered_with == "the session":
        site.create_session(initiate_call_to_first_party=True, **numbers)
        one, other = (site.alice, site.virtual), (site.bob, second_number)
    else:
        session = site.create_session(**numbers)
        path = f"Masking/Session/{session['session_uuid']}/Call/"
        assert site.client.request("POST", path, {"first": "second"})[0] == 201
        one, other = (site.bob, second_number), (site.alice, site.virtual)

    calls = invites(phone, 2)
    for invite, (called, shown) in zip(calls, (one, other), strict=True):
        assert invite.startswith(f"INVITE sip:{called}@")
        assert user(header(invite, "From")) == shown
    assert until(lambda: len(acknowledged(phone)) == 2)
    a_sound, b_sound = site.sounds
    with a_sound.speaking_to(media(calls[0])), b_sound.speaking_to(media(calls[1])):
        assert a_sound.hears(b_sound)
        assert b_sound.hears(a_sound)
    phone.cue()
    phone.finish()

    for invite, (stranger, _) in zip(calls, (other, one), strict=True):
        own = [m for m in phone.received if header(m, "Call-ID") == header(invite, "Call-ID")]
        assert_nothing_of(stranger, own)
    call = site.call_record(dialled=one[1])
    assert (call["disposition"], call["origin"], call["hung_up_by"]) == (
        "completed",
        "call-me",
        "caller",
    )
    a_leg, b_leg = site.leg_records(call)
    assert (a_leg["party_number"], b_leg["party_number"]) == (one[0], other[0])
    assert (a_leg["sip_code"], b_leg["sip_code"]) == (200, 200)
    session_uuid = site.session["session_uuid"]
    [interaction] = site.client.session(session_uuid)["interaction"]
    assert interaction["total_call_count"] == 2


@pytest.mark.parametrize(
    ("status", "disposition", "reason"),
    [
        ("486 Busy Here", "busy", "first-busy"),
        ("603 Decline", "no-answer", "first-declined"),
        ("503 Service Unavailable", "failed", "first-carrier-failed"),
    ],
)
def test_if_the_first_cannot_be_reached_the_second_is_left_in_peace(
    site: Site, status: str, disposition: str, reason: str
) -> None:
    phone = both(site, Callee().fails(status), calls=1)
    site.create_session(initiate_call_to_first_party=True)
    phone.finish()
    call = site.call_record()
    assert (call["disposition"], call["reason"]) == (disposition, reason)
    assert len(site.leg_records(call)) == 1


def test_an_order_is_cancelled_while_the_first_phone_rings(site: Site) -> None:
    phone = both(site, Callee().is_cancelled(), calls=1)
    session = site.create_session(initiate_call_to_first_party=True)
    phone.has_sent("SIP/2.0 180")
    site.client.request("DELETE", f"Masking/Session/{session['session_uuid']}/?hangup=true")
    phone.finish()
    assert site.call_record()["reason"] == "customer-hung-up"
