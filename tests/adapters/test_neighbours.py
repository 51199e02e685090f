"""What stands beside the sessions in the API: numbers, subaccounts, recordings, the account."""

import uuid
from datetime import UTC, datetime
from typing import Any

import aiohttp
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bridge.domain.access import Scope
from bridge.domain.grants import ranges_of
from bridge.domain.numbers import PhoneNumber
from bridge.store.accounts import Accounts
from bridge.store.grants import Grants
from bridge.store.pool import Database
from tests.adapters.conftest import Api
from tests.adapters.test_api import VALUES
from tests.people import ALICE, BOB, CAROL, VIRTUAL

FREE, ANOTHER = PhoneNumber("+13125550150"), PhoneNumber("+13125550151")
OURS = VIRTUAL.e164[1:]
ENDED = datetime(2026, 1, 1, 12, 1, 35, 500_000, tzinfo=UTC)

A_RECORDING = """
WITH a_call AS (
    INSERT INTO call (id, node, session, caller_side, virtual_number, caller, started_at)
    VALUES (gen_random_uuid(), 'here', $1, 'first', $2, $3, '2026-01-01 12:00Z')
    RETURNING id
), legs AS (
    INSERT INTO leg (call, role, channel_id, party_number, started_at)
    SELECT id, role, role, party, '2026-01-01 12:00Z'
      FROM a_call, (VALUES ('a', $3), ('b', $4)) AS leg (role, party)
    RETURNING id, role
), recorded AS (
    INSERT INTO recording (id, call, format, state, started_at, ended_at, bytes, sha256)
    SELECT gen_random_uuid(), id, 'mp3',
           CASE WHEN $5::timestamptz IS NULL THEN 'in-progress' ELSE 'ready' END,
           '2026-01-01 12:00:05Z', $5, 1234, $6
      FROM a_call
    RETURNING id
)
SELECT (SELECT id FROM recorded) AS recording,
       (SELECT id FROM legs WHERE role = 'a') AS a_leg,
       (SELECT id FROM legs WHERE role = 'b') AS b_leg
"""


async def listed(api: Api, query: str) -> list[str]:
    status, answer = await api("GET", f"Number/?{query}")
    assert status == 200, answer
    return [one["number"] for one in answer["objects"]]


async def subaccount(api: Api, **arguments: Any) -> str:
    status, made = await api("POST", "Subaccount/", {"name": "West", **arguments})
    assert status == 201, made
    auth_id: str = made["auth_id"]
    return auth_id


async def test_a_number_has_plivo_s_fields_and_says_more(api: Api) -> None:
    west = await subaccount(api)
    body = {
        "numbers": "12025550150",
        "alias": "depot",
        "carrier": "second-trunk",
        "region": "Washington",
        "subaccount": west,
        "reserved": True,
        "max_concurrent_calls": 30,
        "fallback_number": CAROL.e164,
        "fallback_play_url": "https://x.test/bye.mp3",
        "state": "quarantined",
    }
    assert (await api("POST", "Number/", body))[0] == 201
    _, got = await api("GET", "Number/12025550150/")
    got.pop("api_id")
    assert len(got.pop("added_on")) == len("2026-01-01")
    nothing = (
        *("application", "city", "cnam_lookup", "compliance_application_id", "compliance_status"),
        *("mms_rate", "monthly_rental_rate", "renewal_date", "sms_rate", "voice_rate"),
        *("tendlc_campaign_id", "tendlc_registration_status", "toll_free_sms_verification"),
    )
    assert got == {
        **dict.fromkeys(nothing),
        "active": False,
        "alias": "depot",
        "carrier": "second-trunk",
        "country": "US",
        "mms_enabled": False,
        "number": "12025550150",
        "number_type": "local",
        "region": "Washington",
        "resource_uri": f"/v1/Account/{api.account}/Number/12025550150/",
        "sms_enabled": False,
        "sub_account": west,
        "voice_enabled": False,
        "state": "quarantined",
        "reserved": True,
        "max_concurrent_calls": 30,
        "fallback_number": CAROL.e164[1:],
        "fallback_play_url": "https://x.test/bye.mp3",
        "live_sessions": 0,
        "blocked_calls": 0,
    }


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", [OURS, "12025550150", "442079460123", "18005550100"]),
        ("number_startswith=1202", [OURS, "12025550150"]),
        ("number_startswith=%2B44", ["442079460123"]),
        ("country=US", [OURS, "12025550150", "18005550100"]),
        ("country_iso=GB", ["442079460123"]),
        ("type=tollfree", ["18005550100"]),
        ("number_type=local", [OURS, "12025550150", "442079460123"]),  # Go's and Java's name
        ("alias=depot", ["12025550150"]),
        ("reserved=true", ["12025550150"]),
        ("reserved=false", [OURS, "442079460123", "18005550100"]),
        ("state=draining", ["442079460123"]),
        ("state=retired", ["12025550151"]),
        ("services=voice", [OURS, "12025550150", "442079460123", "18005550100"]),
        ("services=voice,sms", []),
        ("state=active&alias=depot&limit=1", ["12025550150"]),
        ("offset=3", ["18005550100"]),
    ],
)
async def test_a_list_of_numbers_can_be_narrowed(api: Api, query: str, found: list[str]) -> None:
    for body in (
        {"numbers": "12025550150", "alias": "depot", "reserved": True},
        {"numbers": "442079460123", "state": "draining"},
        {"numbers": "18005550100"},
        {"numbers": "12025550151"},
    ):
        assert (await api("POST", "Number/", body))[0] == 201
    assert (await api("DELETE", "Number/12025550151/"))[0] == 204
    assert await listed(api, query) == found


