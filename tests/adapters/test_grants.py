"""Which numbers an account may add: the operator says, and accounts learn nothing of each other."""

import asyncio
import itertools
import uuid
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.domain.access import Scope
from bridge.domain.grants import NumberRange, ranges_of, read_ranges
from bridge.domain.numbers import PhoneNumber
from bridge.domain.pool import NotAdded, NumberSettings
from bridge.store.accounts import Accounts
from bridge.store.grants import Grants
from bridge.store.migrations import migrate
from bridge.store.numbers import Numbers
from bridge.store.pool import Database
from tests.adapters.conftest import Api, session_between
from tests.adapters.test_migrations import migrations, one_number_before  # noqa: F401
from tests.people import ALICE, BOB, CAROL, MALLORY, VIRTUAL

FREE = PhoneNumber("+13125550150")
OPERATOR = "9" * 64


def ranges(*texts: str) -> list[NumberRange]:
    return read_ranges(texts)


def one(number: PhoneNumber) -> list[NumberRange]:
    return ranges(number.e164)


@pytest.fixture
def grants(database: Database) -> Grants:
    return Grants(database)


@pytest.fixture
def numbers(database: Database) -> Numbers:
    return Numbers(database, trunk="carrier")


@pytest.fixture
async def other(database: Database) -> str:
    return await Accounts(database).create("Other", token="8" * 64)


@pytest.fixture
async def operator(database: Database) -> dict[str, str]:
    """The headers of an operator's requests; its token is of an account of its own."""
    auth_id = await Accounts(database).create("Operations", token="6" * 64)
    await Accounts(database).add_token(auth_id, OPERATOR, name="desk", scope=Scope.OPERATOR)
    return {"Authorization": aiohttp.encode_basic_auth(auth_id, OPERATOR)}


async def all_of(grants: Grants, account: str) -> list[str]:
    return [
        f"{one.numbers.first.e164}-{one.numbers.last.e164}" for _, one in await grants.list(account)
    ]


# --- what one account learns of another ---


async def test_whatever_a_number_is_to_others_an_account_gets_one_answer(
    api: Api, database: Database, numbers: Numbers, grants: Grants, other: str
) -> None:
    """A party of another account, its virtual number, its grant, a retired one, and nothing."""
    await session_between(database, api.account)
    await grants.revoke(
        api.account, ranges("+12165550100-+12165550199", "+14155550100-+14155550199")
    )
    await numbers.add(other, [FREE, PhoneNumber("+13125550151")])
    await numbers.remove(other, FREE)
    await grants.grant(other, ranges("+13125550160-+13125550169"), by="a test")
    await grants.grant(other, one(BOB), by="a test")  # and a party of the first account
    auth = {"Authorization": aiohttp.encode_basic_auth(other, "8" * 64)}
    path = f"/v1/Account/{other}/Number/"
    hers, theirs = (path, auth), ("Number/", api.auth)
    asked = [
        (hers, VIRTUAL.e164),
        (hers, ALICE.e164),
        (hers, BOB.e164),  # granted, and a party of another account's live session
        (hers, "+12125550199"),
        (theirs, FREE.e164),
        (theirs, "+13125550151"),
        (theirs, "+13125550165"),
        (theirs, "+12125550199"),
    ]
    answers = set()
    for (where, headers), number in asked:
        status, answer = await api("POST", where, {"numbers": number}, headers=headers)
        answers.add((status, answer["error"], answer["reason"]))
    [(status, error, reason)] = answers
    assert (status, reason) == (400, "numbers-not-available")
    assert error.startswith("This account may not add no. 1 of numbers: ")


async def test_of_what_is_not_granted_nothing_is_looked_at_and_nobody_waits(
    numbers: Numbers, database: Database, other: str
) -> None:
    """The time would tell: whoever makes a session for a party holds the lock on its number."""
    async with database.transaction() as connection:
        await connection.execute("SELECT pg_advisory_xact_lock(1, hashtext($1))", ALICE.e164)
        async with asyncio.timeout(10):
            refused = await numbers.add_granted(other, [ALICE], NumberSettings())
    assert refused == NotAdded(unavailable=(ALICE,))


async def test_a_party_of_its_own_account_is_told(api: Api) -> None:
    await api.session()
    status, answer = await api("POST", "Number/", {"numbers": BOB.e164})
    assert (status, answer["error"]) == (
        409,
        "A party of a live session has no. 1 of numbers. None was added.",
    )


