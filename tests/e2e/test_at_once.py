"""Two things that happen at the very same moment."""

import pytest

from bridge.embedded.phones.phone import media
from bridge.embedded.phones.steps import Callee, Caller, scenario, wait_for_cue
from tests.e2e.conftest import Site
from tests.e2e.test_leaks import assert_nothing_of


@pytest.mark.parametrize("attempt", range(5))
def test_the_caller_gives_up_at_the_very_moment_of_the_answer(site: Site, attempt: int) -> None:
    """Whoever wins, both phones end, and the record says one thing of both legs."""
    site.create_session()
    a, b = Caller(), Callee()
    callee = site.waits(
        scenario(
            b.is_called(),
            b.rings(),
            wait_for_cue(),
            b.answers_as_the_caller_gives_up(),
            b.is_hung_up_on(),
        )
    )
    caller = site.calls(scenario(a.invite(), a.hears_ringback(), a.cancels_or_is_too_late()))
    caller.has_seen("SIP/2.0 180")
    callee.has_sent("SIP/2.0 180")
    callee.cue()
    caller.cue()
    caller.finish()
    callee.finish()
    call = site.call_record()
    a_leg, b_leg = site.leg_records(call)
    if call["disposition"] == "completed":
        assert (a_leg["sip_code"], b_leg["sip_code"]) == (200, 200)
    else:
        assert (call["disposition"], a_leg["sip_code"]) == ("cancelled", 487)
        assert b_leg["sip_code"] in {200, 487}
    assert call["hung_up_by"] == "caller"


def test_two_who_call_each_other_at_once_are_joined(site: Site) -> None:
    site.create_session()
    a, b = Caller(), Callee()
    a_sound, b_sound = site.caller_sound(), site.caller_sound()
    rings_in_vain = site.waits(scenario(b.is_called(), b.rings(), b.is_cancelled()))
    talks = [a.invite(), a.hears_ringback(), a.is_answered()]
    alice = site.calls(
        scenario(*talks, wait_for_cue(), a.hangs_up()), keywords={"rtp_port": str(a_sound.port)}
    )
    alice.has_seen("SIP/2.0 180")
    rings_in_vain.has_sent("SIP/2.0 180")
    bob = site.calls(
        scenario(*talks, a.is_hung_up_on()),
        number=site.bob,
        keywords={"rtp_port": str(b_sound.port)},
    )
    answers = [phone.has_seen("SIP/2.0 200") for phone in (alice, bob)]
    with a_sound.speaking_to(media(answers[0])), b_sound.speaking_to(media(answers[1])):
        assert a_sound.hears(b_sound)
        assert b_sound.hears(a_sound)
    alice.cue()
    for phone in (alice, bob, rings_in_vain):
        phone.finish()
    assert_nothing_of(site.bob, alice.received)
    assert_nothing_of(site.alice, bob.received)
    for number in (site.alice, site.bob):
        assert site.call_record(number)["disposition"] == "completed"
