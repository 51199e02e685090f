"""``masking-bridge rates``: what calls and sessions cost."""

import json
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Any, TypeVar

import typer
from rich.table import Table

from bridge.cli.database import on_database
from bridge.cli.errors import CommandError
from bridge.cli.tables import show
from bridge.config import Settings, load
from bridge.domain.numbers import PhoneNumber
from bridge.domain.rate_sheet import PRICE_IS, FaultySheet, read_price, read_sheet, write_sheet
from bridge.domain.rates import Direction, Rate
from bridge.store.rates import Rates, day_of

app = typer.Typer(no_args_is_help=True, help="Rates: what calls and sessions cost.")

T = TypeVar("T")

_Day = Annotated[datetime | None, typer.Option("--on", formats=["%Y-%m-%d"], help="A day, in UTC.")]
_AsJson = Annotated[bool, typer.Option("--json", help="For scripts.")]


@app.command("import")
def import_sheet(
    file: Annotated[
        typer.FileBinaryRead, typer.Argument(help="A CSV file, or - for standard input.")
    ],
) -> None:
    """Add the rates of a CSV file: all of them, or none if a line is wrong.

    Its first line names the columns: direction (inbound or outbound), prefix (first digits of the
    number called, empty for all), valid_from (YYYY-MM-DD, from 0:00 UTC) and price_per_minute; and
    if wanted trunk (else BRIDGE_TRUNK), connection_fee (0), first_seconds and next_seconds (1).
    A rate of the same trunk, direction, prefix and day is replaced.
    """
    settings = load(Settings)
    try:
        rates = read_sheet(file.read().decode("utf-8-sig"), trunk=settings.trunk)
    except UnicodeDecodeError:
        raise _Refused(["not text in UTF-8"]) from None
    except FaultySheet as error:
        raise _Refused(error.faults) from None
    new = _with_rates(lambda store: store.put(rates))
    typer.echo(f"imported: {new} new, {len(rates) - new} replaced")


@app.command("list")
def list_rates(
    direction: Annotated[Direction | None, typer.Option(help="Of this direction only.")] = None,
    prefix: Annotated[str, typer.Option(help="Whose prefix begins so.")] = "",
    on: _Day = None,
    as_csv: Annotated[bool, typer.Option("--csv", help="As `import` takes them.")] = False,
) -> None:
    """Show all rates, past and future ones too, or those that count on a day."""
    rates = _with_rates(
        lambda store: store.list(
            direction=direction, prefix=prefix.removeprefix("+"), day=on.date() if on else None
        ),
    )
    if as_csv:
        typer.echo(write_sheet(rates), nl=False)
    else:
        _print(rates)


@app.command("show")
def show_rate(
    number: Annotated[str, typer.Argument(help="In E.164, such as +14155550123.")],
    on: _Day = None,
    as_json: _AsJson = False,
) -> None:
    """Show what a leg costs that calls NUMBER, one of ours (inbound) or a party's (outbound)."""
    settings = load(Settings)
    destination = _phone_number(number)
    day = on.date() if on else day_of(datetime.now(UTC))

    async def found(store: Rates) -> dict[Direction, Rate | None]:
        return {
            direction: await store.find(settings.trunk, direction, destination, day=day)
            for direction in Direction
        }

    rates = _with_rates(found)
    if as_json:
        typer.echo(json.dumps(_report(rates, day)))
        return
    _print([rate for rate in rates.values() if rate])
    for direction, rate in rates.items():
        if rate:
            minute = rate.tariff.charge(timedelta(minutes=1))
            typer.echo(f"One minute {direction} costs {minute.amount:f}.")
        else:
            typer.echo(f"There is no {direction} rate for it: it costs nothing, by the second.")


@app.command("session-fee")
def set_session_fee(auth_id: str, fee: str) -> None:
    """Set what each session costs that the account makes from now on."""
    try:
        price = read_price(fee)
    except ValueError:
        raise typer.BadParameter(f"FEE {PRICE_IS}") from None
    if not _with_rates(lambda store: store.set_session_fee(auth_id, price)):
        raise CommandError(f"there is no account {auth_id}")


class _Refused(CommandError):
    """Nothing of a file was imported."""

    def __init__(self, faults: Sequence[str]) -> None:
        super().__init__("\n".join(["nothing was imported", *faults]))


def _phone_number(text: str) -> PhoneNumber:
    try:
        return PhoneNumber(text).canonical
    except ValueError as error:
        raise typer.BadParameter(f"NUMBER is {error}") from None


def _print(rates: Sequence[Rate]) -> None:
    table = Table("trunk", "direction", "prefix", "valid from", "per minute", "fee", "seconds")
    for rate in rates:
        tariff = rate.tariff
        table.add_row(
            *(rate.trunk, rate.direction, rate.prefix or "(all)", rate.valid_from.isoformat()),
            *(f"{tariff.price_per_minute:f}", f"{tariff.connection_fee:f}"),
            f"{tariff.first_seconds}/{tariff.next_seconds}",
        )
    show(table)


def _report(rates: dict[Direction, Rate | None], day: date) -> dict[str, Any]:
    """Prices as texts, for JSON's numbers are binary fractions to most who read them."""
    return {
        "day": day.isoformat(),
        **{
            direction.value: rate
            and {
                "trunk": rate.trunk,
                "prefix": rate.prefix,
                "valid_from": rate.valid_from.isoformat(),
                "price_per_minute": f"{rate.tariff.price_per_minute:f}",
                "connection_fee": f"{rate.tariff.connection_fee:f}",
                "first_seconds": rate.tariff.first_seconds,
                "next_seconds": rate.tariff.next_seconds,
            }
            for direction, rate in rates.items()
        },
    }


def _with_rates(work: Callable[[Rates], Awaitable[T]]) -> T:
    return on_database(lambda database: work(Rates(database)))
