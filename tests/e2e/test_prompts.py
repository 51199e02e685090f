"""What the two hear before they are connected, and the key that a person presses: on the wire."""

import http.server
import threading
from collections.abc import Iterator

import pytest

from bridge.embedded.phones.phone import media
from bridge.embedded.phones.sound import Sound
from bridge.embedded.phones.steps import Callee, Caller, scenario, wait_for_cue
from bridge.embedded.processes import until
from tests.e2e.conftest import Site
from tests.e2e.test_leaks import assert_nothing_of
from tests.sounds import heard, level_at, tone, wav

TONES = {"/alice.wav": 500.0, "/bob.wav": 1500.0}


@pytest.fixture
def studio() -> Iterator[str]:
    """URL of a web server that has a tone for each party."""

    class Studio(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            sound = wav(tone(1.5, hz=TONES[self.path]))
            self.send_response(200)
            self.send_header("Content-Length", str(len(sound)))
            self.end_headers()
            self.wfile.write(sound)

        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Studio) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


def hears(sound: Sound, hz: float) -> bool:
    """Whether a phone hears that tone, or has, for half a second, within some seconds."""
    start = 0

    def found() -> bool:
        nonlocal start
        while len(frames := sound.heard[start : start + 25]) == 25:
            [samples] = heard(b"".join(frames), "mulaw")
            if level_at(samples, hz) > -25 and level_at(samples, 2000 - hz) < -40:
                return True
            start += 5
        return False

    return until(found)


def test_each_party_hears_its_own_prompt_and_then_the_other(site: Site, studio: str) -> None:
    at_hand = site.stack.asterisk.prompts
    before = len([*at_hand.glob("*.json")])
    site.create_session(
        first_party_play_url=f"{studio}/alice.wav", second_party_play_url=f"{studio}/bob.wav"
    )
    # A call waits no more than two seconds for a prompt, and goes on without it.
    assert until(lambda: len([*at_hand.glob("*.json")]) == before + 2)
    a, b = Caller(), Callee()
    a_sound, b_sound = site.caller_sound(), site.callee_sound()
    callee = site.waits(
        scenario(b.is_called(), b.rings(), wait_for_cue(), b.answers(), b.is_hung_up_on()),
        keywords={"rtp_port": str(b_sound.port)},
    )
    caller = site.calls(
        scenario(a.invite(), a.hears_ringback(), a.is_answered(), wait_for_cue(), a.hangs_up()),
        keywords={"rtp_port": str(a_sound.port)},
    )
    with a_sound.listening(), b_sound.listening():
        assert hears(a_sound, TONES["/alice.wav"]), "while the other's phone rings"
        assert not b_sound.heard
        callee.has_sent("SIP/2.0 180")
        callee.cue()
        assert hears(b_sound, TONES["/bob.wav"])
    callee.has_seen("ACK")
    invite, answer = callee.has_seen("INVITE"), caller.has_seen("SIP/2.0 200")
    with a_sound.speaking_to(media(answer)), b_sound.speaking_to(media(invite)):
        assert b_sound.hears(a_sound)
        assert a_sound.hears(b_sound)
    caller.cue()
    caller.finish()
    callee.finish()
    assert_nothing_of(site.bob, caller.received)
    assert_nothing_of(site.alice, callee.received)
    assert site.call_record()["disposition"] == "completed"


@pytest.mark.parametrize("key", ["1", "2"])
def test_only_who_presses_1_is_connected(site: Site, key: str) -> None:
    site.create_session(answer_guard="press_1")
    a, b = Caller(), Callee()
    b_sound = site.callee_sound()
    accepts = key == "1"
    callee = site.waits(
        scenario(b.is_called(), b.rings(), b.answers(), b.is_hung_up_on()),
        keywords={"rtp_port": str(b_sound.port)},
    )
    end = [a.is_answered(), wait_for_cue(), a.hangs_up()] if accepts else [a.is_refused(480)]
    caller = site.calls(scenario(a.invite(), a.hears_ringback(), *end))
    callee.has_seen("ACK")
    with b_sound.listening():
        assert until(lambda: len(b_sound.heard) > 10), "it is asked"
        assert not any(one.startswith("SIP/2.0 200") for one in caller.received)
        b_sound.presses(key, media(callee.has_seen("INVITE")))
    if accepts:
        caller.has_seen("SIP/2.0 200")
        caller.cue()
    caller.finish()
    callee.finish()
    call = site.call_record()
    assert call["reason"] == ("hung-up" if accepts else "not-accepted")


def test_keys_reach_the_other_while_they_talk(site: Site) -> None:
    """A door code, say: in the audio stream as it was pressed (RFC 4733)."""
    site.create_session()
    a, b = Caller(), Callee()
    a_sound, b_sound = site.caller_sound(), site.callee_sound()
    callee = site.waits(
        scenario(b.is_called(), b.rings(), b.answers(), b.is_hung_up_on()),
        keywords={"rtp_port": str(b_sound.port)},
    )
    caller = site.calls(
        scenario(a.invite(), a.hears_ringback(), a.is_answered(), wait_for_cue(), a.hangs_up()),
        keywords={"rtp_port": str(a_sound.port)},
    )
    callee.has_seen("ACK")
    with b_sound.listening():
        a_sound.presses("4711#", media(caller.has_seen("SIP/2.0 200")))
        assert until(lambda: b_sound.keys == "4711#"), b_sound.keys
    caller.cue()
    caller.finish()
    callee.finish()
