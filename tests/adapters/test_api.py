"""The REST API over a real Postgres: what a client sends, and what it gets."""

import asyncio
import re
import uuid
from typing import Any

import aiohttp
import pytest
import structlog
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bridge.domain.access import Scope
from bridge.domain.readiness import Trouble
from bridge.store.accounts import Accounts
from bridge.store.pool import Database
from tests.adapters.conftest import PARTIES, TOKEN, Api, Ready
from tests.people import ALICE, BOB, CAROL, MALLORY, VIRTUAL

A_CALL = """
WITH new AS (
    INSERT INTO call (id, node, session, caller_side, virtual_number, caller, started_at,
                      answered_at, ended_at, disposition, reason, fault, hung_up_by)
    VALUES (gen_random_uuid(), 'a', $1, 'first', $2, $3, '2026-01-01 12:00Z',
            '2026-01-01 12:00:05Z', '2026-01-01 12:00:07.5Z', 'completed', 'hung-up', 'none',
            'caller')
    RETURNING id)
INSERT INTO leg (call, role, channel_id, party_number, started_at, answered_at, ended_at)
SELECT id, role, role, party, '2026-01-01 12:00Z', '2026-01-01 12:00:05Z', '2026-01-01 12:00:07.5Z'
  FROM new, (VALUES ('a', $3), ('b', $4)) AS leg (role, party)
"""

UNUSED_EXTENSIONS: dict[str, Any] = {
    "subaccount": None,
    "virtual_number_mode": "shared",
    "second_virtual_number": None,
    "first_party_alternates": [],
    "second_party_alternates": [],
    "callback_format": "form",
    "callback_events": "standard",
    "recording_announcement": "none",
    "min_attestation": None,
    "answer_guard": "none",
    "time_limit_warning": 60,
    "quiet_hours": None,
    "routing_url": None,
    "routing_backup_url": None,
    "routing_default": "refuse",
    "direction": "two-way",
    "valid_from": "",
    "expiry_after_last_call": None,
    "max_calls": None,
    "max_total_duration": None,
    "client_reference_id": None,
    "metadata": {},
    "remember_caller": False,
}

WITH_PIN = {
    "is_pin_authentication_required": True,
    "pin_prompt_play": "https://example.test/prompt.mp3",
}


async def test_a_created_session_is_answered_as_in_plivo_s_fixture(api: Api) -> None:
    """Number Masking API, create: field by field, in value and type."""
    made = await api.session(callback_url="https://example.test/events", session_expiry=200)
    session = made["session"]
    assert made["message"] == "Session created"
    assert made["virtual_number"] == VIRTUAL.e164
    assert made["session_uuid"] == session["session_uuid"]
    uuid.UUID(made["api_id"])
    uuid.UUID(session["session_uuid"])
    times = {"created_time", "modified_time", "expiry_time"}
    for name in times:
        assert session[name].endswith(" +0000 UTC")
    rest = {name: value for name, value in session.items() if name not in times}
    assert rest == {
        "first_party": ALICE.e164[1:],
        "second_party": BOB.e164[1:],
        "virtual_number": VIRTUAL.e164[1:],
        "status": "active",
        "initiate_call_to_first_party": False,
        "session_uuid": made["session_uuid"],
        "callback_url": "https://example.test/events",
        "callback_method": "POST",
        "duration": 200,
        "amount": 0,
        "call_time_limit": 3600,
        "ring_timeout": 120,
        "first_party_play_url": "",
        "second_party_play_url": "",
        "record": False,
        "record_file_format": "mp3",
        "recording_callback_url": "",
        "recording_callback_method": "POST",
        "interaction": None,
        "total_call_amount": 0,
        "total_call_count": 0,
        "total_call_billed_duration": 0,
        "total_session_amount": 0,
        "last_interaction_time": "",
        "unknown_caller_play": "",
        "is_pin_authentication_required": False,
        "generate_pin": None,
        "generate_pin_length": None,
        "first_party_pin": None,
        "second_party_pin": None,
        "pin_prompt_play": None,
        "pin_retry": None,
        "pin_retry_wait": None,
        "incorrect_pin_play": None,
        "create_session_with_single_party": None,
        "virtual_number_cooloff_period": 0,
        "force_pin_authentication": False,
        **UNUSED_EXTENSIONS,
    }


