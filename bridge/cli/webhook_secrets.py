"""Signing secrets: how an application can tell that an event is ours."""

from collections.abc import Sequence
from typing import Annotated

import typer
from rich.table import Table

from bridge.cli.accounts import no_account
from bridge.cli.database import on_database
from bridge.cli.tables import show as show_table
from bridge.domain.access import SigningSecret
from bridge.store.pool import Database
from bridge.store.signing import SigningSecrets

app = typer.Typer(no_args_is_help=True, help="Secrets that an account's events are signed with.")


@app.command()
def show(auth_id: str) -> None:
    """Show what an application checks signatures with: to Plivo's SDK, it is the auth token."""
    _show(on_database(lambda database: SigningSecrets(database).list(auth_id)), auth_id)


@app.command()
def rotate(
    auth_id: str,
    overlap: Annotated[
        float, typer.Option(help="Hours for which the old one signs too.", min=0, max=720)
    ] = 24,
) -> None:
    """Sign with a new secret, and for a while with the old one too."""

    async def run(database: Database) -> Sequence[SigningSecret]:
        secrets = SigningSecrets(database)
        if await secrets.list(auth_id):
            await secrets.rotate(auth_id, overlap=int(overlap * 3600))
        return await secrets.list(auth_id)

    _show(on_database(run), auth_id)


def _show(secrets: Sequence[SigningSecret], auth_id: str) -> None:
    if not secrets:
        raise no_account(auth_id)
    table = Table("secret", "created", "valid until")
    for one in secrets:
        until = f"{one.retires_at:%F %T}" if one.retires_at else ""
        table.add_row(one.secret, f"{one.created_at:%F %T}", until)
    show_table(table)
