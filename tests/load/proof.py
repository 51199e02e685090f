"""What SIPp, Postgres and the application have seen, compared: is there one call that was not told?

Nothing of the bridge is asked how it should be: what each call has to tell is worked out from its
rows once more (`expected`).
"""

import collections
import dataclasses
import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from plivo.utils import validate_v3_signature

from bridge.embedded.phones.phone import Phone, header, user
from bridge.embedded.stack import Stack
from tests.load.course import Course
from tests.load.expected import Row, to_charge, to_tell
from tests.load.receiver import Receipt

# By which SIPp's message log may be behind Asterisk's events: it notes the time after it has sent,
# which on a busy machine is late.  Calls of one number are many seconds apart.
_CLOCK = timedelta(seconds=2)

_CALLS = """
SELECT call.id, call.session::text, call.caller_side, call.caller, call.virtual_number,
       call.started_at, call.ended_at, call.disposition, call.reason,
       a.answered_at AS a_answered, a.ended_at AS a_ended, a.billed_seconds AS a_billed,
       b.call IS NOT NULL AS has_b, b.party_number AS callee,
       b.ringing_at AS b_rang, b.answered_at AS b_answered, b.ended_at AS b_ended,
       b.billed_seconds AS b_billed
  FROM call
  JOIN leg AS a ON a.call = call.id AND a.role = 'a'
  LEFT JOIN leg AS b ON b.call = call.id AND b.role = 'b'
 ORDER BY call.started_at
"""
_EVENTS = """
SELECT session::text, sequence, call, name, happened_at, attributes
  FROM event
 WHERE session IS NOT NULL
 ORDER BY session, sequence
"""


@dataclasses.dataclass(frozen=True, slots=True)
class Attempt:
    """A call as the phone saw it that placed it."""

    caller: str
    at: datetime
    rang: bool
    status: int
    """The final one."""


@dataclasses.dataclass(slots=True)
class Report:
    """What was found; `problems` are what must not be."""

    calls: int = 0
    """That SIPp placed."""
    away: int = 0
    """Of them, refused since no bridge was there: no row, a 503 and nothing else."""
    refused: int = 0
    """Refused by the bridge, with a row that says so; nobody is told."""
    rows: int = 0
    answered: int = 0
    final_events: int = 0
    events: int = 0
    kills: int = 0
    requests: int = 0
    received: int = 0
    """Events that the application has, each counted once."""
    duplicates: int = 0
    out_of_order: int = 0
    lost: int = 0
    badly_signed: int = 0
    problems: list[str] = dataclasses.field(default_factory=list)

    @property
    def must_be_zero(self) -> Mapping[str, int]:
        return {
            "events out of order": self.out_of_order,
            "signatures that are wrong": self.badly_signed,
            "calls, rows and events that contradict each other": len(self.problems),
            "events lost": self.lost,
        }


def examine(course: Course, stack: Stack, receipts: Sequence[Receipt]) -> Report:
    """Everything at once."""
    report = Report(kills=len(course.killed_at))
    attempts = [attempt for phone in course.callers for attempt in _attempts(phone)]
    calls = stack.rows(_CALLS)
    events = [
        {**event, "attributes": json.loads(event["attributes"])} for event in stack.rows(_EVENTS)
    ]
    [secret] = stack.rows("SELECT secret FROM signing_secret")
    _compare_with_phones(report, attempts, course.callees, calls)
    _compare_with_rows(report, calls, events)
    _compare_with_receipts(report, course, calls, events, receipts)
    for receipt in receipts:
        if not _is_ours(receipt, secret["secret"]):
            report.badly_signed += 1
    return report


def _attempts(phone: Phone) -> Sequence[Attempt]:
    placed: dict[str, tuple[str, datetime]] = {}
    for at, text in phone.moments("sent", "INVITE"):
        placed.setdefault(header(text, "Call-ID"), (user(header(text, "From")), at))
    told: dict[str, set[int]] = collections.defaultdict(set)
    for _, text in phone.moments("received", "SIP/2.0"):
        if header(text, "CSeq").endswith("INVITE"):
            told[header(text, "Call-ID")].add(int(text.split()[1]))
    return [
        Attempt(caller, at, rang=180 in told[call], status=max(told[call], default=0))
        for call, (caller, at) in placed.items()
    ]


