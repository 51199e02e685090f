"""A stranger shows by a PIN who it is: real keys (RFC 4733), on the wire."""

import json
import re
from pathlib import Path

from bridge.embedded.phones.phone import Phone, header, media, user
from bridge.embedded.phones.steps import Callee, Caller, scenario, wait_for_cue
from bridge.embedded.processes import until
from tests.e2e.conftest import Site
from tests.e2e.test_leaks import assert_nothing_of
from tests.e2e.tones import Keys

OTHER_PHONE = "+13035550999"


def with_pins(site: Site, **arguments: object) -> dict[str, str]:
    """The PINs of a session that asks for them; its prompt cannot be had, so Asterisk asks."""
    made = site.create_session(
        is_pin_authentication_required=True,
        generate_pin=True,
        generate_pin_length=5,
        pin_prompt_play="http://127.0.0.1:1025/nobody-here.mp3",
        **arguments,
    )
    session = made["session"]
    return {"first": session["first_party_pin"], "second": session["second_party_pin"]}


def has_guessed(site: Site, count: int) -> bool:
    """Whether so many wrong PINs are counted against the number, soon."""
    counted = "SELECT FROM wrong_pin WHERE virtual_number = $1"
    return until(lambda: len(site.stack.rows(counted, site.virtual)) == count)


def stranger(site: Site, *end: str, port: int) -> Phone:
    a = Caller()
    return site.calls(
        scenario(a.invite(), a.is_answered_at_once(), *end),
        number=OTHER_PHONE,
        keywords={"rtp_port": str(port)},
    )


def test_a_party_with_another_phone_types_its_pin_and_reaches_the_other(site: Site) -> None:
    pins = with_pins(site)
    a, b = Caller(), Callee()
    a_sound, b_sound = site.caller_sound(), site.callee_sound()
    callee = site.waits(
        scenario(b.is_called(), b.rings(), b.answers(), b.is_hung_up_on()),
        keywords={"rtp_port": str(b_sound.port)},
    )
    caller = stranger(site, wait_for_cue(), a.hangs_up(), port=a_sound.port)
    target = media(caller.has_seen("SIP/2.0 200"))
    with a_sound.listening():
        assert until(lambda: len(a_sound.heard) > 10), "it is asked"
        a_sound.presses(pins["second"] + "#", target)
    invite = callee.has_seen("INVITE")
    assert invite.startswith(f"INVITE sip:{site.alice}@"), "the second party reaches the first"
    assert user(header(invite, "From")) == site.virtual
    callee.has_seen("ACK")
    with a_sound.speaking_to(target), b_sound.speaking_to(media(invite)):
        assert b_sound.hears(a_sound)
        assert a_sound.hears(b_sound)
    caller.cue()
    caller.finish()
    callee.finish()
    assert_nothing_of(OTHER_PHONE, callee.received)
    assert_nothing_of(site.alice, caller.received)
    assert site.call_record()["caller_side"] == "second"
    [told] = site.stack.rows(
        "SELECT attributes FROM event JOIN call ON call.id = event.call"
        " WHERE virtual_number = $1 AND name = 'SessionPinAuthenticationStatus'",
        site.virtual,
    )
    assert json.loads(told["attributes"]) == {
        "PinAuthenticationStatus": "success",
        "PinRetryCounter": 0,
    }
    assert_in_no_log(site, *pins.values())


