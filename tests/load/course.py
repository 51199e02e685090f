"""What happens: calls at full rate, a receiver with moods, a bridge that is killed and killed."""

import dataclasses
import random
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

from bridge.embedded.client import Client
from bridge.embedded.phones.phone import Phone
from bridge.embedded.phones.steps import SILENT_PHONES
from bridge.embedded.processes import until
from bridge.embedded.stack import Stack
from tests.load.phones import AnyCallee, AnyCaller
from tests.load.receiver import AWAY, FAILING, HALF_WAY, HANGING, SLOW, WELL, Mood, Receiver

VIRTUAL = "+12025550142"

SETTINGS: Mapping[str, str] = {
    **SILENT_PHONES,
    "BRIDGE_API_RATE_LIMIT": "100000",
    "BRIDGE_EGRESS_ALLOW_NETWORKS": "127.0.0.0/8",
    "BRIDGE_WEBHOOK_TIMEOUT": "2",
    "BRIDGE_WEBHOOK_WORKERS_PER_HOST": "10",  # they all go to one
}


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How much of it.  Times are in seconds."""

    seed: int
    """Of the moments at which the bridge is killed."""
    rate: int = 50
    """Calls a second."""
    seconds: int
    """For which calls are made."""
    couples: int
    """Sessions; each calls again after ``couples / rate`` seconds, in the other direction."""
    kills: int
    moods: Sequence[tuple[float, Mood]]
    """Of the receiver, from the first call on."""
    settles_within: float
    """How long recovery may take, at most."""

    @property
    def calls(self) -> int:
        return self.rate * self.seconds


def short(seed: int) -> Plan:
    """Bounded, for `make test`."""
    moods = (
        (3.0, WELL),
        (4.0, AWAY),
        (3.0, WELL),
        (3.0, SLOW),
        (3.0, FAILING),
        (3.0, HALF_WAY),
        (1.0, HANGING),
    )
    return Plan(seed=seed, seconds=20, couples=500, kills=3, moods=moods, settles_within=150)


def long(seed: int) -> Plan:
    """With the receiver away for a minute."""
    moods = (
        (10.0, WELL),
        (60.0, AWAY),
        (10.0, WELL),
        (10.0, SLOW),
        (10.0, FAILING),
        (10.0, HALF_WAY),
        (5.0, HANGING),
    )
    return Plan(seed=seed, seconds=120, couples=1000, kills=20, moods=moods, settles_within=600)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """What is left of it to be looked at."""

    sessions: Sequence[str]
    counterparts: Mapping[str, str]
    """Whom each number calls."""
    callers: Sequence[Phone]
    callees: Phone
    killed_at: Sequence[datetime]


def run(
    plan: Plan,
    stack: Stack,
    receiver: Receiver,
    directory: Path,
    *,
    say: Callable[[str], None],
) -> Course:
    """Have it happen, and wait until everything is over that can be.

    Raises:
        AssertionError: something did not come to its end.
    """
    client = Client(stack.place.api_url, *stack.create_account("load"))
    client.add_numbers(VIRTUAL)
    couples = [(f"+1646555{n:04}", f"+1917555{n:04}") for n in range(plan.couples)]
    with ThreadPoolExecutor(8) as clients:
        sessions = list(
            clients.map(
                lambda couple: client.create_session(*couple, callback_url=receiver.url), couples
            )
        )
    callees = Phone(
        "callees",
        AnyCallee().whole_call(ring_ms=100, talk_ms=800),
        directory,
        address=stack.place.trunk_host,
        calls=plan.calls,
        within=plan.seconds + 120,
    ).start()
    # Half of the callers hang up first, half are hung up on.
    callers = [
        _callers(name, plan, stack, directory, couples[half::2], talk_ms=talk_ms)
        for half, (name, talk_ms) in enumerate({"leaving": 400, "staying": 30_000}.items())
    ]
    for phone in callers:
        phone.start()
    receiver.has_moods(plan.moods)
    killed_at = _kill_again_and_again(plan, stack, say=say)
    for phone in callers:
        phone.finish()
    callees.closes().finish()
    _settle(plan, stack)
    return Course(
        sessions=[one["session_uuid"] for one in sessions],
        counterparts={a: b for couple in couples for a, b in (couple, couple[::-1])},
        callers=callers,
        callees=callees,
        killed_at=killed_at,
    )


def _callers(
    name: str,
    plan: Plan,
    stack: Stack,
    directory: Path,
    couples: Sequence[tuple[str, str]],
    *,
    talk_ms: int,
) -> Phone:
    return Phone(
        name,
        AnyCaller(number="[field0]").whole_call(talk_ms=talk_ms),
        directory,
        address=f"{stack.place.caller_address}:0",
        target=stack.place.sip,
        dialled=VIRTUAL,
        calls=plan.calls // 2,
        rate=plan.rate // 2,
        callers=[first for first, _ in couples] + [second for _, second in couples],
        within=plan.seconds + 120,
    )


def _kill_again_and_again(
    plan: Plan, stack: Stack, *, say: Callable[[str], None]
) -> Sequence[datetime]:
    """At moments that the seed says; every other time again while it takes up what it finds."""
    chance = random.Random(plan.seed)  # noqa: S311 - to be repeated
    killed_at: list[datetime] = []
    began = time.monotonic()
    for moment in sorted(chance.uniform(1.0, plan.seconds - 1.0) for _ in range(plan.kills)):
        time.sleep(max(began + moment - time.monotonic(), chance.uniform(0.0, 0.5)))
        say(f"killed {time.monotonic() - began:.1f} s after the first call")
        stack.bridge.kill()
        killed_at.append(datetime.now(UTC))
        if chance.random() < 0.5:
            stack.bridge.begin()
            time.sleep(chance.uniform(0.5, 2.0))
            stack.bridge.kill()
            killed_at.append(datetime.now(UTC))
            say("and once more before it was up")
        stack.bridge.start()
    return killed_at


def _settle(plan: Plan, stack: Stack) -> None:
    def nothing(statement: str) -> Callable[[], bool]:
        return lambda: not stack.rows(statement)[0]["n"]

    open_calls = nothing("SELECT count(*) AS n FROM call WHERE ended_at IS NULL")
    assert until(open_calls, within=60, every=0.2), "a call stays open"
    on_their_way = nothing("SELECT count(*) AS n FROM delivery WHERE state = 'pending'")
    assert until(on_their_way, within=plan.settles_within, every=0.2), "events stay on their way"
