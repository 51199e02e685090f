"""``make bench``: what the whole stack does to a call, on this machine, on real SIP.

Everything runs on the same machine, the phones (SIPp) too, so the figures are a lower bound.
Times are taken from SIPp's message logs, which share one clock.
"""

import os
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bridge.embedded.client import Client
from bridge.embedded.phones.phone import Phone, header, user
from bridge.embedded.phones.steps import (
    SILENT_PHONES,
    Callee,
    Caller,
    pause,
    scenario,
    wait_for_cue,
)
from bridge.embedded.processes import until
from bridge.embedded.stack import Stack, private_place
from tests.benchmarks.usage import Usage, usage

RATE = 50  # calls a second
SECONDS = 20
TALK_MS = 2000
GAP_CALLS = 200
VIRTUAL = "+12025550142"

console = Console(highlight=False)


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="masking-bench-") as directory:
        stack = Stack(
            Path(directory) / "stack",
            private_place(),
            # A thousand sessions at once.
            settings={"BRIDGE_API_RATE_LIMIT": "100000", **SILENT_PHONES},
        )
        with stack.running():
            table = Table("measured", "figure", title=f"{_machine()}")
            failed = _load(stack, Path(directory), table)
            _coupled(stack, Path(directory), table)
            failed += _gap(stack, Path(directory), table)
            stack.bridge.start()
            _restart(stack, table)
    console.print(table)
    sys.exit(bool(failed))


def _load(stack: Stack, directory: Path, table: Table) -> int:
    """`RATE` masked calls a second for `SECONDS`, each between a couple of its own."""
    count = RATE * SECONDS
    couples = {f"+1646555{number:04}": f"+1917555{number:04}" for number in range(count)}
    client = Client(stack.place.api_url, *stack.create_account("bench"))
    client.add_numbers(VIRTUAL)
    with console.status(f"{RATE} new sessions a second for {SECONDS} s"):
        creations = _create(client, couples)
    table.add_row(f"create a session, at {RATE}/s, p50 / p99", _percentiles(creations))
    a, b = Caller(number="[field0]"), Callee()
    callees = Phone(
        "callees",
        scenario(b.is_called(), b.rings(), b.answers(), b.is_hung_up_on()),
        directory,
        address=stack.place.trunk_host,
        calls=count,
        within=SECONDS + 60,
    )
    callers = Phone(
        "callers",
        scenario(a.invite(), a.hears_ringback(), a.is_answered(), pause(TALK_MS), a.hangs_up()),
        directory,
        address=f"{stack.place.caller_address}:0",
        target=stack.place.sip,
        dialled=VIRTUAL,
        calls=count,
        rate=RATE,
        callers=list(couples),
        within=SECONDS + 60,
    )
    before = _usage(stack)
    with console.status(f"{RATE} calls a second for {SECONDS} s"):
        callees.start()
        callers.start()
        callers.finish()
        callees.finish()
        until(lambda: _completed(stack) == count, within=30)
    after = _usage(stack)

    sent = {user(header(text, "From")): at for at, text in callers.moments("sent", "INVITE")}
    arrived = {
        text.split("@")[0].removeprefix("INVITE sip:"): at
        for at, text in callees.moments("received", "INVITE")
    }
    setup = [
        (arrived[second] - sent[first]).total_seconds() * 1000
        for first, second in couples.items()
        if first in sent and second in arrived
    ]
    completed = _completed(stack)
    table.add_row(f"calls at {RATE}/s for {SECONDS} s, completed", f"{completed} of {count}")
    table.add_row("INVITE in to INVITE out, p50 / p99", _percentiles(setup))
    for name in before:
        cpu = (after[name].cpu_seconds - before[name].cpu_seconds) * 1000 / count
        table.add_row(f"CPU per call, {name}", f"{cpu:.1f} ms")
    for name in before:
        megabytes = f"{before[name].megabytes:.0f} to {after[name].megabytes:.0f} MB"
        table.add_row(f"memory before and after, {name}", megabytes)
    return count - completed


