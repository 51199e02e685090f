"""The outcome for people."""

from rich.table import Table

from tests.load.course import Plan
from tests.load.proof import Report


def table(plan: Plan, report: Report) -> Table:
    """What was counted, and below it what must be zero."""
    title = f"{plan.rate} calls a second for {plan.seconds} s, seed {plan.seed}"
    shown = Table("what", "count", title=title)
    for name, count in (
        ("calls placed by SIPp", report.calls),
        ("... refused with 503 while there was no bridge", report.away),
        ("... with a row", report.rows),
        ("... ... refused by the bridge", report.refused),
        ("... ... with their final event", report.final_events),
        ("... answered", report.answered),
        ("bridge killed", report.kills),
        ("events written", report.events),
        ("requests with them", report.requests),
        ("events that the application has", report.received),
        ("duplicates", report.duplicates),
    ):
        shown.add_row(name, f"{count:,}")
    shown.add_section()
    for name, count in report.must_be_zero.items():
        shown.add_row(name, f"{count:,}", style="red" if count else None)
    return shown
