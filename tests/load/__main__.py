"""``python -m tests.load [SEED]``: the whole of it, with the receiver away for a minute.

``--short`` is what `make test` does; a seed repeats the moments of a run before.
"""

import argparse
import secrets
import sys
import tempfile
from pathlib import Path

from rich.console import Console

from bridge.embedded.stack import Stack, private_place
from tests.load.course import SETTINGS, long, run, short
from tests.load.proof import examine
from tests.load.receiver import Receiver
from tests.load.table import table


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.load")
    parser.add_argument("seed", nargs="?", type=int, default=secrets.randbelow(1_000_000))
    parser.add_argument("--short", action="store_true")
    given = parser.parse_args()
    plan = (short if given.short else long)(given.seed)
    console, place = Console(highlight=False), private_place()
    with (
        tempfile.TemporaryDirectory(prefix="masking-load-") as directory,
        Stack(Path(directory) / "stack", place, settings=SETTINGS).running() as stack,
        Receiver(place.caller_address).serving() as receiver,
    ):
        course = run(plan, stack, receiver, Path(directory), say=console.print)
        report = examine(course, stack, receiver.receipts)
    console.print(table(plan, report))
    for problem in report.problems:
        console.print(problem)
    sys.exit(any(report.must_be_zero.values()))


if __name__ == "__main__":
    main()
