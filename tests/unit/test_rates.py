"""What a leg costs, and rate sheets: every fault of one named."""

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.domain.rate_sheet import FaultySheet, read_sheet, write_sheet
from bridge.domain.rates import UNANSWERED, Direction, Rate, Tariff

PRICES = st.decimals(min_value=0, max_value=Decimal("999999.999999"), places=6)
INCREMENTS = st.integers(1, 3600)
TARIFFS = st.builds(
    Tariff,
    price_per_minute=PRICES,
    connection_fee=PRICES,
    first_seconds=INCREMENTS,
    next_seconds=INCREMENTS,
)
TALKS = st.timedeltas(min_value=timedelta(seconds=-5), max_value=timedelta(days=1))
RATES = st.builds(
    Rate,
    trunk=st.from_regex(r"[a-z][a-z0-9-]{0,9}", fullmatch=True),
    direction=st.sampled_from(Direction),
    prefix=st.from_regex(r"([1-9][0-9]{0,14})?", fullmatch=True),
    valid_from=st.dates(),
    tariff=TARIFFS,
)


@pytest.mark.parametrize(
    ("first", "following", "talked", "billed"),
    [
        (1, 1, 0, 0),
        (1, 1, -1, 0),
        (1, 1, 0.001, 1),
        (1, 1, 59.2, 60),
        (60, 60, 0, 0),
        (60, 60, 0.001, 60),
        (60, 60, 60, 60),
        (60, 60, 60.001, 120),
        (60, 1, 60.001, 61),
        (30, 6, 12, 30),
        (30, 6, 30, 30),
        (30, 6, 31, 36),
        (30, 6, 36.5, 42),
        (1, 6, 2, 7),
    ],
)
def test_seconds_are_billed_by_increments(
    first: int, following: int, talked: float, billed: int
) -> None:
    tariff = Tariff(first_seconds=first, next_seconds=following)
    assert tariff.billed_seconds(timedelta(seconds=talked)) == billed


@pytest.mark.parametrize(
    ("tariff", "talked", "amount"),
    [
        (Tariff(), 3600, "0"),
        (Tariff(price_per_minute=Decimal("0.0125")), 60, "0.0125"),
        (Tariff(price_per_minute=Decimal("0.0125")), 61, "0.012708"),
        (
            Tariff(price_per_minute=Decimal("0.0125"), first_seconds=60, next_seconds=60),
            61,
            "0.025",
        ),
        (Tariff(price_per_minute=Decimal("0.00003")), 1, "0.000001"),  # half a millionth, up
        (Tariff(connection_fee=Decimal("0.1")), 0.5, "0.1"),
        (Tariff(connection_fee=Decimal("0.1"), price_per_minute=Decimal("0.6")), 10, "0.2"),
    ],
)
def test_an_amount_is_the_fee_and_the_billed_seconds(
    tariff: Tariff, talked: float, amount: str
) -> None:
    assert tariff.charge(timedelta(seconds=talked)).amount == Decimal(amount)


@given(tariff=TARIFFS, talked=TALKS, longer=TALKS)
def test_who_talks_longer_pays_no_less_and_nobody_is_paid(
    tariff: Tariff, talked: timedelta, longer: timedelta
) -> None:
    short, long = (tariff.charge(one) for one in sorted([talked, longer]))
    assert 0 <= short.billed_seconds <= long.billed_seconds
    assert 0 <= short.amount <= long.amount


@given(tariff=TARIFFS, talked=TALKS)
def test_a_charge_is_exact_to_half_a_millionth(tariff: Tariff, talked: timedelta) -> None:
    charge = tariff.charge(talked)
    seconds = charge.billed_seconds
    if talked > timedelta(0):
        assert seconds >= talked.total_seconds()
        assert (seconds - tariff.first_seconds) % tariff.next_seconds == 0
        assert seconds - max(tariff.first_seconds, tariff.next_seconds) < talked.total_seconds()
    else:
        assert seconds == 0
    exact = Fraction(tariff.connection_fee) + Fraction(tariff.price_per_minute) * seconds / 60
    assert abs(Fraction(charge.amount) - exact) <= Fraction(1, 2_000_000)
    assert charge.price_per_minute == tariff.price_per_minute


