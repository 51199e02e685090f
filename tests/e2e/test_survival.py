"""Parts that die, hang or are stopped: calls go on where they can, and no record is lost."""

import itertools
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bridge.embedded.client import Client
from bridge.embedded.phones.phone import Phone
from bridge.embedded.phones.steps import SILENT_PHONES, Callee, Caller, scenario, wait_for_cue
from bridge.embedded.processes import until
from bridge.embedded.stack import Stack, private_place
from tests.e2e.conftest import Site, assert_nothing_left


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Site]:
    """A stack of the test's own, to break."""
    directory = tmp_path / "stack"
    stack = Stack(directory, private_place(), settings=SILENT_PHONES, durable=False)
    with stack.running():
        client = Client(stack.place.api_url, *stack.create_account("tests"))
        client.add_numbers("+12025550142")
        site = Site(stack, client, tmp_path, "+14155550123", "+12165550145", "+12025550142")
        site.create_session()
        try:
            yield site
        finally:
            for phone in site.phones:
                phone.stop()
        assert_nothing_left(stack)


def talk(site: Site) -> tuple[Phone, Phone]:
    """Alice and Bob talk; both phones wait: hers for the cue, his for the end."""
    a, b = Caller(), Callee()
    callee = site.waits(scenario(b.is_called(), b.rings(), b.answers(), b.is_hung_up_on()))
    caller = site.calls(
        scenario(a.invite(), a.hears_ringback(), a.is_answered(), wait_for_cue(), a.hangs_up()),
    )
    caller.has_seen("SIP/2.0 200")
    callee.has_seen("ACK")

    def written() -> bool:
        return bool(site.stack.rows("SELECT 1 FROM call WHERE answered_at IS NOT NULL"))

    assert until(written)
    return caller, callee


def is_refused(site: Site, status: int, *, number: str) -> None:
    a = Caller()
    site.calls(scenario(a.invite(), a.is_refused(status)), number=number).finish()


def test_a_call_goes_on_when_the_bridge_is_killed_and_its_record_is_completed_by_the_next(
    own: Site,
) -> None:
    caller, callee = talk(own)
    own.stack.bridge.kill()
    own.stack.bridge.start()
    takes_up(own)
    caller.cue()
    caller.finish()
    callee.finish()
    call = own.call_record()
    assert (call["disposition"], call["hung_up_by"]) == ("completed", "caller")
    assert not call["end_is_estimate"]
    assert [leg["ended_at"] is not None for leg in own.leg_records(call)] == [True, True]


def test_a_call_that_was_taken_up_still_ends_at_its_time_limit(own: Site) -> None:
    own.stack.rows("UPDATE session SET call_time_limit = 4")
    a, b = Caller(), Callee()
    callee = own.waits(scenario(b.is_called(), b.answers(), b.is_hung_up_on()))
    caller = own.calls(scenario(a.invite(), a.hears_ringback(), a.is_answered(), a.is_hung_up_on()))
    caller.has_seen("SIP/2.0 200")
    answered = "SELECT 1 FROM call WHERE answered_at IS NOT NULL"
    assert until(lambda: bool(own.stack.rows(answered)))
    own.stack.bridge.kill()
    own.stack.bridge.start()
    caller.finish()
    callee.finish()
    call = own.call_record()
    assert (call["disposition"], call["reason"]) == ("completed", "time-limit")
    assert 4 <= (call["ended_at"] - call["answered_at"]).total_seconds() < 30


def test_the_end_of_a_call_that_nobody_saw_is_the_latest_it_can_have_been(own: Site) -> None:
    """The dialplan takes the bridge for alive, and keeps no word."""
    caller, callee = talk(own)
    own.stack.bridge.kill()
    beats(own, at=int(time.time()) + 3600)
    caller.cue()
    caller.finish()
    callee.finish()
    own.stack.bridge.start()
    call = own.call_record()
    assert call["disposition"] == "completed"
    assert call["end_is_estimate"]


