"""Plivo's own Python SDK, unmodified, against our API: only the host is another.

The SDK takes no address, so its transport is told where api.plivo.com is; nothing else is touched.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from http import HTTPStatus
from typing import Any

import plivo as plivo_sdk
import pytest
import requests
import structlog
from plivo.exceptions import (
    AuthenticationError,
    ForbiddenError,
    GeoPermissionError,
    PlivoRestError,
    PlivoServerError,
    ResourceNotFoundError,
    ValidationError,
)

from bridge.domain.access import Scope
from bridge.domain.numbers import PhoneNumber
from bridge.store.accounts import Accounts
from bridge.store.numbers import Numbers
from bridge.store.pool import Database
from tests.adapters import plivo_answers as plivo
from tests.adapters.conftest import PARTIES, TOKEN, Api
from tests.adapters.meanwhile import alice_calls_bob, postgres_fails_over
from tests.people import ALICE, BOB, VIRTUAL

PLIVO = "https://api.plivo.com"
UNKNOWN = "11111111-2222-3333-4444-555555555555"
OTHERS = PhoneNumber("+13125550150")


class Elsewhere(requests.adapters.HTTPAdapter):  # type: ignore[misc]  # has no types
    """Sends what is meant for Plivo to us."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self._url = url
        self.statuses: list[int] = []
        self.losing = 0
        """So many answers are lost from now on, in a proxy that gave up waiting."""

    def send(self, request: requests.PreparedRequest, **options: Any) -> requests.Response:
        assert request.url
        request.url = request.url.replace(PLIVO, self._url, 1)
        response = super().send(request, **{**options, "verify": True, "cert": None})
        if self.losing:
            self.losing -= 1
            response.status_code = HTTPStatus.GATEWAY_TIMEOUT
        self.statuses.append(response.status_code)
        return response


class Sdk:
    """The SDK's client in a thread of its own, for it blocks."""

    def __init__(self, client: Any, transport: Elsewhere) -> None:
        self.client = client
        self.transport = transport

    async def __call__(self, call: Callable[..., Any], *given: Any, **arguments: Any) -> Any:
        async with asyncio.timeout(20):
            return await asyncio.to_thread(call, *given, **arguments)


@pytest.fixture
async def sdk(api: Api) -> AsyncIterator[Sdk]:
    transport = Elsewhere(str(api.client.make_url("")).rstrip("/"))
    with plivo_sdk.RestClient(api.account, TOKEN) as client:
        client.session.mount(PLIVO, transport)
        yield Sdk(client, transport)


async def test_a_session_s_life(sdk: Sdk) -> None:
    sessions = sdk.client.masking_sessions
    made = await sdk(sessions.create_masking_session, **PARTIES, session_expiry=600, record=True)
    assert made.virtual_number == VIRTUAL.e164
    assert made.message == "Session created"
    uuid = made.session_uuid

    got = await sdk(sessions.get_masking_session, uuid)
    assert got.response["first_party"] == ALICE.e164[1:]
    assert (got.response["duration"], got.response["record"]) == (600, True)

    updated = await sdk(
        sessions.update_masking_session, uuid, session_expiry=1200, ring_timeout=30, record=False
    )
    assert updated.message == "Session updated"
    assert (updated.session["ring_timeout"], updated.session["record"]) == (30, False)

    listed = await sdk(
        sessions.list_masking_session,
        first_party=ALICE.e164,
        status="active",
        created_time__gt="2020-01-01 00:00:00",
        duration__gte=1200,
        limit=5,
        offset=0,
    )
    assert listed.response["meta"]["total_count"] == 1
    assert listed.response["objects"][0]["session_uuid"] == uuid

    ended = await sdk(sessions.delete_masking_session, uuid)
    assert ended.message == "Session expired"
    assert (await sdk(sessions.get_masking_session, uuid)).response["status"] == "expired"


async def test_a_created_session_is_as_plivo_answers_it(sdk: Sdk) -> None:
    sessions = sdk.client.masking_sessions
    made = await sdk(sessions.create_masking_session, **PARTIES, **plivo.ASKED)
    plivo.assert_is_as(plivo.CREATED, _plain(made))
    for again in (
        await sdk(sessions.get_masking_session, made.session_uuid),
        await sdk(sessions.update_masking_session, made.session_uuid),
    ):
        answered = _plain(again)
        plivo.assert_is_as(
            plivo.CREATED["session"], answered.get("response") or answered["session"]
        )