async def test_a_list_of_numbers_by_subaccount_is_counted_and_keeps_its_filter(api: Api) -> None:
    west = await subaccount(api)
    body = {"numbers": "12025550150,12025550151,12025550152", "sub_account": west}  # Node's name
    assert (await api("POST", "Number/", body))[0] == 201
    _, first = await api("GET", f"Number/?subaccount={west}&limit=2")
    assert first["meta"]["total_count"] == 3
    _, second = await api("GET", first["meta"]["next"])
    assert [one["number"] for one in second["objects"]] == ["12025550152"]


@pytest.mark.parametrize(
    ("query", "fault"),
    [
        ("state=sleeping", "state allowed values are active, draining, quarantined or retired"),
        ("type=short", "type allowed values are"),
        ("number_startswith=012", "number_startswith is not valid."),
        ("services=fax", "services is not valid."),
        ("subaccount=West", "subaccount is not valid."),
        ("country=Germany", "country is not valid."),
        ("reserved=perhaps", "reserved allowed values are true or false."),
        ("renewal_date=2026-01-01", "renewal_date is not a parameter of this request."),
        ("tendlc_campaign_id=C1", "tendlc_campaign_id is not a parameter of this request."),
    ],
)
async def test_a_filter_without_a_meaning_is_an_error(api: Api, query: str, fault: str) -> None:
    status, answer = await api("GET", f"Number/?{query}")
    assert status == 400
    assert fault in answer["error"]


@pytest.mark.parametrize(
    ("change", "shown"),
    [
        ({"alias": "depot"}, {"alias": "depot"}),
        ({"alias": ""}, {"alias": "before"}),  # what SDKs send for what was not given
        ({"alias": None}, {"alias": None}),
        ({"reserved": True}, {"reserved": True}),
        ({"max_concurrent_calls": 5}, {"max_concurrent_calls": 5}),
        ({"max_concurrent_calls": None}, {"max_concurrent_calls": None}),
        ({"carrier": "second-trunk"}, {"carrier": "second-trunk"}),
        ({"number": OURS, "state": "draining"}, {"state": "draining", "active": False}),
        ({"state": "quarantined"}, {"state": "quarantined", "voice_enabled": False}),
    ],
)
async def test_an_update_of_a_number_changes_what_it_names(
    api: Api, change: dict[str, Any], shown: dict[str, Any]
) -> None:
    await api("POST", f"Number/{OURS}/", {"alias": "before"})
    _, before = await api("GET", f"Number/{OURS}/")
    status, answer = await api("POST", f"Number/{OURS}/", change)
    assert (status, answer["message"]) == (202, "changed")
    _, after = await api("GET", f"Number/{OURS}/")
    assert {name: after[name] for name in shown} == shown
    unchanged = before.keys() - shown.keys() - {"api_id", "active", "voice_enabled"}
    assert {name: after[name] for name in unchanged} == {name: before[name] for name in unchanged}


