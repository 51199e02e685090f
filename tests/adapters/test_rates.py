"""Money on a real Postgres: rates by destination and day, and legs that keep what they cost."""

import dataclasses
import json
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from bridge.domain.numbers import PhoneNumber
from bridge.domain.outcomes import CANCELLED
from bridge.domain.rates import Direction, Rate, Tariff
from bridge.domain.records import Arrival
from bridge.store.calls import Calls
from bridge.store.pool import Database
from bridge.store.rates import Rates
from tests.adapters.conftest import Api
from tests.adapters.test_calls import arrival, record
from tests.adapters.test_command_line import Terminal
from tests.people import BOB, VIRTUAL

NEW_YEAR = date(2026, 1, 1)  # the day of the tests' calls
DAY = timedelta(days=1)


def rate(
    prefix: str,
    price: str = "0.01",
    *,
    direction: Direction = Direction.OUTBOUND,
    valid_from: date = NEW_YEAR,
    trunk: str = "carrier",
    **tariff: Any,
) -> Rate:
    return Rate(
        trunk=trunk,
        direction=direction,
        prefix=prefix,
        valid_from=valid_from,
        tariff=Tariff(price_per_minute=Decimal(price), **tariff),
    )


@pytest.fixture
def rates(database: Database) -> Rates:
    return Rates(database)


@pytest.fixture
def masking_bridge(database_url: str) -> Terminal:
    return Terminal(database_url)


async def found(rates: Rates, digits: str, *, day: date = NEW_YEAR) -> str | None:
    one = await rates.find("carrier", Direction.OUTBOUND, PhoneNumber(f"+{digits}"), day=day)
    return f"{one.prefix} {one.tariff.price_per_minute.normalize():f}" if one else None


async def test_the_longest_prefix_counts_and_of_one_prefix_the_latest_day(rates: Rates) -> None:
    await rates.put(
        [
            rate("", "0.5"),
            rate("49", "0.01"),
            rate("49", "0.02", valid_from=NEW_YEAR + DAY),
            rate("4915", "0.09", valid_from=NEW_YEAR + 2 * DAY),
            rate("49151", "0.07", trunk="other"),
            rate("491512", "0.07", direction=Direction.INBOUND),
        ]
    )
    assert await found(rates, "4915123456789") == "49 0.01"
    assert await found(rates, "4915123456789", day=NEW_YEAR + DAY) == "49 0.02"
    assert await found(rates, "4915123456789", day=NEW_YEAR + 5 * DAY) == "4915 0.09"
    assert await found(rates, "4930123456", day=NEW_YEAR + 5 * DAY) == "49 0.02"
    assert await found(rates, "12165550145") == " 0.5"
    assert await found(rates, "12165550145", day=NEW_YEAR - DAY) is None


async def test_an_import_replaces_what_has_the_same_day_and_adds_the_rest(rates: Rates) -> None:
    assert await rates.put([rate("49", "0.01"), rate("44", "0.01")]) == 2
    assert await rates.put([rate("49", "0.02"), rate("49", "0.03", valid_from=NEW_YEAR + DAY)]) == 1
    listed = await rates.list(prefix="49")
    assert [one.tariff.price_per_minute for one in listed] == [Decimal("0.02"), Decimal("0.03")]
    [today] = await rates.list(prefix="49", day=NEW_YEAR)
    assert today.tariff.price_per_minute == Decimal("0.02")
    assert await rates.list(direction=Direction.INBOUND) == []


async def test_of_many_rates_none_is_kept_if_one_cannot_be(rates: Rates) -> None:
    many = [rate(str(10_000 + number)) for number in range(12_000)]
    with pytest.raises(asyncpg.CheckViolationError):
        await rates.put([*many, rate("0049")])
    assert await rates.list() == []
    assert await rates.put(many) == len(many)
    assert len(await rates.list()) == len(many)


@pytest.fixture
async def calls(api: Api, database: Database) -> Calls:
    """Calls between Alice and Bob, who have a session."""
    await api.session()
    return Calls(database, node="here")


