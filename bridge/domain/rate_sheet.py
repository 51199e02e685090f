"""A rate table as a CSV file, read with every fault in it, and written."""

import csv
import io
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from bridge.domain.rates import Direction, Rate, Tariff
from bridge.domain.trunk_rules import TRUNK_NAME


class FaultySheet(Exception):
    """A rate sheet has mistakes; ``faults`` has a line for every line that has any."""

    def __init__(self, faults: Sequence[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


def _matching(pattern: str, convert: Callable[[str], Any] = str) -> Callable[[str], Any]:
    def parse(text: str) -> Any:
        if not re.fullmatch(pattern, text):
            raise ValueError
        return convert(text)

    return parse


def _increment(text: str) -> int:
    seconds = int(text)
    if not 1 <= seconds <= 3600:
        raise ValueError
    return seconds


_SECONDS = _matching(r"[0-9]{1,4}", _increment)
read_price: Callable[[str], Decimal] = _matching(r"[0-9]{1,6}(\.[0-9]{1,6})?", Decimal)
"""A price as people write it.  Raises ValueError: it is none, for which there is `PRICE_IS`."""
PRICE_IS = "must be 0 to 999999.999999, with a point and six places at most"
_SECONDS_ARE = "must be 1 to 3600"

_COLUMNS: dict[str, tuple[Callable[[str], Any], str]] = {
    "trunk": (_matching(TRUNK_NAME), "must be a trunk's name"),
    "direction": (Direction, "must be inbound or outbound"),
    "prefix": (
        _matching(r"\+?([1-9][0-9]{0,14})?", lambda text: text.removeprefix("+")),
        "must be the first digits of E.164 numbers, or empty",
    ),
    "valid_from": (
        _matching(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", date.fromisoformat),
        "must be a day as YYYY-MM-DD",
    ),
    "price_per_minute": (read_price, PRICE_IS),
    "connection_fee": (read_price, PRICE_IS),
    "first_seconds": (_SECONDS, _SECONDS_ARE),
    "next_seconds": (_SECONDS, _SECONDS_ARE),
}
_OPTIONAL = {"connection_fee": "0", "first_seconds": "1", "next_seconds": "1"}


def read_sheet(text: str, *, trunk: str) -> Sequence[Rate]:
    """The rates of a CSV file with a line of column names.

    Args:
        trunk: that of lines without one.

    Raises:
        FaultySheet: every line that is wrong, by its number, with all that is wrong in it.
    """
    reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    defaults = {"trunk": trunk, **_OPTIONAL}
    rates: list[Rate] = []
    lines: dict[Any, int] = {}
    faults: list[str] = []
    try:
        _check_columns(reader.fieldnames or (), optional=defaults)
        for row in reader:
            rate, mistakes = _rate(row, defaults)
            if rate:
                rates.append(rate)
                first = lines.setdefault(rate.key, reader.line_num)
                if first != reader.line_num:
                    mistakes = [f"has the trunk, direction, prefix and day of line {first}"]
            if mistakes:
                faults.append(f"line {reader.line_num}: {'; '.join(mistakes)}")
    except csv.Error:
        # The inner reader's count: the outer one's is of the last line that was right.
        line = reader.reader.line_num
        faults.append(f"line {line}: not CSV from here on: a quote is wrong, or a value too long")
    if faults:
        raise FaultySheet(faults)
    return rates


def _check_columns(names: Sequence[str], *, optional: Mapping[str, str]) -> None:
    faults = [f"{name} is missing" for name in _COLUMNS.keys() - optional.keys() - set(names)]
    faults += [f"{name!r} is no column of a rate sheet" for name in set(names) - _COLUMNS.keys()]
    faults += [f"{name} is there twice" for name in set(names) if names.count(name) > 1]
    if faults:
        raise FaultySheet([f"line 1: {'; '.join(sorted(faults))}"])


def _rate(row: Mapping[Any, Any], defaults: Mapping[str, str]) -> tuple[Rate | None, list[str]]:
    """The rate of a line, or what is wrong with it."""
    if None in row or None in row.values():
        return None, ["must have as many values as there are columns"]
    values: dict[str, Any] = {}
    mistakes = []
    for name, (parse, what_it_must_be) in _COLUMNS.items():
        text = row.get(name, "").strip() or defaults.get(name, "")
        try:
            values[name] = parse(text)
        except ValueError:
            mistakes.append(f"{name} {what_it_must_be}")
    if mistakes:
        return None, mistakes
    key = {name: values.pop(name) for name in ("trunk", "direction", "prefix", "valid_from")}
    return Rate(**key, tariff=Tariff(**values)), []


def write_sheet(rates: Sequence[Rate]) -> str:
    """The rates as `read_sheet` takes them."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_COLUMNS)
    for rate in rates:
        tariff = rate.tariff
        writer.writerow(
            [
                *(rate.trunk, rate.direction.value, rate.prefix, rate.valid_from.isoformat()),
                *(f"{tariff.price_per_minute:f}", f"{tariff.connection_fee:f}"),
                *(tariff.first_seconds, tariff.next_seconds),
            ]
        )
    return text.getvalue()
