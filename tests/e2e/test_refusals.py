"""Whoever is not a party of a live session is refused unanswered, and nobody's phone rings."""

import pytest

from bridge.embedded.phones.phone import Phone, user
from bridge.embedded.phones.phone import header as header_of
from bridge.embedded.phones.steps import Callee, Caller, scenario, wait_for_cue
from tests.e2e.conftest import Site

STRANGER = "+13035550999"


def is_refused(site: Site, status: int, *, caller: Caller | None = None, **options: str) -> None:
    """A call gets that status and no answer, and no phone of ours is called."""
    callee = site.waits(scenario(Callee().is_called()))
    a = caller or Caller()
    phone = site.calls(scenario(a.invite(), a.is_refused(status)), **options).finish()
    assert not [message for message in phone.received if message.startswith("SIP/2.0 2")]
    assert callee.received == []


def reason(site: Site, number: str | None = None) -> str:
    call = site.call_record(number)
    assert call["disposition"] == "refused"
    [leg] = site.leg_records(call)
    assert leg["answered_at"] is None
    return str(call["reason"])


def test_a_stranger(site: Site) -> None:
    site.create_session()
    is_refused(site, 403, number=STRANGER)
    assert reason(site, STRANGER) == "unknown-caller"


def test_a_party_of_another_number(site: Site) -> None:
    """Alice has a session, but not on the number she dials."""
    is_refused(site, 403)
    assert reason(site, site.alice) == "unknown-caller"


@pytest.mark.parametrize(
    "says",
    ["anonymous", "Restricted", "12345", "+1415555012345678901", "1;2,3"],
)
def test_a_caller_who_withholds_his_number_or_gives_none(site: Site, says: str) -> None:
    site.create_session()
    is_refused(site, 403, caller=Caller(number=says))
    assert reason(site) == "unknown-caller"


def test_a_stranger_who_puts_a_party_s_number_into_his_display_name(site: Site) -> None:
    site.create_session()
    posing = Caller(display_name=f"<sip:{site.alice}@carrier>")
    is_refused(site, 403, caller=posing, number=STRANGER)
    assert reason(site, STRANGER) == "unknown-caller"


def test_a_session_that_was_ended(site: Site) -> None:
    session = site.create_session()
    site.client.expire(session["session_uuid"])
    is_refused(site, 403)
    call = site.call_record(site.alice)
    assert call["reason"] == "session-expired"
    assert str(call["session"]) == session["session_uuid"]


def test_a_session_whose_time_is_over(site: Site) -> None:
    """The API's shortest is a minute; the database's clock decides, so we set its time."""
    session = site.create_session()
    site.stack.rows(
        "UPDATE session SET expires_at = now() WHERE id = $1::text::uuid", session["session_uuid"]
    )
    is_refused(site, 403)
    assert reason(site, site.alice) == "session-expired"


def test_a_number_that_is_not_ours(site: Site) -> None:
    site.create_session()
    is_refused(site, 404, dialled="+13035550998")
    [call] = site.stack.rows("SELECT * FROM call WHERE virtual_number = '+13035550998'")
    assert call["reason"] == "number-not-in-service"


def test_a_source_that_is_no_trunk_of_ours(site: Site) -> None:
    """No identify section names the address: it is asked for a password that nobody has."""
    site.create_session()
    callee = site.waits(scenario(Callee().is_called()))
    a = Caller()
    elsewhere = site.stack.place.caller_address.rpartition(".")[0] + ".9"
    phone = Phone(
        "elsewhere",
        scenario(a.invite(), a.is_refused(401)),
        site.directory,
        address=f"{elsewhere}:0",
        target=site.stack.place.sip,
        dialled=site.virtual,
        keywords={"number": site.alice},
    )
    site.phones.append(phone)
    phone.start().finish()
    assert callee.received == []
    assert site.stack.rows("SELECT 1 FROM call WHERE virtual_number = $1", site.virtual) == []


def test_a_second_call_while_the_two_are_talking_is_busy(site: Site) -> None:
    site.create_session()
    a, b = Caller(), Callee()
    callee = site.waits(scenario(b.is_called(), b.answers(), b.is_hung_up_on()))
    talking = scenario(
        a.invite(), a.hears_ringback(), a.is_answered(), wait_for_cue(), a.hangs_up()
    )
    first = site.calls(talking)
    first.has_seen("SIP/2.0 200")
    callee.has_seen("ACK")
    site.calls(scenario(a.invite(), a.is_refused(486)), number=site.bob).finish()
    first.cue()
    first.finish()
    callee.finish()
    assert reason(site, site.bob) == "session-busy"


def test_a_callee_whose_phone_forwards_to_the_virtual_number_makes_no_loop(site: Site) -> None:
    """Its network calls us, showing the number that it was shown, and gives up when we do."""
    site.create_session()
    a, b = Caller(), Callee()
    forwarding = scenario(b.is_called(), b.rings(), wait_for_cue(), b.fails("403 Forbidden"))
    callee = site.waits(forwarding)
    first = site.calls(scenario(a.invite(), a.hears_ringback(), a.is_refused(480)))
    first.has_seen("SIP/2.0 180")
    site.calls(scenario(a.invite(), a.is_refused(480)), number=site.virtual).finish()
    callee.cue()
    first.finish()
    callee.finish()
    assert reason(site, site.virtual) == "loop-detected"
    call = site.call_record(site.alice)
    assert (call["disposition"], call["reason"]) == ("failed", "loop-detected")


def test_a_withheld_caller_whom_the_trunk_vouches_for_is_connected(site: Site) -> None:
    """P-Asserted-Identity serves the look-up, and goes no further."""
    site.create_session()
    a = Caller(
        number="anonymous",
        headers=f"P-Asserted-Identity: <sip:{site.alice}@carrier>\nPrivacy: id\n",
    )
    b = Callee()
    callee = site.waits(scenario(b.is_called(), b.answers(), b.is_hung_up_on()))
    site.calls(scenario(a.invite(), a.hears_ringback(), a.is_answered(), a.hangs_up())).finish()
    callee.finish()
    assert user(header_of(callee.has_seen("INVITE"), "From")) == site.virtual
    assert site.call_record(site.alice)["disposition"] == "completed"
