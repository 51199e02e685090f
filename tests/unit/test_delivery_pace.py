"""Who is sent events next, where some receivers hang and always have others due."""

import asyncio
import collections
import dataclasses
import uuid
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from typing import Any, cast

import pytest

from bridge.domain.delivery import Rules, Verdict
from bridge.domain.events import SESSION_TIMEOUT, Event
from bridge.domain.privacy import OPEN
from bridge.egress.client import Answer, Egress
from bridge.egress.errors import TimedOut
from bridge.webhooks.delivery import Delivery
from bridge.webhooks.request import Format
from tests.fakes.asterisk import EPOCH

pytestmark = pytest.mark.looptime


@dataclasses.dataclass
class Parcel:
    host: str
    url: str
    method: str = "POST"
    format: Format = "form"
    secrets: tuple[str, ...] = ()
    attempts: int = 0
    age: float = 0.0
    event: Event = dataclasses.field(
        default_factory=lambda: Event(
            id=uuid.uuid4(),
            account="MA",
            session=uuid.uuid4(),
            sequence=1,
            name=SESSION_TIMEOUT,
            happened_at=EPOCH,
            attributes={},
            caller=None,
            callee=None,
            virtual_number=None,
            privacy=OPEN,
        )
    )

    async def settle(self, verdict: Verdict) -> None:
        pass


class Outbox:
    """Something is due for each host, always, and for those before it for longer."""

    def __init__(self, *hosts: str) -> None:
        self._hosts = hosts

    @asynccontextmanager
    async def take(
        self, busy_hosts: Collection[str], only_hosts: Collection[str] | None
    ) -> AsyncIterator[Parcel | None]:
        allowed = (host for host in self._hosts if only_hosts is None or host in only_hosts)
        host = next((host for host in allowed if host not in busy_hosts), None)
        yield Parcel(host, f"http://{host}/") if host else None


class EverNew(Outbox):
    """As `Outbox`, and for longest something for a host that was never heard of."""

    newcomers = True

    @asynccontextmanager
    async def take(
        self, busy_hosts: Collection[str], only_hosts: Collection[str] | None
    ) -> AsyncIterator[Parcel | None]:
        if self.newcomers and only_hosts is None:
            host = f"{uuid.uuid4()}.hangs"
            yield Parcel(host, f"http://{host}/")
        else:
            async with super().take(busy_hosts, only_hosts) as parcel:
                yield parcel


class Receivers:
    """Take what they get, in a second; those that hang do not."""

    def __init__(self) -> None:
        self.hang: set[str] = set()
        self.got: collections.Counter[str] = collections.Counter()

    async def call(self, _method: str, url: str, *, within: float, **_options: Any) -> Answer:
        host = url.removeprefix("http://").rstrip("/")
        self.got[host] += 1
        hangs = host in self.hang or host.endswith(".hangs")
        await asyncio.sleep(within if hangs else 1.0)
        if hangs:
            raise TimedOut("timed-out")
        return Answer(200, {}, b"")


async def run(delivery: Delivery, seconds: float) -> None:
    delivery.wake()
    async with asyncio.TaskGroup() as group:
        running = group.create_task(delivery.run())
        await asyncio.sleep(seconds)
        running.cancel()


def delivery_to(receivers: Receivers, *hosts: str, outbox: Outbox | None = None) -> Delivery:
    return Delivery(
        outbox or Outbox(*hosts),
        cast(Egress, receivers),
        rules=Rules(within=15),
        now=lambda: EPOCH,
        workers=8,
        per_host=2,
    )


async def test_hosts_that_hang_do_not_take_every_worker() -> None:
    receivers = Receivers()
    receivers.hang = {f"hangs-{n}" for n in range(10)}
    delivery = delivery_to(receivers, *sorted(receivers.hang), "quick")
    await run(delivery, 45.5)  # until each was asked once
    receivers.got.clear()
    await run(delivery, 60.5)
    assert receivers.got["quick"] > 100, "two a second"
    assert sum(receivers.got[host] for host in receivers.hang) >= 4 * 4, (
        "they are tried all the same"
    )


async def test_ever_new_hosts_that_hang_do_not_take_every_worker() -> None:
    """Whoever has a domain has any number of hosts."""
    receivers, outbox = Receivers(), EverNew("quick")
    delivery = delivery_to(receivers, outbox=outbox)
    outbox.newcomers = False  # as yet
    await run(delivery, 5.5)
    outbox.newcomers = True
    receivers.got.clear()
    await run(delivery, 60.5)
    assert receivers.got["quick"] > 100, "two a second"
    assert sum(receivers.got.values()) - receivers.got["quick"] >= 4 * 4, "they are tried, too"


async def test_a_host_that_is_quick_again_gets_as_much_as_before() -> None:
    receivers = Receivers()
    delivery = delivery_to(receivers, "moody")
    await run(delivery, 10.5)
    assert receivers.got["moody"] == 1 + 2 * 10
    receivers.hang = {"moody"}
    await run(delivery, 15.5)
    receivers.got.clear()
    await run(delivery, 30.5)
    assert receivers.got["moody"] == 3, "one at a time"
    receivers.hang = set()
    receivers.got.clear()
    await run(delivery, 10.5)
    assert receivers.got["moody"] == 1 + 2 * 10
