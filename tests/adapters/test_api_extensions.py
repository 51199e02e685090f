"""What Plivo's API lacks, through the door of ours."""

import asyncio
import json
import uuid
from typing import Any

import aiohttp
import pytest

from bridge.domain.access import Scope
from bridge.domain.numbers import PhoneNumber
from bridge.store.accounts import Accounts
from bridge.store.numbers import Numbers
from bridge.store.pool import Database
from tests.adapters.conftest import PARTIES, Api
from tests.adapters.test_api import A_CALL, WITH_PIN
from tests.people import ALICE, BOB, MALLORY, VIRTUAL

CAROL, LONDON = "+13035550177", "+442079460123"
LONDON_VIRTUAL = PhoneNumber("+442079460999")
SINGLE = {"first_party": ALICE.e164, "create_session_with_single_party": True}


async def refused(api: Api, body: dict[str, Any]) -> str:
    status, answer = await api("POST", "Masking/Session/", body)
    assert status == 400, answer
    return str(answer["error"])


async def test_every_extension_is_kept_and_shown(api: Api, database: Database) -> None:
    await Numbers(database, trunk="carrier").add(api.account, [LONDON_VIRTUAL])
    made = await api.session(
        second_party=LONDON,
        virtual_number_mode="per_party",
        first_party_alternates=[CAROL],
        direction="one-way",
        quiet_hours={"start": "22:00", "end": "07:00", "timezone": "Europe/Berlin"},
        valid_from="2030-01-02T03:04:05+01:00",
        expiry_after_last_call=600,
        max_calls=3,
        max_total_duration=1800,
        client_reference_id="order-42",
        metadata={"order": 42, "lines": ["a", {"b": None}]},
    )
    session = made["session"]
    extensions = {
        "virtual_number": VIRTUAL.e164[1:],
        "virtual_number_mode": "per_party",
        "second_virtual_number": LONDON_VIRTUAL.e164[1:],
        "first_party_alternates": [CAROL[1:]],
        "second_party_alternates": [],
        "direction": "one-way",
        "quiet_hours": {"start": "22:00", "end": "07:00", "timezone": "Europe/Berlin"},
        "valid_from": "2030-01-02 02:04:05 +0000 UTC",
        "expiry_time": "2030-01-02 03:04:05 +0000 UTC",
        "expiry_after_last_call": 600,
        "max_calls": 3,
        "max_total_duration": 1800,
        "client_reference_id": "order-42",
        "metadata": {"order": 42, "lines": ["a", {"b": None}]},
    }
    assert {name: session[name] for name in extensions} == extensions


@pytest.mark.parametrize(
    ("body", "faults"),
    [
        ({**SINGLE, "first_party": ""}, ["first_party or second_party must be present."]),
        (
            {**SINGLE, "virtual_number_mode": "per_party", "initiate_call_to_first_party": True},
            ["per_party needs both parties.", "initiate_call_to_first_party needs both parties."],
        ),
        (
            {**PARTIES, "second_virtual_number": VIRTUAL.e164, "direction": "sideways"},
            ["second_virtual_number needs", "direction allowed values are"],
        ),
        (
            {**PARTIES, "first_party_alternates": [BOB.e164], "max_calls": 0.5},
            ["first_party_alternates names a number that is there twice.", "max_calls must be"],
        ),
        ({**SINGLE, "second_party_alternates": [CAROL]}, ["needs second_party."]),
        ({**PARTIES, "first_party_alternates": CAROL}, ["first_party_alternates is not valid."]),
        *(
            ({**PARTIES, "quiet_hours": hours}, ["quiet_hours must have start and end"])
            for hours in (
                "night",
                {"start": "22:00"},
                {"start": "22:00", "end": "25:00"},
                {"start": "22:00", "end": "22:00"},
                {"start": "22:00", "end": "07:00", "timezone": "../../etc/passwd"},
                {"start": "22:00", "end": "07:00", "timezone": "Mars/Olympus"},
            )
        ),
        ({**PARTIES, "metadata": "x"}, ["metadata must be a JSON object."]),
        ({**PARTIES, "metadata": {"x": "y" * 5000}}, ["metadata should be under 4096"]),
        ('{"metadata": {"x": 1e999}}', ["The body has a number that is too great"]),
        ({**PARTIES, "client_reference_id": "no spaces"}, ["client_reference_id is not valid."]),
        ({**PARTIES, "valid_from": "tomorrow"}, ["valid_from must be a time"]),
        ({**PARTIES, "valid_from": "9999-12-31T23:59:59Z"}, ["valid_from must be a time"]),
        ({**PARTIES, "subaccount": "SA" + "X" * 18}, ["subaccount is not an enabled subaccount"]),
        (
            {"first_party": VIRTUAL.e164, "second_party": VIRTUAL.e164, "record": 7},
            ["first_party is a virtual number.", "second_party is a virtual", "record allowed"],
        ),
        (
            {**PARTIES, "first_party_alternates": [VIRTUAL.e164]},
            ["first_party_alternates is a virtual number."],
        ),
        ({"second_party": BOB.e164, **WITH_PIN}, ["first_party must", "second_party_pin must"]),
    ],
)
async def test_every_fault_is_named_at_once(api: Api, body: Any, faults: list[str]) -> None:
    error = await refused(api, body)
    for fault in faults:
        assert fault in error