def test_a_phone_whose_keys_are_only_heard_is_understood(site: Site) -> None:
    """It offers no telephone-event (RFC 4733), so its keys are tones in the audio."""
    pins = with_pins(site)
    a, b = Caller(), Callee()
    invite = re.sub(r"a=\w+:101 .*\n", "", a.invite().replace("AVP 0 101", "AVP 0"))
    keys = Keys(site.stack.place.caller_address, pins["second"] + "#")
    site.sounds.append(keys)
    callee = site.waits(scenario(b.is_called(), b.rings(), b.is_cancelled()))
    caller = site.calls(
        scenario(invite, a.is_answered_at_once(), wait_for_cue(), a.hangs_up()),
        number=OTHER_PHONE,
        keywords={"rtp_port": str(keys.port)},
    )
    target = media(caller.has_seen("SIP/2.0 200"))
    with keys.listening():
        assert until(lambda: len(keys.heard) > 10), "it is asked"
    with keys.speaking_to(target):
        assert callee.has_seen("INVITE").startswith(f"INVITE sip:{site.alice}@")
    callee.has_sent("SIP/2.0 180")
    caller.cue()
    caller.finish()
    callee.finish()


def test_whoever_guesses_wrong_reaches_nobody(site: Site) -> None:
    pins = with_pins(site, pin_retry=1)
    wrong = next(pin for pin in ("00000", "11111", "22222") if pin not in pins.values())
    a, b = Caller(), Callee()
    a_sound = site.caller_sound()
    silent = site.waits(scenario(b.is_called()))
    caller = stranger(site, a.is_hung_up_on(), port=a_sound.port)
    target = media(caller.has_seen("SIP/2.0 200"))
    with a_sound.listening():
        assert until(lambda: len(a_sound.heard) > 10)
        for count in (1, 2):
            a_sound.presses(wrong + "#", target)
            assert has_guessed(site, count)
        caller.finish()
    assert silent.received == []
    assert site.call_record()["reason"] == "wrong-pin"
    assert_in_no_log(site, *pins.values(), wrong)


def test_where_others_guess_a_stranger_hears_ringback_and_is_asked_then(site: Site) -> None:
    pins = with_pins(site)
    a, b = Caller(), Callee()
    a_sound, b_sound = site.caller_sound(), site.callee_sound()
    site.stack.rows(
        "INSERT INTO wrong_pin (virtual_number, account, caller)"
        " SELECT number, account, '+1303555' || last"
        "   FROM virtual_number, generate_series(1000, 1011) AS last"
        "  WHERE number = $1 RETURNING id",
        site.virtual,
    )
    callee = site.waits(
        scenario(b.is_called(), b.rings(), b.answers(), b.is_hung_up_on()),
        keywords={"rtp_port": str(b_sound.port)},
    )
    caller = site.calls(
        scenario(a.invite(), a.hears_ringback(), a.is_answered(), wait_for_cue(), a.hangs_up()),
        number=OTHER_PHONE,
        keywords={"rtp_port": str(a_sound.port)},
    )
    target = media(caller.has_seen("SIP/2.0 200"))
    with a_sound.listening():
        assert until(lambda: len(a_sound.heard) > 10), "it is asked"
        a_sound.presses(pins["second"] + "#", target)
    invite = callee.has_seen("INVITE")
    callee.has_seen("ACK")
    with a_sound.speaking_to(target), b_sound.speaking_to(media(invite)):
        assert b_sound.hears(a_sound)
        assert a_sound.hears(b_sound)
    caller.cue()
    caller.finish()
    callee.finish()


def test_a_registered_caller_is_not_asked(site: Site) -> None:
    with_pins(site)
    a, b = Caller(), Callee()
    callee = site.waits(scenario(b.is_called(), b.rings(), b.answers(), b.is_hung_up_on()))
    site.calls(scenario(a.invite(), a.hears_ringback(), a.is_answered(), a.hangs_up())).finish()
    callee.finish()


def assert_in_no_log(site: Site, *pins: str) -> None:
    logs = {
        "bridge": (site.stack.directory / "bridge.log").read_text(),
        "asterisk": site.stack.asterisk.log_text,
        "postgres": Path(site.stack.directory, "postgres", "log").read_text(),
    }
    for name, text in logs.items():
        for pin in pins:
            # As a whole word, for the first digits of an id may be the same by chance.
            assert not re.search(rf"""(["' ]){pin}#?\1""", text), name
