"""The event log over the API: what was told, what became of it, and once more."""

import asyncio
import os
import signal
import sys
import uuid

import pytest

from bridge.store.calls import Calls
from bridge.store.pool import Database
from tests.adapters.conftest import Api
from tests.adapters.test_calls import arrival, end
from tests.adapters.test_command_line import Terminal, masking_bridge
from tests.adapters.test_webhooks import TALK, record
from tests.people import ALICE, BOB

__all__ = ["masking_bridge"]  # a fixture


@pytest.fixture
async def session(api: Api, database: Database) -> str:
    """One that had a call; its events are on their way."""
    made = await api.session(callback_url="https://hooks.example/")
    calls, one = Calls(database, node="here"), arrival()
    await calls.arrived(one)
    await end(calls, database, record(one))
    uuid_: str = made["session_uuid"]
    return uuid_


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
            "BRIDGE_ARI_PASSWORD": "x" * 32,
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
