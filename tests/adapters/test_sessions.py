"""Sessions, numbers and routes in a real Postgres."""

import asyncio
import dataclasses
import os
import sys
import uuid

import pytest

from bridge.domain.access import Scope
from bridge.domain.numbers import PhoneNumber
from bridge.domain.pool import NotAdded
from bridge.domain.reports import SessionReport, SessionStatus
from bridge.domain.requests import NewSession, Refusal, SessionChange, SessionFilter, Window
from bridge.store.accounts import Accounts
from bridge.store.numbers import Numbers
from bridge.store.pool import Database
from bridge.store.sessions import Sessions
from tests.adapters.conftest import BY, TOKEN, sessions_of
from tests.people import ALICE, BOB, MALLORY, VIRTUAL

SECOND_VIRTUAL = PhoneNumber("+12025550143")
LONDON = PhoneNumber("+442079460123")


@pytest.fixture
async def sessions(database: Database, account: str) -> Sessions:
    await Numbers(database, trunk="carrier").add(account, [VIRTUAL])
    return sessions_of(database)


def between(
    account: str, first: PhoneNumber, second: PhoneNumber, *, geomatch: bool = True
) -> NewSession:
    return NewSession(
        account=account,
        first_party=first,
        second_party=second,
        geomatch=geomatch,
        expiry=3600,
        ring_timeout=120,
        call_time_limit=3600,
        options={"record": False},
    )


async def made(sessions: Sessions, new: NewSession) -> SessionReport:
    report = await sessions.create(new, BY)
    assert isinstance(report, SessionReport)
    return report


async def test_a_new_session_is_as_it_was_asked_for(sessions: Sessions, account: str) -> None:
    report = await made(sessions, between(account, ALICE, BOB))
    assert report.session.virtual_number == VIRTUAL
    assert (report.session.first_party, report.session.second_party) == (ALICE, BOB)
    assert report.status is SessionStatus.ACTIVE
    assert report.options == {"record": False}
    assert (report.session.expires_at - report.session.created_at).total_seconds() == 3600
    assert await sessions.get(account, report.session.id) == report


async def test_a_pair_is_never_live_twice(sessions: Sessions, account: str) -> None:
    await made(sessions, between(account, ALICE, BOB))
    for first, second in [(ALICE, MALLORY), (MALLORY, ALICE), (BOB, MALLORY), (BOB, ALICE)]:
        assert await sessions.create(between(account, first, second), BY) is Refusal.POOL_IN_USE


async def test_strangers_to_each_other_share_a_number(sessions: Sessions, account: str) -> None:
    one = await made(sessions, between(account, ALICE, BOB))
    other = await made(sessions, between(account, MALLORY, PhoneNumber("+13035550177")))
    assert one.session.virtual_number == other.session.virtual_number


async def test_the_busiest_number_that_fits_is_used(
    sessions: Sessions, account: str, database: Database
) -> None:
    await Numbers(database, trunk="carrier").add(account, [SECOND_VIRTUAL])
    first = await made(sessions, between(account, ALICE, BOB))
    second = await made(sessions, between(account, ALICE, MALLORY))
    third = await made(
        sessions, between(account, PhoneNumber("+13035550177"), PhoneNumber("+13035550178"))
    )
    assert first.session.virtual_number != second.session.virtual_number
    assert third.session.virtual_number in {VIRTUAL, SECOND_VIRTUAL}


@pytest.mark.parametrize("end", ["expired", "closed"])
async def test_the_pair_of_a_session_that_is_over_is_free(
    sessions: Sessions, account: str, database: Database, end: str
) -> None:
    report = await made(sessions, between(account, ALICE, BOB))
    if end == "closed":
        assert await sessions.expire(account, report.session.id, BY, hang_up=False) is None
    else:
        async with database.connection() as connection:
            await connection.execute("UPDATE session SET expires_at = now()")
            await connection.execute("UPDATE route SET held_until = now()")
    again = await made(sessions, between(account, BOB, ALICE))
    assert again.session.id != report.session.id


