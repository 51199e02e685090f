"""Plivo's own Python SDK, unmodified, against our API: only the host is another.

The SDK takes no address, so its transport is told where api.plivo.com is; nothing else is touched.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import plivo
import pytest
import requests
from plivo.exceptions import AuthenticationError, ResourceNotFoundError, ValidationError

from tests.adapters.conftest import PARTIES, TOKEN, Api
from tests.people import ALICE, VIRTUAL

PLIVO = "https://api.plivo.com"


class Elsewhere(requests.adapters.HTTPAdapter):  # type: ignore[misc]  # has no types
    """Sends what is meant for Plivo to us."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self._url = url

    def send(self, request: requests.PreparedRequest, **options: Any) -> requests.Response:
        assert request.url
        request.url = request.url.replace(PLIVO, self._url, 1)
        return super().send(request, **{**options, "verify": True, "cert": None})


class Sdk:
    """The SDK's client in a thread of its own, for it blocks."""

    def __init__(self, client: Any) -> None:
        self.client = client

    async def __call__(self, call: Callable[..., Any], *given: Any, **arguments: Any) -> Any:
        async with asyncio.timeout(20):
            return await asyncio.to_thread(call, *given, **arguments)


@pytest.fixture
async def sdk(api: Api) -> AsyncIterator[Sdk]:
    client = plivo.RestClient(api.account, TOKEN)
    client.session.mount(PLIVO, Elsewhere(str(api.client.make_url("")).rstrip("/")))
    yield Sdk(client)
    client.session.close()
    client.multipart_session.close()


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


async def test_what_is_wrong_is_raised_as_its_kind(sdk: Sdk) -> None:
    sessions = sdk.client.masking_sessions
    with pytest.raises(ValidationError, match="first_party is not a valid phone number"):
        await sdk(sessions.create_masking_session, first_party="1", second_party=ALICE.e164)
    with pytest.raises(ValidationError, match="second_party must be present"):
        await sdk(sessions.create_masking_session, first_party=ALICE.e164)
    for operation in (sessions.get_masking_session, sessions.delete_masking_session):
        with pytest.raises(ResourceNotFoundError):
            await sdk(operation, "11111111-2222-3333-4444-555555555555")
    made = await sdk(sessions.create_masking_session, **PARTIES)
    await sdk(sessions.delete_masking_session, made.session_uuid)
    for end in (sessions.delete_masking_session, sessions.update_masking_session):
        with pytest.raises(ValidationError, match="Session already expired"):
            await sdk(end, made.session_uuid)
    sdk.client.session.auth = (sdk.client.session.auth[0], "wrong")
    with pytest.raises(AuthenticationError):
        await sdk(sessions.list_masking_session)


async def test_virtual_numbers(sdk: Sdk) -> None:
    numbers = sdk.client.numbers
    listed = await sdk(numbers.list)
    assert [one.number for one in listed.objects] == [VIRTUAL.e164[1:]]
    got = await sdk(numbers.get, VIRTUAL.e164[1:])
    assert (got.country, got.voice_enabled) == ("US", True)
    await sdk(numbers.delete, VIRTUAL.e164[1:])
    with pytest.raises(ResourceNotFoundError):
        await sdk(numbers.get, VIRTUAL.e164[1:])