async def test_the_guide_s_flat_keys_stand_beside_the_nested_ones(api: Api) -> None:
    made = await api.session()
    for name in ("first_party", "second_party", "session_expiry", "call_time_limit"):
        assert name in made
    assert made["virtual_number"] == VIRTUAL.e164


@pytest.mark.parametrize("slash", ["", "/"])
async def test_a_session_is_got_listed_and_ended_in_both_forms_of_its_url(
    api: Api, slash: str
) -> None:
    session = (await api.session())["session"]
    path = f"Masking/Session/{session['session_uuid']}{slash}"
    status, got = await api("GET", path)
    assert (status, got["response"]) == (200, session)
    status, listed = await api("GET", f"Masking/Session{slash}")
    assert status == 200
    assert listed["response"]["meta"] == {
        "limit": 20,
        "next": None,
        "offset": 0,
        "previous": None,
        "total_count": 1,
        "next_cursor": None,
    }
    [item] = listed["response"]["objects"]
    assert item.pop("resource_uri") == (
        f"/v1/Account/{api.account}/Masking/Session/{session['session_uuid']}/"
    )
    assert item == session
    status, ended = await api("DELETE", path, {"session_uuid": "as the SDK sends it"})
    assert (status, ended["message"]) == (200, "Session expired")
    status, again = await api("DELETE", path)
    assert (status, again["error"]) == (400, "Session already expired.")
    assert (await api("GET", path))[1]["response"]["status"] == "expired"


async def test_a_list_is_paged(api: Api) -> None:
    for number in range(3):
        await api.session(first_party=f"+1303555010{number}", second_party=f"+1303555011{number}")
    _, first = await api("GET", "Masking/Session/?limit=2")
    meta = first["response"]["meta"]
    assert (len(first["response"]["objects"]), meta["total_count"]) == (2, 3)
    _, second = await api("GET", meta["next"])
    assert len(second["response"]["objects"]) == 1
    assert second["response"]["meta"]["next"] is None
    _, back = await api("GET", second["response"]["meta"]["previous"])
    assert back["response"]["objects"] == first["response"]["objects"]


async def test_numbers_are_added_listed_got_and_removed(api: Api) -> None:
    status, _ = await api("POST", "Number/", {"numbers": "12025550150, +12025550151"})
    assert status == 201
    _, listed = await api("GET", "Number/")
    assert [one["number"] for one in listed["objects"]] == [
        VIRTUAL.e164[1:],
        "12025550150",
        "12025550151",
    ]
    assert (await api("GET", "Number/12025550150/"))[1]["country"] == "US"
    assert (await api("DELETE", "Number/12025550150/"))[0] == 204
    assert (await api("GET", "Number/12025550150/"))[0] == 404
    assert (await api("DELETE", "Number/12025550150/"))[0] == 404


@pytest.mark.parametrize(
    ("body", "faults"),
    [
        ({}, ["first_party must be present.", "second_party must be present."]),
        (
            {"first_party": "nobody", "second_party": 5},
            ["first_party is not a valid phone number.", "second_party is not a valid"],
        ),
        ({**PARTIES, "second_party": ALICE.e164}, ["must be different."]),
        (
            {**PARTIES, "callback_url": "ftp://x", "callback_method": "PUT"},
            ["callback_url should be a valid URL.", "callback_method allowed values are"],
        ),
        (
            {**PARTIES, "callback_format": "xml", "callback_events": "some"},
            ["callback_format allowed values are", "callback_events allowed values are"],
        ),
        (
            {"first_party": "+19005551234", "second_party": "+11115550123"},
            ["first_party is a premium-rate number.", "second_party is not a valid phone"],
        ),
        ({**PARTIES, "session_expiry": 5}, ["session_expiry is outside the allowed range."]),
        ({**PARTIES, "session_expiry": 10**30}, ["session_expiry is outside the allowed range."]),
        ({**PARTIES, "session_expiry": "soon"}, ["session_expiry must be a whole number."]),
        ({**PARTIES, "record": "perhaps"}, ["record allowed values are true or false."]),
        ({**PARTIES, "record_file_format": "ogg"}, ["record_file_format allowed values are"]),
        ({**PARTIES, "first_praty": 1}, ["first_praty is not a parameter of this request."]),
        ({**PARTIES, "callback_url": "https://x/" + "a" * 1000}, ["under 1000 characters."]),
        (
            {**PARTIES, "second_party": ALICE.e164, "is_pin_authentication_required": True},
            ["must be different.", "pin_prompt_play must be present.", "first_party_pin must be"],
        ),
        (
            {**PARTIES, **WITH_PIN, "first_party_pin": "1234", "second_party_pin": "1234"},
            ["first_party_pin and second_party_pin must be different."],
        ),
        ({**PARTIES, **WITH_PIN, "first_party_pin": "12"}, ["first_party_pin is not valid."]),
        ({**PARTIES, "force_pin_authentication": True}, ["needs is_pin_authentication_required."]),
        ({**PARTIES, "remember_caller": True}, ["remember_caller needs is_pin_authentication"]),
        ({**PARTIES, "first_party": VIRTUAL.e164}, ["first_party is a virtual number."]),
        ({**PARTIES, "second_party": VIRTUAL.e164}, ["second_party is a virtual number."]),
    ],
)
async def test_every_fault_of_a_request_is_named_at_once(
    api: Api, body: dict[str, Any], faults: list[str]
) -> None:
    status, answer = await api("POST", "Masking/Session/", body)
    assert status == 400
    for fault in faults:
        assert fault in answer["error"]
    assert (await api("GET", "Masking/Session/"))[1]["response"]["meta"]["total_count"] == 0