def test_what_nobody_answered_costs_nothing() -> None:
    assert UNANSWERED.billed_seconds == 0
    assert UNANSWERED.amount == 0


HEADER = "direction,prefix,valid_from,price_per_minute,connection_fee,first_seconds,next_seconds"
SHEET = f"""{HEADER}
outbound,49,2026-01-01,0.0125,0,60,60
outbound,+4915,2026-01-01,0.09,,,
Inbound,,2026-01-01,0.004,,1,1
"""


def test_a_sheet_is_read_with_defaults_for_what_is_empty() -> None:
    with pytest.raises(FaultySheet, match="line 4: direction must be inbound or outbound"):
        read_sheet(SHEET, trunk="carrier")
    rates = read_sheet(SHEET.replace("Inbound", "inbound"), trunk="carrier")
    assert rates[1] == Rate(
        trunk="carrier",
        direction=Direction.OUTBOUND,
        prefix="4915",
        valid_from=date(2026, 1, 1),
        tariff=Tariff(price_per_minute=Decimal("0.09")),
    )
    assert [rate.prefix for rate in rates] == ["49", "4915", ""]
    assert rates[0].tariff.first_seconds == 60


@given(rates=st.lists(RATES, unique_by=lambda one: one.key))
def test_a_sheet_that_was_written_is_read_as_the_same_rates(rates: list[Rate]) -> None:
    assert list(read_sheet(write_sheet(rates), trunk="other")) == rates


def test_every_faulty_line_is_named_with_all_that_is_wrong_in_it() -> None:
    lines = [
        f"trunk,{HEADER}",
        "carrier,outbound,49,2026-01-01,0.01,0,1,1",  # as it should be
        "carrier,sideways,0049,01.02.2026,-1,NaN,0,3601",
        "carrier,outbound,49,2026-02-30,1e3,0.1234567,1.5,one",
        "carrier,outbound,49,2026-01-01,0.02,0,1,1",
        '"Carrier 1",outbound,٤٩,20260101,"0,01",1000000,,',
        "",
        "carrier,outbound",
        "carrier,outbound,49,2026-03-01,0.01,0,1,1,more",
    ]
    price = "must be 0 to 999999.999999, with a point and six places at most"
    assert faults_of("\n".join(lines)) == [
        "line 3: direction must be inbound or outbound; prefix must be the first digits of E.164"
        " numbers, or empty; valid_from must be a day as YYYY-MM-DD;"
        f" price_per_minute {price}; connection_fee {price};"
        " first_seconds must be 1 to 3600; next_seconds must be 1 to 3600",
        f"line 4: valid_from must be a day as YYYY-MM-DD; price_per_minute {price};"
        f" connection_fee {price}; first_seconds must be 1 to 3600; next_seconds must be 1 to 3600",
        "line 5: has the trunk, direction, prefix and day of line 2",
        "line 6: trunk must be a trunk's name; prefix must be the first digits of E.164 numbers,"
        f" or empty; valid_from must be a day as YYYY-MM-DD; price_per_minute {price};"
        f" connection_fee {price}",
        "line 8: must have as many values as there are columns",
        "line 9: must have as many values as there are columns",
    ]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", "direction is missing; prefix is missing; price_per_minute is missing; valid_from is"),
        (SHEET.replace(",", ";"), "is no column of a rate sheet"),
        (SHEET.replace("next_seconds", "first_seconds"), "first_seconds is there twice"),
        (SHEET + 'outbound,"49', "line 5: not CSV"),
        (SHEET + "a" * 200_000, "line 5: not CSV"),
    ],
)
def test_what_is_no_rate_sheet_is_said_to_be_none(text: str, fault: str) -> None:
    with pytest.raises(FaultySheet, match=fault):
        read_sheet(text, trunk="carrier")


@given(text=st.text() | st.text(alphabet=st.sampled_from('",\n\r\x00 a1')))
def test_whatever_a_file_holds_is_rates_or_faults(text: str) -> None:
    assert all(fault.startswith("line ") for fault in faults_of(f"{HEADER}\n{text}"))


def faults_of(sheet: str) -> Sequence[str]:
    try:
        read_sheet(sheet, trunk="carrier")
    except FaultySheet as error:
        return error.faults
    return ()
