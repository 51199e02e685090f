"""``python -m bridge.embedded install | run | demo``: what the Makefile calls."""

import contextlib
import fcntl
import json
import signal
import sys
import tempfile
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from bridge.embedded import demo as demonstration
from bridge.embedded.client import Client
from bridge.embedded.install import install as install_parts
from bridge.embedded.phones.phone import PhoneError
from bridge.embedded.processes import StartError
from bridge.embedded.stack import Place, Stack, private_place, standard_place
from bridge.embedded.stage import DemoError

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False, add_completion=False)
console = Console(highlight=False, soft_wrap=True)

# Reserved for fiction.
_VIRTUAL_NUMBERS = [f"+120255501{last}" for last in range(40, 50)]


@app.callback()
def main() -> None:
    """Postgres, Asterisk and the bridge on this machine, to try and to test."""


@app.command()
def install() -> None:
    """Get SIPp and Asterisk, where the machine has none that will do."""
    install_parts()


@app.command()
def demo() -> None:
    """Place real calls between two phones, and show what each of them saw."""
    install_parts()
    with (
        tempfile.TemporaryDirectory(prefix="masking-demo-") as directory,
        _stopping_on_signals(exit_code=130),
    ):
        stack = Stack(Path(directory) / "stack", private_place(), durable=False)
        with contextlib.ExitStack() as running:
            with demonstration.told(console, "Postgres, Asterisk and the bridge are up"):
                running.enter_context(stack.running())
            demonstration.Demo(stack, Path(directory), console).run()
    console.print("[bold green]All of it was seen on the wire.[/bold green]")


@app.command()
def run(directory: Annotated[Path, typer.Argument()] = Path(".run")) -> None:
    """Keep the whole stack up until Ctrl-C; data and logs in DIRECTORY are kept."""
    directory.mkdir(mode=0o700, exist_ok=True)
    with _only_one(directory / "lock"), _stopping_on_signals(exit_code=0):
        install_parts()
        place = standard_place()
        stack = Stack(directory.absolute(), place)
        with contextlib.ExitStack() as running:
            with demonstration.told(console, "Postgres, Asterisk and the bridge are up"):
                running.enter_context(stack.running())
            _introduce(_account(stack, directory / "account.json"), place, directory)
            stack.wait()


def _account(stack: Stack, file: Path) -> dict[str, object]:
    """The account of this directory; a new one the first time."""
    place = stack.place
    kept = json.loads(file.read_text()) if file.exists() else {}
    client = Client(place.api_url, kept.get("auth_id", ""), kept.get("auth_token", ""))
    if not kept or client.request("GET", "Number/")[0] is not HTTPStatus.OK:
        client = Client(place.api_url, *stack.create_account("local"))
    else:
        stack.grant_numbers(client.auth_id)  # one that was made before there were grants
    for number in _VIRTUAL_NUMBERS:
        client.request("POST", "Number/", {"numbers": number})  # refused if an older account has it
    numbers = client.request("GET", "Number/")[1]["objects"]
    if not numbers:
        raise StartError(f"an account that is lost holds all virtual numbers: remove {file.parent}")
    account: dict[str, object] = {
        "api_url": place.api_url,
        "auth_id": client.auth_id,
        "auth_token": client.auth_token,
        "virtual_numbers": [f"+{one['number']}" for one in numbers],
        "sip": place.sip,
    }
    file.touch(mode=0o600)
    file.write_text(json.dumps(account, indent=2) + "\n")
    return account


def _introduce(account: dict[str, object], place: Place, directory: Path) -> None:
    api, auth_id, token = account["api_url"], account["auth_id"], account["auth_token"]
    parties = {"first_party": demonstration.ALICE, "second_party": demonstration.BOB}
    numbers = _VIRTUAL_NUMBERS
    console.print(f"""
API         {api}
Auth ID     {auth_id}
Auth Token  {token}
Numbers     {numbers[0]} to {numbers[-1]}
SIP         {place.sip}, from the carrier at {place.trunk_match}; calls go out to {place.trunk_host}
For scripts {directory}/account.json; logs beside it
Firewall    {directory}/firewall.nft, what `masking-bridge firewall` prints (loopback stays open)

Make a session:

curl -u {auth_id}:{token} {api}/v1/Account/{auth_id}/Masking/Session/ \\
  -H 'Content-Type: application/json' -d '{json.dumps(parties)}'

Ctrl-C stops all of it.""")


@contextlib.contextmanager
def _only_one(file: Path) -> Iterator[None]:
    """Raises: StartError: another stack runs on the same data."""
    with file.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise StartError(f"another `make run` uses {file.parent}") from None
        yield


@contextlib.contextmanager
def _stopping_on_signals(*, exit_code: int) -> Iterator[None]:
    """Ctrl-C, SIGTERM and a closed terminal leave the block, with everything in it stopped."""

    def stop(_signum: int, _frame: object) -> None:
        raise KeyboardInterrupt

    for signum in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(signum, stop)
    try:
        yield
    except KeyboardInterrupt:
        console.print("stopped")
        raise typer.Exit(exit_code) from None


def _run() -> None:
    """A known fault is a message, not a traceback."""
    try:
        app()
    except (StartError, PhoneError, DemoError) as error:
        Console(stderr=True, highlight=False, soft_wrap=True).print(f"[bold red]✗[/] {error}")
        sys.exit(1)


if __name__ == "__main__":
    _run()
