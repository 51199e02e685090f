"""The fake Asterisk and the real one behind the same handles."""

import asyncio
import contextlib
import dataclasses
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Protocol

import pydantic

from bridge.ari.client import Asterisk
from bridge.ari.leg import Leg
from bridge.ari.legs import Legs
from bridge.ari.remains import Remains as RealRemains
from bridge.ari.requests import Requests
from bridge.ari.stream import EventStream, InboundCall
from bridge.ari.transport import Transport
from bridge.calls.housekeeping import Remains
from bridge.calls.ports import Switch
from bridge.config import SiteSettings
from bridge.domain.causes import Cause
from bridge.embedded import asterisk as embedded
from bridge.embedded.install import install
from bridge.embedded.phones.phone import Phone
from bridge.embedded.phones.steps import Callee, Caller, scenario, wait_for_cue
from bridge.embedded.stack import Place, private_place
from tests.fakes.asterisk import FakeAsterisk
from tests.people import ALICE, VIRTUAL

_CAUSES = {
    486: Cause.USER_BUSY,
    404: Cause.UNALLOCATED,
    603: Cause.CALL_REJECTED,
    503: Cause.CONGESTION,
}


@dataclasses.dataclass(frozen=True)
class Play:
    """What the people of a scenario do."""

    callee: str = "answers"
    """``answers``, ``rings`` and no more, or a final status such as ``486 Busy Here``."""
    ended_by: str = "caller"
    """Who hangs up on `Rig.end`: ``caller``, ``callee``, or ``us``."""
    asked: str = ""
    """What the callee's phone, of which no audio comes, says when it is asked whether it is there;
    empty: it is not asked."""

    @property
    def is_gone(self) -> bool:
        return self.asked.startswith("481")


class Rig(Protocol):
    """An Asterisk, and two phones."""

    switch: Switch
    remains: Remains

    async def comes_in(self, play: Play) -> Leg:
        """The caller's phone calls; its leg as the Stasis application gets it."""

    async def callee_acts(self, leg: Leg) -> None:
        """The callee's phone does what the play says; what it does may still be on its way."""

    async def sound_ends(self, leg: Leg) -> None:
        """The sound that plays on the leg comes to its end, now or soon."""

    async def answers_the_question(self) -> None:
        """Return once the callee's phone was asked whether it is there, and answered."""

    async def end(self) -> None:
        """Whoever the play says hangs up."""


class FakeRig:
    """The test plays the phones."""

    def __init__(self) -> None:
        self.asterisk = FakeAsterisk(silence=0.01)
        self.switch: Switch = self.asterisk
        self.remains: Remains = self.asterisk

    async def comes_in(self, play: Play) -> Leg:
        self._play = play
        self._a_leg = self.asterisk.comes_in()
        return self._a_leg

    async def callee_acts(self, leg: Leg) -> None:
        self._b_leg = leg
        if self._play.asked:
            self.asterisk.silent.add(leg.channel_id)
        if self._play.is_gone:
            self.asterisk.deaf.add(leg.channel_id)
        self.asterisk.rings(leg)
        if self._play.callee == "answers":
            self.asterisk.answers(leg)
        elif self._play.callee != "rings":
            status = int(self._play.callee[:3])
            blocked = self._play.callee == "603 Network Blocked"
            self.asterisk.hangs_up(leg, _CAUSES[status], status, blocked=blocked)

    async def sound_ends(self, leg: Leg) -> None:
        await asyncio.sleep(0)  # whoever plays it begins
        self.asterisk.has_played(leg)

    async def answers_the_question(self) -> None:
        await self.asterisk.asked.wait()

    async def end(self) -> None:
        self.asterisk.hangs_up(self._a_leg if self._play.ended_by == "caller" else self._b_leg)


