"""The service itself: run it, ask how it is, prepare what it needs."""

import asyncio
import enum
import json
import urllib.error
import urllib.request
from pathlib import Path
from typing import Annotated

import typer
from pydantic_settings import BaseSettings

from bridge import asterisk_config, logs
from bridge.cli.database import database_url
from bridge.cli.settings import KINDS, together, unknown_settings
from bridge.config import ConfigError, Settings, SiteSettings, load
from bridge.main import serve as serve_bridge
from bridge.media_settings import MediaSettings
from bridge.store.errors import StoreError
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
    try:
        asyncio.run(serve_bridge(settings, media, webhooks))
    except ExceptionGroup as group:
        match group.exceptions:
            case [(ConfigError() | StoreError()) as known]:  # `run` says it in one line
                raise known from None
        raise


class Work(enum.StrEnum):
    """What a bridge is for."""

    CALLS = "calls"
    API = "api"


def ready(
    work: Annotated[Work | None, typer.Argument(help="For that alone; else all is asked.")] = None,
) -> None:
    """Exit with 0 if the bridge of these settings is ready; for health checks."""
    settings = load(Settings)
    host = f"[{settings.api_host}]" if ":" in settings.api_host else settings.api_host
    url = f"http://{host}:{settings.api_port}/readyz"
    url += f"/{work}" if work else ""
    try:
        with urllib.request.urlopen(url, timeout=3) as answer:  # noqa: S310 - http, by us
            typer.echo(answer.read().decode())
    except urllib.error.HTTPError as error:
        with error:
            told = error.read().decode()
        typer.echo(told, err=True)
        for part, trouble in _troubles(told).items():
            typer.echo(f"{part}: {trouble['wrong']}. {trouble['cure']}.", err=True)
        raise typer.Exit(1) from None
    except OSError:
        typer.echo(f"nothing answers at {url}", err=True)
        raise typer.Exit(1) from None


def _troubles(answer: str) -> dict[str, dict[str, str]]:
    """As `/readyz` tells them; none of an answer that is something else's."""
    try:
        found: dict[str, dict[str, str]] = json.loads(answer)["troubles"]
    except (ValueError, KeyError, TypeError):
        return {}
    return found


def migrate() -> None:
    """Bring the database's schema up to date (`serve` does so too)."""

    async def run() -> list[int]:
        async with Database.opened(database_url()) as database:
            return await migrate_database(database)

    applied = asyncio.run(run())
    typer.echo(f"applied: {', '.join(map(str, applied)) or 'nothing; up to date'}")


def check_config() -> None:
    """Show the settings in force, secrets masked, or every mistake in them."""
    mistakes = unknown_settings()
    shown: dict[str, str] = {}
    loaded: dict[type[BaseSettings], BaseSettings] = {}
    for kind in KINDS:
        try:
            settings = load(kind)
        except ConfigError as error:
            mistakes += str(error).splitlines()
        else:
            loaded[kind] = settings
            shown |= {f"BRIDGE_{name.upper()}": _as_set(value) for name, value in settings}
    for name, value in shown.items():
        typer.echo(f"{name}={value}")
    mistakes += together(loaded)
    if mistakes:
        raise ConfigError("\n".join(dict.fromkeys(mistakes)))


def _as_set(value: object) -> str:
    """A setting as the environment has it; of one that is not set, nothing; a secret masked."""
    match value:
        case None:
            return ""
        case range():
            return "-".join(str(end) for end in sorted({value[0], value[-1]}))
        case list() | tuple():
            return ",".join(map(_as_set, value))
        case _:
            return str(value)


def write_asterisk_config(directory: Path) -> None:
    """Write Asterisk's configuration, this site's part included, into DIRECTORY."""
    asterisk_config.write(directory, load(SiteSettings))