async def test_a_number_is_given_to_a_subaccount_and_back(api: Api) -> None:
    west = await subaccount(api)
    assert (await api("POST", f"Number/{OURS}/", {"subaccount": west}))[0] == 202
    assert (await api("GET", f"Number/{OURS}/"))[1]["sub_account"] == west
    assert (await api("POST", f"Number/{OURS}/", {"subaccount": None}))[0] == 202
    assert (await api("GET", f"Number/{OURS}/"))[1]["sub_account"] is None
    status, answer = await api("POST", f"Number/{OURS}/", {"subaccount": "SA" + "X" * 18})
    assert (status, answer["error"]) == (
        400,
        "Invalid parameter. subaccount is not one of this account.",
    )


@pytest.mark.parametrize(
    ("number", "body", "status"),
    [
        (OURS, {"app_id": "1"}, 400),
        (OURS, {"state": "sleeping"}, 400),
        (OURS, {"alias": "\u0000"}, 400),
        (OURS, {"alias": "\u009b31m"}, 400),
        (OURS, {"alias": "\ud800"}, 400),
        (OURS, {"carrier": "PJSIP/x@y"}, 400),
        (OURS, {"reserved": 1}, 400),
        ("12025550199", {"alias": "x"}, 404),
        ("nobody", {"alias": "x"}, 404),
    ],
)
async def test_a_wrong_update_of_a_number_is_an_error(
    api: Api, number: str, body: dict[str, Any], status: int
) -> None:
    assert (await api("POST", f"Number/{number}/", body))[0] == status


@pytest.mark.parametrize(
    ("numbers", "fault"),
    [
        ("12025550150, nobody,0123,+12025550151,1", "unlike no. 2, 3, 5."),
        (["12025550150", None, 12025550151], "unlike no. 2, 3."),
        ("12025550150,", "unlike no. 2."),
        ("", "numbers must be present."),
        ([], "numbers must be valid phone numbers"),
        ({"a": 1}, "numbers must be valid phone numbers"),
        ([f"1202555{place:04}" for place in range(101)], "numbers must be 100 or fewer."),
    ],
)
async def test_every_number_that_is_none_is_named_by_its_place(
    api: Api, numbers: Any, fault: str
) -> None:
    status, answer = await api("POST", "Number/", {"numbers": numbers, "carrier": "Not One"})
    assert status == 400
    assert fault in answer["error"]
    assert "carrier is not valid." in answer["error"]
    assert await listed(api, "") == [OURS]


async def test_every_number_that_cannot_be_added_is_named_by_its_place_and_none_is_added(
    api: Api, database: Database
) -> None:
    await api.session()
    other = await Accounts(database).create("Other", token="8" * 64)
    auth = {"Authorization": aiohttp.encode_basic_auth(other, "8" * 64)}
    await Grants(database).grant(other, ranges_of([ANOTHER, FREE]), by="a test")
    asked = [ANOTHER.e164, VIRTUAL.e164, BOB.e164, FREE.e164, ALICE.e164]
    body = {"numbers": asked, "subaccount": "SA" + "X" * 18}
    path = f"/v1/Account/{other}/Number/"
    status, answer = await api("POST", path, body, headers=auth)
    assert (status, answer["error"]) == (
        400,
        "Invalid parameter. subaccount is not one of this account. "
        "This account may not add no. 2, 3, 5 of numbers: the number is not granted to it, or is "
        "not free now. Ask the operator. None was added.",
    )
    assert (await api("GET", path, headers=auth))[1]["objects"] == []


async def test_a_number_shows_how_many_live_sessions_it_is_in(api: Api) -> None:
    made = await api.session()
    assert (await api("GET", f"Number/{OURS}/"))[1]["live_sessions"] == 1
    await api("DELETE", f"Masking/Session/{made['session_uuid']}/")
    assert (await api("GET", "Number/"))[1]["objects"][0]["live_sessions"] == 0


