"""The pool of virtual numbers."""

import json
from collections import Counter
from collections.abc import Collection, Sequence
from typing import Annotated

import typer
from rich.table import Table

from bridge.cli.accounts import no_account
from bridge.cli.database import on_database
from bridge.cli.errors import CommandError
from bridge.cli.tables import show
from bridge.config import Settings, load
from bridge.domain.grants import Grant, NumberRange, read_ranges
from bridge.domain.numbers import COUNTRIES, PhoneNumber
from bridge.domain.pool import (
    NotAdded,
    NumberFilter,
    NumberSettings,
    NumberState,
    VirtualNumber,
    read_numbers,
)
from bridge.domain.privacy import LAST2
from bridge.domain.requests import By, Refusal
from bridge.store.accounts import Accounts
from bridge.store.call_reports import CallReports
from bridge.store.grants import Grants
from bridge.store.numbers import Numbers
from bridge.store.pool import Database
from bridge.store.replacements import Replacements

app = typer.Typer(no_args_is_help=True, help="Virtual numbers: the pool of an account.")

_ALL = 2**31 - 1
_AT_ONCE = 100


@app.command()
def add(
    auth_id: str,
    numbers: Annotated[list[str], typer.Argument(help="E.164; 100 at once, all or none.")],
    country: Annotated[
        str | None, typer.Option(help="ISO 3166: whose national numbers those without + are.")
    ] = None,
    alias: Annotated[str | None, typer.Option(help="A name for them.")] = None,
    subaccount: Annotated[str | None, typer.Option(help="Whose sessions alone get them.")] = None,
    state: Annotated[NumberState | None, typer.Option(help="At first active.")] = None,
    reserved: Annotated[
        bool | None, typer.Option("--reserved/--not-reserved", help="Given only by name.")
    ] = None,
    max_calls: Annotated[
        int | None, typer.Option(min=0, help="Calls at once on each; 0 for any number.")
    ] = None,
) -> None:
    """Add virtual numbers to an account's pool, or change what is named of those in it.

    What is not granted to the account yet is granted with it.
    """
    if state is NumberState.RETIRED:
        raise CommandError("a number in the pool is retired by set-state")
    if country and country.upper() not in COUNTRIES:
        raise CommandError(f"no country with phone numbers: {country}")
    wanted = _read(numbers, country=country.upper() if country else None, home=None)
    settings = NumberSettings(
        alias=alias,
        subaccount=subaccount,
        state=state,
        reserved=reserved,
        max_concurrent_calls=max_calls,
    )

    async def run(database: Database) -> NotAdded | None:
        await _expect_account(database, auth_id)
        return await _numbers(database).add(auth_id, wanted, settings)

    if refused := on_database(run):
        raise CommandError(" ".join(refused.reasons(wanted)))
    for number in dict.fromkeys(wanted):
        typer.echo(f"{number.e164} {number.country}")
    typer.echo(f"added: {len(set(wanted))}")


@app.command("grant")
def grant_ranges(
    auth_id: str,
    ranges: Annotated[list[str], typer.Argument(help="+NUMBER or +FIRST-+LAST; all or none.")],
) -> None:
    """Let an account add these numbers to its pool by itself."""
    wanted = _ranges(ranges)

    async def run(database: Database) -> Sequence[NumberRange]:
        await _expect_account(database, auth_id)
        return await Grants(database).grant(auth_id, wanted, by="operator")

    if held := on_database(run):
        raise CommandError(
            f"another account holds numbers of {', '.join(map(_shown, held))} (number grants, "
            "number list): revoke them there, and retire those in its pool. None was granted."
        )
    typer.echo(f"granted: {sum(map(len, wanted))}")