def _create(client: Client, couples: Mapping[str, str]) -> list[float]:
    """A session for each couple, `RATE` a second; the milliseconds that each took."""

    def create(first: str, second: str) -> float:
        began = time.perf_counter()
        client.create_session(first, second)
        return (time.perf_counter() - began) * 1000

    began = time.monotonic()
    with ThreadPoolExecutor(max_workers=RATE) as clients:
        creations = []
        for number, couple in enumerate(couples.items()):
            time.sleep(max(began + number / RATE - time.monotonic(), 0))
            creations.append(clients.submit(create, *couple))
        return [creation.result() for creation in creations]


def _coupled(stack: Stack, directory: Path, table: Table) -> None:
    """How soon the other side is hung up when the bridge was killed in a call; leaves it dead."""
    a, b = Caller(number="+16465550000"), Callee()
    callee = Phone(
        "callee-without-bridge",
        scenario(b.is_called(), b.answers(), b.is_hung_up_on()),
        directory,
        address=stack.place.trunk_host,
    ).start()
    caller = Phone(
        "caller-without-bridge",
        scenario(a.invite(), a.hears_ringback(), a.is_answered(), wait_for_cue(), a.hangs_up()),
        directory,
        address=f"{stack.place.caller_address}:0",
        target=stack.place.sip,
        dialled=VIRTUAL,
    ).start()
    answered = "SELECT 1 FROM call WHERE answered_at IS NOT NULL AND ended_at IS NULL"
    until(lambda: bool(stack.rows(answered)), within=10)
    stack.bridge.kill()
    caller.cue()
    caller.finish()
    callee.finish()
    [(said, _)] = caller.moments("sent", "BYE")
    [(heard, _)] = callee.moments("received", "BYE")
    wait = (heard - said).total_seconds() * 1000
    table.add_row("BYE in to BYE out, the bridge killed in the call", f"{wait:.1f} ms")


def _restart(stack: Stack, table: Table) -> None:
    """How soon after a killed Asterisk is up again calls can be carried."""
    stack.asterisk.kill()
    until(lambda: not stack.bridge.is_ready, within=10)
    stack.asterisk.start()
    began = time.monotonic()
    until(lambda: stack.bridge.is_ready, within=30)
    table.add_row("Asterisk up again to ready", f"{time.monotonic() - began:.2f} s")


def _gap(stack: Stack, directory: Path, table: Table) -> int:
    """How soon a caller is refused while there is no bridge, as `_coupled` leaves it."""
    a = Caller()
    callers = Phone(
        "callers-in-the-gap",
        scenario(a.invite(), a.is_refused(503)),
        directory,
        address=f"{stack.place.caller_address}:0",
        target=stack.place.sip,
        dialled=VIRTUAL,
        keywords={"number": "+14155550123"},
        calls=GAP_CALLS,
        rate=RATE,
        within=30,
    )
    callers.start().finish()
    sent = {header(text, "Call-ID"): at for at, text in callers.moments("sent", "INVITE")}
    told = {header(text, "Call-ID"): at for at, text in callers.moments("received", "SIP/2.0 503")}
    waits = [(told[call] - at).total_seconds() * 1000 for call, at in sent.items() if call in told]
    table.add_row("503 while the bridge is down, p50 / p99", _percentiles(waits))
    return GAP_CALLS - len(waits)


def _completed(stack: Stack) -> int:
    rows = stack.rows("SELECT count(*) AS calls FROM call WHERE disposition = 'completed'")
    count: int = rows[0]["calls"]
    return count


def _usage(stack: Stack) -> dict[str, Usage]:
    return {"Asterisk": usage(stack.asterisk.pid), "the bridge": usage(stack.bridge.pid)}


def _percentiles(milliseconds: Sequence[float]) -> str:
    cuts = statistics.quantiles(milliseconds, n=100, method="inclusive")
    return f"{cuts[49]:.1f} / {cuts[98]:.1f} ms"


def _machine() -> str:
    return f"{os.cpu_count()} cores, Python {platform.python_version()}, SIPp on the same machine"


if __name__ == "__main__":
    main()