async def test_a_subaccount_s_life(api: Api) -> None:
    status, made = await api("POST", "Subaccount/", {"name": "West"})
    assert (status, made["message"], made["auth_token"]) == (201, "created", None)
    path = f"Subaccount/{made['auth_id']}/"
    _, got = await api("GET", path)
    uri = f"/v1/Account/{api.account}/"
    assert got.pop("api_id") != made["api_id"]
    assert len(got.pop("created")) == len("2026-01-01")
    assert got == {
        "account": uri,
        "auth_id": made["auth_id"],
        "auth_token": None,
        "enabled": False,
        "modified": None,
        "name": "West",
        "new_auth_token": None,
        "resource_uri": f"{uri}{path}",
    }
    status, answer = await api("POST", path, {"enabled": "true"})  # a word, as Node sends it
    assert (status, answer["message"]) == (202, "changed")
    _, after = await api("GET", path)
    assert (after["name"], after["enabled"]) == ("West", True)
    assert after["modified"]
    _, listed = await api("GET", "Subaccount/")
    assert (listed["meta"]["total_count"], listed["objects"][0]["name"]) == (1, "West")
    assert (await api("DELETE", path))[0] == 204
    assert (await api("DELETE", path))[0] == 404
    assert (await api("GET", path))[0] == 404
    assert (await api("POST", path, {"name": "East"}))[0] == 404
    assert (await api("GET", "Subaccount/"))[1]["objects"] == []


async def test_subaccounts_are_paged(api: Api) -> None:
    made = [await subaccount(api, name=f"No. {place}") for place in range(3)]
    _, first = await api("GET", "Subaccount/?limit=2")
    _, second = await api("GET", first["meta"]["next"])
    assert [one["auth_id"] for one in first["objects"] + second["objects"]] == made


@pytest.mark.parametrize(
    ("query", "body", "retired"),
    [
        ("", None, []),
        ("", {"cascade": False}, []),
        ("", {"auth_id": "as the SDK repeats it", "cascade": True}, [OURS]),
        ("?cascade=true", None, [OURS]),
    ],
)
async def test_a_subaccount_s_numbers_go_with_it_only_if_that_is_said(
    api: Api, query: str, body: Any, retired: list[str]
) -> None:
    west = await subaccount(api)
    await api("POST", f"Number/{OURS}/", {"subaccount": west})
    assert (await api("DELETE", f"Subaccount/{west}/{query}", body))[0] == 204
    assert await listed(api, "state=retired") == retired
    assert await listed(api, "") == [one for one in [OURS] if one not in retired]


async def test_a_subaccount_with_live_sessions_is_not_removed(api: Api, database: Database) -> None:
    west = await subaccount(api)
    made = await api.session()
    async with database.connection() as connection:
        await connection.execute("UPDATE session SET subaccount = $1", west)
    status, answer = await api("DELETE", f"Subaccount/{west}/")
    assert (status, answer["error"]) == (409, "This subaccount has live sessions.")
    await api("DELETE", f"Masking/Session/{made['session_uuid']}/")
    assert (await api("DELETE", f"Subaccount/{west}/"))[0] == 204


@pytest.mark.parametrize(
    ("method", "name", "body", "status"),
    [
        ("POST", "", {}, 400),
        ("POST", "", {"name": "x" * 65}, 400),
        ("POST", "", {"name": "\u0000"}, 400),
        ("POST", "", {"name": ["West"]}, 400),
        ("POST", "", {"name": "West", "auth_token": "x"}, 400),
        ("POST", "", {"name": "West", "enabled": "perhaps"}, 400),
        ("GET", "nobody/", None, 404),
        ("GET", "SAXXXXXXXXXXXXXXXXXX/", None, 404),
        ("GET", "%00/", None, 404),
        ("DELETE", "SAXXXXXXXXXXXXXXXXXX/", None, 404),
        ("DELETE", "SAXXXXXXXXXXXXXXXXXX/?cascade=perhaps", None, 400),
        ("DELETE", "SAXXXXXXXXXXXXXXXXXX/", "no json", 400),
        ("DELETE", "SAXXXXXXXXXXXXXXXXXX/", {"now": True}, 400),
    ],
)
async def test_a_wrong_request_about_subaccounts_is_an_error(
    api: Api, method: str, name: str, body: Any, status: int
) -> None:
    assert (await api(method, f"Subaccount/{name}", body))[0] == status


