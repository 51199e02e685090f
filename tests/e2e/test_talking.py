"""Two people talk through a virtual number."""

import contextlib

import pytest

from bridge.embedded.phones.phone import header, media, user
from bridge.embedded.phones.steps import Callee, Caller, scenario, wait_for_cue
from tests.e2e.conftest import Site


@pytest.mark.parametrize("first_party_calls", [True, False], ids=["first-party", "second-party"])
@pytest.mark.parametrize("caller_hangs_up", [True, False], ids=["caller-ends", "callee-ends"])
def test_they_hear_each_other_and_see_only_the_virtual_number(
    site: Site, *, first_party_calls: bool, caller_hangs_up: bool
) -> None:
    site.create_session()
    number, other = (site.alice, site.bob) if first_party_calls else (site.bob, site.alice)
    a, b = Caller(), Callee()
    a_sound, b_sound = site.caller_sound(), site.callee_sound()
    a_end = [wait_for_cue(), a.hangs_up()] if caller_hangs_up else [a.is_hung_up_on()]
    b_end = [b.is_hung_up_on()] if caller_hangs_up else [wait_for_cue(), b.hangs_up()]
    callee = site.waits(
        scenario(b.is_called(), b.rings(), b.answers(), *b_end),
        keywords={"rtp_port": str(b_sound.port)},
    )
    caller = site.calls(
        scenario(a.invite(), a.hears_ringback(), a.is_answered(), *a_end),
        number=number,
        keywords={"rtp_port": str(a_sound.port)},
    )

    invite = callee.has_seen("INVITE")
    assert invite.startswith(f"INVITE sip:{other}@")
    assert user(header(invite, "From")) == site.virtual
    callee.has_seen("ACK")
    answer = caller.has_seen("SIP/2.0 200")
    with contextlib.ExitStack() as speaking:
        speaking.enter_context(a_sound.speaking_to(media(answer)))
        speaking.enter_context(b_sound.speaking_to(media(invite)))
        assert b_sound.hears(a_sound)
        assert a_sound.hears(b_sound)
    (caller if caller_hangs_up else callee).cue()
    caller.finish()
    callee.finish()

    call = site.call_record()
    assert (call["disposition"], call["reason"], call["fault"]) == ("completed", "hung-up", "none")
    assert call["hung_up_by"] == ("caller" if caller_hangs_up else "callee")
    assert call["caller_side"] == ("first" if first_party_calls else "second")
    assert call["started_at"] < call["ringing_at"] <= call["answered_at"] < call["ended_at"]
    a_leg, b_leg = site.leg_records(call)
    assert (a_leg["party_number"], b_leg["party_number"]) == (number, other)
    for leg in (a_leg, b_leg):
        assert (leg["hangup_cause"], leg["sip_code"]) == (16, 200)
        assert leg["answered_at"] < leg["ended_at"]
    assert b_leg["ringing_at"] is not None
    assert not call["end_is_estimate"]
