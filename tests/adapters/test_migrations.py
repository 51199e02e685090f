"""The schema: applied once, never a changed one."""

import asyncio
import shutil
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from bridge.store import queries
from bridge.store.errors import SchemaError
from bridge.store.migrations import migrate
from bridge.store.pool import Connection, Database


@pytest.fixture
def migrations(tmp_path: Path) -> Path:
    """A copy of ours, to change."""
    return Path(shutil.copytree(queries.sql_root() / "migrations", tmp_path / "migrations"))


@asynccontextmanager
async def one_number_before(
    version: str, database: Database, migrations: Path
) -> AsyncIterator[Connection]:
    """A database as it was before a migration, with an account and its virtual number."""
    for path in migrations.glob("*.sql"):
        if path.name >= version:
            path.unlink()
    await migrate(database, directory=migrations)
    async with database.connection() as connection:
        await connection.execute(
            "INSERT INTO account (auth_id, name) VALUES ('MAAAAAAAAAAAAAAAAAAA', '');"
            "INSERT INTO virtual_number (number, account, country)"
            " VALUES ('+12025550142', 'MAAAAAAAAAAAAAAAAAAA', 'US')"
        )
        yield connection


async def test_each_is_applied_once(empty_database: Database) -> None:
    assert await migrate(empty_database) != []
    assert await migrate(empty_database) == []


async def test_processes_that_start_together_apply_each_once(empty_database: Database) -> None:
    async with asyncio.TaskGroup() as group:
        starts = [group.create_task(migrate(empty_database)) for _ in range(5)]
    assert sorted(map(len, (start.result() for start in starts)))[:4] == [0, 0, 0, 0]


async def test_one_that_was_changed_after_it_was_applied_stops_us(
    empty_database: Database, migrations: Path
) -> None:
    await migrate(empty_database, directory=migrations)
    first = next(migrations.glob("0001*"))
    first.write_text(first.read_text() + "-- harmless, it seems\n")
    with pytest.raises(SchemaError, match="0001 was changed"):
        await migrate(empty_database, directory=migrations)


async def test_a_database_that_is_newer_than_the_program_stops_us(
    empty_database: Database, migrations: Path
) -> None:
    (migrations / "9999_from_the_future.sql").write_text("SELECT 1;")
    await migrate(empty_database, directory=migrations)
    with pytest.raises(SchemaError, match="version 9999"):
        await migrate(empty_database)


async def test_one_that_fails_leaves_nothing_behind(
    empty_database: Database, migrations: Path
) -> None:
    (migrations / "9999_fail_halfway.sql").write_text("CREATE TABLE half (); SELECT 1/0;")
    with pytest.raises(SchemaError, match="migration 9999 cannot be applied"):
        await migrate(empty_database, directory=migrations)
    async with empty_database.connection() as connection:
        assert await connection.fetchval("SELECT to_regclass('half')") is None
        assert await connection.fetchval("SELECT count(*) FROM schema_migration") == len(
            list(migrations.glob("0*.sql"))
        )


@pytest.mark.parametrize("name", ["2_short.sql", "0001_twice.sql", "0002 space.sql"])
async def test_a_file_with_a_wrong_name_stops_us(
    empty_database: Database, migrations: Path, name: str
) -> None:
    (migrations / name).write_text("SELECT 1;")
    with pytest.raises(SchemaError, match="NNNN_verb_noun"):
        await migrate(empty_database, directory=migrations)


async def test_pins_of_live_sessions_are_taken_and_of_two_that_clash_the_older_s(
    empty_database: Database, migrations: Path
) -> None:
    async with one_number_before("0012", empty_database, migrations) as connection:
        await connection.execute(
            "INSERT INTO session (id, account, first_party, second_party, virtual_number,"
            " created_at, expires_at, ring_timeout, call_time_limit, options)"
            " SELECT lpad(one::text, 32, '0')::uuid, 'MAAAAAAAAAAAAAAAAAAA', '+1303555010' || one,"
            " '+1303555020' || one, '+12025550142', now() - make_interval(secs => 9 - one),"
            " now() + interval '1 hour', 30, 600, jsonb_build_object("
            "'is_pin_authentication_required', one <> 3, 'first_party_pin', '111' || one,"
            " 'second_party_pin', '2222') FROM generate_series(1, 3) AS one"
        )
        await migrate(empty_database)
        pins = await connection.fetch("SELECT pin, session::text, side FROM pin ORDER BY pin")
        first, second = (str(uuid.UUID(int=number)) for number in (1, 2))
        assert [tuple(row) for row in pins] == [
            ("1111", first, "first"),
            ("1112", second, "first"),
            ("2222", first, "second"),
        ]
        shown = await connection.fetch(
            "SELECT options ->> 'second_party_pin' FROM session ORDER BY id"
        )
        assert [row[0] for row in shown] == ["2222", None, "2222"]