async def test_a_call_of_a_session_is_as_plivo_answers_it(sdk: Sdk, database: Database) -> None:
    sessions = sdk.client.masking_sessions
    made = await sdk(sessions.create_masking_session, **PARTIES)
    await alice_calls_bob(database, made.session_uuid)
    session = _plain(await sdk(sessions.get_masking_session, made.session_uuid))["response"]
    [interaction] = session["interaction"]
    plivo.assert_is_of_the_kind_of(plivo.INTERACTION, interaction)
    assert (session["total_call_count"], session["last_interaction_time"]) == (
        2,
        interaction["end_time"],
    )
    first, second = [
        await sdk(sdk.client.calls.get, interaction[f"{party}_resource_url"].rpartition("/")[2])
        for party in ("first_party", "second_party")
    ]
    assert (first.from_number, first.to_number) == (ALICE.e164[1:], VIRTUAL.e164[1:])
    assert (second.from_number, second.to_number) == (VIRTUAL.e164[1:], BOB.e164[1:])


async def test_every_filter_of_the_sdk_is_understood(sdk: Sdk) -> None:
    sessions = sdk.client.masking_sessions
    made = await sdk(sessions.create_masking_session, **PARTIES, session_expiry=600)
    created, expires = made.session["created_time"][:19], made.session["expiry_time"][:19]
    filters = [
        (PARTIES, 1),
        ({"virtual_number": VIRTUAL.e164}, 1),
        ({"first_party": BOB.e164}, 0),
        ({"status": "active"}, 1),
        ({"status": "expired"}, 0),
        *_comparisons("created_time", created),
        *_comparisons("expiry_time", expires),
        *_comparisons("duration", 600),
    ]
    for asked, found in filters:
        listed = await sdk(sessions.list_masking_session, **asked)
        assert (asked, listed.response["meta"]["total_count"]) == (asked, found)


async def test_pages_of_a_list(sdk: Sdk) -> None:
    sessions = sdk.client.masking_sessions
    for number in range(3):
        await sdk(
            sessions.create_masking_session,
            first_party=f"+1303555010{number}",
            second_party=f"+1303555011{number}",
        )
    found = []
    for offset in (0, 2):
        page = await sdk(sessions.list_masking_session, limit=2, offset=offset)
        found += [one["first_party"] for one in page.response["objects"]]
    assert found == ["13035550102", "13035550101", "13035550100"]


async def test_virtual_numbers(sdk: Sdk) -> None:
    numbers = sdk.client.numbers
    await sdk(numbers.create, "12025550150,12025550151", "carrier", "US")
    listed = await sdk(numbers.list, limit=2)
    assert [one.number for one in listed.objects] == [VIRTUAL.e164[1:], "12025550150"]
    listed = await sdk(numbers.list, limit=2, offset=2)
    assert [one.number for one in listed.objects] == ["12025550151"]
    got = await sdk(numbers.get, VIRTUAL.e164[1:])
    assert (got.country, got.voice_enabled) == ("US", True)
    await sdk(numbers.delete, VIRTUAL.e164[1:])
    with pytest.raises(ResourceNotFoundError):
        await sdk(numbers.get, VIRTUAL.e164[1:])


async def test_the_sdk_walks_through_all_pages_of_numbers(sdk: Sdk) -> None:
    numbers = [f"120255501{number}" for number in range(50, 75)]
    await sdk(sdk.client.numbers.create, ",".join(numbers), "carrier", "US")
    walked = await sdk(lambda: [one.number for one in sdk.client.numbers])
    assert walked == [VIRTUAL.e164[1:], *numbers]


async def test_what_is_wrong_with_a_request_is_raised_as_its_kind(sdk: Sdk) -> None:
    sessions = sdk.client.masking_sessions
    with pytest.raises(ValidationError, match="first_party is not a valid phone number"):
        await sdk(sessions.create_masking_session, first_party="1", second_party=ALICE.e164)
    with pytest.raises(ValidationError, match="second_party must be present"):
        await sdk(sessions.create_masking_session, first_party=ALICE.e164)
    for operation in (
        sessions.get_masking_session,
        sessions.update_masking_session,
        sessions.delete_masking_session,
    ):
        with pytest.raises(ResourceNotFoundError, match="Not found"):
            await sdk(operation, UNKNOWN)
    made = await sdk(sessions.create_masking_session, **PARTIES)
    await sdk(sessions.delete_masking_session, made.session_uuid)
    for end in (sessions.delete_masking_session, sessions.update_masking_session):
        with pytest.raises(ValidationError, match="Session already expired"):
            await sdk(end, made.session_uuid)


