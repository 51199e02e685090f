"""A call is recorded, a party to each channel; and what goes wrong with it harms no call."""

import contextlib
import hashlib
import http.server
import subprocess
import threading
import urllib.parse
import urllib.request
import uuid
from collections.abc import Iterator, Mapping
from typing import Any, Literal

import pytest

from bridge.embedded.phones.phone import Phone, media
from bridge.embedded.phones.steps import Callee, Caller, scenario, wait_for_cue
from bridge.embedded.processes import until
from tests.e2e.conftest import Site
from tests.e2e.tones import Tone, channels, levels

_CALLER, _CALLEE = 450, 900
_SECRET = (1500, 2000)  # what is said in a pause; far from the others, gaps and all
_FRAME = 0.02  # seconds
_TALK, _HEARD = 75, 25  # frames
# Seconds that are surely recorded of `_TALK`.  While neither says a word, nothing is; and of what
# comes late, as on a busy machine, Asterisk leaves some out, to keep the two in step.
_LEAST = _TALK * _FRAME / 2


def finished(site: Site) -> Mapping[str, Any]:
    """The one recording of the site's session, once nothing is to be done about it."""
    found: list[Mapping[str, Any]] = []

    def done() -> bool:
        found[:] = site.stack.rows(
            "SELECT recording.* FROM recording JOIN call ON call.id = recording.call"
            " WHERE call.session = $1 AND recording.state <> 'in-progress'",
            uuid.UUID(site.session["session_uuid"]),
        )
        return bool(found)

    assert until(done), "the recording is not finished"
    [recording] = found
    return recording


@contextlib.contextmanager
def talking(site: Site) -> Iterator[tuple[Phone, Tone, Tone]]:
    """The caller's phone, which hangs up on its cue, while both say their tones."""
    a, b = Caller(), Callee()
    a_sound = Tone(site.stack.place.caller_address, hertz=_CALLER)
    b_sound = Tone(site.stack.place.trunk_host.partition(":")[0], hertz=_CALLEE)
    site.sounds += [a_sound, b_sound]
    callee = site.waits(
        scenario(b.is_called(), b.rings(), b.answers(), b.is_hung_up_on()),
        keywords={"rtp_port": str(b_sound.port)},
    )
    caller = site.calls(
        scenario(a.invite(), a.hears_ringback(), a.is_answered(), wait_for_cue(), a.hangs_up()),
        keywords={"rtp_port": str(a_sound.port)},
    )
    invite = callee.has_seen("INVITE")
    callee.has_seen("ACK")
    answer = caller.has_seen("SIP/2.0 200")
    with a_sound.speaking_to(media(answer)), b_sound.speaking_to(media(invite)):
        assert until(lambda: min(map(len, (a_sound.heard, b_sound.heard))) > _TALK)
        yield caller, a_sound, b_sound
    caller.finish()
    callee.finish()


@contextlib.contextmanager
def receiver() -> Iterator[tuple[str, list[dict[str, str]]]]:
    """URL of an application, and what it was told."""
    told: list[dict[str, str]] = []

    class Application(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            told.append(dict(urllib.parse.parse_qsl(body)))
            self.send_response(204)
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Application) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/", told
        finally:
            server.shutdown()
            thread.join()


def test_its_application_is_told_and_fetches_it(site: Site) -> None:
    with receiver() as (url, told):
        site.create_session(record=True, callback_url=url, recording_callback_url=url)
        with talking(site) as (caller, _, _):
            caller.cue()
        assert until(lambda: "SessionRecordingCompleted" in str(told))
    names = [one["EventName"] for one in told]
    initiated = names.index("SessionRecordingInitiated")
    assert names[initiated - 1] == "SessionFirstPartyAnswer"
    assert names[-2:] == ["SessionPartiesHangup", "SessionRecordingCompleted"]
    assert [int(one["SequenceNumber"]) for one in told] == list(range(1, len(told) + 1))
    said, recording = told[-1], finished(site)
    assert said["RecordingUUID"] == str(recording["id"])
    assert said["RecordingURL"].endswith(f"Recording/{recording['id']}/Media/")
    assert len(site.client.audio(str(recording["id"]))) == recording["bytes"]


