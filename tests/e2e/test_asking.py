"""An application that is asked about calls: its answers, on the wire."""

import http.server
import json
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from bridge.embedded.phones.phone import header, user
from bridge.embedded.phones.steps import Callee, Caller, scenario
from tests.e2e.conftest import Site
from tests.e2e.test_leaks import assert_nothing_of

DESK = "+13035550988"
STRANGER = "+13035550999"


class Desk:
    """The application: ``answer`` is what it says to a question."""

    def __init__(self) -> None:
        self.questions: list[dict[str, Any]] = []
        self.answer: Callable[[dict[str, Any]], dict[str, Any]] = lambda _: {"action": "allow"}
        self.url = ""


@pytest.fixture
def desk() -> Iterator[Desk]:
    desk = Desk()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            question = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            desk.questions.append(question)
            body = json.dumps(desk.answer(question)).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        desk.url = f"http://127.0.0.1:{server.server_address[1]}/"
        yield desk
        server.shutdown()
        thread.join()


def talks(site: Site, number: str) -> tuple[list[str], list[str]]:
    """A call of ``number`` that is answered, and all that either phone saw of it."""
    a, b = Caller(number=number), Callee()
    callee = site.waits(scenario(b.is_called(), b.rings(), b.answers(), b.is_hung_up_on()))
    talking = scenario(a.invite(), a.hears_ringback(), a.is_answered(), a.hangs_up())
    caller = site.calls(talking, number=number).finish()
    callee.finish()
    return caller.received, callee.received


def test_a_party_is_sent_to_a_desk_and_neither_sees_the_other_s_number(
    site: Site, desk: Desk
) -> None:
    desk.answer = lambda _: {"action": "redirect", "number": DESK}
    site.create_session(routing_url=desk.url)
    seen_by_caller, seen_by_desk = talks(site, site.alice)
    invite = next(message for message in seen_by_desk if message.startswith("INVITE"))
    assert invite.startswith(f"INVITE sip:{DESK}@")
    assert user(header(invite, "From")) == site.virtual
    assert_nothing_of(site.alice, seen_by_desk)
    assert_nothing_of(DESK, seen_by_caller)
    assert_nothing_of(site.bob, seen_by_caller + seen_by_desk)
    [question] = desk.questions
    assert question["SessionUUID"] == site.session["session_uuid"]
    call = site.call_record()
    assert (call["disposition"], call["redirected_to"]) == ("completed", DESK)


def test_a_party_that_the_application_refuses_is_told_so_and_nobody_is_called(
    site: Site, desk: Desk
) -> None:
    desk.answer = lambda _: {"action": "refuse", "cause": "busy"}
    site.create_session(routing_url=desk.url)
    a, b = Caller(), Callee()
    callee = site.waits(scenario(b.is_called()))
    site.calls(scenario(a.invite(), a.is_refused(486))).finish()
    assert callee.received == []
    assert site.call_record()["reason"] == "application-refused"


def test_a_session_is_made_for_a_stranger_while_it_calls(site: Site, desk: Desk) -> None:
    def makes_one(question: dict[str, Any]) -> dict[str, Any]:
        made = site.client.create_session(
            "+" + question["From"], site.bob, virtual_number="+" + question["VirtualNumber"]
        )
        assert made["virtual_number"] == site.virtual
        return {"action": "allow"}

    desk.answer = makes_one
    site.client.request("POST", "", {"out_of_session_url": desk.url})
    try:
        seen_by_caller, seen_by_callee = talks(site, STRANGER)
    finally:
        site.client.request("POST", "", {"out_of_session_url": None})
    invite = next(message for message in seen_by_callee if message.startswith("INVITE"))
    assert invite.startswith(f"INVITE sip:{site.bob}@")
    assert_nothing_of(STRANGER, seen_by_callee)
    assert_nothing_of(site.bob, seen_by_caller)
    assert site.call_record()["session"] is not None


def test_who_calls_after_the_end_reaches_the_number_s_desk(site: Site) -> None:
    made = site.create_session()
    site.client.request("POST", f"Number/{site.virtual}/", {"fallback_number": DESK})
    site.client.expire(made["session_uuid"])
    seen_by_caller, seen_by_desk = talks(site, site.alice)
    assert next(m for m in seen_by_desk if m.startswith("INVITE")).startswith(f"INVITE sip:{DESK}@")
    assert_nothing_of(site.alice, seen_by_desk)
    assert_nothing_of(DESK, seen_by_caller)
    call = site.call_record()
    assert (call["session"], call["redirected_to"]) == (None, DESK)