@pytest.mark.parametrize(
    "body", ["", "{", "[]", "null", '"x"', "NaN", '{"first_party": NaN}', b"\xff\xfe", "[" * 60000]
)
async def test_a_body_that_is_no_json_object_is_an_error(api: Api, body: str) -> None:
    status, answer = await api("POST", "Masking/Session/", body)
    assert status == 400
    assert answer["error"].startswith("The body")


PLIVOS_ERRORS = [
    ({"first_party": "1"}, "Invalid parameter. first_party is not a valid phone number."),
    ({"second_party": "x"}, "Invalid parameter. second_party is not a valid phone number."),
    ({"first_party": ""}, "Mandatory parameter missing. first_party must be present."),
    ({"second_party": None}, "Mandatory parameter missing. second_party must be present."),
    *(
        ({name: seconds}, f"Invalid parameter. {name} is outside the allowed range.")
        for name in ("session_expiry", "call_time_limit")
        for seconds in (-1, 59, 86401)
    ),
    ({"record": "x"}, "Invalid parameter. record allowed values are true or false."),
    (
        {"record_file_format": "ogg"},
        "Invalid parameter. record_file_format allowed values are mp3 or wav.",
    ),
    (
        {"recording_callback_url": "nowhere"},
        "Invalid parameter. recording_callback_url should be a valid URL.",
    ),
    (
        {"recording_callback_url": "https://example.test/" + "a" * 1000},
        "Invalid parameter. recording_callback_url should be under 1000 characters.",
    ),
]


@pytest.mark.parametrize(("wrong", "text"), PLIVOS_ERRORS)
async def test_an_error_that_plivo_has_is_told_in_its_words(
    api: Api, wrong: dict[str, Any], text: str
) -> None:
    """Number Masking API, error codes; those of a session or pool are with their tests."""
    status, answer = await api("POST", "Masking/Session/", {**PARTIES, **wrong})
    assert (status, answer["error"]) == (400, text)


async def test_a_fault_of_our_own_tells_nothing_of_itself(api: Api, database: Database) -> None:
    async with database.connection() as connection:
        await connection.execute("DROP TABLE route CASCADE")
    path = f"/v1/Account/{api.account}/Masking/Session/"
    with structlog.testing.capture_logs() as lines:
        async with api.client.post(path, headers=api.auth, json=PARTIES) as response:
            answer = await response.json()
    assert (response.status, answer["error"]) == (500, "Internal server error.")
    [line] = [line for line in lines if line["event"] == "request crashed"]
    assert "exc_info" not in line
    assert line["error"].endswith(".UndefinedTableError")
    assert any("store/" in place for place in line["at"])
    assert ALICE.e164[2:] not in str(lines)