@pytest.mark.parametrize("format", ["wav", "mp3"])
def test_each_party_is_in_its_own_channel(site: Site, format: Literal["mp3", "wav"]) -> None:
    site.create_session(record=True, record_file_format=format)
    with talking(site) as (caller, _, _):
        caller.cue()
    call = site.call_record()
    assert call["disposition"] == "completed"

    recording = finished(site)
    assert (recording["state"], recording["failure"]) == ("ready", None)
    file = site.stack.recordings / f"{recording['id']}.{format}"
    content = file.read_bytes()
    assert recording["bytes"] == len(content)
    assert recording["sha256"] == hashlib.sha256(content).digest()
    left, right = channels(file, format)
    for samples, own, other in ((left, _CALLER, _CALLEE), (right, _CALLEE, _CALLER)):
        assert 0.08 < max(levels(samples, own)) < 0.12
        assert max(levels(samples, other)) < 0.01
    talked = (call["ended_at"] - call["answered_at"]).total_seconds()
    recorded = (recording["ended_at"] - recording["started_at"]).total_seconds()
    assert _LEAST < recorded < talked + 0.5
    assert recording["ended_at"] <= call["ended_at"]
    [interaction] = site.client.session(site.session["session_uuid"])["interaction"]
    path = f"Recording/{recording['id']}/"
    assert interaction["recording_resource_url"].endswith(f"/{path}")
    _, shown = site.client.request("GET", path)
    url = site.stack.place.api_url + shown["recording_url"]
    with urllib.request.urlopen(url) as answer:  # noqa: S310 - our own API
        assert answer.read() == content
    assert_only_ids(site)


@pytest.mark.parametrize("bridge_dies", [False, True])
def test_what_is_said_in_a_pause_is_not_in_it(site: Site, bridge_dies: bool) -> None:
    site.create_session(record=True, record_file_format="wav")

    def asked(what: str) -> None:
        """Have it paused, or go on, and wait until it is so."""
        [found] = site.stack.rows(
            "SELECT recording.id FROM recording JOIN call ON call.id = recording.call"
            " WHERE call.virtual_number = $1",
            site.virtual,
        )
        path = f"Recording/{found['id']}/"
        assert site.client.request("POST", f"{path}{what}/", {})[0] == 202
        paused = what == "Pause"
        assert until(lambda: site.client.request("GET", path)[1]["paused"] is paused)

    def talk() -> None:
        """A while, in which each hears the other."""
        heard = [len(sound.heard) for sound in (a_sound, b_sound)]
        assert until(lambda: len(a_sound.heard) > heard[0] + _TALK)
        assert until(lambda: len(b_sound.heard) > heard[1] + _TALK)

    with talking(site) as (caller, a_sound, b_sound):
        asked("Pause")
        a_sound.says(_SECRET[0], until_heard_by=b_sound)
        b_sound.says(_SECRET[1], until_heard_by=a_sound)
        talk()
        if bridge_dies:
            site.stack.bridge.kill()
            site.stack.bridge.start()
        a_sound.says(_CALLER, until_heard_by=b_sound)
        b_sound.says(_CALLEE, until_heard_by=a_sound)
        asked("Resume")
        talk()
        caller.cue()
    call, recording = site.call_record(), finished(site)
    assert (recording["state"], recording["failure"]) == ("ready", None)
    left, right = channels(site.stack.recordings / f"{recording['id']}.wav", "wav")
    for samples, own in ((left, _CALLER), (right, _CALLEE)):
        assert max(level for hertz in _SECRET for level in levels(samples, hertz)) < 0.01
        said = levels(samples, own)
        for part in (said[:10], said[-10:]):  # before it, and after
            assert 0.08 < max(part) < 0.12
    assert len(left) == len(right)
    talked = call["ended_at"] - call["answered_at"] - recording["paused_for"]
    assert 2 * _LEAST < len(left) / 8000 < talked.total_seconds() + 0.5


def test_two_who_call_each_other_at_once_are_joined_and_recorded(site: Site) -> None:
    """The leg that is recorded came in, and was placed by nobody of ours."""
    site.create_session(record=True, record_file_format="wav")
    a, b = Caller(), Callee()
    sounds = [Tone(site.stack.place.caller_address, hertz=hertz) for hertz in (_CALLER, _CALLEE)]
    site.sounds += sounds
    rings_in_vain = site.waits(scenario(b.is_called(), b.rings(), b.is_cancelled()))
    talks = [a.invite(), a.hears_ringback(), a.is_answered()]
    alice = site.calls(
        scenario(*talks, wait_for_cue(), a.hangs_up()),
        keywords={"rtp_port": str(sounds[0].port)},
    )
    alice.has_seen("SIP/2.0 180")
    rings_in_vain.has_sent("SIP/2.0 180")
    bob = site.calls(
        scenario(*talks, a.is_hung_up_on()),
        number=site.bob,
        keywords={"rtp_port": str(sounds[1].port)},
    )
    answers = [phone.has_seen("SIP/2.0 200") for phone in (alice, bob)]
    with sounds[0].speaking_to(media(answers[0])), sounds[1].speaking_to(media(answers[1])):
        assert until(lambda: min(len(sound.heard) for sound in sounds) > _TALK)
        alice.cue()
        for phone in (alice, bob, rings_in_vain):
            phone.finish()
    recording = finished(site)
    assert (recording["state"], recording["failure"]) == ("ready", None)
    left, right = channels(site.stack.recordings / f"{recording['id']}.wav", "wav")
    for samples, own, other in ((left, _CALLER, _CALLEE), (right, _CALLEE, _CALLER)):
        assert 0.08 < max(levels(samples, own)) < 0.12
        assert max(levels(samples, other)) < 0.01