@pytest.mark.parametrize("b_first", [True, False], ids=["callee-ends", "caller-ends"])
def test_either_end_ends_the_other_without_the_bridge_and_the_record_says_when_and_who(
    own: Site, *, b_first: bool
) -> None:
    """Asterisk ends the other leg by itself, and keeps word for the next bridge."""
    a, b = Caller(), Callee()
    a_end = [a.is_hung_up_on()] if b_first else [wait_for_cue(), a.hangs_up()]
    b_end = [wait_for_cue(), b.hangs_up()] if b_first else [b.is_hung_up_on()]
    callee = own.waits(scenario(b.is_called(), b.answers(), *b_end))
    caller = own.calls(scenario(a.invite(), a.hears_ringback(), a.is_answered(), *a_end))
    caller.has_seen("SIP/2.0 200")
    callee.has_seen("ACK")

    def coupled() -> bool:
        answered = "SELECT 1 FROM call WHERE answered_at IS NOT NULL"
        return bool(own.stack.rows(answered))

    assert until(coupled)
    own.stack.bridge.kill()
    beats(own, at=1)
    before = datetime.now(UTC)
    (callee if b_first else caller).cue()
    caller.finish()
    callee.finish()
    after = datetime.now(UTC)
    own.stack.bridge.start()
    call = own.call_record()
    assert before < call["ended_at"] < after
    assert not call["end_is_estimate"]
    assert call["hung_up_by"] == ("callee" if b_first else "caller")
    assert [leg["hangup_cause"] for leg in own.leg_records(call)] == [16, 16]
    assert until(lambda: "BRIDGE_ENDED" not in own.stack.asterisk.cli("dialplan show globals"))


@pytest.mark.parametrize(
    ("goes_on", "blind"),
    [(True, False), (False, False), (False, True)],
    ids=["goes-on", "is-over", "is-over-at-once"],
)
def test_an_answer_that_the_killed_bridge_could_not_write_is_in_the_record(
    own: Site, *, goes_on: bool, blind: bool
) -> None:
    """Asterisk kept since when the two talk; or, if it took the bridge for alive, their bridge."""
    a, b = Caller(), Callee()
    callee = own.waits(
        scenario(b.is_called(), b.rings(), wait_for_cue(), b.answers(), b.is_hung_up_on()),
    )
    caller = own.calls(
        scenario(a.invite(), a.hears_ringback(), a.is_answered(), wait_for_cue(), a.hangs_up()),
    )
    callee.has_sent("SIP/2.0 180")
    caller.has_seen("SIP/2.0 180")
    own.stack.postgres.kill()
    before = datetime.now(UTC) - timedelta(milliseconds=1)  # Asterisk's events tell no finer time
    callee.cue()
    caller.has_seen("SIP/2.0 200")
    assert until(lambda: len(joined_legs(own)) == 2)
    answered = datetime.now(UTC)
    own.stack.bridge.kill()
    beats(own, at=int(time.time()) + 3600 if blind else 1)
    if not goes_on:
        caller.cue()
        caller.finish()
        callee.finish()
    ended = datetime.now(UTC)
    own.stack.postgres.start()
    own.stack.bridge.start()
    if goes_on:
        takes_up(own)
        caller.cue()
        caller.finish()
        callee.finish()
    call = own.call_record()
    assert call["disposition"] == "completed"
    assert call["hung_up_by"] == ("unknown" if blind else "caller")
    assert call["end_is_estimate"] is blind
    assert before < call["answered_at"] < answered
    assert (call["ended_at"] > ended) is (goes_on or blind)
    assert {leg["answered_at"] for leg in own.leg_records(call)} == {call["answered_at"]}


def joined_legs(site: Site) -> list[str]:
    """Channels of which Asterisk knows that they are joined to another."""
    cli = site.stack.asterisk.cli
    names = [line.split("!")[0] for line in cli("core show channels concise").splitlines()]
    return [name for name in names if "JOINED=" in cli(f"core show channel {name}")]


def takes_up(site: Site) -> None:
    """Wait until the bridge has taken up the call that an earlier one carried."""
    assert until(lambda: '"call taken up"' in site.stack.bridge.log_file.read_text())


def beats(site: Site, *, at: int) -> None:
    """Asterisk takes the bridge for last seen alive then, a Unix time."""
    site.stack.asterisk.cli(f"dialplan set global BRIDGE_HEARTBEAT {at}")