async def test_no_account_makes_another_s_party_a_virtual_number(
    database: Database, numbers: Numbers, grants: Grants, account: str, other: str
) -> None:
    await session_between(database, account)
    for granted in ([], one(ALICE)):
        await grants.grant(other, granted, by="a test")
        refused = await numbers.add_granted(other, [ALICE], NumberSettings())
        assert refused == NotAdded(unavailable=(ALICE,))
        assert await numbers.get(other, ALICE) is None


# --- what is granted ---


async def test_an_account_adds_what_is_granted_and_takes_it_back_once_retired(
    numbers: Numbers, grants: Grants, account: str
) -> None:
    assert await numbers.add_granted(account, [FREE], NumberSettings()) == NotAdded(
        unavailable=(FREE,)
    )
    await grants.grant(account, ranges("+13125550100-+13125550199"), by="a test")
    for _ in range(2):
        assert await numbers.add_granted(account, [FREE], NumberSettings()) is None
        assert await numbers.remove(account, FREE) is None
    await numbers.add_granted(account, [FREE], NumberSettings())
    assert await grants.revoke(account, one(FREE)) == (1, 1)
    changed = NumberSettings(alias="depot")
    assert await numbers.add_granted(account, [FREE], changed) is None, "it is in the pool"
    await numbers.remove(account, FREE)
    assert await numbers.add_granted(account, [FREE], NumberSettings()) is not None


async def test_the_operator_s_own_word_grants(
    numbers: Numbers, grants: Grants, account: str, other: str
) -> None:
    pool = [PhoneNumber(f"+1312555015{last}") for last in range(3)]
    assert await numbers.add(account, [*pool, MALLORY]) is None
    assert await all_of(grants, account) == [
        "+13035550166-+13035550166",
        "+13125550150-+13125550152",
    ]
    assert await numbers.add(other, [CAROL, pool[1]]) == NotAdded(taken=(pool[1],))
    await grants.grant(other, one(CAROL), by="a test")
    assert await numbers.add(account, [CAROL]) == NotAdded(taken=(CAROL,))


async def test_what_another_account_holds_is_not_granted(
    numbers: Numbers, grants: Grants, account: str, other: str
) -> None:
    [wide] = ranges("+13125550100-+13125550199")
    await grants.grant(account, one(FREE), by="a test")
    assert await grants.grant(other, [wide, *one(CAROL)], by="a test") == [wide]
    assert await all_of(grants, other) == []
    await numbers.add_granted(account, [FREE], NumberSettings())
    await grants.revoke(account, one(FREE))
    assert await grants.grant(other, [wide], by="a test") == [wide], "it is in the pool"
    await numbers.remove(account, FREE)
    assert await grants.grant(other, [wide], by="a test") == []


async def test_of_two_who_are_granted_one_number_at_once_one_has_it(
    grants: Grants, database: Database
) -> None:
    accounts = [
        await Accounts(database).create(str(place), token=str(place) * 64) for place in range(6)
    ]
    async with asyncio.TaskGroup() as group:
        tasks = [
            group.create_task(grants.grant(account, one(FREE), by="a test")) for account in accounts
        ]
    assert sorted(bool(task.result()) for task in tasks) == [False, *[True] * 5]


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.integers(0, 60), st.integers(0, 20)), max_size=8))
def test_grants_are_sets(changes: list[tuple[bool, int, int]]) -> None:
    """The same in a set and as ranges, however they overlap (`ranges_of`)."""
    first = 13125550100
    wanted: set[int] = set()
    for adds, low, more in changes:
        numbers = set(range(first + low, first + low + more + 1))
        wanted = wanted | numbers if adds else wanted - numbers
    found = ranges_of(PhoneNumber(f"+{digits}") for digits in wanted)
    assert {digits for one in found for digits in range(one.low, one.high + 1)} == wanted
    assert all(a.high + 1 < b.low for a, b in itertools.pairwise(found))


async def test_what_is_granted_is_what_was_granted_and_not_revoked(
    grants: Grants, account: str
) -> None:
    base = "+131255501"
    for adds, low, high, left in [
        (True, 10, 19, ["10-19"]),
        (True, 15, 25, ["10-25"]),
        (False, 12, 13, ["10-11", "14-25"]),
        (True, 30, 30, ["10-11", "14-25", "30-30"]),
        (True, 11, 29, ["10-29", "30-30"]),
        (False, 10, 29, ["30-30"]),
    ]:
        change = grants.grant(account, ranges(f"{base}{low}-{base}{high}"), by="a test")
        if adds:
            await change
        else:
            change.close()
            await grants.revoke(account, ranges(f"{base}{low}-{base}{high}"))
        found = [text.replace(base, "") for text in await all_of(grants, account)]
        assert found == left


