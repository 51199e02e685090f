"""The command line."""

import asyncio
import json
import secrets
import sys
import urllib.error
import urllib.request
import uuid
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Annotated, TypeVar

import typer
from rich.console import Console
from rich.table import Table

from bridge import asterisk_config, cli_rates, cli_trunk, logs
from bridge.config import ConfigError, Settings, SiteSettings, load
from bridge.domain.access import Scope, Token
from bridge.main import serve as serve_bridge
from bridge.store.accounts import Accounts
from bridge.store.errors import StoreError
from bridge.store.migrations import migrate as migrate_database
from bridge.store.pool import Database

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False, add_completion=False)
account = typer.Typer(no_args_is_help=True, help="Accounts: who may use the API.")
token = typer.Typer(no_args_is_help=True, help="Tokens: what opens an account.")
app.add_typer(account, name="account")
app.add_typer(token, name="token")
app.add_typer(cli_rates.app, name="rates")
app.add_typer(cli_trunk.app, name="trunk")

T = TypeVar("T")


@app.callback()
def main() -> None:
    """Number masking beside your own Asterisk.  Settings come from BRIDGE_* variables."""


@app.command()
def serve() -> None:
    """Take calls and serve the API until SIGTERM, which lets live calls finish."""
    settings = load(Settings)
    logs.set_up(level=settings.log_level, style=settings.log_format)
    asyncio.run(serve_bridge(settings))


@app.command()
def ready() -> None:
    """Exit with 0 if the bridge of these settings can take calls; for health checks."""
    settings = load(Settings)
    host = f"[{settings.api_host}]" if ":" in settings.api_host else settings.api_host
    url = f"http://{host}:{settings.api_port}/readyz"
    try:
        with urllib.request.urlopen(url, timeout=3) as answer:
            typer.echo(answer.read().decode())
    except urllib.error.HTTPError as error:
        with error:
            typer.echo(error.read().decode(), err=True)
        raise typer.Exit(1) from None
    except OSError:
        typer.echo(f"nothing answers at {url}", err=True)
        raise typer.Exit(1) from None


@app.command()
def migrate() -> None:
    """Bring the database's schema up to date (`serve` does so too)."""

    async def run() -> list[int]:
        async with Database.opened(_database_url()) as database:
            return await migrate_database(database)

    applied = asyncio.run(run())
    typer.echo(f"applied: {', '.join(map(str, applied)) or 'nothing; up to date'}")


@app.command("check-config")
def check_config() -> None:
    """Show the settings in force, secrets masked, or every mistake in them."""
    mistakes = []
    for kind in (Settings, SiteSettings):
        try:
            settings = load(kind)
        except ConfigError as error:
            mistakes += str(error).splitlines()
        else:
            for name, value in settings:
                typer.echo(f"BRIDGE_{name.upper()}={value}")
    if mistakes:
        raise ConfigError("\n".join(dict.fromkeys(mistakes)))


@app.command("asterisk-config")
def write_asterisk_config(directory: Path) -> None:
    """Write Asterisk's configuration, this site's part included, into DIRECTORY."""
    asterisk_config.write(directory, load(SiteSettings))


@account.command("create")
def create_account(
    name: str, as_json: Annotated[bool, typer.Option("--json", help="For scripts.")] = False
) -> None:
    """Create an account.  Its token is shown this once; the database keeps a hash."""
    secret = secrets.token_hex(32)

    async def run(accounts: Accounts) -> str:
        return await accounts.create(name, token=secret)

    auth_id = _with_accounts(run)
    if as_json:
        typer.echo(json.dumps({"auth_id": auth_id, "auth_token": secret}))
    else:
        typer.echo(f"Auth ID:    {auth_id}\nAuth Token: {secret}")


@token.command("create")
def create_token(
    auth_id: str,
    scope: Annotated[Scope, typer.Option(help="What it lets its bearer do.")] = Scope.ADMIN,
    name: Annotated[str, typer.Option(help="To tell it from others.")] = "",
) -> None:
    """Let another token open an account.  It is shown this once; the database keeps a hash."""
    secret = secrets.token_hex(32)

    async def run(accounts: Accounts) -> bool:
        return await accounts.add_token(auth_id, secret, name=name, scope=scope)

    if not _with_accounts(run):
        raise StoreError(f"there is no account {auth_id}")
    typer.echo(f"Auth Token: {secret}")


@token.command("list")
def list_tokens(auth_id: str) -> None:
    """Show an account's tokens, without what is secret of them."""

    async def run(accounts: Accounts) -> Sequence[Token]:
        return await accounts.tokens(auth_id)

    table = Table("id", "name", "scope", "created", "revoked")
    for one in _with_accounts(run):
        revoked = f"{one.revoked_at:%F %T}" if one.revoked_at else ""
        table.add_row(str(one.id), one.name, one.scope, f"{one.created_at:%F %T}", revoked)
    Console().print(table)


@token.command("revoke")
def revoke_token(auth_id: str, token_id: uuid.UUID) -> None:
    """Have a token open nothing from now on."""

    async def run(accounts: Accounts) -> bool:
        return await accounts.revoke_token(auth_id, token_id)

    if not _with_accounts(run):
        raise StoreError("there is no such valid token")


def _with_accounts(work: Callable[[Accounts], Awaitable[T]]) -> T:
    async def run() -> T:
        async with Database.opened(_database_url()) as database:
            await migrate_database(database)
            return await work(Accounts(database))

    return asyncio.run(run())


def _database_url() -> str:
    return load(Settings).database_url.get_secret_value()


def run() -> None:
    """Run the command line; a known fault is one message, not a traceback."""
    try:
        app()
    except (ConfigError, StoreError) as error:
        typer.echo(f"masking-bridge: {error}", err=True)
        sys.exit(1)


if __name__ == "__main__":
    run()
