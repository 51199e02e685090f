"""What ends a conversation besides the two who have it, and many conversations at once."""

from bridge.embedded.phones.steps import Callee, Caller, scenario, wait_for_cue
from bridge.embedded.processes import until
from tests.e2e.conftest import Site


def test_the_time_limit_ends_both_legs(site: Site) -> None:
    """The API's shortest limit is a minute; the row is set to a second."""
    session = site.create_session()
    site.stack.rows(
        "UPDATE session SET call_time_limit = 1 WHERE id = $1::text::uuid", session["session_uuid"]
    )
    a, b = Caller(), Callee()
    callee = site.waits(scenario(b.is_called(), b.answers(), b.is_hung_up_on()))
    talking = scenario(a.invite(), a.hears_ringback(), a.is_answered(), a.is_hung_up_on())
    site.calls(talking).finish()
    callee.finish()
    call = site.call_record()
    assert (call["disposition"], call["reason"]) == ("completed", "time-limit")
    assert call["hung_up_by"] == "bridge"
    assert 1 <= (call["ended_at"] - call["answered_at"]).total_seconds() < 30


def test_a_session_that_ends_during_a_call_lets_it_go_on_and_takes_no_other(site: Site) -> None:
    session = site.create_session()
    a, b = Caller(), Callee()
    callee = site.waits(scenario(b.is_called(), b.answers(), b.is_hung_up_on()))
    talking = scenario(
        a.invite(), a.hears_ringback(), a.is_answered(), wait_for_cue(), a.hangs_up()
    )
    caller = site.calls(talking)
    caller.has_seen("SIP/2.0 200")
    site.client.expire(session["session_uuid"])
    site.calls(scenario(a.invite(), a.is_refused(403)), number=site.bob).finish()
    assert site.client.session(session["session_uuid"])["status"] == "in-progress"
    caller.cue()
    caller.finish()
    callee.finish()
    assert site.call_record(site.alice)["disposition"] == "completed"
    assert site.client.session(session["session_uuid"])["status"] == "expired"


def test_a_hundred_calls_in_one_virtual_number_at_once(site: Site) -> None:
    """A hundred couples share the number; all of them talk at the same time, and with theirs."""
    couples = [(f"+1646555{number:04}", f"+1917555{number:04}") for number in range(100)]
    for first, second in couples:
        site.client.create_session(first, second)
    a, b = Caller(number="[field0]"), Callee()
    callees = site.waits(
        scenario(b.is_called(), b.rings(), b.answers(), b.is_hung_up_on()), calls=100
    )
    callers = site.calls(
        scenario(a.invite(), a.hears_ringback(), a.is_answered(), wait_for_cue(), a.hangs_up()),
        calls=100,
        rate=50,
        callers=[first for first, _ in couples],
    )

    def all_talk() -> bool:
        up = "SELECT id FROM call WHERE virtual_number = $1 AND answered_at IS NOT NULL"
        return len(site.stack.rows(up, site.virtual)) == 100

    assert until(all_talk)
    callers.cue_all()
    callers.finish()
    callees.finish()

    def all_ended() -> bool:
        ended = "SELECT id FROM call WHERE virtual_number = $1 AND ended_at IS NOT NULL"
        return len(site.stack.rows(ended, site.virtual)) == 100

    assert until(all_ended)
    rows = site.stack.rows(
        "SELECT call.disposition, a.party_number AS caller, b.party_number AS callee"
        "  FROM call JOIN leg a ON a.call = call.id AND a.role = 'a'"
        "  JOIN leg b ON b.call = call.id AND b.role = 'b' WHERE virtual_number = $1",
        site.virtual,
    )
    assert {row["disposition"] for row in rows} == {"completed"}
    assert sorted((row["caller"], row["callee"]) for row in rows) == sorted(couples)
    called = [line.split("@")[0] for line in callees.received if line.startswith("INVITE")]
    assert sorted(called) == sorted(f"INVITE sip:{second}" for _, second in couples)


def test_both_hear_that_their_time_runs_out_and_are_hung_up_when_it_has(site: Site) -> None:
    session = site.create_session(time_limit_warning=3)
    site.stack.rows(
        "UPDATE session SET call_time_limit = 5 WHERE id = $1::uuid", session["session_uuid"]
    )
    a, b = Caller(), Callee()
    a_sound, b_sound = site.caller_sound(), site.callee_sound()
    callee = site.waits(
        scenario(b.is_called(), b.rings(), b.answers(), b.is_hung_up_on()),
        keywords={"rtp_port": str(b_sound.port)},
    )
    caller = site.calls(
        scenario(a.invite(), a.hears_ringback(), a.is_answered(), a.is_hung_up_on()),
        keywords={"rtp_port": str(a_sound.port)},
    )
    with a_sound.listening(), b_sound.listening():
        # Neither phone says anything, so what they hear is ours.
        assert until(lambda: len(a_sound.heard) > 5 and len(b_sound.heard) > 5)
        caller.finish()
        callee.finish()
    call = site.call_record()
    assert call["reason"] == "time-limit"
    assert 5 <= (call["ended_at"] - call["answered_at"]).total_seconds() < 30