async def test_an_account_has_as_many_numbers_as_it_may(
    numbers: Numbers, grants: Grants, database: Database, account: str
) -> None:
    pool = [PhoneNumber(f"+1312555015{last}") for last in range(10)]
    await grants.grant(account, ranges_of(pool), by="a test")
    await Accounts(database).limit_numbers(account, 3)
    assert await numbers.add_granted(account, pool[:2], NumberSettings()) is None
    refused = await numbers.add_granted(account, pool[1:4], NumberSettings())
    assert refused == NotAdded(most=3)
    assert refused.reasons(pool)[0] == (
        "This account may have 3 numbers in its pool at once. Ask the operator."
    )
    async with asyncio.TaskGroup() as group:
        tasks = [
            group.create_task(numbers.add_granted(account, [number], NumberSettings()))
            for number in pool[2:]
        ]
    assert [task.result() for task in tasks].count(None) == 1
    assert await numbers.add(account, pool[9:]) is None, "the operator knows"


async def test_before_there_were_grants_is_granted_what_is_in_the_pool(
    empty_database: Database,
    migrations: Path,  # noqa: F811
) -> None:
    async with one_number_before("0024", empty_database, migrations) as connection:
        await connection.execute(
            "INSERT INTO virtual_number (number, account, country, state)"
            " SELECT '+1202555' || suffix, 'MAAAAAAAAAAAAAAAAAAA', 'US', state"
            "   FROM (VALUES ('0143', 'draining'), ('0144', 'retired'), ('0145', 'active'),"
            "                ('0150', 'quarantined')) AS pooled (suffix, state)"
        )
        await migrate(empty_database)
    assert await all_of(Grants(empty_database), "MAAAAAAAAAAAAAAAAAAA") == [
        "+12025550142-+12025550143",
        "+12025550145-+12025550145",
        "+12025550150-+12025550150",
    ]


# --- over the API ---


async def test_an_operator_s_token_grants_in_any_account_and_does_nothing_else(
    api: Api, operator: dict[str, str]
) -> None:
    path = f"/v1/Account/{api.account}/NumberGrant/"
    body = {"numbers": ["+13125550100-+13125550199"]}
    assert (await api("POST", path, body, headers=operator))[0] == 201
    assert (await api("POST", "Number/", {"numbers": FREE.e164}))[0] == 201
    _, listed = await api("GET", "NumberGrant/")
    [granted] = [one for one in listed["objects"] if one["first"] == "13125550100"]
    assert (granted["last"], granted["country"]) == ("13125550199", "US")
    assert granted["granted_by"].endswith("(desk)")
    assert (await api("GET", path, headers=operator))[1]["objects"] == listed["objects"]
    assert (await api("DELETE", f"{path}{granted['grant_id']}/", headers=operator))[0] == 204
    assert (await api("DELETE", f"{path}{granted['grant_id']}/", headers=operator))[0] == 404
    assert (await api("POST", "Number/", {"numbers": "+13125550151"}))[0] == 400
    for method, elsewhere in [("GET", "Number/"), ("GET", "Masking/Session/"), ("GET", "")]:
        its = f"/v1/Account/{api.account}/{elsewhere}"
        assert (await api(method, its, headers=operator))[0] == 404


async def test_no_account_grants_itself_anything(
    api: Api, database: Database, operator: dict[str, str]
) -> None:
    path = f"/v1/Account/{api.account}/NumberGrant/"
    body = {"numbers": [FREE.e164]}
    for scope in (Scope.ADMIN, Scope.READ, Scope.CREATE):
        token = uuid.uuid4().hex
        await Accounts(database).add_token(api.account, token, name="", scope=scope)
        headers = {"Authorization": aiohttp.encode_basic_auth(api.account, token)}
        assert (await api("POST", path, body, headers=headers))[0] == 403
        assert (await api("DELETE", f"{path}{uuid.uuid4()}/", headers=headers))[0] == 403
    other = await Accounts(database).create("Other", token="8" * 64)
    headers = {"Authorization": aiohttp.encode_basic_auth(other, "8" * 64)}
    for method in ("GET", "POST"):
        assert (await api(method, path, body, headers=headers))[0] == 404
    nobody = f"/v1/Account/MA{'X' * 18}/NumberGrant/"
    assert (await api("POST", nobody, body, headers=operator))[0] == 404
    assert (await api("GET", nobody, headers=operator))[0] == 404


