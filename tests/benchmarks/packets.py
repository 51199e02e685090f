"""``python -m tests.benchmarks.packets``: what it costs to make each packet of audio anew.

Calls with audio both ways, by turns with ``bridge_native_rtp.so``, which passes packets on as they
came, and without it, as the product has it.
"""

import statistics
import tempfile
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bridge.embedded.client import Client
from bridge.embedded.stack import Stack, private_place
from tests.benchmarks.recording import VIRTUAL, measure

_WHOLE, _ANEW = "passed on whole (bridge_native_rtp.so)", "made anew (bridge_simple.so)"
_ROUNDS = 3


def main() -> None:
    costs: dict[str, list[float]] = {_WHOLE: [], _ANEW: []}
    with tempfile.TemporaryDirectory(prefix="masking-bench-") as directory:
        stack = Stack(Path(directory) / "stack", private_place())
        with stack.running():
            client = Client(stack.place.api_url, *stack.create_account("bench"))
            client.add_numbers(VIRTUAL)
            for number in range(2 * _ROUNDS):
                way, command = ((_WHOLE, "load"), (_ANEW, "unload"))[number % 2]
                stack.asterisk.cli(f"module {command} bridge_native_rtp.so")
                here = Path(directory) / str(number)
                here.mkdir()
                costs[way].append(measure(stack, client, here, number))
    table = Table("packets", "CPU of Asterisk, of one core, a call: the middle, and each")
    for way, found in costs.items():
        each = ", ".join(f"{cost * 100:.2f}" for cost in found)
        table.add_row(way, f"{statistics.median(found) * 100:.2f} % ({each})")
    Console().print(table)


if __name__ == "__main__":
    main()