async def test_another_account_s_subaccount_is_not_found(api: Api, database: Database) -> None:
    other = await Accounts(database).create("Other", token="8" * 64)
    auth = {"Authorization": aiohttp.encode_basic_auth(other, "8" * 64)}
    path = f"/v1/Account/{other}/Subaccount/{await subaccount(api)}/"
    for method, body in (("GET", None), ("POST", {"name": "Mine"}), ("DELETE", None)):
        assert (await api(method, path, body, headers=auth))[0] == 404
    assert (await api("GET", f"/v1/Account/{other}/Subaccount/", headers=auth))[1]["objects"] == []


async def recorded(
    api: Api, database: Database, *, ended: datetime | None = ENDED
) -> dict[str, str]:
    """Ids of a new recording, and of the legs and the session that it is of."""
    session = (await api.session())["session_uuid"]
    people = VIRTUAL.e164, ALICE.e164, BOB.e164
    async with database.connection() as connection:
        row = await connection.fetchrow(
            A_RECORDING, uuid.UUID(session), *people, ended, b"\xab" * 32
        )
    assert row is not None
    return {"session": session, **{name: str(value) for name, value in row.items()}}


async def test_a_recording_has_plivo_s_fields_and_says_more(api: Api, database: Database) -> None:
    ids = await recorded(api, database)
    status, got = await api("GET", f"Recording/{ids['recording']}/")
    assert status == 200
    got.pop("api_id")
    assert got.pop("recording_storage_duration") > 0
    assert got.pop("recording_url").startswith(f"/v1/Recording/{ids['recording']}/Media/?")
    assert got == {
        "add_time": "2026-01-01 12:01:35.500000+00:00",
        "call_uuid": ids["a_leg"],
        "conference_name": None,
        "from_number": ALICE.e164[1:],
        "monthly_recording_storage_amount": 0,
        "recording_duration_ms": "90500.00000",
        "recording_end_ms": "1767268895500.00000",
        "recording_format": "mp3",
        "recording_id": ids["recording"],
        "recording_start_ms": "1767268805000.00000",
        "recording_storage_rate": 0,
        "recording_type": "normal",
        "resource_uri": f"/v1/Account/{api.account}/Recording/{ids['recording']}/",
        "rounded_recording_duration": 120,
        "to_number": OURS,
        "status": "ready",
        "paused": False,
        "failure": None,
        "session_uuid": ids["session"],
        "size": 1234,
        "consent": [],
        "sha256": "ab" * 32,
    }
    assert (await api("GET", f"Call/{got['call_uuid']}/"))[0] == 200


async def test_a_recording_that_goes_on_has_no_end_yet(api: Api, database: Database) -> None:
    ids = await recorded(api, database, ended=None)
    _, got = await api("GET", f"Recording/{ids['recording']}/")
    assert got["status"] == "in-progress"
    for name in ("add_time", "recording_end_ms", "recording_duration_ms", "recording_url"):
        assert got[name] is None
    assert (got["rounded_recording_duration"], got["recording_storage_duration"]) == (None, 0)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", True),
        ("call_uuid={a_leg}", True),
        ("call_uuid={b_leg}", True),
        ("call_uuid={session}", False),
        ("from_number=14155550123&to_number=%2B12025550142", True),
        ("from_number=12165550145", False),
        ("add_time=2026-01-01 12:01", True),
        ("add_time__gt=2026-01-01 12:01:36", False),
        ("add_time__gte=2026-01-01 12:01:35.500000", True),
        ("add_time__lt=2026-01-01 12:01:35.500000", False),
        ("add_time__lte=2026-01-01 12:01:35.500000&limit=5&offset=0", True),
        ("offset=1", False),
        ("subaccount=SAXXXXXXXXXXXXXXXXXX", False),
    ],
)
async def test_a_list_of_recordings_can_be_narrowed(
    api: Api, database: Database, query: str, found: bool
) -> None:
    ids = await recorded(api, database)
    status, answer = await api("GET", f"Recording/?{query.format(**ids)}")
    assert (status, [one["recording_id"] for one in answer["objects"]]) == (
        200,
        [ids["recording"]] if found else [],
    )


@pytest.mark.parametrize(
    "query", ["call_uuid=x", "add_time=yesterday", "conference_name=x", "from_number=x"]
)
async def test_a_wrong_filter_of_recordings_is_an_error(api: Api, query: str) -> None:
    assert (await api("GET", f"Recording/?{query}"))[0] == 400


