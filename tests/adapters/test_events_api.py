"""The event log over the API: what was told, what became of it, and once more."""

import asyncio
import os
import secrets
import signal
import sys
import uuid

import pytest

from bridge.domain.numbers import PhoneNumber
from bridge.store.accounts import Accounts
from bridge.store.calls import Calls
from bridge.store.event_log import EventLog
from bridge.store.pool import Database
from tests.adapters.conftest import Api
from tests.adapters.test_calls import arrival, end
from tests.adapters.test_command_line import Terminal, masking_bridge
from tests.adapters.test_webhooks import TALK, record
from tests.people import ALICE, BOB, CAROL, MALLORY

__all__ = ["masking_bridge"]  # a fixture


@pytest.fixture
async def session(api: Api, database: Database) -> str:
    """One that had a call; its events are on their way."""
    made = await api.session(callback_url="https://hooks.example/")
    await a_call(database, ALICE)
    uuid_: str = made["session_uuid"]
    return uuid_


async def a_call(database: Database, caller: PhoneNumber) -> None:
    """Answered, and over."""
    calls, one = Calls(database, node="here"), arrival(caller)
    await calls.arrived(one)
    await end(calls, database, record(one))


async def kill(database: Database, sequence: int) -> str:
    """An event that could not be delivered; its id."""
    async with database.connection() as connection:
        dead: uuid.UUID = await connection.fetchval(
            "UPDATE delivery SET state = 'dead', attempts = 9, last_error = 'http-500'"
            " WHERE sequence = $1 RETURNING event",
            sequence,
        )
    return str(dead)


async def test_a_session_s_events_are_listed_newest_first(api: Api, session: str) -> None:
    status, found = await api("GET", f"Masking/Session/{session}/Event/")
    assert status == 200
    by_sequence = sorted(found["objects"], key=lambda one: one["sequence_number"])
    assert [one["event_name"] for one in by_sequence] == TALK
    assert found["objects"][0]["event_name"] in TALK[3:]
    last = by_sequence[-1]
    assert last["session_uuid"] == session
    assert (last["attributes"]["From"], last["attributes"]["To"]) == (ALICE.e164[1:], BOB.e164[1:])
    assert last["attributes"]["PlivoHangupCauseCode"] == 4000
    assert last["delivery"]["state"] == "pending"


@pytest.mark.usefixtures("session")
async def test_every_page_begins_where_the_one_before_ended(api: Api) -> None:
    seen, cursor = [], ""
    while cursor is not None:
        status, found = await api("GET", f"Event/?limit=4&cursor={cursor}")
        assert status == 200
        seen += [one["event_id"] for one in found["objects"]]
        cursor = found["meta"]["next_cursor"]
    assert len(seen) == len(set(seen)) == 6 + 1  # and that the pool runs low


async def test_events_of_one_moment_are_listed_as_they_are_numbered(
    api: Api, session: str, database: Database
) -> None:
    async with database.connection() as connection:
        await connection.execute("UPDATE event SET happened_at = now()")
    seen, cursor = [], ""
    while cursor is not None:
        path = f"Masking/Session/{session}/Event/?limit=2&cursor={cursor}"
        _, found = await api("GET", path)
        seen += [one["event_name"] for one in found["objects"]]
        cursor = found["meta"]["next_cursor"]
    assert seen == TALK[::-1]


@pytest.mark.usefixtures("session")
async def test_what_is_dead_is_found_and_sent_again(api: Api, database: Database) -> None:
    dead = await kill(database, 2)
    _, found = await api("GET", "Event/?state=dead")
    [shown] = found["objects"]
    assert shown["event_id"] == dead
    assert shown["delivery"]["last_error"] == "http-500"
    assert (await api("POST", f"Event/{dead}/Replay/"))[0] == 202
    status, refused = await api("POST", f"Event/{dead}/Replay/")
    assert (status, refused["reason"]) == (409, "event-not-sent")
    assert (await api("GET", "Event/?state=dead"))[1]["objects"] == []


@pytest.mark.usefixtures("session")
async def test_all_that_is_dead_is_sent_again(api: Api, database: Database) -> None:
    for sequence in (2, 5):
        await kill(database, sequence)
    status, answer = await api("POST", "Event/Replay/")
    assert (status, answer["count"]) == (202, 2)
    assert (await api("GET", "Event/?state=dead"))[1]["objects"] == []
    assert (await api("POST", "Event/Replay/"))[1]["count"] == 0


