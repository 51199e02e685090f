"""Plivo's own Python SDK, unmodified, on what stands beside the sessions."""

from typing import Any

import pytest
from plivo.exceptions import InvalidRequestError, ResourceNotFoundError, ValidationError

from bridge.store.pool import Database
from tests.adapters import test_plivo_sdk
from tests.adapters.conftest import Api
from tests.adapters.test_neighbours import OURS, recorded
from tests.adapters.test_plivo_sdk import Sdk
from tests.people import ALICE

sdk = test_plivo_sdk.sdk


async def test_numbers_are_added_narrowed_changed_and_removed(sdk: Sdk) -> None:
    numbers = sdk.client.numbers
    west = (await sdk(sdk.client.subaccounts.create, "West", enabled=True)).auth_id
    added = await sdk(
        numbers.create, ["12025550150", "12025550151"], "carrier", "Washington", subaccount=west
    )
    assert added.numbers == ["12025550150", "12025550151"]
    await sdk(numbers.update, "12025550151", alias="depot")
    for filters in (
        {"alias": "depot", "type": "local", "services": ["voice"]},
        {"number_startswith": "120255501", "subaccount": west, "limit": 1, "offset": 1},
    ):
        listed = await sdk(numbers.list, **filters)
        assert [one.number for one in listed.objects] == ["12025550151"]
    assert [one.number for one in (await sdk(numbers.list, services="sms")).objects] == []

    got = await sdk(numbers.get, "12025550151")
    assert (got.alias, got.region, got.sub_account) == ("depot", "Washington", west)
    await sdk(got.update, alias="yard")
    assert (await sdk(numbers.get, "12025550151")).alias == "yard"
    await sdk(got.delete)
    with pytest.raises(ResourceNotFoundError):
        await sdk(numbers.get, "12025550151")


async def test_every_page_of_numbers_is_walked(sdk: Sdk) -> None:
    pool = [f"120255501{place:02}" for place in range(43, 73)]
    await sdk(sdk.client.numbers.create, pool, "carrier", "Washington")
    assert await sdk(lambda: [one.number for one in sdk.client.numbers]) == [OURS, *pool]


async def test_what_is_wrong_with_numbers_is_raised_as_its_kind(sdk: Sdk, api: Api) -> None:
    numbers = sdk.client.numbers
    with pytest.raises(ValidationError, match=r"unlike no\. 2"):
        await sdk(numbers.create, "12025550150,1", "carrier", "Washington")
    with pytest.raises(ValidationError, match="app_id is not a parameter"):
        await sdk(numbers.update, OURS, app_id="1")
    await api.session()
    with pytest.raises(InvalidRequestError, match=r"A party of a live session has no\. 1"):
        await sdk(numbers.create, [ALICE.e164[1:]], "carrier", "Washington")


async def test_a_subaccount_s_life(sdk: Sdk) -> None:
    subaccounts = sdk.client.subaccounts
    made = await sdk(subaccounts.create, "West", enabled=True)
    assert (made.message, made.auth_token) == ("created", None)
    got = await sdk(subaccounts.get, made.auth_id)
    assert (got.id, got.name, got.enabled) == (made.auth_id, "West", True)
    assert (await sdk(subaccounts.update, made.auth_id, "East")).message == "changed"
    await sdk(sdk.client.numbers.update, OURS, subaccount=made.auth_id)
    listed = await sdk(subaccounts.list, limit=5)
    # The SDK says not enabled when nothing is said of it.
    assert [(one.name, one.enabled) for one in listed] == [("East", False)]
    await sdk(listed.objects[0].delete, cascade=True)
    for look_up, gone in ((subaccounts.get, made.auth_id), (sdk.client.numbers.get, OURS)):
        with pytest.raises(ResourceNotFoundError):
            await sdk(look_up, gone)


async def test_a_subaccount_with_live_sessions_is_a_conflict(
    sdk: Sdk, api: Api, database: Database
) -> None:
    made = await sdk(sdk.client.subaccounts.create, "West")
    await api.session()
    async with database.connection() as connection:
        await connection.execute("UPDATE session SET subaccount = $1", made.auth_id)
    with pytest.raises(InvalidRequestError, match="live sessions"):
        await sdk(sdk.client.subaccounts.delete, made.auth_id)


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ({}, True),
        ({"from_number": ALICE.e164, "to_number": OURS, "limit": 1}, True),
        ({"add_time__gte": "2026-01-01 12:00:00", "add_time__lt": "2026-01-02 12:00"}, True),
        ({"add_time__lt": "2026-01-01 12:00:00"}, False),
    ],
)
async def test_recordings_are_listed_and_got(
    sdk: Sdk, api: Api, database: Database, filters: dict[str, Any], found: bool
) -> None:
    ids = await recorded(api, database)
    recordings = sdk.client.recordings
    listed = await sdk(recordings.list, **filters)
    assert [one.id for one in listed] == ([ids["recording"]] if found else [])
    of_call = await sdk(recordings.list, call_uuid=ids["b_leg"])
    assert [one.recording_format for one in of_call] == ["mp3"]
    got = await sdk(recordings.get, ids["recording"])
    call = await sdk(sdk.client.calls.get, got.call_uuid)
    assert (got.from_number, got.to_number) == (call.from_number, call.to_number)


async def test_the_account_is_got_and_renamed(sdk: Sdk, api: Api) -> None:
    account = sdk.client.account
    got = await sdk(account.get)
    assert (got.id, got.name, got.auto_recharge) == (api.account, "Acme", False)
    assert (await sdk(account.update, name="Acme & Sons")).message == "changed"
    assert (await sdk(account.get)).name == "Acme & Sons"
    with pytest.raises(ValidationError, match="city is not a parameter"):
        await sdk(account.update, city="Berlin")