async def test_wrong_credentials_are_an_authentication_error(sdk: Sdk) -> None:
    sdk.client.session.auth = (sdk.client.session.auth[0], "wrong")
    with pytest.raises(AuthenticationError, match="missing or wrong"):
        await sdk(sdk.client.masking_sessions.list_masking_session)


async def test_what_a_token_may_not_do_is_forbidden(api: Api, sdk: Sdk, database: Database) -> None:
    """As a GeoPermissionError where it would create a session: Plivo's SDK knows no other 403."""
    await Accounts(database).add_token(api.account, "8" * 64, name="", scope=Scope.READ)
    sdk.client.session.auth = (api.account, "8" * 64)
    sessions = sdk.client.masking_sessions
    with pytest.raises(ForbiddenError, match="its scope is read"):
        await sdk(sessions.delete_masking_session, UNKNOWN)
    with pytest.raises(GeoPermissionError, match="its scope is read"):
        await sdk(sessions.create_masking_session, **PARTIES)


async def test_another_account_s_number_is_a_validation_error(sdk: Sdk, database: Database) -> None:
    other = await Accounts(database).create("Other", token="8" * 64)
    await Numbers(database, trunk="carrier").add(other, [OTHERS])
    with pytest.raises(ValidationError, match=r"may not add no\. 1 of numbers"):
        await sdk(sdk.client.numbers.create, OTHERS.e164[1:], "carrier", "US")


@pytest.mark.parametrize("rate_limit", [1])
async def test_too_many_requests_are_an_error_that_names_429(sdk: Sdk) -> None:
    """Of a status that it does not know, the SDK tells nothing else."""
    sessions = sdk.client.masking_sessions
    await sdk(sessions.list_masking_session)
    with pytest.raises(PlivoRestError, match="status code 429"):
        await sdk(sessions.list_masking_session)


async def test_while_postgres_takes_no_changes_the_sdk_tries_three_times(
    sdk: Sdk, database_url: str
) -> None:
    """And raises what it does for every status above 500: no PlivoServerError."""
    await postgres_fails_over(database_url)
    with pytest.raises(PlivoRestError, match="status code 503"):
        await sdk(sdk.client.masking_sessions.create_masking_session, **PARTIES)
    assert sdk.transport.statuses == [503, 503, 503]


async def test_a_fault_of_our_own_is_a_server_error(sdk: Sdk, database: Database) -> None:
    async with database.connection() as connection:
        await connection.execute("DROP TABLE route CASCADE")
    create = sdk.client.masking_sessions.create_masking_session
    with structlog.testing.capture_logs() as lines, pytest.raises(PlivoServerError) as error:
        await sdk(create, **PARTIES)
    assert str(error.value) == "Internal server error."
    assert "request crashed" in {line["event"] for line in lines}
    assert sdk.transport.statuses == [500, 500, 500]


async def test_a_create_that_the_sdk_sends_again_makes_one_session(api: Api, sdk: Sdk) -> None:
    sdk.transport.losing = 2
    made = await sdk(sdk.client.masking_sessions.create_masking_session, **PARTIES)
    assert sdk.transport.statuses == [504, 504, 201]
    _, listed = await api("GET", "Masking/Session/")
    assert [one["session_uuid"] for one in listed["response"]["objects"]] == [made.session_uuid]


def _comparisons(field: str, value: Any) -> list[tuple[dict[str, Any], int]]:
    """Each filter of a field that has this value, and how many it finds."""
    found = {"": 1, "__gt": 0, "__gte": 1, "__lt": 0, "__lte": 1}
    return [({field + suffix: value}, count) for suffix, count in found.items()]


def _plain(answer: Any) -> Any:
    """An object of the SDK as the JSON that it was made of."""
    if isinstance(answer, plivo_sdk.base.ResponseObject):
        return {name: _plain(value) for name, value in vars(answer).items()}
    return [_plain(one) for one in answer] if isinstance(answer, list) else answer
