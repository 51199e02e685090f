"""Events: what applications are told, and what became of it."""

import asyncio
import contextlib
import uuid
from typing import Annotated

import typer
from rich.table import Table

from bridge.cli.database import database_url, on_database
from bridge.cli.errors import CommandError
from bridge.cli.tables import show
from bridge.domain.events import DeliveryState, EventFilter, EventReport
from bridge.domain.privacy import OPEN
from bridge.domain.requests import By
from bridge.store.event_feed import EventFeed
from bridge.store.event_log import EventLog
from bridge.store.listener import Listener
from bridge.store.outbox import EVENT_CHANNEL
from bridge.store.pool import Database

app = typer.Typer(no_args_is_help=True, help="Events: what applications are told of their calls.")


_LOOK_INTERVAL = 2.0  # seconds


@app.command("list")
def list_all(
    auth_id: str,
    state: Annotated[DeliveryState | None, typer.Option(help="Those alone.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000)] = 50,
) -> None:
    """Show an account's newest events, without numbers, and how their delivery goes."""
    found = on_database(
        lambda database: EventLog(database).list(auth_id, EventFilter(state=state), limit=limit)
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

    async def follow() -> None:
        async with Database.opened(database_url()) as database, asyncio.TaskGroup() as group:
            feed = EventFeed(database)
            position = await feed.position()
            typer.echo("listening", err=True)
            group.create_task(Listener(database, [EVENT_CHANNEL], feed.look).run())
            while True:
                change = feed.next_change
                found, position = await feed.read(auth_id, position)
                if found is None:
                    typer.echo("more than can be shown; see `events list`", err=True)
                for one in found or ():
                    typer.echo(_line(one))
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(_LOOK_INTERVAL):
                        await change.wait()

    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(follow())


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
        typer.echo(f"on their way: {on_database(lambda db: EventLog(db).replay_dead(auth_id))}")
        return
    wanted = event_id
    if refusal := on_database(lambda database: EventLog(database).replay(auth_id, wanted)):
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
    found = on_database(lambda database: EventLog(database).reveal(auth_id, event_id, by))
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
    for one in on_database(lambda database: EventLog(database).reveals(auth_id, limit=limit)):
        table.add_row(
            *(f"{one.revealed_at:%F %T}", str(one.event), one.event_name),
            *(str(one.session or ""), one.actor, one.reason),
        )
    show(table)


def _line(report: EventReport) -> str:
    event = report.event
    about = f"{event.session} #{event.sequence}" if event.session else "account"
    why = event.attributes.get("PlivoHangupCause", "")
    return f"{event.happened_at:%F %T}  {about}  {event.name}  {why}".rstrip()