def test_while_there_is_no_bridge_calls_are_refused_with_503(own: Site) -> None:
    """At once, so that the carrier can try elsewhere; and they are taken as soon as it is back."""
    own.stack.bridge.kill()
    is_refused(own, 503, number=own.alice)
    own.stack.bridge.start()
    caller, callee = talk(own)
    caller.cue()
    caller.finish()
    callee.finish()
    assert own.call_record()["disposition"] == "completed"


def test_a_call_that_came_in_as_the_bridge_died_is_soon_refused(own: Site) -> None:
    """Nobody wrote it down, and its caller hears nothing."""
    own.stack.bridge.freeze()
    a = Caller()
    caller = own.calls(scenario(a.invite(), a.is_refused(503)))
    caller.has_seen("SIP/2.0 100")
    own.stack.bridge.kill()
    own.stack.bridge.start()
    caller.finish()
    assert own.stack.rows("SELECT FROM call") == []


def test_a_phone_that_rings_when_the_bridge_is_killed_is_not_lost(own: Site) -> None:
    a, b = Caller(), Callee()
    callee = own.waits(
        scenario(b.is_called(), b.rings(), wait_for_cue(), b.answers(), b.is_hung_up_on()),
    )
    caller = own.calls(scenario(a.invite(), a.hears_ringback(), a.is_answered(), a.hangs_up()))
    callee.has_sent("SIP/2.0 180")
    caller.has_seen("SIP/2.0 180")
    own.stack.bridge.kill()
    own.stack.bridge.start()
    takes_up(own)
    callee.cue()
    caller.finish()
    callee.finish()
    assert own.call_record()["disposition"] == "completed"


@pytest.mark.parametrize(
    ("status", "told", "reason"),
    [
        ("486 Busy Here", 486, "busy"),
        ("401 Unauthorized", 503, "carrier-refused"),
        ("603 Network Blocked", 503, "blocked-as-spam"),
    ],
)
def test_why_a_callee_was_not_reached_while_no_bridge_ran_is_told_and_written_down(
    own: Site, status: str, told: int, reason: str
) -> None:
    """The dialplan keeps what it said; the caller, who still hears it ring, is told by the next."""
    a, b = Caller(), Callee()
    headers = 'WWW-Authenticate: Digest realm="carrier", nonce="n1"\n' if told == 503 else ""
    callee = own.waits(
        scenario(b.is_called(), b.rings(), wait_for_cue(), b.fails(status, headers=headers))
    )
    caller = own.calls(scenario(a.invite(), a.is_refused(told)))
    callee.has_sent("SIP/2.0 180")
    caller.has_seen("SIP/2.0 180")
    own.stack.bridge.kill()
    beats(own, at=1)
    callee.cue()
    callee.finish()
    own.stack.bridge.start()
    caller.finish()
    assert own.call_record()["reason"] == reason
    assert until(lambda: "BRIDGE_ENDED" not in own.stack.asterisk.cli("dialplan show globals"))


@pytest.mark.parametrize("stopped", [False, True], ids=["killed", "stopped"])
def test_calls_are_recorded_as_lost_when_asterisk_goes_and_the_next_one_works(
    own: Site, *, stopped: bool
) -> None:
    talk(own)
    if stopped:
        own.stack.asterisk.stop()
    else:
        own.stack.asterisk.kill()
    for phone in own.phones:
        phone.stop()
    own.stack.asterisk.start()
    call = own.call_record()
    assert (call["disposition"], call["reason"], call["fault"], call["hung_up_by"]) == (
        "failed",
        "asterisk-restart",
        "us",
        "unknown",
    )
    assert until(lambda: own.stack.bridge.is_ready)
    assert_nothing_left(own.stack)
    a, b = Caller(), Callee()
    callee = own.waits(scenario(b.is_called(), b.answers(), b.is_hung_up_on()))
    own.calls(scenario(a.invite(), a.hears_ringback(), a.is_answered(), a.hangs_up())).finish()
    callee.finish()


