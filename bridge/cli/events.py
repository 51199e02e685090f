"""Events: what applications are told, and what became of it."""

import asyncio
import contextlib
import uuid
from collections.abc import Awaitable, Callable
from typing import Annotated, TypeVar

import typer
from rich.table import Table

from bridge.aio import alongside
from bridge.cli.accounts import no_account
from bridge.cli.database import on_database
from bridge.cli.errors import CommandError
from bridge.cli.tables import show
from bridge.domain.events import DeliveryState, EventFilter, EventReport
from bridge.domain.privacy import OPEN
from bridge.domain.requests import By
from bridge.store.accounts import Accounts
from bridge.store.errors import StoreMisconfigured, StoreUnavailable
from bridge.store.event_feed import EventFeed
from bridge.store.event_log import EventLog
from bridge.store.listener import Listener
from bridge.store.outbox import EVENT_CHANNEL
from bridge.store.pool import Database

app = typer.Typer(no_args_is_help=True, help="Events: what applications are told of their calls.")

T = TypeVar("T")

_LOOK_INTERVAL = 2.0  # seconds


@app.command("list")
def list_all(
    auth_id: str,
    state: Annotated[DeliveryState | None, typer.Option(help="Those alone.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000)] = 50,
) -> None:
    """Show an account's newest events, without numbers, and how their delivery goes."""
    found = _of_account(
        auth_id,
        lambda database: EventLog(database).list(auth_id, EventFilter(state=state), limit=limit),
    )
    table = Table("id", "time", "session", "#", "event", "delivery", "attempts", "last error")
    for one in found or ():
        event = one.event
        table.add_row(
            *(str(event.id), f"{event.happened_at:%F %T}", str(event.session or "")),
            *(str(event.sequence or ""), event.name, one.state, str(one.attempts)),
            one.last_error or "",
        )
    show(table)


@app.command()
def tail(auth_id: str) -> None:
    """Show an account's events as they happen, without numbers, until Ctrl-C."""
    with contextlib.suppress(KeyboardInterrupt):
        _of_account(auth_id, lambda database: _follow(database, auth_id))


@app.command()
def replay(
    auth_id: str,
    event_id: Annotated[uuid.UUID | None, typer.Argument(help="As `list` shows it.")] = None,
    all_dead: Annotated[bool, typer.Option("--dead", help="All that are dead.")] = False,
) -> None:
    """Send an event once more, or all that are dead."""
    if (event_id is None) != all_dead:
        raise CommandError("either an event or --dead")
    if event_id is None:
        count = _of_account(auth_id, lambda database: EventLog(database).replay_dead(auth_id))
        typer.echo(f"on their way: {count}")
        return
    wanted = event_id
    if refusal := _of_account(auth_id, lambda database: EventLog(database).replay(auth_id, wanted)):
        raise CommandError(f"nothing was sent: {refusal.value}")
    typer.echo("on its way")


@app.command()
def reveal(
    auth_id: str,
    event_id: Annotated[uuid.UUID, typer.Argument(help="As `list` shows it.")],
    reason: Annotated[str, typer.Option(help="Why; it is written down.")],
) -> None:
    """Show the parties' numbers in an event, whatever the account's privacy says."""
    if not reason.strip():
        raise CommandError("a reason is needed")
    by = By("operator", reason)
    found = _of_account(auth_id, lambda database: EventLog(database).reveal(auth_id, event_id, by))
    if found is None:
        raise CommandError(f"there is no event {event_id} of {auth_id}")
    _, shown = found
    for name, number in shown.numbers.items():
        typer.echo(f"{name}: {OPEN.shown(number)}")
    if not shown.numbers:
        typer.echo("no party's number is in it", err=True)


@app.command()
def reveals(auth_id: str, limit: Annotated[int, typer.Option(min=1, max=1000)] = 50) -> None:
    """Show who was shown the numbers of which event, newest first."""
    table = Table("time", "event", "name", "session", "who", "reason")
    for one in _of_account(
        auth_id, lambda database: EventLog(database).reveals(auth_id, limit=limit)
    ):
        table.add_row(
            *(f"{one.revealed_at:%F %T}", str(one.event), one.event_name),
            *(str(one.session or ""), one.actor, one.reason),
        )
    show(table)


def _of_account(auth_id: str, work: Callable[[Database], Awaitable[T]]) -> T:
    """What ``work`` gives on the database.

    Raises: CommandError: there is no such account.
    """

    async def checked(database: Database) -> T:
        if await Accounts(database).get(auth_id) is None:
            raise no_account(auth_id)
        return await work(database)

    return on_database(checked)


async def _follow(database: Database, auth_id: str) -> None:
    """Show events until cancelled; what happens while Postgres is away, when it is back."""
    feed = EventFeed(database)
    position = await feed.position()
    typer.echo("listening", err=True)
    away = False
    async with alongside(Listener(database, [EVENT_CHANNEL], feed.look).run()):
        while True:
            change = feed.next_change
            try:
                position = await _show_news(feed, auth_id, position)
            except StoreMisconfigured:
                raise  # it will not pass while nobody changes anything
            except StoreUnavailable:
                if not away:
                    typer.echo("Postgres is away; waiting", err=True)
                away = True
                await asyncio.sleep(_LOOK_INTERVAL)
                continue
            away = False
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_LOOK_INTERVAL):
                    await change.wait()


async def _show_news(feed: EventFeed, auth_id: str, position: str) -> str:
    """Show what was written since a position; the position behind it.

    Raises: StoreUnavailable: Postgres is away; what was shown will be shown again.
    """
    found, now = await feed.read(auth_id, position)
    if found is None:
        typer.echo("more than can be shown; see `events list`", err=True)
        return now
    async for piece in found:
        for one in piece:
            typer.echo(_line(one))
    return now


def _line(report: EventReport) -> str:
    event = report.event
    about = f"{event.session} #{event.sequence}" if event.session else "account"
    why = event.attributes.get("PlivoHangupCause", "")
    return f"{event.happened_at:%F %T}  {about}  {event.name}  {why}".rstrip()