@pytest.mark.usefixtures("session")
async def test_many_that_are_dead_are_sent_again_a_few_at_a_time(
    api: Api, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bridge.store.event_log._REPLAYED_AT_ONCE", 2)
    for sequence in (1, 2, 4, 5, 6):
        await kill(database, sequence)
    other = await Accounts(database).create("Other", token="8" * 64)
    assert await EventLog(database).replay_dead(other) == 0
    assert (await api("POST", "Event/Replay/"))[1]["count"] == 5
    async with database.connection() as connection:
        again = await connection.fetch("SELECT state, due_since FROM delivery ORDER BY sequence")
    assert {row["state"] for row in again} == {"pending"}
    times = [again[place]["due_since"] for place in (0, 1, 3, 4, 5)]
    assert times == sorted(times)
    assert len(set(times)) == 3, "those that come first before the others"


@pytest.mark.usefixtures("session")
@pytest.mark.parametrize(
    ("state", "wanted"),
    [("dead", [5, 3, 1]), ("pending", [6, 4]), ("delivered", [2]), ("none", [6, 5, 4, 3, 2, 1])],
)
async def test_what_is_in_one_state_is_listed_page_by_page(
    api: Api, database: Database, state: str, wanted: list[int]
) -> None:
    for sequence in (1, 3, 5):
        await kill(database, sequence)
    await api.session(first_party=CAROL.e164, second_party=MALLORY.e164)  # told to nobody
    await a_call(database, CAROL)
    async with database.connection() as connection:
        await connection.execute("UPDATE event SET happened_at = date_trunc('day', happened_at)")
        await connection.execute("UPDATE delivery SET happened_at = date_trunc('day', happened_at)")
        await connection.execute("UPDATE delivery SET state = 'delivered' WHERE sequence = 2")
    seen, cursor = [], ""
    while cursor is not None:
        _, found = await api("GET", f"Event/?state={state}&limit=2&cursor={cursor}")
        seen += found["objects"]
        cursor = found["meta"]["next_cursor"]
    of_sessions = [one for one in seen if one["session_uuid"]]
    assert [one["sequence_number"] for one in of_sessions] == wanted
    assert {one["delivery"]["state"] for one in seen} == {state}


async def test_what_is_nobody_s_is_not_found(api: Api) -> None:
    for path in (f"Event/{uuid.uuid4()}/Replay/", "Event/x/Replay/"):
        assert (await api("POST", path))[0] == 404
    assert (await api("GET", f"Masking/Session/{uuid.uuid4()}/Event/"))[0] == 404
    status, refused = await api("GET", "Event/?state=lost&cursor=x&colour=red")
    assert status == 400
    assert all(name in refused["error"] for name in ("state", "cursor", "colour"))


@pytest.mark.usefixtures("session")
async def test_the_command_line_shows_and_replays(
    masking_bridge: Terminal,
    database: Database,
    api: Api,
) -> None:
    dead = await kill(database, 3)
    await kill(database, 4)
    listed = masking_bridge("events", "list", api.account, "--state", "dead").stdout
    assert dead in listed
    assert ALICE.e164[1:] not in listed
    assert masking_bridge("events", "replay", api.account, dead).stdout == "on its way\n"
    assert masking_bridge("events", "replay", api.account, dead).returncode == 1
    assert masking_bridge("events", "replay", api.account, "--dead").stdout == "on their way: 1\n"


async def test_the_command_line_follows_what_happens(
    api: Api, database: Database, database_url: str
) -> None:
    made = await api.session()
    terminal = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bridge", "events", "tail", api.account),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={
            **os.environ,
            "BRIDGE_DATABASE_URL": database_url,
            "BRIDGE_ARI_PASSWORD": secrets.token_hex(16),
            "PYTHONUNBUFFERED": "1",
        },
    )
    assert terminal.stdout
    assert terminal.stderr
    async with asyncio.timeout(30):
        assert await terminal.stderr.readline() == b"listening\n"
        calls, one = Calls(database, node="here"), arrival()
        await calls.arrived(one)
        await end(calls, database, record(one))
        lines = [(await terminal.stdout.readline()).decode() for _ in TALK]
        assert [name in line for name, line in zip(TALK, lines, strict=True)] == [True] * 6
        assert all(made["session_uuid"] in line for line in lines)
        assert ALICE.e164[1:] not in "".join(lines)
        terminal.send_signal(signal.SIGINT)
        assert await terminal.wait() == 0
