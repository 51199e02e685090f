"""A switchboard with a fake Asterisk: the test plays the phones, time is not real."""

import asyncio
import dataclasses
import functools
import uuid
from collections.abc import AsyncIterator

import pytest

from bridge.ari.leg import Leg
from bridge.calls.live_call import LiveCall
from bridge.calls.masked_call import masked_call
from bridge.calls.switchboard import Switchboard
from bridge.domain.numbers import PhoneNumber
from bridge.domain.records import Arrival, CallRecord
from tests.fakes.application import FakeApplication
from tests.fakes.asterisk import EPOCH, FakeAsterisk
from tests.fakes.call_log import FakeCallLog
from tests.fakes.prompts import FakePrompts
from tests.people import ALICE, ALICE_CALLS, VIRTUAL


@dataclasses.dataclass
class Exchange:
    """Everything a story runs on."""

    asterisk: FakeAsterisk
    call_log: FakeCallLog
    switchboard: Switchboard
    prompts: FakePrompts
    application: FakeApplication
    overload: str | None = None

    async def comes_in(
        self, caller: PhoneNumber | None = ALICE, *, dialled: str = VIRTUAL.e164
    ) -> LiveCall:
        """A call arrives, and its story goes on until it has to wait for somebody."""
        call_id = uuid.uuid4()
        leg = self.asterisk.comes_in(f"a-{call_id}")
        arrival = Arrival(
            call_id=call_id,
            channel_id=leg.channel_id,
            caller=caller,
            dialled=dialled,
            started_at=EPOCH,
        )
        call = LiveCall(arrival, leg)
        story = functools.partial(
            masked_call,
            log=self.call_log,
            switch=self.asterisk,
            prompts=self.prompts,
            application=self.application,
            calls=self.switchboard.calls,
            overload=lambda: self.overload,
        )
        self.switchboard.take(call, story)
        await settle()
        return call

    @property
    def record(self) -> CallRecord:
        """The one record there is."""
        [record] = self.call_log.records
        return record

    def told(self, leg: Leg | None) -> list[int]:
        """The causes with which a leg was hung up."""
        assert leg
        return [
            details[1]
            for command, *details in self.asterisk.log
            if command == "hangup" and details[0] == leg.channel_id
        ]


async def settle() -> None:
    """Let everything that can go on go on, without any time passing."""
    for _ in range(200):
        await asyncio.sleep(0)


@pytest.fixture
async def exchange() -> AsyncIterator[Exchange]:
    """At the end of every story: nothing is left up, and each call has exactly one record."""
    asterisk, call_log = FakeAsterisk(), FakeCallLog(ALICE_CALLS)
    switchboard = Switchboard(
        call_log=call_log, release=asterisk.release, now=lambda: EPOCH, drain_timeout=60.0
    )
    exchange = Exchange(asterisk, call_log, switchboard, FakePrompts(), FakeApplication())
    async with asyncio.TaskGroup() as group:
        group.create_task(switchboard.run())
        await settle()
        yield exchange
        switchboard.close()
    assert asterisk.legs == {}
    assert asterisk.bridges == set()
    assert len({record.arrival.call_id for record in call_log.records}) == len(call_log.records)
    for command in asterisk.log:
        if command[0] == "dial":
            assert ALICE.e164 not in command[2:], "the caller's number crossed to the callee's leg"