@app.command()
def grants(
    auth_id: Annotated[str | None, typer.Argument(help="All accounts, if not given.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="For scripts.")] = False,
) -> None:
    """Show which numbers accounts may add to their pools."""

    async def run(database: Database) -> Sequence[tuple[str, Grant]]:
        if auth_id:
            await _expect_account(database, auth_id)
        return await Grants(database).list(auth_id)

    found = on_database(run)
    if as_json:
        typer.echo(json.dumps([_granted(account, one) for account, one in found]))
        return
    table = Table("account", "first", "last", "country", "granted", "by")
    for account, one in found:
        ends = (one.numbers.first.e164, one.numbers.last.e164)
        table.add_row(account, *ends, one.country, f"{one.granted_at:%F %T}", one.granted_by)
    show(table)


@app.command()
def revoke(
    auth_id: str,
    ranges: Annotated[list[str], typer.Argument(help="+NUMBER or +FIRST-+LAST.")],
) -> None:
    """Let an account add these numbers no more.  What is in its pool stays there."""
    wanted = _ranges(ranges)

    async def run(database: Database) -> tuple[int, int]:
        await _expect_account(database, auth_id)
        return await Grants(database).revoke(auth_id, wanted)

    cut, in_pool = on_database(run)
    if not cut:
        raise CommandError("none of these numbers is granted to this account")
    typer.echo(f"revoked; in the pool, until they are retired: {in_pool}")


@app.command("list")
def list_all(
    auth_id: str,
    state: Annotated[
        NumberState | None, typer.Option(help="Any but retired, if not given.")
    ] = None,
    country: Annotated[str | None, typer.Option(help="ISO 3166.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="For scripts.")] = False,
) -> None:
    """Show an account's virtual numbers, their live sessions, and calls blocked as spam."""
    wanted = NumberFilter(state=state, country=country.upper() if country else None)

    async def run(database: Database) -> Sequence[VirtualNumber]:
        await _expect_account(database, auth_id)
        return (await _numbers(database).list(auth_id, wanted, limit=_ALL, offset=0)).items

    found = on_database(run)
    if as_json:
        typer.echo(json.dumps([_described(one) for one in found]))
    else:
        show(_table(found))


@app.command()
def strays(
    limit: Annotated[int, typer.Option(min=1, max=1000, help="So many at most.")] = 20,
) -> None:
    """Show the newest calls to numbers that are in nobody's pool, which no account sees."""
    calls = on_database(lambda database: CallReports(database).strays(limit=limit))
    table = Table("time", "dialled", "caller", "reason")
    for call in calls:
        caller = LAST2.shown(call.caller) if call.caller else "withheld"
        # As it was signalled: anything that a stranger writes.
        dialled = "".join(one if one.isprintable() else "?" for one in call.dialled)[:40]
        table.add_row(f"{call.started_at:%F %T}", dialled, caller, call.reason or "")
    show(table)


@app.command("set-state")
def set_state(auth_id: str, number: str, state: NumberState) -> None:
    """Have a number given to new sessions, only drained, put out of service or retired."""
    [wanted] = _read([number])

    async def run(database: Database) -> Refusal | None:
        return await _numbers(database).update(auth_id, wanted, NumberSettings(state=state))

    if on_database(run):
        raise CommandError("there is no such number in this account's pool")
    typer.echo(f"{wanted.e164} is {state}")


@app.command()
def replace(
    auth_id: str,
    number: str,
    instead: Annotated[
        str | None,
        typer.Option("--with", help="This number and no other; else any of its country."),
    ] = None,
    reason: Annotated[str, typer.Option(help="Why, for the sessions' histories.")] = "",
) -> None:
    """Give all live sessions of a number another, and tell their applications; both work meanwhile.

    No new session gets the number. May be repeated, for those that could not be given another.
    """
    [bad] = _read([number])
    wanted = _read([instead])[0] if instead else None
    by = By("operator", reason)

    async def run(database: Database) -> tuple[int, Counter[str]]:
        await _expect_account(database, auth_id)
        replacements = Replacements(database, headroom=load(Settings).pool_headroom)
        count, left, after = 0, Counter[str](), None
        while True:
            found = await replacements.replace(
                auth_id, bad, by, instead=wanted, limit=_AT_ONCE, after=after
            )
            if found is None:
                raise CommandError("there is no such number in this account's pool")
            count += len(found.replaced)
            left.update(one.refusal.value for one in found.not_replaced)
            if found.next is None:
                return count, left
            after = found.next
            typer.echo(f"replaced: {count}", err=True)

    count, left = on_database(run)
    typer.echo(f"replaced: {count}")
    if left:
        reasons = ", ".join(f"{reason}: {sessions}" for reason, sessions in left.most_common())
        raise CommandError(f"sessions that keep the number: {left.total()} ({reasons})")


def _numbers(database: Database) -> Numbers:
    return Numbers(database, trunk=load(Settings).trunk)


async def _expect_account(database: Database, auth_id: str) -> None:
    if await Accounts(database).get(auth_id) is None:
        raise no_account(auth_id)


def _read(
    texts: Sequence[str], *, country: str | None = None, home: Collection[str] | None = ()
) -> list[PhoneNumber]:
    """As `read_numbers`; what is looked for in a pool may come without its plus."""
    try:
        return read_numbers(texts, country=country, home=home)
    except ValueError as error:
        raise CommandError(str(error)) from None


def _ranges(texts: Sequence[str]) -> list[NumberRange]:
    try:
        return read_ranges(texts)
    except ValueError as error:
        raise CommandError(str(error)) from None


def _shown(one: NumberRange) -> str:
    return one.first.e164 if len(one) == 1 else f"{one.first.e164}-{one.last.e164}"


def _granted(account: str, one: Grant) -> dict[str, object]:
    return {
        "account": account,
        "grant_id": str(one.id),
        "first": one.numbers.first.e164,
        "last": one.numbers.last.e164,
        "country": one.country,
        "granted_at": one.granted_at.isoformat(),
        "granted_by": one.granted_by,
    }


def _described(one: VirtualNumber) -> dict[str, object]:
    return {
        "number": one.number.e164,
        "state": one.state,
        "live_sessions": one.live_sessions,
        "blocked_calls": one.blocked_calls,
        "country": one.country,
        "number_type": one.number_type,
        "trunk": one.trunk,
        "subaccount": one.subaccount,
        "reserved": one.reserved,
        "max_concurrent_calls": one.max_concurrent_calls,
        "alias": one.alias,
        "region": one.region,
        "added_at": one.added_at.isoformat(),
    }


def _table(numbers: Sequence[VirtualNumber]) -> Table:
    table = Table("number", "state", "reserved", "country", "type", "trunk", "subaccount", "alias")
    table.add_column("calls at once", justify="right")
    table.add_column("live sessions", justify="right")
    table.add_column("blocked calls", justify="right")
    for one in numbers:
        table.add_row(
            one.number.e164,
            one.state,
            "yes" if one.reserved else "",
            one.country,
            one.number_type,
            one.trunk,
            one.subaccount or "",
            one.alias,
            str(one.max_concurrent_calls or "any"),
            str(one.live_sessions),
            str(one.blocked_calls),
        )
    return table
