"""The service itself: run it, ask how it is, prepare what it needs."""

import asyncio
import urllib.error
import urllib.request
from pathlib import Path

import typer

from bridge import asterisk_config, logs
from bridge.cli.database import database_url
from bridge.config import ConfigError, Settings, SiteSettings, load
from bridge.main import serve as serve_bridge
from bridge.media_settings import MediaSettings
from bridge.store.migrations import migrate as migrate_database
from bridge.store.pool import Database
from bridge.webhook_settings import WebhookSettings


def add_to(app: typer.Typer) -> None:
    """These commands have no noun before them."""
    app.command()(serve)
    app.command()(ready)
    app.command()(migrate)
    app.command("check-config")(check_config)
    app.command("asterisk-config")(write_asterisk_config)


def serve() -> None:
    """Take calls and serve the API until SIGTERM, which lets live calls finish."""
    settings, media, webhooks = load(Settings), load(MediaSettings), load(WebhookSettings)
    logs.set_up(level=settings.log_level, style=settings.log_format)
    asyncio.run(serve_bridge(settings, media, webhooks))


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


def migrate() -> None:
    """Bring the database's schema up to date (`serve` does so too)."""

    async def run() -> list[int]:
        async with Database.opened(database_url()) as database:
            return await migrate_database(database)

    applied = asyncio.run(run())
    typer.echo(f"applied: {', '.join(map(str, applied)) or 'nothing; up to date'}")


def check_config() -> None:
    """Show the settings in force, secrets masked, or every mistake in them."""
    mistakes = []
    for kind in (Settings, SiteSettings, MediaSettings, WebhookSettings):
        try:
            settings = load(kind)
        except ConfigError as error:
            mistakes += str(error).splitlines()
        else:
            for name, value in settings:
                typer.echo(f"BRIDGE_{name.upper()}={value}")
    if mistakes:
        raise ConfigError("\n".join(dict.fromkeys(mistakes)))


def write_asterisk_config(directory: Path) -> None:
    """Write Asterisk's configuration, this site's part included, into DIRECTORY."""
    asterisk_config.write(directory, load(SiteSettings))