@pytest.mark.parametrize(
    ("path", "body", "name"),
    [
        ("Masking/Session/", {"callback_url": "https://example.test/\0"}, "callback_url"),
        ("Masking/Session/", {"callback_url": "https://example.test/\ud800"}, "callback_url"),
        ("Masking/Session/", {"record": [{"a": "\0"}]}, "record"),
        ("Masking/Session/", {"record": {"\udfff": 1}}, "record"),
        ("Masking/Session/", {"+14155550123 ": "\0"}, "one"),
        ("Number/", {"alias": "\0"}, "alias"),
        ("Number/", {"numbers": ["\ud800"]}, "numbers"),
    ],
)
async def test_a_text_that_postgres_could_not_keep_is_an_error(
    api: Api, path: str, body: dict[str, Any], name: str
) -> None:
    status, answer = await api("POST", path, {**PARTIES, "numbers": "12025550150", **body})
    assert (status, answer["error"]) == (
        400,
        f"Invalid parameter. {name} must hold neither NUL nor half a surrogate pair.",
    )


async def test_a_text_may_hold_any_other_character(api: Api) -> None:
    body = {"numbers": "12025550150", "alias": "Café \U0001f695"}
    assert (await api("POST", "Number/", body))[0] == 201
    assert (await api("GET", "Number/12025550150/"))[1]["alias"] == body["alias"]


async def test_pins_are_taken_as_given_even_as_numbers(api: Api) -> None:
    made = await api.session(**WITH_PIN, first_party_pin=1234, second_party_pin="56789")
    session = made["session"]
    assert (session["first_party_pin"], session["second_party_pin"]) == ("1234", "56789")
    assert (session["pin_retry"], session["pin_retry_wait"]) == (1, 5)


async def test_pins_are_generated_where_they_are_asked_for_and_differ(api: Api) -> None:
    made = await api.session(**WITH_PIN, generate_pin=True, generate_pin_length=6)
    first, second = made["session"]["first_party_pin"], made["session"]["second_party_pin"]
    assert len(first) == len(second) == 6
    assert first != second
    assert (first + second).isdigit()
    _, found = await api("GET", f"Masking/Session/{made['session_uuid']}/")
    assert found["response"]["first_party_pin"] == first


async def test_one_pin_may_be_given_and_the_other_generated(api: Api) -> None:
    made = await api.session(**WITH_PIN, generate_pin=True, second_party_pin="123456")
    assert made["session"]["second_party_pin"] == "123456"
    assert len(made["session"]["first_party_pin"]) == 4


async def test_a_pin_that_another_session_has_on_the_only_number_is_a_conflict(api: Api) -> None:
    """The answer does not tell whose, nor which of the two."""
    made = await api.session(**WITH_PIN, first_party_pin="123456", second_party_pin="4321")
    others = {"first_party": CAROL.e164, "second_party": MALLORY.e164}
    for pins in (("999999", "4321"), ("123456", "999999"), ("4321", "123456")):
        body = {**others, **WITH_PIN, "first_party_pin": pins[0], "second_party_pin": pins[1]}
        status, answer = await api("POST", "Masking/Session/", body)
        assert (status, answer["reason"]) == (409, "pin-taken")
        assert not re.search(r"[0-9]", answer["error"])
    await api("DELETE", f"Masking/Session/{made['session_uuid']}/")
    assert (await api("POST", "Masking/Session/", body))[0] == 201


async def test_that_callers_are_remembered_is_shown(api: Api) -> None:
    made = await api.session(**WITH_PIN, generate_pin=True, remember_caller=True)
    assert made["session"]["remember_caller"] is True


async def test_an_update_changes_what_it_names_and_its_lifetime_counts_from_now(api: Api) -> None:
    made = (await api.session(record=True, session_expiry=600, callback_url="https://x.test/"))[
        "session"
    ]
    status, updated = await api(
        "POST",
        f"Masking/Session/{made['session_uuid']}/",
        {
            "session_uuid": made["session_uuid"],  # as SDKs repeat it
            "session_expiry": 7200,
            "call_time_limit": 0,  # as SDKs say that it was not given
            "ring_timeout": 30,
            "record": False,
            "first_party_play_url": "https://example.test/hello.mp3",
            "geomatch": False,  # what Java sends of what is fixed
        },
    )
    assert (status, updated["message"]) == (200, "Session updated")
    after = updated["session"]
    assert 7200 <= after["duration"] <= 7202
    changed = {name for name in made if made[name] != after[name]}
    assert changed - {"modified_time"} == {
        "duration",
        "expiry_time",
        "ring_timeout",
        "record",
        "first_party_play_url",
    }
    assert (await api("GET", f"Masking/Session/{made['session_uuid']}"))[1]["response"] == after