async def test_a_party_is_where_the_account_may_connect_to(api: Api, database: Database) -> None:
    async with database.connection() as connection:
        await connection.execute("UPDATE account SET countries = '{US}'")
    assert "second_party is in a country" in await refused(
        api, {"first_party": ALICE.e164, "second_party": LONDON}
    )
    await api.session()


async def test_the_reason_why_there_is_no_number_is_one_word(api: Api) -> None:
    await api.session()
    for body, reason in [
        (PARTIES, "all-numbers-in-use"),
        ({**PARTIES, "first_party": LONDON}, "no-number-in-country"),
        ({**PARTIES, "virtual_number": LONDON_VIRTUAL.e164}, "virtual-number-not-in-pool"),
    ]:
        status, answer = await api("POST", "Masking/Session/", body)
        assert (status, answer["reason"]) == (400, reason)
        assert answer["error"] == "Number pool exhausted or not available."


async def test_a_dry_run_makes_nothing(api: Api) -> None:
    status, answer = await api("POST", "Masking/Session/", {**PARTIES, "dry_run": True})
    assert (status, answer["virtual_number"]) == (200, VIRTUAL.e164)
    assert (await api("GET", "Masking/Session/"))[1]["response"]["objects"] == []


# --- one party ---


async def test_a_session_of_one_party_is_completed_by_an_update(api: Api) -> None:
    status, made = await api("POST", "Masking/Session/", SINGLE)
    assert (status, made["session"]["second_party"]) == (201, "")
    assert made["session"]["create_session_with_single_party"] is True
    path = f"Masking/Session/{made['session_uuid']}/"
    status, answer = await api("POST", path, {"second_party": VIRTUAL.e164})
    assert (status, answer["error"]) == (
        400,
        "Invalid parameter. second_party is a virtual number.",
    )
    status, answer = await api("POST", path, {"second_party": BOB.e164})
    assert (status, answer["session"]["second_party"]) == (200, BOB.e164[1:])
    status, answer = await api("POST", path, {"second_party": ALICE.e164})
    assert (status, answer["reason"]) == (400, "same-party")


async def test_what_the_sdks_send_for_a_missing_party_is_understood(api: Api) -> None:
    """Java wants two parties and gets an empty one; Go spells the argument its own way."""
    body = {
        "first_party": ALICE.e164,
        "second_party": "",
        "create_session_with_single_Party": True,
        "session_expiry": 0,
    }
    assert (await api("POST", "Masking/Session/", body))[0] == 201


# --- finding again ---


async def test_a_session_is_found_by_its_client_s_reference_which_is_its_own(api: Api) -> None:
    made = await api.session(client_reference_id="order-42")
    again = {**PARTIES, "client_reference_id": "order-42", "first_party": CAROL}
    again["second_party"] = MALLORY.e164
    status, answer = await api("POST", "Masking/Session/", again)
    assert (status, answer["reason"]) == (409, "client-reference-taken")
    _, found = await api("GET", "Masking/Session/?client_reference_id=order-42")
    assert [one["session_uuid"] for one in found["response"]["objects"]] == [made["session_uuid"]]
    _, none = await api("GET", "Masking/Session/?client_reference_id=order-43")
    assert none["response"]["objects"] == []


