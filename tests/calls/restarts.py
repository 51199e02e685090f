"""Bridges that are killed, what outlives them, and what is wrong in the end.

Everything of `bridge.ari` and `bridge.calls` is real, and so is what calls tell; Asterisk and the
rows are the test's.  A bridge dies before or after any of its requests and transactions.
"""

import asyncio
import contextlib
import dataclasses
import functools
import uuid
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from datetime import datetime, tzinfo
from typing import Any, cast

import looptime
import pytest
from structlog.testing import capture_logs

from bridge.aio import race
from bridge.ari.client import Asterisk
from bridge.ari.leg_state import LegState
from bridge.ari.legs import Legs, b_channel_id
from bridge.ari.remains import Remains
from bridge.ari.requests import HEARTBEAT
from bridge.calls.housekeeping import Housekeeping
from bridge.calls.live_call import LiveCall
from bridge.calls.masked_call import masked_call, ordered_call
from bridge.calls.switchboard import Switchboard
from bridge.domain.numbers import PhoneNumber
from bridge.domain.rates import UNANSWERED, Charge, Tariff
from bridge.domain.records import Arrival, CallRecord, OpenCall, Origin, Role
from bridge.domain.routing import Lookup
from bridge.domain.sessions import AnswerGuard, Manner, RecordingPlan, Session, Side
from bridge.store.calls import Calls
from bridge.store.journal import Journal
from bridge.store.pool import Connection, Database
from bridge.store.recordings import Recordings
from bridge.store.teller import Tale
from tests.calls.conftest import settle
from tests.fakes.application import FakeApplication
from tests.fakes.prompts import FakePrompts
from tests.fakes.told_asterisk import ToldAsterisk, ToldRequests
from tests.load.expected import to_tell
from tests.people import ALICE, ALICE_CALLS, BOB, SESSION, VIRTUAL

_PROMPT = "https://x.test/hear.mp3"


@dataclasses.dataclass(frozen=True)
class Kind:
    """A call as it goes if nobody is killed."""

    name: str
    ordered: bool = False
    crossing: bool = False
    """The callee calls the caller while it is rung."""
    manner: Manner = dataclasses.field(default_factory=Manner)
    recording: RecordingPlan | None = None


KINDS = (
    Kind("plain"),
    Kind("guarded", manner=Manner(answer_guard=AnswerGuard.PRESS_1)),
    Kind("prompted", manner=Manner(first_prompt=_PROMPT, second_prompt=_PROMPT)),
    Kind("recorded", recording=RecordingPlan("wav")),
    Kind("ordered", ordered=True),
    Kind("crossing", crossing=True),
)


@dataclasses.dataclass(frozen=True)
class Fate:
    """When bridges are killed, and what happens meanwhile.

    Steps count from 0; times are in seconds.
    """

    killed_at: int
    store_is_away: bool = False
    """Of the first bridge, from the arrival on."""
    leaves: str = ""
    """Who hangs up while there is no bridge: ``a``, ``b``, or nobody."""
    leaves_after: float = 0.2
    next_after: float = 0.7
    leaves_at: tuple[int, str] | None = None
    """The step of the next bridge's at which somebody hangs up, and who."""
    killed_again_at: int | None = None
    """The step of the next bridge's at which it is killed, too."""


class Killed(asyncio.CancelledError):
    """What a killed bridge asks for is never done."""