@pytest.mark.parametrize(
    ("body", "faults"),
    [
        ({"sticky": True, "geomatch": True}, ["sticky cannot be updated.", "geomatch cannot"]),
        ({"first_party": MALLORY.e164}, ["first_party and second_party can be updated only in"]),
        ({"session_expiry": 5, "record": "x"}, ["session_expiry is outside", "record allowed"]),
        ({"nonsense": 1}, ["nonsense is not a parameter of this request."]),
    ],
)
async def test_a_wrong_update_changes_nothing_and_says_all_that_is_wrong(
    api: Api, body: dict[str, Any], faults: list[str]
) -> None:
    made = (await api.session())["session"]
    path = f"Masking/Session/{made['session_uuid']}/"
    status, answer = await api("POST", path, {"ring_timeout": 30, **body})
    assert status == 400
    for fault in faults:
        assert fault in answer["error"]
    assert (await api("GET", path))[1]["response"] == made


async def test_a_session_that_is_over_or_nobody_s_cannot_be_updated(api: Api) -> None:
    made = (await api.session())["session"]
    path = f"Masking/Session/{made['session_uuid']}/"
    await api("DELETE", path)
    status, answer = await api("POST", path, {"session_expiry": 600})
    assert (status, answer["error"]) == (400, "Session already expired.")
    assert (await api("POST", f"Masking/Session/{uuid.uuid4()}/", {}))[0] == 404


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("created_time__gt=2020-01-01 00:00", 1),
        ("created_time__lt=2020-01-01 00:00:00", 0),
        ("created_time_gte=2020-01-01 00:00:00.000001", 1),  # Java's spelling
        ("created_times=2020-01-01 00:00", 0),  # Node's
        ("expiry_time__lte=2020-01-01 00:00", 0),
        ("created_time__gt=2020-01-01 00:00&created_time__lt=2099-01-01 00:00", 1),
        ("duration=600", 1),
        ("duration__gt=600", 0),
        ("duration__gte=600", 1),
        ("duration__lt=600", 0),
        ("duration__lte=600&duration__gt=599", 1),
    ],
)
async def test_a_list_can_be_narrowed_by_times_and_duration(
    api: Api, query: str, found: int
) -> None:
    await api.session(session_expiry=600)
    status, listed = await api("GET", f"Masking/Session/?{query}")
    assert (status, listed["response"]["meta"]["total_count"]) == (200, found)


async def test_neighbouring_pages_keep_the_filter(api: Api) -> None:
    for number in range(3):
        await api.session(first_party=f"+1303555010{number}", second_party=f"+1303555011{number}")
    _, first = await api("GET", "Masking/Session/?limit=2&duration__gt=60")
    assert "duration__gt=60" in first["response"]["meta"]["next"]
    _, second = await api("GET", first["response"]["meta"]["next"])
    assert len(second["response"]["objects"]) == 1


async def test_a_request_that_is_sent_again_with_its_key_gives_the_same_session(api: Api) -> None:
    headers = {**api.auth, "Idempotency-Key": "order-4711"}
    made = [await api("POST", "Masking/Session/", PARTIES, headers=headers) for _ in range(2)]
    assert [status for status, _ in made] == [201, 201]
    assert made[0][1]["session"] == made[1][1]["session"]
    status, answer = await api(
        "POST", "Masking/Session/", {**PARTIES, "record": True}, headers=headers
    )
    assert (status, answer["error"]) == (
        422,
        "This Idempotency-Key was used with another request.",
    )


async def test_a_key_is_its_account_s_own(api: Api, database: Database) -> None:
    other = await Accounts(database).create("Other", token=TOKEN[::-1] + "x")
    headers = {"Idempotency-Key": "order-4711"}
    await api("POST", "Masking/Session/", PARTIES, headers={**api.auth, **headers})
    auth = {"Authorization": aiohttp.encode_basic_auth(other, TOKEN[::-1] + "x")}
    status, answer = await api(
        "POST", f"/v1/Account/{other}/Masking/Session/", PARTIES, headers={**auth, **headers}
    )
    assert (status, answer["error"]) == (400, "Number pool exhausted or not available.")