class RealRig:
    """Asterisk 22 with our configuration, our side of ARI, and SIPp."""

    def __init__(
        self, directory: Path, arrivals: "asyncio.Queue[InboundCall]", **parts: Any
    ) -> None:
        self.switch: Switch = parts["switch"]
        self.remains: Remains = parts["remains"]
        self.place: Place = parts["place"]
        self.arrivals = arrivals
        self._server: embedded.Asterisk = parts["server"]
        self._directory = directory
        self._phones: list[Phone] = []

    @classmethod
    @contextlib.asynccontextmanager
    async def up(cls, directory: Path) -> AsyncIterator["RealRig"]:
        place, password = private_place(), "contract-" * 4
        site = SiteSettings(
            ari_password=pydantic.SecretStr(password),
            ari_port=place.ari_port,
            sip_host=place.sip_host,
            trunk_host=place.trunk_host,
            trunk_match=place.trunk_match,
        )
        server = embedded.Asterisk(install(), site, log_file=directory / "asterisk.log")
        await asyncio.to_thread(server.start)
        transport = Transport(
            f"http://127.0.0.1:{place.ari_port}", site.ari_user, password, command_timeout=5
        )
        legs, arrivals, connected = Legs(), asyncio.Queue[InboundCall](), asyncio.Event()
        requests = Requests(transport, app="bridge")
        asterisk = Asterisk(requests, legs, trunk="carrier", silence=1)
        legs.serve(asterisk)
        remains = RealRemains(requests, legs, asterisk)
        stream = EventStream(
            requests,
            remains,
            legs,
            arrived=arrivals.put_nowait,
            connected=connected.set,
            replaced=lambda: None,
        )
        rig = cls(directory, arrivals, switch=asterisk, remains=remains, place=place, server=server)
        try:
            async with asyncio.TaskGroup() as group:
                running = group.create_task(stream.run())
                await connected.wait()
                yield rig
                running.cancel()
        finally:
            for phone in rig._phones:
                phone.stop()
            await transport.close()
            await asyncio.to_thread(server.stop)

    @property
    def log_text(self) -> str:
        """Everything that Asterisk has written to any log."""
        return self._server.log_text

    async def comes_in(self, play: Play) -> Leg:
        self._play = play
        a, b = Caller(), Callee()
        self._callee = await self._phone("callee", scenario(*self._callee_steps(b)))
        self._caller = await self._phone(
            "caller",
            scenario(*self._caller_steps(a)),
            target=self.place.sip,
            dialled=VIRTUAL.e164,
        )
        async with asyncio.timeout(30):
            return (await self.arrivals.get()).leg

    async def callee_acts(self, leg: Leg) -> None:
        """SIPp does it by itself."""

    async def sound_ends(self, leg: Leg) -> None:
        """So does Asterisk."""

    async def answers_the_question(self) -> None:
        await asyncio.to_thread(self._callee.has_sent, f"SIP/2.0 {self._play.asked}")

    async def end(self) -> None:
        phone = self._caller if self._play.ended_by == "caller" else self._callee
        answered = self._play.callee == "answers"
        seen = ("SIP/2.0 200" if answered else "SIP/2.0 180") if phone is self._caller else "ACK"
        await asyncio.to_thread(phone.has_seen, seen)
        phone.cue()

    async def phones_are_content(self) -> None:
        """Both phones have seen what their scenarios say, to the end."""
        await asyncio.to_thread(self._caller.finish)
        await asyncio.to_thread(self._callee.finish)

    def _caller_steps(self, a: Caller) -> list[str]:
        if self._play.callee == "rings":
            return [a.invite(), a.hears_ringback(), wait_for_cue(), a.cancels()]
        if self._play.callee != "answers":
            return [a.invite(), a.is_refused(480)]
        talk = [a.invite(), a.hears_ringback(), a.is_answered()]
        if self._play.ended_by == "caller" and not self._play.is_gone:
            return [*talk, wait_for_cue(), a.hangs_up()]
        return [*talk, a.is_hung_up_on()]

    def _callee_steps(self, b: Callee) -> list[str]:
        if self._play.callee == "rings":
            return [b.is_called(), b.rings(), b.is_cancelled()]
        if self._play.callee != "answers":
            return [b.is_called(), b.rings(), b.fails(self._play.callee)]
        talk = [b.is_called(), b.rings(), b.answers()]
        if self._play.asked:
            talk.append(b.is_asked(self._play.asked))
        if self._play.ended_by == "callee":
            return [*talk, wait_for_cue(), b.hangs_up()]
        return [*talk, b.is_hung_up_on()]

    async def _phone(
        self, name: str, steps: str, *, target: str | None = None, dialled: str = ""
    ) -> Phone:
        phone = Phone(
            name,
            steps,
            self._directory,
            address=f"{self.place.caller_address}:0" if target else self.place.trunk_host,
            target=target,
            dialled=dialled,
            keywords={"number": ALICE.e164},
        )
        self._phones.append(phone)
        return await asyncio.to_thread(phone.start)