async def test_sessions_are_found_by_what_their_metadata_hold(api: Api) -> None:
    made = await api.session(metadata={"city": "Oslo", "tags": ["a", "b"]})
    for metadata, count in [
        ({"city": "Oslo"}, 1),
        ({"tags": ["b"]}, 1),
        ({"city": "Bergen"}, 0),
        ({}, 1),
    ]:
        query = {"metadata": json.dumps(metadata)}
        _, found = await api("GET", "Masking/Session/", params=query)
        assert found["response"]["meta"]["total_count"] == count
    path = f"Masking/Session/{made['session_uuid']}/"
    assert (await api("POST", path, {"metadata": {"city": "Bergen"}}))[0] == 200
    assert (await api("GET", path))[1]["response"]["metadata"] == {"city": "Bergen"}
    status, _ = await api("GET", "Masking/Session/", params={"metadata": "[1"})
    assert status == 400


async def test_a_cursor_goes_on_where_the_page_ended_whatever_comes_meanwhile(api: Api) -> None:
    async def five(area: int) -> None:
        for number in range(5):
            first, second = f"+1303555{area}{number:02}", f"+1303555{area}{number + 50}"
            await api.session(first_party=first, second_party=second)

    await five(11)
    _, first = await api("GET", "Masking/Session/?limit=2")
    seen = [one["session_uuid"] for one in first["response"]["objects"]]
    cursor = first["response"]["meta"]["next_cursor"]
    await five(12)
    while cursor:
        _, page = await api("GET", "Masking/Session/", params={"limit": 2, "cursor": cursor})
        seen += [one["session_uuid"] for one in page["response"]["objects"]]
        cursor = page["response"]["meta"]["next_cursor"]
    assert len(seen) == len(set(seen)) == 5
    status, _ = await api("GET", "Masking/Session/?cursor=nonsense")
    assert status == 400


# --- callbacks ---


async def test_how_and_of_what_an_application_is_told_can_be_changed(api: Api) -> None:
    made = await api.session(callback_format="json", callback_events="all")
    path = f"Masking/Session/{made['session_uuid']}/"

    async def shown() -> tuple[str, str]:
        one = (await api("GET", path))[1]["response"]
        return one["callback_format"], one["callback_events"]

    assert await shown() == ("json", "all")
    assert (await api("POST", path, {"callback_events": "standard"}))[0] == 200
    assert await shown() == ("json", "standard")
    assert (await api("POST", path, {"callback_format": "xml"}))[0] == 400


# --- what became of it ---


async def test_the_history_tells_who_did_what_and_why(api: Api, database: Database) -> None:
    made = await api.session(reason="order 42")
    path = f"Masking/Session/{made['session_uuid']}/"
    await api("POST", path, {"ring_timeout": 30, "record": True, "reason": "a longer ride"})
    await api("DELETE", f"{path}?reason=delivered")
    status, answer = await api("GET", f"{path}History/")
    assert status == 200
    [token] = await Accounts(database).tokens(api.account)
    assert {step["actor"] for step in answer["objects"]} == {f"token {token.id} (first)"}
    assert [(step["what"], step["reason"], step["changed"]) for step in answer["objects"]] == [
        ("created", "order 42", []),
        ("updated", "a longer ride", ["record", "ring_timeout"]),
        ("closed", "delivered", []),
    ]
    assert (await api("GET", f"Masking/Session/{uuid.uuid4()}/History/"))[0] == 404


# --- many at once ---


async def test_many_are_created_each_for_itself(api: Api) -> None:
    body = {
        "sessions": [
            PARTIES,
            {"first_party": "nobody", "second_party": BOB.e164},
            PARTIES,
            "not an object",
            {"first_party": CAROL, "second_party": MALLORY.e164, "dry_run": True},
        ]
    }
    status, answer = await api("POST", "Masking/Bulk/Create/", body)
    assert status == 200
    results = answer["results"]
    assert [one["index"] for one in results] == list(range(5))
    assert [one["status"] for one in results] == [201, 400, 400, 400, 200]
    assert results[0]["session"]["first_party"] == ALICE.e164[1:]
    assert "first_party is not a valid phone number." in results[1]["error"]
    assert results[2]["reason"] == "all-numbers-in-use"
    assert (await api("GET", "Masking/Session/"))[1]["response"]["meta"]["total_count"] == 1