class Rows:
    """Those of calls, with what the statements of `bridge.store.calls` do to them."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.calls: dict[uuid.UUID, dict[str, Any]] = {}
        self.legs: dict[tuple[uuid.UUID, str], dict[str, Any]] = {}
        self.events: list[tuple[uuid.UUID, dict[str, Any]]] = []

    def begin(self, arrival: Arrival) -> Lookup:
        side = Side.FIRST if arrival.caller == ALICE else Side.SECOND
        self.calls[arrival.call_id] = {
            "arrival": arrival,
            "started_at": arrival.started_at,
            "side": side,
            "ringing_at": None,
            "answered_at": None,
            "ended_at": None,
            "disposition": None,
        }
        self.legs[arrival.call_id, "a"] = dict.fromkeys(["ringing_at", "answered_at", "ended_at"])
        self.legs[arrival.call_id, "a"]["started_at"] = arrival.started_at
        return dataclasses.replace(
            ALICE_CALLS, caller=arrival.caller, caller_side=side, session=self.session
        )

    async def arrived(self, arrival: Arrival) -> Lookup:
        return self.begin(arrival)

    async def open_calls(self) -> Sequence[OpenCall]:
        return [
            OpenCall(
                arrival=row["arrival"],
                callee=BOB if row["side"] is Side.FIRST else ALICE,
                limits=self.session.limits,
                guard=self.session.manner.answer_guard,
                recording=self.session.recording,
                ringing_at=row["ringing_at"],
                answered_at=row["answered_at"],
                caller_ringing_at=self.legs[call, "a"]["ringing_at"],
                caller_answered_at=self.legs[call, "a"]["answered_at"],
                crossed=any(
                    other is not row
                    and other["answered_at"]
                    and other["answered_at"] >= row["started_at"]
                    for other in self.calls.values()
                ),
            )
            for call, row in self.calls.items()
            if not row["ended_at"]
        ]

    def _tale(self, call_id: uuid.UUID) -> Tale:
        row = self.calls[call_id]
        inbound = row["arrival"].origin is Origin.INBOUND
        return Tale(
            call_id,
            self.session.id,
            row["side"],
            self.session.account,
            {one["name"] for call, one in self.events if call == call_id},
            tells_all=False,
            prolongs=False,
            landed_at=row["arrival"].started_at if inbound else None,
            _connection=cast(Connection, None),
            _sql=self,
        )

    async def tell_of_call(self, _: Any, *, call_id: uuid.UUID, tellings: Any) -> None:
        self.events += [(call_id, one) for one in tellings]

    async def write_placed(self, _: Any, call_id: uuid.UUID, role: Role, at: datetime) -> None:
        await self._tale(call_id).is_placed(role, at)

    async def write_ringing(self, _: Any, call_id: uuid.UUID, role: Role, at: datetime) -> None:
        self._progress(call_id, role, ringing_at=at)
        await self._tale(call_id).rings(role, at)

    async def write_caller_answer(self, _: Any, call_id: uuid.UUID, at: datetime) -> None:
        self._progress(call_id, Role.A, answered_at=at)
        await self._tale(call_id).caller_answers(at)

    async def write_answer(
        self, _: Any, call_id: uuid.UUID, at: datetime | None, ringing_at: datetime | None
    ) -> None:
        self._progress(call_id, Role.B, ringing_at=ringing_at, answered_at=at)
        await self._tale(call_id).is_answered(at, ringing_at)

    async def write_new(self, _: Any, recording: Any) -> None: ...

    def _progress(self, call_id: uuid.UUID, role: Role, **facts: datetime | None) -> None:
        row = self.calls[call_id] if role is Role.B else self.legs[call_id, "a"]
        if not row["ended_at"]:
            row.update({name: row[name] or at for name, at in facts.items()})

    async def write_end(self, _: Any, record: CallRecord) -> None:
        row = self.calls[record.arrival.call_id]
        if not row["ended_at"]:
            row |= {
                "ringing_at": record.ringing_at or row["ringing_at"],
                "answered_at": record.answered_at or row["answered_at"],
                "ended_at": record.ended_at,
                "disposition": record.outcome.disposition.value,
                "reason": record.outcome.reason,
            }
        charges: dict[Role, Charge] = {}
        for leg in record.legs:
            charges[leg.role] = UNANSWERED
            if leg.answered_at and leg.ended_at:
                charges[leg.role] = Tariff().charge(leg.ended_at - leg.answered_at)
            key = record.arrival.call_id, str(leg.role)
            known = self.legs.setdefault(key, {"started_at": leg.started_at, "ended_at": None})
            if not known["ended_at"]:
                known |= {
                    "ringing_at": leg.ringing_at or known.get("ringing_at"),
                    "answered_at": leg.answered_at or known.get("answered_at"),
                    "ended_at": leg.ended_at,
                    "billed": charges[leg.role].billed_seconds,
                }
        await self._tale(record.arrival.call_id).ends(record, charges)


class BridgeProcess:
    """All of a bridge but its websocket and its API."""

    def __init__(self, world: "World") -> None:
        self.world = world
        self.dead = self.dead_by_kill = False
        self.steps: list[str] = []
        self.kill_at: int | None = None
        self.at_step: dict[int, Callable[[], None]] = {}
        self.died = asyncio.Event()
        self.store_is_away = False
        world.bridges.append(self)
        legs = self.legs = Legs()
        requests = ToldRequests(world.asterisk, self.step)
        self.switch = Asterisk(requests, legs, trunk="carrier")
        legs.serve(self.switch)
        self.requests = requests
        self.remains = Remains(requests, legs, self.switch)
        self.journal = Journal(
            cast(Database, self), cast(Calls, world.rows), cast(Recordings, world.rows)
        )
        now = world.asterisk.now
        self.switchboard = Switchboard(
            call_log=self.journal, release=self.switch.release, now=now, drain_timeout=60
        )
        self.housekeeping = Housekeeping(
            open_calls=world.rows,
            unwritten=self.journal,
            remains=self.remains,
            switchboard=self.switchboard,
            call_log=self.journal,
            switch=self.switch,
            now=now,
        )

    def step(self, what: str) -> None:
        if self.dead:
            raise Killed
        if meanwhile := self.at_step.get(len(self.steps)):
            meanwhile()
        self.steps.append(what)
        if self.kill_at is not None and len(self.steps) > self.kill_at:
            self.die()
            raise Killed

    def die(self) -> None:
        self.dead = self.dead_by_kill = True
        self.world.asterisk.serves = None
        self.died.set()

    @contextlib.asynccontextmanager
    async def transaction(self) -> AsyncIterator[None]:
        """A stand-in for the database: all of it or nothing."""
        if self.store_is_away:
            await asyncio.Event().wait()
        self.step("before commit")
        yield
        self.step("after commit")

    async def lives(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Until it is killed, or its work done."""
        async with self._up():
            await race(killed=self.died.wait(), done=work())

    @contextlib.asynccontextmanager
    async def _up(self) -> AsyncIterator[None]:
        async with asyncio.TaskGroup() as group:
            tasks = [
                group.create_task(self.switchboard.run()),
                group.create_task(self.journal.run()),
            ]
            await settle()
            try:
                yield
            finally:
                self.dead = True
                for task in tasks:
                    task.cancel()

    async def connects(self) -> None:
        self.world.asterisk.serves = self.legs
        await self.remains.look_back()
        await self.remains.resynchronise()
        await self.requests.beat(alive=True)
        await self.housekeeping.tidy()


