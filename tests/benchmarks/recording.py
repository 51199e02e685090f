"""``python -m tests.benchmarks.recording``: what recording costs Asterisk, in either way.

Calls with audio both ways; the bridge is frozen meanwhile, so that all is Asterisk's own.
"""

import base64
import json
import os
import socket
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from bridge.embedded.client import Client
from bridge.embedded.phones.phone import Phone, media
from bridge.embedded.phones.steps import SILENT_PHONES, Callee, Caller, scenario, wait_for_cue
from bridge.embedded.processes import until
from bridge.embedded.stack import Stack, private_place
from tests.benchmarks.usage import usage

CALLS = 20
SECONDS = 10
VIRTUAL = "+12025550142"
_WAYS = ("nothing", "MixMonitor", "two snoops", "MixMonitor", "two snoops")


def main() -> None:
    table = Table("recorded by", "CPU of Asterisk, of one core, a call")
    with tempfile.TemporaryDirectory(prefix="masking-bench-") as directory:
        stack = Stack(Path(directory) / "stack", private_place(), settings=SILENT_PHONES)
        with stack.running():
            client = Client(stack.place.api_url, *stack.create_account("bench"))
            client.add_numbers(VIRTUAL)
            for number, name in enumerate(_WAYS):
                here = Path(directory) / str(number)
                here.mkdir()
                meanwhile = _snoop if name == "two snoops" else None
                cost = measure(
                    stack, client, here, number, record=name == "MixMonitor", meanwhile=meanwhile
                )
                table.add_row(name, f"{cost * 100:.2f} %")
            [delay] = stack.rows(
                "SELECT avg(recording.started_at - call.answered_at) AS mean"
                "  FROM recording JOIN call ON call.id = recording.call"
            )
            milliseconds = delay["mean"].total_seconds() * 1000
    Console().print(table)
    Console().print(
        f"From the callee's answer to a recording that is set up: {milliseconds:.1f} ms"
    )


def measure(
    stack: Stack,
    client: Client,
    directory: Path,
    number: int,
    *,
    record: bool = False,
    meanwhile: Callable[[Stack], None] | None = None,
) -> float:
    """CPU that Asterisk needs for a call with audio both ways, as a part of one core.

    Args:
        number: of this measurement on the stack, 0 to 9.
        meanwhile: done once the calls are up.
    """
    couples = {f"+164655{number}{at:04}": f"+191755{number}{at:04}" for at in range(CALLS)}
    for couple in couples.items():
        client.create_session(*couple, record=record, record_file_format="wav")
    a, b = Caller(number="[field0]"), Callee()
    sides = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2)]
    for side, address in zip(
        sides, (stack.place.caller_address, stack.place.trunk_host), strict=True
    ):
        side.bind((address.partition(":")[0], 0))
    ports = [{"rtp_port": str(side.getsockname()[1])} for side in sides]
    callees = Phone(
        "callees",
        scenario(b.is_called(), b.rings(), b.answers(), b.is_hung_up_on()),
        directory,
        address=stack.place.trunk_host,
        keywords=ports[1],
        calls=CALLS,
        within=90,
    ).start()
    callers = Phone(
        "callers",
        scenario(a.invite(), a.hears_ringback(), a.is_answered(), wait_for_cue(), a.hangs_up()),
        directory,
        address=f"{stack.place.caller_address}:0",
        target=stack.place.sip,
        dialled=VIRTUAL,
        keywords=ports[0],
        calls=CALLS,
        callers=list(couples),
        within=90,
    ).start()
    up = "SELECT FROM call WHERE answered_at IS NOT NULL AND ended_at IS NULL"
    assert until(lambda: len(stack.rows(up)) == CALLS, within=20)
    targets = {media(text) for text in callers.received if text.startswith("SIP/2.0 200")}
    others = {media(text) for text in callees.received if text.startswith("INVITE")}
    stack.bridge.freeze()
    over = threading.Event()
    speakers = [
        threading.Thread(target=_speak, args=(side, list(where), over), daemon=True)
        for side, where in zip(sides, (targets, others), strict=True)
    ]
    for speaker in speakers:
        speaker.start()
    if meanwhile:
        meanwhile(stack)
    time.sleep(2)
    before = usage(stack.asterisk.pid).cpu_seconds
    time.sleep(SECONDS)
    used = usage(stack.asterisk.pid).cpu_seconds - before
    over.set()
    for speaker, side in zip(speakers, sides, strict=True):
        speaker.join()
        side.close()
    stack.bridge.thaw()
    callers.cue_all()
    callers.finish()
    callees.finish()
    assert until(lambda: stack.rows(up) == [], within=20)
    return used / SECONDS / CALLS


def _speak(side: socket.socket, targets: Sequence[tuple[str, int]], over: threading.Event) -> None:
    """A frame of PCMU every 20 ms to each."""
    began, number = time.monotonic(), 0
    while not over.is_set():
        header = bytes((0x80, 0)) + (number & 0xFFFF).to_bytes(2, "big")
        header += (number * 160 & 0xFFFFFFFF).to_bytes(4, "big") + b"same"
        for target in targets:
            side.sendto(header + bytes(range(160)), target)
        number += 1
        time.sleep(max(began + number / 50 - time.monotonic(), 0))


def _snoop(stack: Stack) -> None:
    """Record each party by a channel of its own that listens to it."""
    spool = stack.asterisk.recordings.parent / "spool"
    (spool / "recording").mkdir(exist_ok=True)
    os.chown(spool / "recording", spool.stat().st_uid, spool.stat().st_gid)
    for channel in _ari(stack, "GET", "channels"):
        snoop = _ari(stack, "POST", f"channels/{channel['id']}/snoop?app=bridge&spy=in")
        name = f"channels/{snoop['id']}/record?name={snoop['id']}&format=sln"
        time.sleep(0.1)  # until it is in the application; before that it is refused (409)
        _ari(stack, "POST", name)


def _ari(stack: Stack, method: str, path: str) -> Any:
    site = stack.asterisk.site
    secret = f"{site.ari_user}:{site.ari_password.get_secret_value()}"
    request = urllib.request.Request(
        f"http://127.0.0.1:{site.ari_port}/ari/{path}",
        method=method,
        headers={"Authorization": f"Basic {base64.b64encode(secret.encode()).decode()}"},
    )
    with urllib.request.urlopen(request, timeout=5) as answer:  # noqa: S310
        return json.loads(answer.read())


if __name__ == "__main__":
    main()