async def test_deliveries_of_before_are_found_by_their_account(
    empty_database: Database, migrations: Path
) -> None:
    async with one_number_before("0020", empty_database, migrations) as connection:
        await connection.execute(
            "INSERT INTO session (id, account, first_party, second_party, virtual_number,"
            " expires_at, ring_timeout, call_time_limit, options)"
            " VALUES (gen_random_uuid(), 'MAAAAAAAAAAAAAAAAAAA', '+13035550101', '+13035550102',"
            " '+12025550142', now(), 30, 600, '{\"callback_url\": \"https://x.test/\"}');"
            "INSERT INTO event (account, session, sequence, name)"
            " SELECT account, id, 1, 'SessionTimeout' FROM session;"
            "UPDATE delivery SET state = 'dead'"
        )
        await migrate(empty_database)
        assert await connection.fetchval(
            "SELECT (delivery.account, delivery.happened_at) = (event.account, event.happened_at)"
            " FROM delivery JOIN event ON event.id = delivery.event"
        )


async def test_events_of_before_are_parted_by_where_they_go(
    empty_database: Database, migrations: Path
) -> None:
    async with one_number_before("0023", empty_database, migrations) as connection:
        await connection.execute(
            "INSERT INTO session (id, account, first_party, second_party, virtual_number,"
            " expires_at, ring_timeout, call_time_limit, options)"
            " VALUES (gen_random_uuid(), 'MAAAAAAAAAAAAAAAAAAA', '+13035550101', '+13035550102',"
            ' \'+12025550142\', now(), 30, 600, \'{"callback_url": "https://x.test/",'
            ' "recording_callback_url": "https://y.test/"}\');'
            "INSERT INTO event (account, session, sequence, name)"
            " SELECT account, id, place, name FROM session, ROWS FROM"
            " (unnest('{SessionPartiesHangup,SessionRecordingCompleted}'::text[]))"
            " WITH ORDINALITY AS told (name, place);"
            "INSERT INTO event (account, name) VALUES ('MAAAAAAAAAAAAAAAAAAA', 'About the account')"
        )
        await migrate(empty_database)
        found = await connection.fetch(
            "SELECT event.name, event.untold, delivery.endpoint, delivery.again"
            " FROM event LEFT JOIN delivery ON delivery.event = event.id"
            " ORDER BY event.sequence NULLS FIRST"
        )
        assert [tuple(row) for row in found] == [
            ("About the account", True, None, None),
            ("SessionPartiesHangup", False, "callback", False),
            ("SessionRecordingCompleted", False, "recording_callback", False),
        ]


async def test_calls_of_before_are_those_of_whose_number_it_was_then(
    empty_database: Database, migrations: Path
) -> None:
    async with one_number_before("0027", empty_database, migrations) as connection:
        await connection.execute(
            "UPDATE virtual_number SET added_at = now() - interval '1 day';"
            "INSERT INTO session (id, account, first_party, second_party, virtual_number,"
            " expires_at, ring_timeout, call_time_limit, options)"
            " VALUES (gen_random_uuid(), 'MAAAAAAAAAAAAAAAAAAA', '+13035550101', '+13035550102',"
            " '+12025550142', now(), 30, 600, '{}');"
            "INSERT INTO call (id, node, session, caller_side, virtual_number, started_at)"
            " SELECT gen_random_uuid(), 'a', id, 'first', 's', now() FROM session;"
            "INSERT INTO call (id, node, virtual_number, started_at) VALUES"
            " (gen_random_uuid(), 'a', '+12025550142', now() - interval '1 hour'),"
            " (gen_random_uuid(), 'a', '+12025550142', now() - interval '2 days'),"
            " (gen_random_uuid(), 'a', '+12025550199', now() - interval '3 days')"
        )
        await migrate(empty_database)
        rows = await connection.fetch("SELECT account FROM call ORDER BY started_at DESC")
        own = "MAAAAAAAAAAAAAAAAAAA"
        assert [row["account"] for row in rows] == [own, own, None, None]


@pytest.fixture
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """No query may take longer."""
    monkeypatch.setattr("bridge.store.pool._COMMAND_TIMEOUT", 1.5)


@pytest.mark.usefixtures("hurry")
async def test_a_migration_may_take_longer_than_a_query(
    empty_database: Database, migrations: Path
) -> None:
    for path in migrations.glob("*.sql"):
        path.unlink()
    (migrations / "0001_take_long.sql").write_text("SELECT pg_sleep(2);")
    async with asyncio.TaskGroup() as group:
        both = [group.create_task(migrate(empty_database, directory=migrations)) for _ in range(2)]
    assert sorted(one.result() for one in both) == [[], [1]], "and whoever waits for it waits"


async def test_every_query_is_one_that_the_schema_knows(database: Database) -> None:
    loaded = queries.load()
    assert loaded.available_queries
    async with database.connection() as connection:
        for name in loaded.available_queries:
            if name.endswith("_cursor"):
                continue
            await connection.prepare(getattr(loaded, name).sql)
