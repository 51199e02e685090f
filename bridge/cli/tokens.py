"""Tokens: what opens an account."""

import secrets
import uuid
from typing import Annotated

import typer
from rich.table import Table

from bridge.cli.accounts import no_account
from bridge.cli.database import on_database
from bridge.cli.errors import CommandError
from bridge.cli.tables import show
from bridge.domain.access import Scope
from bridge.store.accounts import Accounts

app = typer.Typer(no_args_is_help=True, help="Tokens: what opens an account.")


@app.command()
def create(
    auth_id: str,
    scope: Annotated[Scope, typer.Option(help="What it lets its bearer do.")] = Scope.ADMIN,
    name: Annotated[str, typer.Option(help="To tell it from others.")] = "",
) -> None:
    """Let another token open an account.  It is shown this once; the database keeps a hash."""
    secret = secrets.token_hex(32)
    added = on_database(
        lambda database: Accounts(database).add_token(auth_id, secret, name=name, scope=scope)
    )
    if not added:
        raise no_account(auth_id)
    typer.echo(f"Auth Token: {secret}")


@app.command("list")
def list_all(auth_id: str) -> None:
    """Show an account's tokens, without what is secret of them."""
    table = Table("id", "name", "scope", "created", "revoked")
    for one in on_database(lambda database: Accounts(database).tokens(auth_id)):
        revoked = f"{one.revoked_at:%F %T}" if one.revoked_at else ""
        table.add_row(str(one.id), one.name, one.scope, f"{one.created_at:%F %T}", revoked)
    show(table)


@app.command()
def revoke(auth_id: str, token_id: uuid.UUID) -> None:
    """Have a token open nothing from now on."""
    if not on_database(lambda database: Accounts(database).revoke_token(auth_id, token_id)):
        raise CommandError("there is no such valid token")