@pytest.mark.parametrize("key", ["", "x" * 256, "two words", "ä"])
async def test_a_key_that_is_none_is_an_error(api: Api, key: str) -> None:
    headers = {**api.auth, "Idempotency-Key": key}
    assert (await api("POST", "Masking/Session/", PARTIES, headers=headers))[0] == 400


async def test_what_an_sdk_sends_again_after_a_lost_answer_gives_the_same_session(
    api: Api,
) -> None:
    headers = {**api.auth, "User-Agent": "plivo-python/4.63.0 (Python: 3.11)"}
    made = [await api("POST", "Masking/Session/", PARTIES, headers=headers) for _ in range(3)]
    assert len({answer["session_uuid"] for _, answer in made}) == 1
    uuid_of_first = made[0][1]["session_uuid"]
    await api("DELETE", f"Masking/Session/{uuid_of_first}/")
    _, anew = await api("POST", "Masking/Session/", PARTIES, headers=headers)
    assert anew["session_uuid"] != uuid_of_first


async def test_twenty_repeats_at_once_make_one_session(api: Api) -> None:
    """However many numbers there would be for more."""
    pool = ",".join(f"+120255501{number}" for number in range(50, 75))
    assert (await api("POST", "Number/", {"numbers": pool}))[0] == 201
    headers = {**api.auth, "Idempotency-Key": "order-4711"}
    async with asyncio.TaskGroup() as group:
        sent = [
            group.create_task(api("POST", "Masking/Session/", PARTIES, headers=headers))
            for _ in range(20)
        ]
    assert {one.result()[0] for one in sent} == {201}
    assert len({one.result()[1]["session_uuid"] for one in sent}) == 1
    assert (await api("GET", "Masking/Session/"))[1]["response"]["meta"]["total_count"] == 1


@pytest.mark.parametrize("rate_limit", [3])
async def test_an_account_that_asks_too_often_is_told_when_to_come_back(
    api: Api, database: Database
) -> None:
    assert [(await api("GET", "Number/"))[0] for _ in range(4)] == [200, 200, 200, 429]
    path = f"/v1/Account/{api.account}/Number/"
    async with api.client.get(path, headers=api.auth) as response:
        assert response.headers["Retry-After"] == "2"
        assert (await response.json())["error"] == "Too many requests; try again later."
    other = await Accounts(database).create("Other", token="8" * 64)
    auth = {"Authorization": aiohttp.encode_basic_auth(other, "8" * 64)}
    assert (await api("GET", f"/v1/Account/{other}/Number/", headers=auth))[0] == 200


@pytest.mark.parametrize(
    ("scope", "allowed"),
    [
        (Scope.CREATE, {"create"}),
        (Scope.READ, {"get", "list"}),
        (Scope.ADMIN, {"create", "get", "list", "update", "expire", "add number"}),
        (Scope.OPERATOR, set()),
    ],
)
async def test_a_token_lets_its_bearer_do_what_its_scope_says(
    api: Api, database: Database, scope: Scope, allowed: set[str]
) -> None:
    session = f"Masking/Session/{(await api.session())['session_uuid']}/"
    await Accounts(database).add_token(api.account, "8" * 64, name="", scope=scope)
    headers = {"Authorization": aiohttp.encode_basic_auth(api.account, "8" * 64)}
    others = {"first_party": "+13035550101", "second_party": "+13035550102"}
    requests: dict[str, tuple[str, str, Any]] = {
        "create": ("POST", "Masking/Session/", others),
        "get": ("GET", session, None),
        "list": ("GET", "Masking/Session/", None),
        "update": ("POST", session, {"ring_timeout": 30}),
        "add number": ("POST", "Number/", {"numbers": "12025550150"}),
        "expire": ("DELETE", session, None),
    }
    for name, (method, path, body) in requests.items():
        status, _ = await api(method, path, body, headers=headers)
        assert (status == 403) is (name not in allowed), f"{name}: {status}"
        assert status in {200, 201, 403}


