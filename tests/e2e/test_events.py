"""What an application is told of its calls, as they happen, where it asks for all of it."""

import http.server
import json
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from bridge.embedded.phones.phone import header, user
from bridge.embedded.phones.steps import Callee, Caller, scenario, wait_for_cue
from bridge.embedded.processes import until
from tests.e2e.conftest import Site


class Application:
    """Takes events, in JSON, and keeps them."""

    def __init__(self, url: str, received: list[dict[str, Any]]) -> None:
        self.url = url
        self.received = received

    def is_told(self, *names: str) -> None:
        """Of these, in this order, and of nothing before them or between."""
        wanted = [f"Session{name}" for name in names]

        def told() -> list[str]:
            return [event["EventName"] for event in self.received]

        assert until(lambda: len(self.received) >= len(wanted)), told()
        assert told() == wanted
        sequence = [event["SequenceNumber"] for event in self.received]
        assert sequence == list(range(1, len(wanted) + 1))


@pytest.fixture
def application() -> Iterator[Application]:
    received: list[dict[str, Any]] = []

    class Receiver(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            received.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Receiver) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield Application(f"http://127.0.0.1:{server.server_address[1]}/", received)
        server.shutdown()
        thread.join()


def test_a_call_is_told_step_by_step(site: Site, application: Application) -> None:
    site.create_session(callback_url=application.url, callback_format="json", callback_events="all")
    a, b = Caller(), Callee()
    callee = site.waits(
        scenario(b.is_called(), b.rings(), wait_for_cue(), b.answers(), b.is_hung_up_on())
    )
    caller = site.calls(
        scenario(a.invite(), a.hears_ringback(), a.is_answered(), wait_for_cue(), a.hangs_up())
    )
    ringing = ("VirtualNumberAnswer", "SecondPartyInitiated", "SecondPartyRing")
    application.is_told(*ringing)
    callee.cue()
    caller.has_seen("SIP/2.0 200")
    talking = (*ringing, "SecondPartyAnswer", "FirstPartyAnswer")
    application.is_told(*talking)
    caller.cue()
    caller.finish()
    callee.finish()
    site.call_record()
    assert until(lambda: len(application.received) == len(talking) + 5)
    ended = [event["EventName"] for event in application.received[len(talking) :]]
    assert sorted(ended[:-1]) == sorted(
        f"Session{party}Party{what}"
        for party in ("First", "Second")
        for what in ("Hangup", "Complete")
    )
    application.is_told(*talking, *(name.removeprefix("Session") for name in ended))
    assert ended[-1] == "SessionPartiesHangup"
    for event in application.received:
        assert (event["FirstParty"], event["SecondParty"]) == (site.alice[1:], site.bob[1:])
        assert site.alice[1:] == event["From"]


def test_of_a_call_that_is_ordered_each_phone_is_told_of(
    site: Site, application: Application
) -> None:
    b = Callee()
    phone = site.waits(scenario(b.is_called(), b.rings(), b.is_cancelled()))
    session = site.create_session(
        callback_url=application.url,
        callback_format="json",
        callback_events="all",
        initiate_call_to_first_party=True,
    )
    application.is_told("FirstPartyInitiated", "FirstPartyRinging")
    status, _ = site.client.request(
        "DELETE", f"Masking/Session/{session['session_uuid']}/?hangup=true"
    )
    assert status == 200
    phone.finish()
    application.is_told(
        "FirstPartyInitiated",
        "FirstPartyRinging",
        "Timeout",
        "FirstPartyHangup",
        "FirstPartyFailed",
        "PartiesHangup",
    )


def test_a_number_is_replaced_while_a_call_is_up_and_both_lead_on(
    site: Site, application: Application
) -> None:
    site.create_session(callback_url=application.url, callback_format="json")
    a, b = Caller(), Callee()
    callee = site.waits(scenario(b.is_called(), b.rings(), b.answers(), b.is_hung_up_on()))
    caller = site.calls(
        scenario(a.invite(), a.hears_ringback(), a.is_answered(), wait_for_cue(), a.hangs_up())
    )
    caller.has_seen("SIP/2.0 200")
    answered = ("SecondPartyRing", "SecondPartyAnswer", "FirstPartyAnswer")
    application.is_told(*answered)

    new = site.another_virtual_number()
    path = f"Number/{site.virtual[1:]}/Replace/"
    status, answer = site.client.request("POST", path, {"virtual_number": new})
    assert status == 200, answer
    application.is_told(*answered, "VirtualNumberReplaced")
    told = application.received[-1]
    assert told["VirtualNumber"] == new[1:]
    assert told["ReplacedVirtualNumber"] == site.virtual[1:]
    caller.cue()
    caller.finish()
    callee.finish()
    site.call_record()

    for number, dialled, other in [
        (site.bob, site.virtual, site.alice),
        (site.alice, new, site.bob),
    ]:
        b = Callee()
        callee = site.waits(scenario(b.is_called(), b.rings(), b.fails("486 Busy Here")))
        caller = site.calls(
            scenario(a.invite(), a.hears_ringback(), a.is_refused(486)),
            number=number,
            dialled=dialled,
        )
        invite = callee.has_seen("INVITE")
        assert invite.startswith(f"INVITE sip:{other}@")
        assert user(header(invite, "From")) == new
        caller.finish()
        callee.finish()
        site.call_record(number, dialled=dialled)
