"""The schema: applied once, never a changed one."""

import asyncio
import shutil
import uuid
from pathlib import Path

import pytest

from bridge.store import queries
from bridge.store.errors import SchemaError
from bridge.store.migrations import migrate
from bridge.store.pool import Database


@pytest.fixture
def migrations(tmp_path: Path) -> Path:
    """A copy of ours, to change."""
    return Path(shutil.copytree(queries.sql_root() / "migrations", tmp_path / "migrations"))


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
    with pytest.raises(Exception, match="division by zero"):
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
    for path in migrations.glob("*.sql"):
        if path.name >= "0012":
            path.unlink()
    await migrate(empty_database, directory=migrations)
    async with empty_database.connection() as connection:
        await connection.execute(
            "INSERT INTO account (auth_id, name) VALUES ('MAAAAAAAAAAAAAAAAAAA', '');"
            "INSERT INTO virtual_number (number, account, country)"
            " VALUES ('+12025550142', 'MAAAAAAAAAAAAAAAAAAA', 'US');"
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


async def test_every_query_is_one_that_the_schema_knows(database: Database) -> None:
    loaded = queries.load()
    assert loaded.available_queries
    async with database.connection() as connection:
        for name in loaded.available_queries:
            if name.endswith("_cursor"):
                continue
            await connection.prepare(getattr(loaded, name).sql)
