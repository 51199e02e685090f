"""Accounts: who may use the API, and where their parties may be."""

import json
import secrets
from collections.abc import Awaitable, Callable, Sequence
from typing import Annotated

import typer
from rich.table import Table

from bridge.cli.database import on_database
from bridge.cli.errors import CommandError
from bridge.cli.tables import show
from bridge.domain.attestation import Attestation
from bridge.domain.numbers import COUNTRIES
from bridge.domain.privacy import NumberForm
from bridge.domain.reports import Account
from bridge.store.accounts import Accounts
from bridge.store.pool import Database

app = typer.Typer(no_args_is_help=True, help="Accounts: who may use the API.")


@app.command()
def create(
    name: str, as_json: Annotated[bool, typer.Option("--json", help="For scripts.")] = False
) -> None:
    """Create an account.  Its token is shown this once; the database keeps a hash."""
    secret = secrets.token_hex(32)
    auth_id = on_database(lambda database: Accounts(database).create(name, token=secret))
    if as_json:
        typer.echo(json.dumps({"auth_id": auth_id, "auth_token": secret}))
    else:
        typer.echo(f"Auth ID:    {auth_id}\nAuth Token: {secret}")


@app.command("list")
def list_all(
    as_json: Annotated[bool, typer.Option("--json", help="For scripts.")] = False,
) -> None:
    """Show every account, and the countries that its parties may be in."""
    accounts = on_database(lambda database: Accounts(database).list())
    if as_json:
        shown = [
            {
                "auth_id": one.auth_id,
                "name": one.name,
                "created_at": one.created_at.isoformat(),
                "countries": one.countries,
            }
            for one in accounts
        ]
        typer.echo(json.dumps(shown))
        return
    table = Table("Auth ID", "name", "created", "countries")
    for one in accounts:
        table.add_row(one.auth_id, one.name, f"{one.created_at:%F %T}", _countries(one.countries))
    show(table)


@app.command()
def countries(
    auth_id: str,
    codes: Annotated[list[str] | None, typer.Argument(help="ISO 3166, such as US CA.")] = None,
    anywhere: Annotated[bool, typer.Option("--any", help="Take the limit away.")] = False,
) -> None:
    """Say where an account's parties may be, against toll fraud; with neither, show it."""
    allowed = sorted({code.upper() for code in codes or ()})
    if anywhere and allowed:
        raise CommandError("either countries or --any")
    if unknown := [code for code in allowed if code not in COUNTRIES]:
        raise CommandError(f"no country with phone numbers: {', '.join(unknown)}")

    async def change(accounts: Accounts) -> None:
        if anywhere or allowed:
            await accounts.allow_countries(auth_id, allowed or None)

    account = _changed(auth_id, change)
    typer.echo(f"Countries: {_countries(account.countries)}")


@app.command()
def retention(
    auth_id: str,
    days: Annotated[int | None, typer.Argument(min=1, max=36500)] = None,
    forever: Annotated[bool, typer.Option("--forever", help="Erase none by itself.")] = False,
) -> None:
    """Say how many days an account's recordings are kept, those of before too; or show it."""
    if forever and days is not None:
        raise CommandError("either days or --forever")

    async def change(accounts: Accounts) -> None:
        if forever or days is not None:
            await accounts.keep_recordings(auth_id, days)

    account = _changed(auth_id, change)
    kept = account.recording_days
    typer.echo(f"Recordings are kept: {'for ever' if kept is None else f'{kept} days'}")


@app.command("max-calls")
def max_calls(
    auth_id: str,
    calls: Annotated[int | None, typer.Argument(min=1, max=100_000)] = None,
    unlimited: Annotated[bool, typer.Option("--unlimited", help="Take the limit away.")] = False,
) -> None:
    """Say how many calls of an account may be up at once; what is over gets 503.  Or show it."""
    if unlimited and calls is not None:
        raise CommandError("either calls or --unlimited")

    async def change(accounts: Accounts) -> None:
        if unlimited or calls is not None:
            await accounts.limit_calls(auth_id, calls)

    account = _changed(auth_id, change)
    typer.echo(f"Calls at once: {account.max_concurrent_calls or 'any number'}")


@app.command("max-numbers")
def max_numbers(
    auth_id: str,
    numbers: Annotated[int | None, typer.Argument(min=1, max=1_000_000)] = None,
    unlimited: Annotated[bool, typer.Option("--unlimited", help="Take the limit away.")] = False,
) -> None:
    """Say how many numbers an account may have in its pool by itself.  Or show it."""
    if unlimited and numbers is not None:
        raise CommandError("either numbers or --unlimited")

    async def change(accounts: Accounts) -> None:
        if unlimited or numbers is not None:
            await accounts.limit_numbers(auth_id, numbers)

    account = _changed(auth_id, change)
    typer.echo(f"Numbers in its pool: {account.max_numbers or 'as many as are granted'}")


@app.command()
def privacy(
    auth_id: str,
    form: Annotated[NumberForm | None, typer.Argument(help="Last2: ***23; token: tok_...")] = None,
) -> None:
    """Say how an account's events show the parties' numbers, from now on; or show it.

    A token is the same for a number in all of the account's events, and in no other account's.
    """

    async def change(accounts: Accounts) -> None:
        if form:
            await accounts.mask_events(auth_id, form)

    account = _changed(auth_id, change)
    typer.echo(f"Events show numbers: {account.event_privacy}")


@app.command("min-attestation")
def min_attestation(
    auth_id: str,
    least: Annotated[
        Attestation | None, typer.Argument(help="A, B or C as in STIR/SHAKEN; or none.")
    ] = None,
) -> None:
    """Say how far the carrier must vouch for a caller's number; or show it.

    A caller below it counts as a stranger: the number's sessions ask them for a PIN, or refuse
    them.  A session may say otherwise for itself, and BRIDGE_TRUNK_MIN_ATTESTATION holds always.
    """
    if least is Attestation.FAILED:
        raise CommandError("a failed check is never enough: choose none, C, B or A")

    async def change(accounts: Accounts) -> None:
        if least:
            await accounts.want_attestation(auth_id, least)

    account = _changed(auth_id, change)
    typer.echo(f"Least attestation of callers: {account.min_attestation}")


def _changed(auth_id: str, change: Callable[[Accounts], Awaitable[None]]) -> Account:
    """The account as it is after a change, which may be none.

    Raises:
        CommandError: there is no such account.
    """

    async def run(database: Database) -> Account | None:
        accounts = Accounts(database)
        await change(accounts)
        return await accounts.get(auth_id)

    account = on_database(run)
    if account is None:
        raise no_account(auth_id)
    return account


def no_account(auth_id: str) -> CommandError:
    return CommandError(f"there is no account {auth_id}")


def _countries(codes: Sequence[str] | None) -> str:
    return "any" if codes is None else " ".join(codes)