async def ended(database: Database, calls: Calls, *, talked: float = 59.2) -> Arrival:
    call = arrival()
    await calls.arrived(call)
    async with database.transaction() as connection:
        await calls.write_end(connection, record(call, talked=talked))
    return call


async def charges(database: Database, call: Arrival) -> list[tuple[Any, ...]]:
    """Billed seconds, rate and amount of the legs, the caller's first."""
    async with database.connection() as connection:
        rows = await connection.fetch(
            "SELECT billed_seconds, rate, amount FROM leg WHERE call = $1 ORDER BY role",
            call.call_id,
        )
    return [tuple(row) for row in rows]


async def test_each_leg_costs_what_the_rate_of_its_destination_says(
    database: Database, calls: Calls, rates: Rates
) -> None:
    await rates.put(
        [
            rate(VIRTUAL.e164[1:6], "0.004", direction=Direction.INBOUND),
            rate(
                BOB.e164[1:5],
                "0.013",
                connection_fee=Decimal("0.05"),
                first_seconds=30,
                next_seconds=6,
            ),
        ]
    )
    call = await ended(database, calls, talked=61.5)
    assert await charges(database, call) == [
        (62, Decimal("0.004"), Decimal("0.004133")),
        (66, Decimal("0.013"), Decimal("0.0643")),
    ]


async def test_rates_that_change_later_do_not_change_the_past(
    database: Database, calls: Calls, rates: Rates
) -> None:
    await rates.put([rate("1", "0.6")])
    call = await ended(database, calls)
    before = await charges(database, call)
    assert before == [(60, 0, 0), (60, Decimal("0.6"), Decimal("0.6"))]
    await rates.put([rate("1", "6")])
    async with database.transaction() as connection:
        await calls.write_end(connection, record(call))
    assert await charges(database, call) == before


async def test_without_rates_and_without_an_answer_nothing_is_charged(
    database: Database, calls: Calls, rates: Rates
) -> None:
    assert await charges(database, await ended(database, calls)) == [(60, 0, 0), (60, 0, 0)]
    await rates.put([rate("1", connection_fee=Decimal(1))])
    call = arrival()
    await calls.arrived(call)
    whole = record(call)
    legs = tuple(dataclasses.replace(leg, answered_at=None) for leg in whole.legs)
    cancelled = dataclasses.replace(whole, outcome=CANCELLED, answered_at=None, legs=legs)
    async with database.transaction() as connection:
        await calls.write_end(connection, cancelled)
    assert await charges(database, call) == [(0, 0, 0), (0, 0, 0)]


async def test_the_day_of_a_rate_begins_at_midnight_utc(
    database: Database, calls: Calls, rates: Rates
) -> None:
    await rates.put([rate("1", "0.6"), rate("1", "6", valid_from=NEW_YEAR + DAY)])
    call = arrival()
    await calls.arrived(call)
    midnight = record(call)
    answered_at = midnight.legs[1].answered_at
    assert answered_at
    to_midnight = timedelta(hours=12) - timedelta(seconds=4, milliseconds=1)
    legs = tuple(
        dataclasses.replace(
            leg,
            answered_at=answered_at + to_midnight,
            ended_at=answered_at + to_midnight + timedelta(minutes=1),
        )
        for leg in midnight.legs
    )
    async with database.transaction() as connection:
        await calls.write_end(connection, dataclasses.replace(midnight, legs=legs))
    assert (await charges(database, call))[1] == (60, Decimal("0.6"), Decimal("0.6"))


async def test_a_call_shows_what_it_cost(
    api: Api, database: Database, calls: Calls, rates: Rates
) -> None:
    await rates.put([rate("1216", "0.0125", first_seconds=60, next_seconds=60)])
    await rates.put([rate("", "0.000123", direction=Direction.INBOUND)])
    call = await ended(database, calls, talked=61.5)
    async with database.connection() as connection:
        rows = await connection.fetch(
            "SELECT id FROM leg WHERE call = $1 ORDER BY role", call.call_id
        )
    shown = [(await api("GET", f"Call/{row['id']}/"))[1] for row in rows]
    names = ("bill_duration", "billed_duration", "call_duration", "total_rate", "total_amount")
    assert [[one[name] for name in names] for one in shown] == [
        [62, 62, 62, "0.000123", "0.000127"],
        [62, 120, 62, "0.01250", "0.02500"],
    ]