class World:
    """What is there whoever is killed."""

    def __init__(self, kind: Kind) -> None:
        self.kind = kind
        self.asterisk = ToldAsterisk()
        self.rows = Rows(dataclasses.replace(SESSION, manner=kind.manner, recording=kind.recording))
        self.bridges: list[BridgeProcess] = []
        self.call_id, self.other_id = uuid.UUID(int=1), uuid.UUID(int=2)
        self.a = f"a-{self.call_id}" if kind.ordered else "1.1"
        self.b = b_channel_id(self.call_id)
        self.end_is_lost = False
        """The first bridge saw the end, and Postgres was away until it was killed."""

    async def lives(self, fate: Fate | None = None) -> None:
        """From the call's beginning to its end, through as many bridges as it takes."""
        first = BridgeProcess(self)
        await first.lives(functools.partial(self._begins, first, fate))
        if fate is None or not first.dead_by_kill:
            return
        self.end_is_lost = fate.store_is_away and "phone: hangs up" in first.steps
        self.asterisk.passes(fate.leaves_after)
        self._hang_up(fate.leaves)
        self.asterisk.passes(fate.next_after)
        second = BridgeProcess(self)
        second.kill_at = fate.killed_again_at
        if fate.leaves_at:
            step, who = fate.leaves_at
            second.at_step[step] = functools.partial(self._hang_up, who)
        await second.lives(functools.partial(self._goes_on, second))
        if second.dead_by_kill:
            self.asterisk.passes(fate.next_after)
            third = BridgeProcess(self)
            await third.lives(functools.partial(self._goes_on, third))

    async def _begins(self, bridge: "BridgeProcess", fate: Fate | None) -> None:
        await bridge.connects()
        bridge.steps.clear()
        if fate:
            bridge.kill_at, bridge.store_is_away = fate.killed_at, fate.store_is_away
        self.begins(bridge)
        await settle()
        await self._plays(bridge, first=True)
        if bridge.store_is_away:
            bridge.die()

    async def _goes_on(self, bridge: "BridgeProcess") -> None:
        await bridge.connects()
        await settle()
        await self._plays(bridge, first=False)
        self.asterisk.passes(4)  # so that nothing is young any more
        for _ in range(2):
            await bridge.housekeeping.tidy()
            await settle()

    def _hang_up(self, who: str) -> None:
        if who:
            self.asterisk.hangs_up({"a": self.a, "b": self.b}[who])

    def begins(self, bridge: "BridgeProcess") -> None:
        if self.kind.ordered:
            arrival = self._arrival(self.call_id, self.a, ALICE, Origin.CALL_ME)
            lookup = self.rows.begin(arrival)
            leg = bridge.legs.expect(self.a, LegState(placed=True))
            story = functools.partial(
                ordered_call,
                lookup=lookup,
                log=bridge.journal,
                switch=bridge.switch,
                prompts=FakePrompts({_PROMPT: "sound:x"}),
            )
            bridge.switchboard.take(LiveCall(arrival, leg), story)
        else:
            self._comes_in(bridge, self.call_id, self.a, ALICE)

    def _comes_in(
        self, bridge: BridgeProcess, call_id: uuid.UUID, channel_id: str, caller: PhoneNumber
    ) -> None:
        channel = self.asterisk.comes_in(channel_id)
        arrival = self._arrival(call_id, channel_id, caller, Origin.INBOUND)
        leg = bridge.legs.expect(channel_id, LegState())
        at = self.asterisk.stamp()
        leg.feed({"type": "StasisStart", "timestamp": at, "channel": channel.json()})
        story = functools.partial(
            masked_call,
            log=bridge.journal,
            switch=bridge.switch,
            prompts=FakePrompts({_PROMPT: "sound:x"}),
            application=FakeApplication(),
            calls=bridge.switchboard.calls,
            overload=lambda: None,
        )
        bridge.switchboard.take(LiveCall(arrival, leg), story)

    def _arrival(
        self, call_id: uuid.UUID, channel_id: str, caller: PhoneNumber, origin: Origin
    ) -> Arrival:
        return Arrival(
            call_id=call_id,
            channel_id=channel_id,
            caller=caller,
            dialled=VIRTUAL.e164,
            started_at=datetime.fromisoformat(self.asterisk.stamp()),
            origin=origin,
        )

    async def _plays(self, bridge: "BridgeProcess", *, first: bool) -> None:
        """What the phones still have to do, from where they are."""
        asterisk, channels = self.asterisk, self.asterisk.channels

        async def phone(what: str, act: Callable[[], None]) -> None:
            asterisk.passes(0.4)
            asterisk.variables[HEARTBEAT] = str(int(asterisk.now().timestamp()))
            act()
            bridge.step(f"phone: {what}")
            await settle()

        for one in [self.a, self.b] if self.kind.ordered else [self.b]:
            if one in channels and channels[one].state == "Down":
                await phone("rings", functools.partial(asterisk.rings, one))
            if first and self.kind.crossing and self.b in channels:
                self._comes_in(bridge, self.other_id, "1.2", BOB)
                await settle()
            if one in channels and channels[one].state == "Ringing":
                await phone("answers", functools.partial(asterisk.answers, one))
            if self.kind.manner.answer_guard is AnswerGuard.PRESS_1:
                await phone("presses 1", functools.partial(asterisk.presses, one, "1"))
        await phone("talks", functools.partial(asterisk.passes, 3))
        await phone("talks on", functools.partial(asterisk.passes, 0))
        await phone("hangs up", functools.partial(asterisk.hangs_up, self.a))

    @property
    def faults(self) -> Sequence[str]:
        """What must not be, when all is over."""
        faults = [f"channel {one} is left" for one in self.asterisk.channels]
        faults += [f"bridge {one} is left" for one in self.asterisk.bridges]
        if len(self.bridges) < 3:  # else one was killed between writing a record and clearing up
            words = [one for one in self.asterisk.variables if one.startswith("BRIDGE_ENDED")]
            faults += [f"{one} is left" for one in words]
        for call_id in self.rows.calls:
            faults += self._faults_of(call_id)
        return faults

    def _faults_of(self, call_id: uuid.UUID) -> Sequence[str]:
        call, a = self.rows.calls[call_id], self.rows.legs[call_id, "a"]
        b = self.rows.legs.get((call_id, "b"))
        if call["ended_at"] is None:
            return ["a call is left open"]
        faults = []
        crossed = self.kind.crossing and call["answered_at"] is not None
        completed = call["disposition"] == "completed"
        names = sorted(one["name"] for of, one in self.rows.events if of == call_id)
        if names != self._to_tell(call, a, b, crossed=crossed):
            faults.append(f"it has told {names}")
        for row in (call, a, *([b] if b else [])):
            times = [row[at] for at in ("started_at", "ringing_at", "answered_at", "ended_at")]
            known = [at for at in times if at]
            if known != sorted(known):
                faults.append(f"times in no order: {row}")
        if any(leg["billed"] < 0 for leg in (a, b) if leg):
            faults.append("billed for less than nothing")
        talked = [a] if crossed else [a, b]
        if completed and not all(leg and leg["answered_at"] for leg in (call, *talked)):
            faults.append("completed, and one was not answered")
        channels = self.asterisk.channels | self.asterisk.gone
        for channel_id, leg in ((call["arrival"].channel_id, a), (b_channel_id(call_id), b)):
            channel = channels.get(channel_id)
            if leg and leg["answered_at"] and not (channel and channel.answered_at):
                faults.append(f"{channel_id} was not answered")
            if channel and channel.joined_at and not self.end_is_lost:
                if not completed:
                    faults.append(f"{channel_id} was joined: {call['reason']}")
                if not (leg and leg["answered_at"]):
                    faults.append(f"{channel_id} was answered")
        return faults

    def _to_tell(
        self,
        call: Mapping[str, Any],
        a: Mapping[str, Any],
        b: Mapping[str, Any] | None,
        **how: bool,
    ) -> Sequence[str]:
        names = to_tell(
            {
                "disposition": call["disposition"],
                "caller_side": str(call["side"]),
                "a_answered": a["answered_at"],
                "has_b": b is not None,
                "b_rang": b and b["ringing_at"],
                "b_answered": b and b["answered_at"],
            }
        )
        extra = []
        if self.kind.ordered and a["ringing_at"]:
            extra.append("SessionFirstPartyRinging")
        if how["crossed"]:  # the other is answered in its own call
            other = "Second" if call["side"] is Side.FIRST else "First"
            extra.append(f"Session{other}PartyAnswer")
        return sorted({*names, *extra})


def live_through(kind: Kind, fate: Fate | None = None) -> World:
    """In fake time, and by Asterisk's clock."""
    world = World(kind)

    class Told(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> Any:
            return world.asterisk.now()

    loop = looptime.patch_event_loop(cast(asyncio.BaseEventLoop, asyncio.new_event_loop()))
    with (
        capture_logs(),
        pytest.MonkeyPatch.context() as patch,
        asyncio.Runner(loop_factory=lambda: loop) as runner,
    ):
        for module in ("remains", "client"):
            patch.setattr(f"bridge.ari.{module}.datetime", Told)
        runner.run(world.lives(fate))
    return world
