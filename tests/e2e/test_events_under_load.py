"""Not one event is lost, whoever dies or does not listen, at 50 calls a second."""

import secrets
from pathlib import Path

from rich.console import Console

from bridge.embedded.stack import Stack, private_place
from tests.load.course import SETTINGS, run, short
from tests.load.proof import examine
from tests.load.receiver import Receiver
from tests.load.table import table


def test_every_call_is_told_of_whoever_dies_or_does_not_listen(tmp_path: Path) -> None:
    """The longer form, with the receiver away for a minute, is ``python -m tests.load``."""
    plan, place = short(secrets.randbelow(1_000_000)), private_place()
    console = Console(highlight=False)
    console.print(f"seed {plan.seed}")
    with (
        Stack(tmp_path / "stack", place, settings=SETTINGS, durable=False).running() as stack,
        Receiver(place.caller_address).serving() as receiver,
    ):
        course = run(plan, stack, receiver, tmp_path, say=console.print)
        report = examine(course, stack, receiver.receipts)
    console.print(table(plan, report))
    assert report.problems == []
    assert set(report.must_be_zero.values()) == {0}
    assert report.calls == report.away + report.rows == plan.calls
    assert report.final_events == report.rows - report.refused > 0
    assert report.events == report.received > 0