SHEET = """direction,prefix,valid_from,price_per_minute,first_seconds,next_seconds
outbound,49,2026-01-01,0.0125,60,60
outbound,4915,2026-01-01,0.09,60,1
inbound,,2026-01-01,0.004,,
"""


async def test_a_sheet_is_imported_shown_and_listed(
    masking_bridge: Terminal, rates: Rates, tmp_path: Path
) -> None:
    sheet = tmp_path / "rates.csv"
    sheet.write_text("\ufeff" + SHEET, "utf-8")
    imported = masking_bridge("rates", "import", str(sheet))
    assert imported.stdout == "imported: 3 new, 0 replaced\n", imported.stderr
    sheet.write_text(SHEET.replace("0.09", "0.08"))
    assert masking_bridge("rates", "import", str(sheet)).stdout == "imported: 0 new, 3 replaced\n"
    assert await found(rates, "4915123456789") == "4915 0.08"

    shown = masking_bridge("rates", "show", "+4915123456789", "--on", "2026-02-01").stdout
    assert "One minute outbound costs 0.080000." in shown
    assert "60/1" in shown
    report = json.loads(masking_bridge("rates", "show", "+4930123456", "--json").stdout)
    assert report["outbound"]["price_per_minute"] == "0.012500"
    assert report["inbound"]["prefix"] == ""
    before = masking_bridge("rates", "show", "+4930123456", "--on", "2025-12-31")
    assert "There is no outbound rate for it" in before.stdout

    listed = masking_bridge("rates", "list", "--direction", "outbound", "--csv").stdout
    sheet.write_text(listed)
    assert masking_bridge("rates", "import", str(sheet)).stdout == "imported: 0 new, 2 replaced\n"
    table = masking_bridge("rates", "list", "--on", "2026-01-01").stdout
    assert "(all)" in table
    assert "4915" in table


async def test_of_a_sheet_with_faulty_lines_nothing_is_imported_and_each_is_named(
    masking_bridge: Terminal, rates: Rates, tmp_path: Path
) -> None:
    sheet = tmp_path / "rates.csv"
    sheet.write_text(SHEET.replace("0.09", "0,09").replace("inbound", "in"))
    done = masking_bridge("rates", "import", str(sheet))
    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        "masking-bridge: nothing was imported",
        "line 3: must have as many values as there are columns",
        "line 4: direction must be inbound or outbound",
    ]
    assert await rates.list() == []
    sheet.write_bytes(SHEET.encode("utf-16"))
    assert "not text in UTF-8" in masking_bridge("rates", "import", str(sheet)).stderr
    assert masking_bridge("rates", "import", str(tmp_path / "absent.csv")).returncode == 2
    assert await rates.list() == []


async def test_a_session_s_fee_is_set_for_an_account(
    masking_bridge: Terminal, database: Database, account: str
) -> None:
    assert masking_bridge("rates", "session-fee", account, "0.025").returncode == 0
    async with database.connection() as connection:
        fee = await connection.fetchval("SELECT session_fee FROM account")
    assert fee == Decimal("0.025")
    for wrong in ("-1", "1e3", "0.1234567"):
        assert masking_bridge("rates", "session-fee", account, "--", wrong).returncode == 2
    absent = masking_bridge("rates", "session-fee", "MA" + "X" * 18, "1")
    assert absent.stderr.startswith("masking-bridge: there is no account")


def test_what_is_no_number_is_an_error_that_does_not_repeat_it(masking_bridge: Terminal) -> None:
    done = masking_bridge("rates", "show", "4155550123")
    assert done.returncode == 2
    assert "not an E.164 number" in done.stderr
    assert "4155550123" not in done.stderr
