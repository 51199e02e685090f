"""Schemathesis asks everything that the API's description allows, and much that it does not.

It looks for answers that are not as described, 500s, wrong input that is taken, methods that should
not work, and requests without credentials that do (`schemathesis.toml`).
"""

import asyncio
import sys
import uuid
from asyncio import subprocess
from collections import defaultdict
from pathlib import Path

import aiohttp
import structlog

from bridge.api.operations import OPERATIONS
from bridge.domain.access import Scope
from bridge.recordings.files import Archive
from bridge.store.accounts import Accounts
from bridge.store.pool import Database
from tests.adapters.conftest import TOKEN, Api
from tests.adapters.meanwhile import alice_calls_bob
from tests.people import ALICE, CAROL, MALLORY, VIRTUAL

_HERE = Path(__file__).parent
_HOOK = "https://hooks.example/"
_RECORDING = uuid.UUID("00000000-0000-4000-8000-000000000003")
_POOL = ",".join(f"+1202555{number}" for number in range(1000, 1100))
OPERATOR = "9" * 64


async def test_whatever_is_asked_is_answered_as_described(
    api: Api, database: Database, archive: Archive, tmp_path: Path
) -> None:
    assert (await api("POST", "Number/", {"numbers": _POOL}))[0] == 201
    await alice_calls_bob(database, (await api.session(callback_url=_HOOK))["session_uuid"])
    await one_call_is_up(database, api)
    async with database.connection() as connection:
        # Those of `schemathesis.toml`.
        await connection.execute(
            "UPDATE leg SET id = '00000000-0000-4000-8000-000000000001' WHERE role = 'b'"
        )
        await connection.execute(
            "INSERT INTO recording (id, call, format, state, started_at, ended_at, bytes, sha256)"
            " SELECT '00000000-0000-4000-8000-000000000003', id, 'mp3', 'ready', now(), now(), 1,"
            " sha256('') FROM call LIMIT 1"
        )
        await connection.execute(
            "INSERT INTO recording (id, call, format, started_at)"
            " SELECT '00000000-0000-4000-8000-000000000005', id, 'mp3', now()"
            "   FROM call WHERE ended_at IS NULL"
        )
        await connection.execute(
            "INSERT INTO event (id, account, session, sequence, name)"
            " SELECT '00000000-0000-4000-8000-000000000004', account, id, 1, 'SessionTimeout'"
            "   FROM session WHERE options->>'callback_url' IS NOT NULL"
        )
        await connection.execute("UPDATE delivery SET state = 'dead'")
        await connection.execute(
            "INSERT INTO subaccount (auth_id, account, name)"
            " VALUES ('SASTAYSAAAAAAAAAAAAA', $1, ''), ('SAGOESAAAAAAAAAAAAAA', $1, '')",
            api.account,
        )
        await connection.execute("UPDATE session SET subaccount = 'SASTAYSAAAAAAAAAAAAA'")
    archive.room_for(_RECORDING, "mp3").write_bytes(b"a")
    await archive.keep(_RECORDING, "mp3")
    _, recording = await api("GET", f"Recording/{_RECORDING}/")
    await Accounts(database).add_token(api.account, OPERATOR, name="", scope=Scope.OPERATOR)
    operator = {"Authorization": aiohttp.encode_basic_auth(api.account, OPERATOR)}
    with structlog.testing.capture_logs() as lines:
        # These are an operator's, whom it is not.
        body = {"numbers": ["+13125550199"]}
        assert (await api("POST", "NumberGrant/", body, headers=operator))[0] == 201
        _, granted = await api("GET", "NumberGrant/")
        path = f"NumberGrant/{granted['objects'][-1]['grant_id']}/"
        assert (await api("DELETE", path, headers=operator))[0] == 204
        # Whether all that is dead is sent again before this one is chance.
        path = "Event/00000000-0000-4000-8000-000000000004/Replay/"
        assert (await api("POST", path))[0] == 202
        # And whether a session that it made can be called is, too.
        made = await api.session(first_party=MALLORY.e164, second_party=ALICE.e164)
        path = f"Masking/Session/{made['session_uuid']}/Call/"
        assert (await api("POST", path, {}))[0] == 201
        # A signature that fits is not to be hit upon; and whether this is deleted first is chance.
        for path in (
            f"/v1/Account/{api.account}/Recording/{_RECORDING}/Media/",
            recording["recording_url"],
        ):
            assert (await api.client.get(path, headers=api.auth)).status == 200
        async with asyncio.timeout(600):  # it takes 40 s, and more on a busy machine
            process = await subprocess.create_subprocess_exec(
                *(Path(sys.executable).with_name("schemathesis"), "--no-color"),
                *("--config-file", _HERE / "schemathesis.toml"),
                *("run", str(api.client.make_url("/openapi.json"))),
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                env={"BRIDGE_AUTH_ID": api.account, "BRIDGE_AUTH_TOKEN": TOKEN},
                cwd=tmp_path,
            )
            report, _ = await process.communicate()
        path = f"/v1/Account/{api.account}/Event/Stream/?duration=0"
        await (await api.client.get(path, headers=api.auth)).read()
    assert process.returncode == 0, report.decode()

    answered = defaultdict(set)
    for line in lines:
        if line["event"] == "request" and line["resource"]:
            answered[line["method"], line["resource"].rstrip("/")].add(line["status"])
    for operation in OPERATIONS:
        assert operation.success in answered[operation.method, operation.path], operation.name


async def one_call_is_up(database: Database, api: Api) -> None:
    """One that can be hung up; nobody carries it, so it stays."""
    made = await api.session(first_party=CAROL.e164, second_party=MALLORY.e164)
    async with database.connection() as connection:
        await connection.execute(
            "WITH new AS ("
            "  INSERT INTO call (id, node, session, caller_side, virtual_number, started_at)"
            "  VALUES (gen_random_uuid(), 'a', $1, 'first', $2, now()) RETURNING id)"
            " INSERT INTO leg (id, call, role, channel_id, party_number, started_at)"
            " SELECT '00000000-0000-4000-8000-000000000002', id, 'a', 'a', $3, now() FROM new",
            uuid.UUID(made["session_uuid"]),
            VIRTUAL.e164,
            CAROL.e164,
        )