async def test_the_account_is_described(api: Api) -> None:
    status, answer = await api("GET", f"/v1/Account/{api.account}/")
    assert (status, answer["name"], answer["auth_id"]) == (200, "Acme", api.account)


async def test_the_legs_that_an_interaction_names_can_be_got(api: Api, database: Database) -> None:
    session = (await api.session())["session"]["session_uuid"]
    async with database.connection() as connection:
        await connection.execute(A_CALL, uuid.UUID(session), VIRTUAL.e164, ALICE.e164, BOB.e164)
    [interaction] = (await api("GET", f"Masking/Session/{session}/"))[1]["response"]["interaction"]
    assert (interaction["duration"], interaction["total_call_count"]) == (6, 2)
    status, first = await api("GET", interaction["first_party_resource_url"])
    assert status == 200
    status, second = await api("GET", interaction["second_party_resource_url"])
    assert status == 200
    for name in ("api_id", "call_uuid", "resource_uri", "parent_call_uuid"):
        first.pop(name), second.pop(name)
    times = {
        "answer_time": "2026-01-01 12:00:05+00:00",
        "end_time": "2026-01-01 12:00:07+00:00",
        "initiation_time": "2026-01-01 12:00:00+00:00",
    }
    money = {"total_amount": "0.00000", "total_rate": "0.00000"}
    lengths = {"bill_duration": 3, "billed_duration": 3, "call_duration": 3}
    virtual = VIRTUAL.e164[1:]
    assert first == {
        **times,
        **money,
        **lengths,
        "call_direction": "inbound",
        "from_number": ALICE.e164[1:],
        "to_number": virtual,
        "hangup_cause_name": "Normal Hangup",
        "hangup_cause_code": 4000,
        "hangup_source": "Caller",
        "session_uuid": session,
        "caller_party": "first",
        "disposition": "completed",
        "reason": "hung-up",
    }
    assert (second["from_number"], second["to_number"]) == (virtual, BOB.e164[1:])
    assert second["call_direction"] == "outbound"


async def test_another_account_s_call_is_not_found(api: Api, database: Database) -> None:
    session = (await api.session())["session"]["session_uuid"]
    async with database.connection() as connection:
        await connection.execute(A_CALL, uuid.UUID(session), VIRTUAL.e164, ALICE.e164, BOB.e164)
        leg = await connection.fetchval("SELECT id FROM leg LIMIT 1")
    other = await Accounts(database).create("Other", token="8" * 64)
    auth = {"Authorization": aiohttp.encode_basic_auth(other, "8" * 64)}
    assert (await api("GET", f"/v1/Account/{other}/Call/{leg}/", headers=auth))[0] == 404
    assert (await api("GET", f"Call/{uuid.uuid4()}/"))[0] == 404


async def test_a_body_that_is_too_large_is_an_error(api: Api) -> None:
    assert (await api("POST", "Masking/Session/", "x" * 300_000))[0] == 413


async def test_what_the_sdks_send_for_not_given_is_understood(api: Api) -> None:
    made = await api.session(
        session_expiry=0, ring_timeout=0, callback_url="", geo_match=True, first_party_pin=None
    )
    assert made["session"]["duration"] == 3600
    assert made["session"]["ring_timeout"] == 120


async def test_a_pool_with_no_number_free_says_so(api: Api) -> None:
    await api.session()
    status, answer = await api("POST", "Masking/Session/", PARTIES)
    assert (status, answer["error"]) == (400, "Number pool exhausted or not available.")


@pytest.mark.parametrize(
    "headers",
    [
        {},
        *(
            {"Authorization": aiohttp.encode_basic_auth(auth_id, TOKEN)}
            for auth_id in ("", "MA" + "X" * 18, "nul\0")
        ),
    ],
)
async def test_without_credentials_there_is_nothing(api: Api, headers: dict[str, str]) -> None:
    for method, path in [
        ("POST", "Masking/Session/"),
        ("GET", "Masking/Session/"),
        ("GET", f"Masking/Session/{uuid.uuid4()}/"),
        ("DELETE", f"Masking/Session/{uuid.uuid4()}/"),
        ("POST", "Number/"),
        ("GET", "Number/"),
        ("GET", "Number/12025550142/"),
        ("DELETE", "Number/12025550142/"),
    ]:
        status, answer = await api(method, path, headers=headers)
        assert status == 401
        assert answer["error"] == "Authentication credentials are missing or wrong."


