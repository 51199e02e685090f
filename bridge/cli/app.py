"""Every command under one name."""

import sys

import typer

from bridge import logs
from bridge.cli import accounts, events, numbers, rates, service, tokens, trunk, webhook_secrets
from bridge.cli.errors import CommandError
from bridge.cli.settings import unknown_settings
from bridge.config import ConfigError
from bridge.store.errors import StoreError

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False, add_completion=False)
service.add_to(app)
app.add_typer(accounts.app, name="account")
app.add_typer(tokens.app, name="token")
app.add_typer(numbers.app, name="number")
app.add_typer(trunk.app, name="trunk")
app.add_typer(rates.app, name="rates")
app.add_typer(events.app, name="events")
app.add_typer(webhook_secrets.app, name="webhook-secret")


@app.callback()
def main(context: typer.Context) -> None:
    """Number masking beside your own Asterisk.  Settings come from BRIDGE_* variables."""
    # A name that is not known does nothing.  `check-config` says it with all other mistakes.
    if context.invoked_subcommand != "check-config" and (mistakes := unknown_settings()):
        raise ConfigError("\n".join(mistakes))


def run() -> None:
    """Run the command line; a fault is one message, not a traceback.

    A traceback shows what was being worked on: of an unknown fault type and place are said.
    """
    # What a command has to warn of; its own answer is standard output.  `serve` says otherwise.
    logs.set_up(level="WARNING", style="console")
    try:
        app()
    except (CommandError, ConfigError, StoreError) as error:
        typer.echo(f"masking-bridge: {error}", err=True)
        sys.exit(1)
    except Exception as error:
        typer.echo(
            f"masking-bridge: a fault of its own: {logs.described(error)}\n"
            "Please report this line; it holds no number and no secret.",
            err=True,
        )
        sys.exit(1)