def test_a_session_that_does_not_want_it_is_not_recorded(site: Site) -> None:
    site.create_session()
    with talking(site) as (caller, _, _):
        assert list(site.stack.asterisk.recordings.iterdir()) == []
        caller.cue()
    call = site.call_record()
    assert site.stack.rows("SELECT FROM recording WHERE call = $1", call["id"]) == []


def test_a_directory_that_cannot_be_written_ends_no_call(site: Site) -> None:
    site.create_session(record=True)
    spool = site.stack.asterisk.recordings
    spool.rename(spool.with_suffix(".away"))
    spool.write_text("no directory")
    try:
        with talking(site) as (caller, _, _):
            caller.cue()
    finally:
        spool.unlink()
        spool.with_suffix(".away").rename(spool)
    assert site.call_record()["disposition"] == "completed"
    recording = finished(site)
    assert (recording["state"], recording["failure"]) == ("failed", "nothing-recorded")


def test_a_disk_that_is_full_ends_no_call_and_what_there_is_is_kept(site: Site) -> None:
    site.create_session(record=True, record_file_format="wav")
    spool = site.stack.asterisk.recordings
    mount = ["mount", "-t", "tmpfs", "-o", "size=32k,mode=777", "none", str(spool)]
    if subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("no right to mount a small disk")
    try:
        with talking(site) as (caller, a_sound, b_sound):
            assert until(lambda: min(map(len, (a_sound.said, b_sound.said))) > 225)
            heard = len(b_sound.heard)
            assert until(lambda: len(b_sound.heard) > heard + 25), "they still talk"
            caller.cue()
        assert site.call_record()["disposition"] == "completed"
        recording = finished(site)
    finally:
        subprocess.run(["umount", str(spool)], check=True)
    assert (recording["state"], recording["failure"]) == ("ready", "incomplete")
    length = recording["ended_at"] - recording["started_at"]
    assert length.total_seconds() == pytest.approx(1, abs=0.1)


def test_a_recording_goes_on_when_the_bridge_dies(site: Site) -> None:
    site.create_session(record=True, record_file_format="wav")
    with talking(site) as (caller, _, b_sound):
        site.stack.bridge.kill()
        heard = len(b_sound.heard)
        assert until(lambda: len(b_sound.heard) > heard + _TALK)
        caller.cue()
    site.stack.bridge.start()
    recording = finished(site)
    assert recording["state"] == "ready"
    recorded = (recording["ended_at"] - recording["started_at"]).total_seconds()
    assert recorded > 2 * _LEAST
    assert_only_ids(site)


def assert_only_ids(site: Site) -> None:
    """No file is called after a number, and none of Asterisk's is left."""
    # It is removed once it is written down that it is not needed any more.
    assert until(lambda: not [*site.stack.asterisk.recordings.iterdir()])
    for file in site.stack.recordings.iterdir():
        assert str(uuid.UUID(file.stem)) == file.stem
        assert file.suffix in {".mp3", ".wav"}
        assert file.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("announcement", ["play", "press_1"])
def test_both_hear_first_that_they_are_recorded(site: Site, announcement: str) -> None:
    site.create_session(record=True, recording_announcement=announcement)
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
    with a_sound.listening(), b_sound.listening():
        # Neither phone says anything, so what they hear is ours.
        assert until(lambda: min(len(a_sound.heard), len(b_sound.heard)) > _HEARD)
        if announcement == "press_1":  # both agree, at once
            a_sound.presses("1", media(caller.has_seen("SIP/2.0 200")))
            b_sound.presses("1", media(callee.has_seen("INVITE")))
        joined = "SELECT FROM call WHERE virtual_number = $1 AND answered_at IS NOT NULL"
        assert until(lambda: bool(site.stack.rows(joined, site.virtual)))
    invite, answer = callee.has_seen("INVITE"), caller.has_seen("SIP/2.0 200")
    with a_sound.speaking_to(media(answer)), b_sound.speaking_to(media(invite)):
        assert b_sound.hears(a_sound)
    caller.cue()
    caller.finish()
    callee.finish()
    recording = finished(site)
    assert recording["state"] == "ready"
    a_leg, _ = site.leg_records(site.call_record())
    assert (recording["started_at"] - a_leg["answered_at"]).total_seconds() > _HEARD * _FRAME
    consent = site.client.recording(str(recording["id"]))["consent"]
    assert {(one["party"], one["given"]) for one in consent} == {("first", True), ("second", True)}
