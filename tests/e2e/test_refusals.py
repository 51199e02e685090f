"""Whoever is not a party of a live session is refused unanswered, and nobody's phone rings."""

import socket

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
    query = f"virtual_number={site.virtual[1:]}&from_number={STRANGER[1:]}&disposition=refused"
    newest = site.client.request("GET", f"Call/?{query}")[1]["objects"][0]
    assert (newest["reason"], newest["session_uuid"]) == ("unknown-caller", None)


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


# What the dialplan would read as: take this text, from its third letter on.
CUT_OUT = "xx<sip:{number}@carrier>):4"


def test_a_stranger_whose_display_name_is_written_for_the_dialplan(site: Site) -> None:
    site.create_session()
    posing = Caller(display_name=CUT_OUT.format(number=site.alice))
    is_refused(site, 403, caller=posing, number=STRANGER)
    assert reason(site, STRANGER) == "unknown-caller"


def test_a_stranger_whose_asserted_name_is_written_for_the_dialplan(site: Site) -> None:
    site.create_session()
    name = CUT_OUT.format(number=site.alice)
    posing = Caller(
        number="anonymous",
        headers=f'P-Asserted-Identity: "{name}" <sip:{STRANGER}@carrier>\n',
    )
    is_refused(site, 403, caller=posing)
    assert reason(site, STRANGER) == "unknown-caller"


@pytest.mark.parametrize("more", [",14", "%2C14", "%2C14%2C1", "%FF", ")%3A4", "$%7BEPOCH%7D"])
def test_what_is_dialled_is_a_number_and_no_instruction(site: Site, more: str) -> None:
    """Neither to the dialplan, nor to Asterisk's JSON, which has no word for it."""
    site.create_session()
    is_refused(site, 404, dialled=f"{site.virtual}{more}")
    [call] = site.stack.rows("SELECT virtual_number FROM call WHERE caller = $1", site.alice)
    assert call["virtual_number"].startswith(site.virtual)
    call = site.call_record(dialled=call["virtual_number"])
    assert call["reason"] == "number-not-in-service"


def test_a_call_id_that_no_json_can_hold_is_let_in_by_nobody(site: Site) -> None:
    """While such a call were up, Asterisk would not tell of any channel."""
    place = site.stack.place
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as phone:
        phone.bind((place.caller_address, 0))
        phone.settimeout(30)
        here = f"{place.caller_address}:{phone.getsockname()[1]}"
        request = (
            f"INVITE sip:{site.virtual}@{place.sip} SIP/2.0\r\n"
            f"Via: SIP/2.0/UDP {here};branch=z9hG4bK-odd\r\nMax-Forwards: 70\r\n"
            f"From: <sip:{site.alice}@{here}>;tag=1\r\nTo: <sip:{site.virtual}@{place.sip}>\r\n"
            f"Call-ID: odd\xff\r\nCSeq: 1 INVITE\r\nContact: <sip:{here}>\r\n"
        )
        offer = (
            f"v=0\r\no=- 1 1 IN IP4 {place.caller_address}\r\ns=-\r\n"
            f"c=IN IP4 {place.caller_address}\r\nt=0 0\r\nm=audio 9 RTP/AVP 0\r\n"
        )
        body = f"Content-Type: application/sdp\r\nContent-Length: {len(offer)}\r\n\r\n{offer}"
        address = (place.sip_host, place.sip_port)
        phone.sendto((request + body).encode("latin-1"), address)
        while (answer := phone.recv(65535)).startswith(b"SIP/2.0 100"):
            pass
        phone.sendto(
            request.replace("INVITE sip", "ACK sip").replace("1 INVITE", "1 ACK").encode("latin-1")
            + b"Content-Length: 0\r\n\r\n",
            address,
        )
    assert answer.startswith(b"SIP/2.0 503")


def test_a_party_whose_name_has_a_bracket_that_nobody_opened_is_connected(site: Site) -> None:
    site.create_session()
    a, b = Caller(display_name="Alice :) :-("), Callee()
    callee = site.waits(scenario(b.is_called(), b.answers(), b.is_hung_up_on()))
    site.calls(scenario(a.invite(), a.hears_ringback(), a.is_answered(), a.hangs_up())).finish()
    callee.finish()
    assert site.call_record(site.alice)["disposition"] == "completed"


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
    assert site.call_record(dialled="+13035550998")["reason"] == "number-not-in-service"


def test_a_source_that_is_no_trunk_of_ours(site: Site) -> None:
    """Asterisk takes no request at all from an address that is not in the trunk's networks."""
    site.create_session()
    callee = site.waits(scenario(Callee().is_called()))
    a = Caller()
    elsewhere = site.stack.place.caller_address.rpartition(".")[0] + ".9"
    phone = Phone(
        "elsewhere",
        scenario(a.invite(), a.is_refused(403)),
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


def talk(site: Site) -> tuple[Phone, Phone]:
    """Alice and Bob talk, until her phone is cued to hang up."""
    a, b = Caller(), Callee()
    callee = site.waits(scenario(b.is_called(), b.answers(), b.is_hung_up_on()))
    caller = site.calls(
        scenario(a.invite(), a.hears_ringback(), a.is_answered(), wait_for_cue(), a.hangs_up())
    )
    caller.has_seen("SIP/2.0 200")
    callee.has_seen("ACK")
    return caller, callee


def test_a_second_call_while_the_two_are_talking_is_busy(site: Site) -> None:
    site.create_session()
    first, callee = talk(site)
    a = Caller()
    site.calls(scenario(a.invite(), a.is_refused(486)), number=site.bob).finish()
    first.cue()
    first.finish()
    callee.finish()
    assert reason(site, site.bob) == "session-busy"


def test_a_stranger_who_would_take_a_party_s_place_in_a_call(site: Site) -> None:
    """By Replaces (RFC 3891), with what the party's phone knows of its dialog."""
    site.create_session()
    first, callee = talk(site)
    invite = callee.has_seen("INVITE")
    ours, theirs = (
        header_of(message, name).partition("tag=")[2]
        for message, name in ((invite, "From"), (callee.has_sent("SIP/2.0 200"), "To"))
    )
    dialog = f"{header_of(invite, 'Call-ID')};to-tag={ours};from-tag={theirs}"
    stranger = Caller(headers=f"Replaces: {dialog}\n")
    site.calls(scenario(stranger.invite(), stranger.is_refused(403)), number=STRANGER).finish()
    first.cue()
    first.finish()
    callee.finish()
    assert reason(site, STRANGER) == "unknown-caller"
    assert site.call_record(site.alice)["disposition"] == "completed"


def test_a_callee_whose_phone_forwards_to_the_virtual_number_makes_no_loop(site: Site) -> None:
    """Its network calls us, showing the number that it was shown, and gives up when we do."""
    site.create_session()
    a, b = Caller(), Callee()
    forwarding = scenario(b.is_called(), b.rings(), wait_for_cue(), b.fails("403 Forbidden"))
    callee = site.waits(forwarding)
    first = site.calls(scenario(a.invite(), a.hears_ringback(), a.is_refused(480)))
    first.has_seen("SIP/2.0 180")
    site.calls(scenario(a.invite(), a.is_refused(480)), number=site.virtual).finish()
    callee.has_sent("SIP/2.0 180")
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
