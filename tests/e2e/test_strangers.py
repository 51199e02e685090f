"""A stranger who knows all of a call, and is not where the trunk is, changes and hears nothing."""

from collections.abc import Iterator

import pytest

from bridge.embedded.phones.phone import media
from bridge.embedded.phones.steps import Callee, Caller, scenario, wait_for_cue
from bridge.embedded.processes import until
from tests.e2e.conftest import Site
from tests.e2e.forging import Dialog, Stranger

_METHODS = (
    *("OPTIONS", "INFO", "UPDATE", "REFER", "MESSAGE", "NOTIFY", "SUBSCRIBE", "PRACK", "PUBLISH"),
    *("REGISTER", "CANCEL", "FOO", "BYE"),
)
_FORBIDDEN = "SIP/2.0 403 Forbidden"


@pytest.fixture
def stranger(site: Site) -> Iterator[Stranger]:
    with Stranger(site.foreign_address) as stranger:
        yield stranger


@pytest.mark.parametrize("leg", ["caller", "callee"])
def test_no_request_in_a_call_is_taken_from_elsewhere_than_the_trunk(
    site: Site, stranger: Stranger, leg: str
) -> None:
    site.create_session()
    a_sound, b_sound = site.caller_sound(), site.callee_sound()
    asterisk = site.stack.place.sip_host, site.stack.place.sip_port
    with site.talking(a_sound, b_sound) as (caller, callee):
        dialog = Dialog.of_caller(caller) if leg == "caller" else Dialog.of_callee(callee)
        for method in _METHODS:
            headers = "Refer-To: <sip:+13035550996@phone>\n" if method == "REFER" else ""
            request = dialog.request(method, cseq=2, headers=headers)
            assert stranger.is_answered(request, asterisk) == _FORBIDDEN, method
        assert stranger.is_answered(dialog.cancel(), asterisk) == _FORBIDDEN
        with Stranger(site.foreign_address) as ear:
            redirected = dialog.redirects_audio(2, ear)
            assert stranger.is_answered(redirected, asterisk) == _FORBIDDEN
            del a_sound.heard[:], b_sound.heard[:]
            assert a_sound.hears(b_sound)
            assert b_sound.hears(a_sound)
            assert ear.received() == []
    assert site.call_record()["hung_up_by"] == "caller"


def test_nor_a_cancel_while_the_phone_rings(site: Site, stranger: Stranger) -> None:
    site.create_session()
    a, b = Caller(), Callee()
    callee = site.waits(
        scenario(b.is_called(), b.rings(), wait_for_cue(), b.answers(), b.is_hung_up_on())
    )
    caller = site.calls(scenario(a.invite(), a.hears_ringback(), a.is_answered(), a.hangs_up()))
    caller.has_seen("SIP/2.0 180")
    asterisk = site.stack.place.sip_host, site.stack.place.sip_port
    cancel = Dialog.of_caller(caller).cancel()
    assert stranger.is_answered(cancel, asterisk) == _FORBIDDEN
    callee.has_sent("SIP/2.0 180")
    callee.cue()
    caller.finish()
    callee.finish()
    assert site.call_record()["disposition"] == "completed"


def test_a_stranger_who_sprays_audio_at_every_open_port_hears_nothing(
    site: Site, stranger: Stranger
) -> None:
    """Not even the partner of a phone that is silent, whose audio goes to that phone as before."""
    site.create_session()
    a_sound, b_sound = site.caller_sound(), site.callee_sound()
    with site.in_call(a_sound, b_sound) as (caller, callee):
        legs = media(caller.has_seen("SIP/2.0 200")), media(callee.has_seen("INVITE"))
        ports = [(host, port + above) for host, port in legs for above in (0, 1)]
        with a_sound.speaking_to(legs[0]), b_sound.listening():
            assert b_sound.hears(a_sound)
            stranger.sprays(ports, packets=50)
            del b_sound.heard[:]
            assert b_sound.hears(a_sound)
        assert until(lambda: bool(a_sound.heard)), "what is injected is heard without a firewall"
        assert stranger.received() == []


@pytest.mark.parametrize("symmetric", [True, False])
def test_a_phone_behind_a_nat_hears_where_it_sent_from_if_its_trunk_says_so(
    site: Site, *, symmetric: bool
) -> None:
    """Its SDP names another port than its audio comes from."""
    site.create_session()
    site.stack.asterisk.reload_trunk(trunk_rtp_symmetric=symmetric)
    try:
        named, real, b_sound = site.caller_sound(), site.caller_sound(), site.callee_sound()
        with site.in_call(named, b_sound) as (caller, callee):
            legs = media(caller.has_seen("SIP/2.0 200")), media(callee.has_seen("INVITE"))
            speaking = real.speaking_to(legs[0]), b_sound.speaking_to(legs[1])
            with named.listening(), speaking[0], speaking[1]:
                assert b_sound.hears(real)
                del named.heard[:], real.heard[:]
                assert (real if symmetric else named).hears(b_sound)
                assert (named if symmetric else real).heard == []
    finally:
        site.stack.asterisk.reload_trunk()