async def test_a_pair_rests_for_its_cool_off_period(
    sessions: Sessions, account: str, database: Database
) -> None:
    """Whoever still calls the number of a conversation that is over reaches nobody else."""
    new = dataclasses.replace(between(account, ALICE, BOB), cooloff=600)
    report = await made(sessions, new)
    assert await sessions.expire(account, report.session.id, BY, hang_up=False) is None
    assert await sessions.create(between(account, ALICE, MALLORY), BY) is Refusal.POOL_COOLING_OFF
    async with database.connection() as connection:
        await connection.execute("UPDATE route SET held_until = held_until - interval '600 s'")
    await made(sessions, between(account, ALICE, MALLORY))


async def test_a_session_that_lives_longer_holds_its_pairs_longer(
    sessions: Sessions, account: str, database: Database
) -> None:
    new = dataclasses.replace(between(account, ALICE, BOB), cooloff=600)
    report = await made(sessions, new)
    updated = await sessions.update(account, report.session.id, SessionChange(expiry=7200), BY)
    assert isinstance(updated, SessionReport)
    async with database.connection() as connection:
        held = await connection.fetch("SELECT DISTINCT held_until FROM route")
    [row] = held
    assert (row["held_until"] - updated.session.expires_at).total_seconds() == 600


async def test_a_session_that_lost_a_pair_in_its_last_moment_cannot_be_prolonged(
    sessions: Sessions, account: str, database: Database
) -> None:
    """The number of one of its parties leads elsewhere by then."""
    report = await made(sessions, between(account, ALICE, BOB))
    async with database.connection() as connection:
        await connection.execute("UPDATE route SET held_until = now() WHERE side = 'first'")
    await made(sessions, between(account, ALICE, MALLORY))
    change = SessionChange(expiry=7200)
    assert await sessions.update(account, report.session.id, change, BY) is Refusal.ALREADY_EXPIRED
    assert await sessions.get(account, report.session.id) == report


async def test_among_equals_the_two_get_the_number_that_they_had(
    sessions: Sessions, account: str, database: Database
) -> None:
    """So that it may stay in their address books."""
    await Numbers(database, trunk="carrier").add(account, [SECOND_VIRTUAL])
    one = await made(sessions, between(account, MALLORY, BOB))
    had = await made(sessions, between(account, ALICE, BOB))
    assert had.session.virtual_number != one.session.virtual_number
    for report in (one, had):
        await sessions.expire(account, report.session.id, BY, hang_up=False)
    again = await made(sessions, between(account, BOB, ALICE))
    assert again.session.virtual_number == had.session.virtual_number


async def test_a_number_of_another_country_is_not_given(sessions: Sessions, account: str) -> None:
    new = between(account, LONDON, BOB)
    assert await sessions.create(new, BY) is Refusal.POOL_WITHOUT_COUNTRY
    await made(sessions, between(account, LONDON, BOB, geomatch=False))


async def test_a_number_of_another_account_is_not_given(
    sessions: Sessions, database: Database
) -> None:
    other = await Accounts(database).create("Other", token="8" * 64)
    assert await sessions.create(between(other, ALICE, BOB), BY) is Refusal.POOL_EMPTY


async def test_two_hundred_in_four_processes_get_every_free_number_and_no_pair_twice(
    account: str, database: Database, database_url: str
) -> None:
    """Alice with two hundred people needs as many numbers; all that there are are given."""
    pool = [PhoneNumber(f"+1202555{number:04}") for number in range(150)]
    await Numbers(database, trunk="carrier").add(account, pool)
    processes = [
        await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.adapters.creators", account, str(group)),
            env={**os.environ, "BRIDGE_DATABASE_URL": database_url},
            stdout=asyncio.subprocess.PIPE,
        )
        for group in range(4)
    ]
    made = [int((await process.communicate())[0]) for process in processes]
    assert sum(made) == 150
    async with database.connection() as connection:
        rows = await connection.fetch(
            "SELECT virtual_number, count(*) FROM session GROUP BY virtual_number"
        )
        routes = await connection.fetchval("SELECT count(*) FROM route")
    assert [row["count"] for row in rows] == [1] * 150
    assert routes == 300