@pytest.mark.parametrize("header", ["", "Basic", "Basic %%%", "Basic /w==", "Bearer x", "Basic Og"])
async def test_broken_credentials_are_no_credentials(api: Api, header: str) -> None:
    status, _ = await api("GET", "Number/", headers={"Authorization": header})
    assert status == 401


async def test_another_account_s_path_is_not_found(api: Api, database: Database) -> None:
    other = await Accounts(database).create("Other", token="8" * 64)
    session = await api.session()
    for account in (other, "MA" + "Z" * 18):
        root = f"/v1/Account/{account}"
        assert (await api("GET", f"{root}/Masking/Session/"))[0] == 404
        assert (await api("GET", f"{root}/Masking/Session/{session['session_uuid']}/"))[0] == 404


@pytest.mark.parametrize("name", ["nothing", "..%2F..%2Fetc", "%00", str(uuid.UUID(int=7))])
async def test_what_is_not_there_is_not_found(api: Api, name: str) -> None:
    for method in ("GET", "DELETE"):
        for path in (f"Masking/Session/{name}/", f"Number/{name}/"):
            status, answer = await api(method, path)
            assert (status, "error" in answer) == (404, True)


async def test_a_wrong_method_says_which_are_right(api: Api) -> None:
    status, answer = await api("PATCH", "Masking/Session/")
    assert (status, answer["error"]) == (405, "Method Not Allowed.")


async def test_the_request_s_id_is_in_the_answer_and_its_header(api: Api) -> None:
    path = f"/v1/Account/{api.account}/Number/"
    async with api.client.get(path, headers=api.auth) as response:
        assert response.headers["X-Request-ID"] == (await response.json())["api_id"]


async def test_health_is_open_and_readiness_names_what_is_missing(api: Api, ready: Ready) -> None:
    assert await api("GET", "/healthz", headers={}) == (200, {"status": "alive"})
    assert (await api("GET", "/readyz", headers={}))[0] == 200
    ready.lacks("asterisk", Trouble("away", "It does not answer", "Start it"))
    away = {"asterisk": {"reason": "away", "wrong": "It does not answer", "cure": "Start it"}}
    assert await api("GET", "/readyz", headers={}) == (
        503,
        {
            "status": "not ready",
            "postgres": True,
            "asterisk": False,
            "prompt_directory": True,
            "troubles": away,
        },
    )


@pytest.mark.parametrize(
    ("part", "calls", "api_is"),
    [("postgres", 503, 503), ("asterisk", 503, 200), ("prompt_directory", 200, 200)],
)
async def test_calls_and_requests_have_a_readiness_of_their_own(
    api: Api, ready: Ready, part: str, calls: int, api_is: int
) -> None:
    for path in ("/readyz", "/readyz/calls", "/readyz/api"):
        assert (await api("GET", path, headers={}))[0] == 200
    ready.lacks(part, Trouble("gone", "It is gone", "Bring it back"))
    assert (await api("GET", "/readyz", headers={}))[0] == 503
    assert (await api("GET", "/readyz/calls", headers={}))[0] == calls
    assert (await api("GET", "/readyz/api", headers={}))[0] == api_is


NAMES = [
    *("first_party", "second_party", "session_expiry", "record", "first_party_pin", "pin_retry"),
    *("callback_url", "geomatch", "subaccount", "ring_timeout", "numbers", "alias", "x"),
]
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.sampled_from([ALICE.e164, BOB.e164, "https://example.test/"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    body=st.dictionaries(st.sampled_from(NAMES), VALUES),
    path=st.sampled_from(["Masking/Session/", "Number/"]),
)
async def test_nothing_that_a_client_sends_gives_a_500(
    api: Api, body: dict[str, Any], path: str
) -> None:
    status, answer = await api("POST", path, body)
    assert status in {201, 400, 409}, answer


@settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    query=st.dictionaries(
        st.sampled_from(["limit", "offset", "status", "first_party", "virtual_number", "x"]),
        st.text() | st.integers().map(str),
    )
)
async def test_nothing_in_a_query_gives_a_500(api: Api, query: dict[str, str]) -> None:
    status, answer = await api("GET", "Masking/Session/", params=query)
    assert status in {200, 400}, answer