@pytest.mark.parametrize(
    "wrong",
    [
        [],
        "+12025550100",
        ["12025550100"],
        ["+12025550199-+12025550100"],
        ["+1202555010-+12025550100"],
        ["+12020000000-+12029999999"],
        ["+12025550100-"],
        ["+12025550100-+12025550101-+12025550102"],
        [None],
        [f"+1202555{place:04}" for place in range(101)],
    ],
)
async def test_what_is_no_range_is_not_granted(
    api: Api, operator: dict[str, str], wrong: Any
) -> None:
    path = f"/v1/Account/{api.account}/NumberGrant/"
    status, answer = await api("POST", path, {"numbers": wrong}, headers=operator)
    assert status == 400
    assert answer["error"].startswith("Invalid parameter. numbers must be ")


async def test_what_another_account_holds_is_a_conflict_for_the_operator(
    api: Api, operator: dict[str, str], database: Database, numbers: Numbers, other: str
) -> None:
    await numbers.add(other, [FREE])
    path = f"/v1/Account/{api.account}/NumberGrant/"
    body = {"numbers": ["+13125550100-+13125550109", "+13125550140-+13125550159"]}
    status, answer = await api("POST", path, body, headers=operator)
    assert (status, answer["reason"]) == (409, "numbers-held-elsewhere")
    assert "Another account holds numbers of no. 2 of numbers" in answer["error"]


# --- whose country a number is of ---


@pytest.mark.parametrize(
    ("asked", "added"),
    [
        ({"numbers": "+12025550150"}, ("12025550150", "US")),
        ({"numbers": "12025550150"}, ("12025550150", "US")),  # as Plivo's SDKs send it
        ({"numbers": "2025550150", "country": "US"}, ("12025550150", "US")),
        ({"numbers": "12025550150", "country": "US"}, ("12025550150", "US")),
        ({"numbers": "02079460123", "country": "GB"}, ("442079460123", "GB")),
        ({"numbers": "442079460123", "country": "GB"}, ("442079460123", "GB")),
        ({"numbers": "+442079460123", "country": "US"}, ("442079460123", "GB")),
        ({"numbers": "2025550150"}, None),  # not Egypt's
        ({"numbers": "6465550123"}, None),  # New Zealand's, or New York's
        ({"numbers": "02079460123"}, None),
        ({"numbers": "02079460123", "country": "US"}, None),
        ({"numbers": "442079460123", "country": "US"}, None),
        ({"numbers": "2025550150", "country": "XX"}, None),
        ({"numbers": "2025550150", "country": "us"}, None),
    ],
)
async def test_digits_without_their_plus_are_one_number_or_none(
    api: Api, asked: dict[str, str], added: tuple[str, str] | None
) -> None:
    status, answer = await api("POST", "Number/", asked)
    assert status == (201 if added else 400)
    if added:
        number, country = added
        assert answer["objects"] == [{"number": number, "country": country}]
        assert answer["numbers"] == [number]
    else:
        assert "+ and the country code" in answer["error"] or "country is" in answer["error"]


@pytest.mark.parametrize(
    ("party", "status"),
    [
        ("14155550123", 201),
        ("4930901820", 201),
        ("2025550150", 400),  # not Egypt's
        ("02079460123", 400),
    ],
)
async def test_a_party_without_its_plus_is_the_whole_number(
    api: Api, party: str, status: int
) -> None:
    body = {"first_party": party, "second_party": BOB.e164, "geomatch": False}
    assert (await api("POST", "Masking/Session/", body))[0] == status


async def test_a_party_that_can_be_two_people_is_nobody(api: Api) -> None:
    """In whole it is a phone in New Zealand; to an account with American numbers, New York's."""
    asked = {"first_party": NEW_ZEALAND, "second_party": BOB.e164}
    for body in (asked, {**asked, "first_party": BOB.e164, "second_party": NEW_ZEALAND}):
        status, answer = await api("POST", "Masking/Session/", body)
        assert (status, "can be two people's number" in answer["error"]) == (400, True), answer
    asked["first_party"] = f"+{NEW_ZEALAND}"
    assert (await api("POST", "Masking/Session/", {**asked, "geomatch": False}))[0] == 201
    fallback = {"fallback_number": NEW_ZEALAND}
    assert (await api("POST", f"Number/{VIRTUAL.e164}/", fallback))[0] == 400
    assert (await api("POST", "Number/", {"numbers": "+12025550150", **fallback}))[0] == 400


NEW_ZEALAND = "6465550123"