async def test_the_list_is_newest_first_and_tells_how_many_there_are(
    sessions: Sessions, account: str
) -> None:
    for number in range(3):
        await made(
            sessions,
            between(
                account, PhoneNumber(f"+1303555020{number}"), PhoneNumber(f"+1303555021{number}")
            ),
        )
    page = await sessions.list(account, SessionFilter(), Window(limit=2, offset=0))
    assert [str(one.session.first_party)[-1] for one in page.items] == ["2", "1"]
    beyond = await sessions.list(account, SessionFilter(), Window(limit=2, offset=5))
    assert (page.total, beyond.total, list(beyond.items)) == (3, 3, [])


async def test_the_list_can_be_narrowed(sessions: Sessions, account: str) -> None:
    report = await made(sessions, between(account, ALICE, BOB))
    for wanted, found in [
        (SessionFilter(first_party=ALICE), 1),
        (SessionFilter(first_party=BOB), 0),
        (SessionFilter(second_party=BOB), 1),
        (SessionFilter(virtual_number=VIRTUAL), 1),
        (SessionFilter(status=SessionStatus.ACTIVE), 1),
        (SessionFilter(status=SessionStatus.EXPIRED), 0),
    ]:
        assert (await sessions.list(account, wanted, Window(limit=20, offset=0))).total == found
    await sessions.expire(account, report.session.id, BY, hang_up=False)
    ended = SessionFilter(status=SessionStatus.EXPIRED)
    assert (await sessions.list(account, ended, Window(limit=20, offset=0))).total == 1


async def test_what_is_another_account_s_is_not_found(
    sessions: Sessions, account: str, database: Database
) -> None:
    report = await made(sessions, between(account, ALICE, BOB))
    other = await Accounts(database).create("Other", token="8" * 64)
    assert await sessions.get(other, report.session.id) is None
    assert await sessions.expire(other, report.session.id, BY, hang_up=False) is Refusal.NOT_FOUND
    assert await sessions.expire(account, uuid.uuid4(), BY, hang_up=False) is Refusal.NOT_FOUND
    numbers = Numbers(database, trunk="carrier")
    assert await numbers.get(other, VIRTUAL) is None
    assert await numbers.remove(other, VIRTUAL) is Refusal.NOT_FOUND
    refused = await numbers.add(other, [SECOND_VIRTUAL, VIRTUAL])
    assert refused == NotAdded(taken=(VIRTUAL,))
    assert await numbers.get(other, SECOND_VIRTUAL) is None


async def test_a_token_opens_its_own_account_only(database: Database, account: str) -> None:
    accounts = Accounts(database)
    other = await accounts.create("Other", token="8" * 64)
    assert await accounts.authenticate(account, TOKEN)
    assert not await accounts.authenticate(other, TOKEN)
    assert not await accounts.authenticate(account, TOKEN[:-1])
    assert not await accounts.authenticate("nobody", TOKEN)
    async with database.connection() as connection:
        stored = await connection.fetch("SELECT * FROM api_token")
    assert TOKEN not in str(stored), "the token itself is in the database"


async def test_tokens_are_changed_without_a_gap(database: Database, account: str) -> None:
    """Two are valid at once; then the old one is taken away."""
    accounts = Accounts(database)
    assert await accounts.add_token(account, "8" * 64, name="next", scope=Scope.READ)
    assert await accounts.authenticate(account, TOKEN)
    bearer = await accounts.authenticate(account, "8" * 64)
    assert bearer
    assert bearer.scope is Scope.READ
    old, new = await accounts.tokens(account)
    assert (new.name, new.scope, new.revoked_at) == ("next", Scope.READ, None)
    assert await accounts.revoke_token(account, old.id)
    assert await accounts.authenticate(account, TOKEN) is None
    bearer = await accounts.authenticate(account, "8" * 64)
    assert bearer
    assert bearer.scope is Scope.READ
    assert not await accounts.revoke_token(account, old.id), "twice"
    assert not await accounts.revoke_token("MA" + "X" * 18, new.id), "another account's"
    assert not await accounts.add_token("MA" + "X" * 18, "9" * 64, name="", scope=Scope.READ)
