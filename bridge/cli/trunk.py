"""``masking-bridge trunk``: trying the trunk's rules for numbers."""

import json
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from bridge.config import load
from bridge.domain.signalling import addresses, dialled_number
from bridge.domain.trunk_rules import Reading, Step, TrunkRules, read
from bridge.trunk_settings import TrunkSettings

app = typer.Typer(no_args_is_help=True, help="The trunk, and how its carrier writes numbers.")


@app.callback()
def main() -> None:
    """Keeps ``test-number`` a command of its own, for Typer would make a single one the group."""


@app.command("test-number")
def show_reading(
    text: Annotated[
        str, typer.Argument(help="A number as the carrier signals it, or a From or PAI header.")
    ],
    dialled: Annotated[
        bool, typer.Option("--dialled", help="As the number called, not as the caller's.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="For scripts.")] = False,
) -> None:
    """Show, step by step and in full digits, what the BRIDGE_TRUNK_* rules make of a number.

    Exits with 1 if it is no number to them.
    """
    rules = load(TrunkSettings).trunk_rules
    found = [] if dialled else addresses(text)
    signalled = [one.signalled for one in found if one.signalled is not None]
    readings = [read(one, rules) for one in signalled or [text]]
    numbers = {one.number for one in readings if one.number}
    reading = next((one for one in readings if one.number), readings[0])
    if len(numbers) > 1:  # two people's numbers: nobody can tell which is the caller's
        steps = [step for one in readings for step in one.steps]
        reading = Reading(None, (*steps, Step("more than one number", "none")))
    if as_json:
        typer.echo(json.dumps(_report(reading, rules)))
    else:
        _print(reading, rules)
        if dialled and not reading.number:
            typer.echo(f"Written down as {dialled_number(text, rules)!r}, and answered with 404")
    if reading.number is None:
        raise typer.Exit(1)


def _print(reading: Reading, rules: TrunkRules) -> None:
    table = Table("step", "gives")
    for step in reading.steps:
        table.add_row(step.rule, escape(step.text))
    Console().print(table)
    number = reading.number
    if number:
        plan = number.country if number.is_valid else "in no country's numbering plan"
        typer.echo(f"Number:    {number.e164} ({plan})")
        typer.echo(f"Sent out:  {rules.outbound(number)}")
    else:
        typer.echo("Number:    none that these rules can tell; such a caller is a stranger")


def _report(reading: Reading, rules: TrunkRules) -> dict[str, Any]:
    number = reading.number
    return {
        "number": number.e164 if number else None,
        "country": number.country if number and number.is_valid else None,
        "outbound": rules.outbound(number) if number else None,
        "steps": [{"rule": step.rule, "gives": step.text} for step in reading.steps],
    }
