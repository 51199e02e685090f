"""The service itself: run it, ask how it is, prepare what it needs."""

import asyncio
import enum
import ipaddress
import json
import socket
import urllib.error
import urllib.request
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer
from pydantic_settings import BaseSettings

from bridge import asterisk_config, firewall, logs
from bridge.cli.database import database_url
from bridge.cli.settings import KINDS, together, unknown_settings
from bridge.config import ConfigError, Settings, SiteSettings, load
from bridge.main import serve as serve_bridge
from bridge.media_settings import MediaSettings
from bridge.setting_types import weakness
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
    app.command("firewall")(show_firewall)


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
    """Show the settings in force, secrets masked, or every mistake in them.

    What is allowed and is not safe is said too, on standard error.
    """
    mistakes = unknown_settings()
    shown: dict[str, str] = {}
    warnings: list[str] = []
    loaded: dict[type[BaseSettings], BaseSettings] = {}
    for kind in KINDS:
        try:
            settings = load(kind)
        except ConfigError as error:
            mistakes += str(error).splitlines()
        else:
            loaded[kind] = settings
            shown |= {f"BRIDGE_{name.upper()}": _as_set(value) for name, value in settings}
            if isinstance(settings, SiteSettings):
                warnings = [*_open_to_audio(settings), *_host_elsewhere(settings)]
    for name, value in shown.items():
        typer.echo(f"{name}={value}")
    _warn(warnings)
    mistakes += together(loaded)
    if mistakes:
        raise ConfigError("\n".join(dict.fromkeys(mistakes)))


def _as_set(value: object) -> str:
    """A setting as the environment has it; of one that is not set, nothing; a secret masked."""
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case range():
            return "-".join(str(end) for end in sorted({value[0], value[-1]}))
        case list() | tuple():
            return ",".join(map(_as_set, value))
        case _:
            return str(value)


def write_asterisk_config(directory: Path) -> None:
    """Write Asterisk's configuration, this site's part included, into DIRECTORY."""
    site = load(SiteSettings)
    asterisk_config.write(directory, site)
    if weak := weakness(site.ari_password, at_least=16):
        _warn([f"BRIDGE_ARI_PASSWORD {weak}; `serve` does not start with this one"])


def show_firewall() -> None:
    """Print rules for nftables that let SIP and audio in from the carrier only.

    `masking-bridge firewall | nft -f -` loads them, in a table of their own; as often as you like.
    """
    site = load(SiteSettings)
    typer.echo(firewall.rules(site), nl=False)
    _warn(_host_elsewhere(site))


def _open_to_audio(site: SiteSettings) -> list[str]:
    if site.trunk_media_match:
        return []
    can = "speak into a call, keep a silent phone from being heard, and hear the partner of a phone"
    can += " that holds the call with c=0.0.0.0"
    if site.trunk_rtp_symmetric:
        can += ", or, with BRIDGE_TRUNK_RTP_SYMMETRIC, that is silent"
    return [
        "BRIDGE_TRUNK_MEDIA_MATCH is not set, so audio is taken from anywhere: a stranger can"
        f" {can}.  Name the networks that the carrier's audio comes from, and load what"
        " `masking-bridge firewall` prints"
    ]


def _host_elsewhere(site: SiteSettings) -> list[str]:
    """Addresses of the trunk's host from which nothing is taken."""
    host = site.trunk_host_name
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_DGRAM)
    except OSError:
        return [
            f"BRIDGE_TRUNK_HOST: {host} cannot be looked up here.  See that its addresses are in"
            " BRIDGE_TRUNK_MATCH or BRIDGE_TRUNK_HOST_MATCH: a hang-up from elsewhere is refused"
        ]
    addresses = {ipaddress.ip_address(entry[4][0]) for entry in found}
    missing = sorted(
        str(address)
        for address in addresses
        if not any(address in network for network in site.trunk_sip_networks)
    )
    if not missing:
        return []
    return [
        f"BRIDGE_TRUNK_HOST: {host} is {', '.join(missing)} too, which is in no network of"
        " BRIDGE_TRUNK_MATCH or BRIDGE_TRUNK_HOST_MATCH: calls go out there, and a hang-up from"
        " there is refused.  Add it to BRIDGE_TRUNK_HOST_MATCH"
    ]


def _warn(warnings: Iterable[str]) -> None:
    for warning in warnings:
        typer.echo(f"masking-bridge: warning: {warning}", err=True)