async def test_another_account_s_recording_is_not_found(api: Api, database: Database) -> None:
    ids = await recorded(api, database)
    other = await Accounts(database).create("Other", token="8" * 64)
    auth = {"Authorization": aiohttp.encode_basic_auth(other, "8" * 64)}
    path = f"/v1/Account/{other}/Recording/"
    assert (await api("GET", f"{path}{ids['recording']}/", headers=auth))[0] == 404
    assert (await api("GET", path, headers=auth))[1]["objects"] == []
    assert (await api("GET", "Recording/nothing/"))[0] == 404


async def test_the_account_shows_its_countries_and_can_be_renamed(
    api: Api, database: Database
) -> None:
    _, account = await api("GET", "")
    assert (account["name"], account["countries"]) == ("Acme", None)
    await Accounts(database).allow_countries(api.account, ["CA", "US"])
    # As Plivo's Python SDK sends what was not given.
    status, answer = await api("POST", "", {"name": "Acme & Sons", "city": None, "address": None})
    assert (status, answer["message"]) == (202, "changed")
    _, account = await api("GET", "")
    assert (account["name"], account["countries"]) == ("Acme & Sons", ["CA", "US"])


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        ({}, "name must be present."),
        ({"city": "Berlin"}, "city is not a parameter of this request."),
        ({"name": "x", "countries": ["US"]}, "countries is not a parameter of this request."),
        ({"name": "x" * 65}, "name should be under 65 characters."),
    ],
)
async def test_what_of_the_account_is_not_its_own_to_change_is_an_error(
    api: Api, body: dict[str, Any], fault: str
) -> None:
    status, answer = await api("POST", "", body)
    assert status == 400
    assert fault in answer["error"]


async def test_without_credentials_there_is_nothing(api: Api) -> None:
    for path in ("", "Subaccount/", "Subaccount/SAXXXXXXXXXXXXXXXXXX/", "Recording/", "Number/1/"):
        for method in ("GET", "POST", "DELETE"):
            status, _ = await api(method, path, headers={})
            assert status in {401, 405}


async def test_a_token_that_only_reads_changes_nothing(api: Api, database: Database) -> None:
    west = await subaccount(api)
    await Accounts(database).add_token(api.account, "8" * 64, name="", scope=Scope.READ)
    headers = {"Authorization": aiohttp.encode_basic_auth(api.account, "8" * 64)}
    for path in ("", "Subaccount/", f"Subaccount/{west}/", "Recording/", f"Number/{OURS}/"):
        assert (await api("GET", path, headers=headers))[0] == 200
    for path in ("", "Subaccount/", f"Subaccount/{west}/", f"Number/{OURS}/"):
        assert (await api("POST", path, {"name": "Mine"}, headers=headers))[0] == 403
    assert (await api("DELETE", f"Subaccount/{west}/", headers=headers))[0] == 403


NAMES = [
    *("numbers", "alias", "carrier", "region", "number_type", "subaccount", "sub_account"),
    *("state", "reserved", "name", "enabled", "cascade", "auth_id", "number", "x"),
]


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    body=st.dictionaries(st.sampled_from(NAMES), VALUES),
    path=st.sampled_from(["", "Number/", f"Number/{OURS}/", "Subaccount/"]),
)
async def test_nothing_that_a_client_sends_gives_a_500(
    api: Api, body: dict[str, Any], path: str
) -> None:
    status, answer = await api("POST", path, body)
    assert status in {201, 202, 400, 404, 409}, answer


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    path=st.sampled_from(["Number/", "Recording/", "Subaccount/"]),
    query=st.dictionaries(
        st.sampled_from(
            [
                *("limit", "offset", "alias", "state", "country", "services", "subaccount"),
                *("number_startswith", "call_uuid", "from_number", "add_time", "add_time__lt"),
            ]
        ),
        st.text() | st.integers().map(str) | st.sampled_from(["retired", "US", "2026-01-01 00:00"]),
    ),
)
async def test_nothing_in_a_query_gives_a_500(api: Api, path: str, query: dict[str, str]) -> None:
    status, answer = await api("GET", path, params=query)
    assert status in {200, 400}, answer