async def test_many_are_expired_each_for_itself(api: Api) -> None:
    made = await api.session()
    ids = [made["session_uuid"], str(uuid.uuid4()), made["session_uuid"]]
    status, answer = await api("POST", "Masking/Bulk/Expire/", {"session_uuids": ids})
    assert status == 200
    assert [one["status"] for one in answer["results"]] == [200, 404, 400]
    assert [one["session_uuid"] for one in answer["results"]] == ids


async def test_many_that_are_sent_again_are_made_once(api: Api) -> None:
    other = {"first_party": CAROL, "second_party": MALLORY.e164}
    headers = {**api.auth, "Idempotency-Key": "the-same"}
    answers = [
        await api("POST", "Masking/Bulk/Create/", {"sessions": [PARTIES, other]}, headers=headers)
        for _ in range(2)
    ]
    first, again = ([one["session_uuid"] for one in made["results"]] for _, made in answers)
    assert first == again
    assert len(set(first)) == 2


@pytest.mark.parametrize("sessions", [[], [PARTIES] * 101, "x", None])
async def test_a_list_of_none_or_too_many_is_refused(api: Api, sessions: Any) -> None:
    status, answer = await api("POST", "Masking/Bulk/Create/", {"sessions": sessions})
    assert (status, "sessions" in answer["error"]) == (400, True)


# --- hanging up ---


async def test_a_call_is_hung_up_by_a_leg_of_it(api: Api, database: Database) -> None:
    made = await api.session()
    async with database.connection() as connection:
        session_id = uuid.UUID(made["session_uuid"])
        await connection.execute(A_CALL, session_id, VIRTUAL.e164, ALICE.e164, BOB.e164)
        leg = await connection.fetchval("SELECT id FROM leg LIMIT 1")
        assert (await api("DELETE", f"Call/{leg}/"))[0] == 404, "it is over"
        await connection.execute(
            "UPDATE call SET ended_at = NULL, disposition = NULL, reason = NULL, fault = NULL"
        )
        assert (await api("DELETE", f"Call/{leg}/"))[0] == 204
        asked = "SELECT count(*) FROM call WHERE hangup_asked_at IS NOT NULL"
        assert await connection.fetchval(asked) == 1
        await connection.execute("UPDATE call SET hangup_asked_at = NULL")
        await api("DELETE", f"Masking/Session/{session_id}/?hangup=true")
        assert await connection.fetchval(asked) == 1


async def test_a_token_that_creates_creates_many_and_hangs_up_nothing(
    api: Api, database: Database
) -> None:
    await Accounts(database).add_token(api.account, "8" * 64, name="", scope=Scope.CREATE)
    headers = {"Authorization": aiohttp.encode_basic_auth(api.account, "8" * 64)}
    body = {"sessions": [PARTIES]}
    assert (await api("POST", "Masking/Bulk/Create/", body, headers=headers))[0] == 200
    for method, path in [
        ("POST", "Masking/Bulk/Expire/"),
        ("DELETE", f"Call/{uuid.uuid4()}/"),
        ("GET", f"Masking/Session/{uuid.uuid4()}/History/"),
    ]:
        assert (await api(method, path, headers=headers))[0] == 403


async def test_metrics_are_for_whoever_may_reach_the_port_and_name_nobody(api: Api) -> None:
    await api.session()
    async with api.client.get("/metrics") as response:
        text = await response.text()
        assert response.headers["Content-Type"].startswith("text/plain")
    assert "masking_sessions_created_total" in text
    assert 'masking_pool_numbers_left{country="US"} 0.0' in text
    for secret in (api.account, ALICE.e164[1:], VIRTUAL.e164[1:]):
        assert secret not in text


async def test_creators_of_one_reference_at_once_make_one_session(api: Api) -> None:
    async def ask(number: int) -> int:
        body = {
            "first_party": f"+1303555020{number}",
            "second_party": f"+1303555021{number}",
            "client_reference_id": "order-42",
        }
        return (await api("POST", "Masking/Session/", body))[0]

    async with asyncio.TaskGroup() as group:
        asked = [group.create_task(ask(number)) for number in range(8)]
    assert sorted(one.result() for one in asked) == [201, *[409] * 7]
