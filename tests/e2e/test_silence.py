"""A phone from which no audio comes: muted, on hold, or gone."""

import itertools
import os
from collections.abc import Iterator

import pytest

from bridge.embedded.client import Client
from bridge.embedded.processes import until
from bridge.embedded.stack import Stack, private_place
from tests.e2e.quick import QuickPhones, value

ALICE, BOB, VIRTUAL = "+14155550123", "+12165550145", "+12025550142"


@pytest.fixture(scope="module")
def impatient(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A stack whose bridge asks after a second."""
    directory = tmp_path_factory.mktemp("impatient")
    settings = {"BRIDGE_SILENCE_LIMIT": "1"}
    with Stack(directory, private_place(), settings=settings, durable=False).running() as stack:
        yield stack


@pytest.fixture(scope="module")
def customer(impatient: Stack) -> Client:
    client = Client(impatient.place.api_url, *impatient.create_account("tests"))
    client.add_numbers(VIRTUAL)
    return client


def interaction(client: Client, session: str) -> dict[str, object]:
    """The session's one call, once it is over."""
    found: list[dict[str, object]] = []

    def over() -> bool:
        _, got = client.request("GET", f"Masking/Session/{session}/")
        found[:] = [one for one in got["response"]["interaction"] if one.get("hangup_source")]
        return bool(found)

    assert until(over, within=90)
    client.request("DELETE", f"Masking/Session/{session}/")
    [one] = found
    return one


@pytest.mark.parametrize("status", ["200 OK", "405 Method Not Allowed", "491 Request Pending"])
def test_phones_that_are_silent_and_answer_are_not_cut(
    impatient: Stack, customer: Client, status: str
) -> None:
    """Both, asked again and again; what they are asked shows nothing of the other."""
    session = customer.create_session(ALICE, BOB)["session_uuid"]
    with QuickPhones(impatient.place.trunk_host, impatient.place.sip) as phones:
        invite = phones.calls(VIRTUAL, number=ALICE)
        phones.answers(phones.receives("INVITE"))
        assert phones.final(invite) == 200
        asked = [phones.receives("INVITE") for _ in range(2)]
        for one in itertools.chain(asked, (phones.receives("INVITE") for _ in range(4))):
            phones.says(one, status)
            other = BOB if value(one, "Call-ID") == value(invite, "Call-ID") else ALICE
            assert other not in one
            assert other[1:] not in one
        assert len({value(one, "Call-ID") for one in asked}) == 2
        phones.hangs_up(invite)
        phones.accepts(phones.receives("BYE"))
    told = interaction(customer, session)
    assert (told["hangup_source"], told["hangup_cause_name"]) == ("Caller", "Normal Hangup")


@pytest.mark.parametrize("gone", ["caller", "callee"])
def test_a_phone_that_knows_of_no_call_has_not_hung_up(
    impatient: Stack, customer: Client, gone: str
) -> None:
    session = customer.create_session(ALICE, BOB)["session_uuid"]
    with QuickPhones(impatient.place.trunk_host, impatient.place.sip) as phones:
        invite = phones.calls(VIRTUAL, number=ALICE)
        phones.answers(phones.receives("INVITE"))
        assert phones.final(invite) == 200
        ended: set[str] = set()
        while len(ended) < 2:  # each is answered, or Asterisk would send it to the next test's
            one = phones.receives("INVITE", "BYE")
            is_callers = value(one, "Call-ID") == value(invite, "Call-ID")
            if one.startswith("BYE"):
                ended.add(value(one, "Call-ID"))
                phones.accepts(one)
            elif is_callers is (gone == "caller"):
                phones.says(one, "481 Call/Transaction Does Not Exist")
            else:
                phones.says(one, "200 OK")
    told = interaction(customer, session)
    assert (told["hangup_source"], told["hangup_cause_name"]) == ("Plivo", "Network Error")
    calls = impatient.rows(
        "SELECT reason, disposition, fault FROM call ORDER BY started_at DESC LIMIT 1"
    )
    assert [tuple(call.values()) for call in calls] == [("media-lost", "completed", "unknown")]


@pytest.mark.skipif("MASKING_SOAK" not in os.environ, reason="half a minute: only in `make soak`")
@pytest.mark.parametrize("acknowledges", [True, False])
def test_phones_that_vanish_are_found_and_nobody_is_said_to_have_hung_up(
    impatient: Stack, customer: Client, *, acknowledges: bool
) -> None:
    """Also of a caller who never acknowledged our answer (RFC 3261, 13.3.1.4)."""
    session = customer.create_session(ALICE, BOB)["session_uuid"]
    with QuickPhones(impatient.place.trunk_host, impatient.place.sip) as phones:
        invite = phones.calls(VIRTUAL, number=ALICE)
        phones.answers(phones.receives("INVITE"))
        if acknowledges:
            assert phones.final(invite) == 200
        else:
            phones.receives("SIP/2.0 200")
        told = interaction(customer, session)
    assert (told["hangup_source"], told["hangup_cause_name"]) == ("Plivo", "Network Error")