def test_a_call_goes_on_while_postgres_is_away_and_its_record_is_written_when_it_is_back(
    own: Site,
) -> None:
    caller, callee = talk(own)
    own.stack.postgres.kill()
    caller.cue()
    caller.finish()
    callee.finish()
    is_refused(own, 503, number=own.bob)
    own.stack.postgres.start()
    call = own.call_record(own.alice)
    assert call["disposition"] == "completed"
    assert not call["end_is_estimate"]
    refused = own.call_record(own.bob)
    assert (refused["disposition"], refused["reason"]) == ("failed", "postgres-away")


def test_a_bridge_whose_postgres_was_away_still_stops_at_once(own: Site) -> None:
    """What its dead connections said once took the place of being asked to stop."""
    own.stack.postgres.kill()
    own.stack.postgres.start()
    assert until(lambda: own.stack.bridge.is_ready)
    own.stack.bridge.stop(within=20)
    assert '"stopped"' in own.stack.bridge.log_file.read_text().splitlines()[-1]


def test_a_stopping_bridge_takes_no_new_calls_and_lets_the_live_one_finish(own: Site) -> None:
    caller, callee = talk(own)
    own.stack.bridge.terminate()
    assert until(lambda: '"draining"' in own.stack.bridge.log_file.read_text())
    is_refused(own, 503, number=own.bob)
    assert own.stack.bridge.running
    caller.cue()
    caller.finish()
    callee.finish()
    assert until(lambda: not own.stack.bridge.running)
    call = own.call_record(own.alice)
    assert (call["disposition"], call["reason"]) == ("completed", "hung-up")


def test_a_stopping_bridge_ends_what_does_not_finish_in_time(tmp_path: Path) -> None:
    settings = {"BRIDGE_DRAIN_TIMEOUT": "0.5", **SILENT_PHONES}
    stack = Stack(tmp_path / "stack", private_place(), settings=settings, durable=False)
    with stack.running():
        client = Client(stack.place.api_url, *stack.create_account("tests"))
        client.add_numbers("+12025550142")
        site = Site(stack, client, tmp_path, "+14155550123", "+12165550145", "+12025550142")
        site.create_session()
        a, b = Caller(), Callee()
        callee = site.waits(scenario(b.is_called(), b.answers(), b.is_hung_up_on()))
        caller = site.calls(
            scenario(a.invite(), a.hears_ringback(), a.is_answered(), a.is_hung_up_on())
        )
        caller.has_seen("SIP/2.0 200")
        stack.bridge.stop()
        caller.finish()
        callee.finish()
        call = site.call_record()
        assert (call["disposition"], call["reason"], call["fault"]) == (
            "failed",
            "bridge-stopped",
            "us",
        )
        assert_nothing_left(stack)


def test_a_second_bridge_on_the_same_asterisk_takes_over_and_the_first_ends(own: Site) -> None:
    """Two masters of one call are none.  The call itself notices nothing."""
    caller, callee = talk(own)
    other = own.stack.another_bridge()
    try:
        other.start()
        assert until(lambda: not own.stack.bridge.running)
        caller.cue()
        caller.finish()
        callee.finish()
        assert own.call_record()["disposition"] == "completed"
        assert_nothing_left(own.stack)
    finally:
        other.stop()


def test_callers_are_refused_at_once_while_the_bridge_hangs(own: Site) -> None:
    """A process that is stopped holds its websocket open; the heartbeat is what tells."""
    own.stack.bridge.freeze()
    try:
        attempts = itertools.count()
        assert until(lambda: _is_refused_now(own, next(attempts)))
    finally:
        own.stack.bridge.thaw()


def _is_refused_now(site: Site, attempt: int) -> bool:
    """Whether a call is refused with 503 within a second."""
    a = Caller()
    phone = Phone(
        f"probe-{attempt}",
        scenario(a.invite(), a.is_refused(503)),
        site.directory,
        address=f"{site.stack.place.caller_address}:0",
        target=site.stack.place.sip,
        dialled=site.virtual,
        keywords={"number": f"+1303555{attempt:04}"},
    )
    site.phones.append(phone)
    phone.start()
    refused = until(
        lambda: any(message.startswith("SIP/2.0 503") for message in phone.received), within=1
    )
    phone.stop()
    return refused
