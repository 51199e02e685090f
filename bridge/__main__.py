"""The command line."""

import asyncio
import json
import secrets
import sys
import urllib.error
import urllib.request
from pathlib import Path
from typing import Annotated

import typer

from bridge import asterisk_config, logs
from bridge.config import ConfigError, Settings, SiteSettings, load
from bridge.main import serve as serve_bridge
from bridge.store.accounts import Accounts
from bridge.store.errors import StoreError
from bridge.store.migrations import migrate as migrate_database
from bridge.store.pool import Database

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False, add_completion=False)
account = typer.Typer(no_args_is_help=True, help="Accounts: who may use the API.")
app.add_typer(account, name="account")


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
    token = secrets.token_hex(32)

    async def run() -> str:
        async with Database.opened(_database_url()) as database:
            await migrate_database(database)
            return await Accounts(database).create(name, token=token)

    auth_id = asyncio.run(run())
    if as_json:
        typer.echo(json.dumps({"auth_id": auth_id, "auth_token": token}))
    else:
        typer.echo(f"Auth ID:    {auth_id}\nAuth Token: {token}")


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