def _compare_with_phones(
    report: Report, attempts: Sequence[Attempt], callees: Phone, calls: Sequence[Row]
) -> None:
    """Each call of SIPp's has one row, or it was refused before anybody could write one."""
    report.calls, report.rows = len(attempts), len(calls)
    of_attempt: dict[Attempt, Row] = {}
    by_caller: dict[str, list[Attempt]] = collections.defaultdict(list)
    for attempt in attempts:
        by_caller[attempt.caller].append(attempt)
    for call in calls:
        earlier = [a for a in by_caller[call["caller"]] if a.at <= call["started_at"] + _CLOCK]
        latest = max(earlier, key=lambda one: one.at, default=None)
        if latest is None or latest in of_attempt:
            report.problems.append(f"call {call['id']} is none of SIPp's")
        else:
            of_attempt[latest] = call
    reached = collections.Counter(user(one.splitlines()[0]) for one in callees.calls)
    rung = collections.Counter(call["callee"] for call in calls if call["b_rang"])
    for number, times in (rung - reached).items():
        report.problems.append(f"{number} was rung {times} times less than the rows say")
    for attempt in attempts:
        row = of_attempt.get(attempt)
        report.answered += attempt.status == 200
        if row is None:
            report.away += 1
            if attempt.rang or attempt.status != 503:
                report.problems.append(f"a call of {attempt.at} ({attempt.status}) has no row")
        elif problem := _differs(attempt, row):
            report.problems.append(f"call {row['id']}: {problem}")


def _differs(attempt: Attempt, call: Row) -> str | None:
    """What its row says that the phone does not, or the other way round."""
    answered = call["a_answered"] is not None
    if call["session"] is None:
        return "its session is not known"
    if call["ended_at"] is None:
        return "it is still open"
    if answered and attempt.status != 200:
        return f"answered, and the caller got {attempt.status}"
    # Its bridge was killed between the answer and the join, and it was over before the next came.
    unseen = call["reason"] == "bridge-restart"
    if attempt.status == 200 and not answered and not unseen:
        return "the caller was answered, and nobody wrote it down"
    return None


def _compare_with_rows(report: Report, calls: Sequence[Row], events: Sequence[Row]) -> None:
    """Each call has told everything that its rows say, once, and nothing else."""
    told: dict[Any, list[Row]] = collections.defaultdict(list)
    for event in events:
        told[event["call"]].append(event)
    report.events = len(events)
    for call in calls:
        names = [event["name"] for event in told[call["id"]]]
        report.final_events += names.count("SessionPartiesHangup")
        report.refused += call["disposition"] == "refused"
        if sorted(names) != sorted(to_tell(call)):
            report.problems.append(f"call {call['id']} told {names}, and not {to_tell(call)}")
            continue
        if names and names[-1] != "SessionPartiesHangup":
            report.problems.append(f"call {call['id']} told on after its end: {names}")
        costs = to_charge(call)
        for event in told[call["id"]]:
            for attribute, value in costs.get(event["name"], {}).items():
                if event["attributes"][attribute] != value:
                    report.problems.append(
                        f"call {call['id']}: {event['name']} says {attribute} is"
                        f" {event['attributes'][attribute]}, and its legs {value}"
                    )


def _compare_with_receipts(
    report: Report,
    course: Course,
    calls: Sequence[Row],
    events: Sequence[Row],
    receipts: Sequence[Receipt],
) -> None:
    """The application has every event of every session, from 1 on, none before the one before it.

    An event that comes again is no fault, and it may come late: a request of a bridge that was
    killed can be read after those of the next.
    """
    written = {(event["session"], event["sequence"]): event for event in events}
    of_call = {call["id"]: call for call in calls}
    last: dict[str, int] = dict.fromkeys(course.sessions, 0)
    report.requests = len(receipts)
    taken: set[tuple[str, int]] = set()
    for receipt in receipts:
        key = (receipt.session, receipt.sequence)
        event = written.get(key)
        if event is None:
            report.problems.append(f"event {receipt.sequence} of {receipt.session} is in no row")
            continue
        if not _says_the_same(receipt, event, of_call[event["call"]], course):
            report.problems.append(f"event {receipt.sequence} of {receipt.session} says otherwise")
        if receipt.sequence > last[receipt.session] + 1:
            report.out_of_order += 1
        if key in taken:
            report.duplicates += 1
        elif receipt.taken:
            taken.add(key)
            last[receipt.session] = max(last[receipt.session], receipt.sequence)
    report.received = len(taken)
    report.lost = len(written.keys() - taken)
    counts = collections.Counter(session for session, _ in written)
    for session in course.sessions:
        if any((session, number + 1) not in written for number in range(counts[session])):
            report.problems.append(f"the events of {session} are not numbered 1 to its last")


def _says_the_same(receipt: Receipt, event: Row, call: Row, course: Course) -> bool:
    happened_at = datetime.strptime(receipt.form["EventTimestamp"], "%Y-%m-%d %H:%M:%S.%f %z UTC")
    expected = {
        "EventName": event["name"],
        "From": call["caller"].removeprefix("+"),
        "To": course.counterparts[call["caller"]].removeprefix("+"),
        "VirtualNumber": call["virtual_number"].removeprefix("+"),
        **{name: str(value) for name, value in event["attributes"].items()},
    }
    return happened_at == event["happened_at"] and expected.items() <= receipt.form.items()


def _is_ours(receipt: Receipt, secret: str) -> bool:
    valid: bool = validate_v3_signature(
        "POST", receipt.url, receipt.nonce, secret, receipt.signature, dict(receipt.form)
    )
    return valid
