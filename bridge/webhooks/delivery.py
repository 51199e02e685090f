"""Bringing events to whom they are for: at least once, in order, the slow in nobody's way."""

import asyncio
import collections
import random
from collections.abc import Callable, Collection, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from datetime import datetime
from typing import Protocol

import structlog

from bridge import metrics
from bridge.domain.delivery import (
    Dead,
    Delivered,
    Failure,
    Kind,
    Retry,
    Rules,
    Verdict,
    of_status,
    rules_for,
    verdict,
)
from bridge.domain.errors import Unavailable
from bridge.domain.events import Event
from bridge.egress.client import Egress
from bridge.egress.errors import EgressError, Forbidden, TimedOut, Unreachable
from bridge.webhooks.request import Format, webhook_request

log = structlog.get_logger(__name__)

_PAUSE = 1.0  # seconds, while Postgres is away
_READ = 4096  # bytes of an answer; nobody looks at them
_NO_CONNECTION = {"no-such-host", "no-connection", "tls"}
_HOSTS = 1000  # of which is remembered whether they are quick


class Parcel(Protocol):
    """An event that nobody else sends now, nor any of its session that waits for it."""

    @property
    def event(self) -> Event: ...
    @property
    def host(self) -> str: ...
    @property
    def url(self) -> str | None: ...
    @property
    def method(self) -> str: ...
    @property
    def format(self) -> Format: ...
    @property
    def secrets(self) -> Sequence[str]: ...
    @property
    def attempts(self) -> int: ...
    @property
    def age(self) -> float: ...
    async def settle(self, verdict: Verdict) -> None: ...


class Outbox(Protocol):
    """Where events wait."""

    def take(
        self, busy_hosts: Collection[str], only_hosts: Collection[str] | None
    ) -> AbstractAsyncContextManager[Parcel | None]:
        """Raises: Unavailable: Postgres is away."""


class Delivery:
    """A few workers, each sending one event at a time.  Any number of processes may do this.

    A host gets one event at a time until it has been quick, and all that are slow together get half
    of the workers: a few that hang, each with so many events that one is always due, would
    otherwise have them all.  A quarter is for those that have been quick: there is no end to hosts
    that nobody has heard of, and that may hang.

    Args:
        rules: how an event is sent whose URL's fragment does not say otherwise.
        workers: requests at once.
        per_host: of them, to one host that is quick.
        slow_after: seconds that an attempt takes where a host is not.
    """

    def __init__(
        self,
        outbox: Outbox,
        egress: Egress,
        *,
        rules: Rules,
        now: Callable[[], datetime],
        workers: int = 20,
        per_host: int = 5,
        slow_after: float = 3.0,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._outbox = outbox
        self._egress = egress
        self._rules = rules
        self._now = now
        self._workers = workers
        self._per_host = per_host
        self._slow_after = slow_after
        self._chance = chance
        self._sending: collections.Counter[str] = collections.Counter()
        self._is_quick: dict[str, bool] = {}
        self._taking = asyncio.Lock()
        self._hints: asyncio.Queue[None] = asyncio.Queue(workers)

    def wake(self) -> None:
        """There may be something to send.  Wakes one worker, which wakes the next if there is."""
        if not self._hints.full():
            self._hints.put_nowait(None)

    async def look(self) -> None:
        """`wake`, as a `bridge.store.listener.Listener` calls it."""
        self.wake()

    async def run(self) -> None:
        """Send until cancelled; what is being sent then is sent again by somebody else."""
        async with asyncio.TaskGroup() as group:
            for number in range(self._workers):
                group.create_task(self._work(), name=f"webhooks {number}")

    async def _work(self) -> None:
        while True:
            await self._hints.get()
            try:
                # Again, for the next of a session waits for the one before, and others for a place
                # at its host.
                while await self.send_one():
                    pass
                continue
            except Unavailable:
                log.debug("events wait for postgres")
            except Exception:
                log.exception("a worker of webhooks failed")  # and with it no call
            await asyncio.sleep(_PAUSE)
            self.wake()

    async def send_one(self) -> bool:
        """Send the event that is due longest; ``False`` if none is that may be sent now.

        Raises:
            Unavailable: Postgres is away, or went away: the event will be sent again.
        """
        async with AsyncExitStack() as held:
            async with self._taking:  # so that no two take the last place at one host
                parcel = await held.enter_async_context(
                    self._outbox.take(self._busy(), self._only())
                )
                if parcel is None:
                    return False
                self._sending[parcel.host] += 1
            self.wake()
            begun_at = asyncio.get_running_loop().time()
            try:
                made = await self._attempt(parcel)
                self._note_pace(parcel.host, asyncio.get_running_loop().time() - begun_at)
                await parcel.settle(made)
            finally:
                self._sending[parcel.host] -= 1
                if not self._sending[parcel.host]:
                    del self._sending[parcel.host]
        self._report(parcel, made)
        return True

    def _busy(self) -> Collection[str]:
        """Hosts that get no more for now."""
        busy = {
            host
            for host, n in self._sending.items()
            if n >= (self._per_host if self._is_quick.get(host) else 1)
        }
        slow = {host for host, quick in self._is_quick.items() if not quick}
        if sum(self._sending[host] for host in slow) >= max(1, self._workers // 2):
            busy |= slow
        return busy

    def _only(self) -> Collection[str] | None:
        """Hosts that have the last quarter of the workers to themselves; ``None``: there are more
        workers free."""
        others = sum(n for host, n in self._sending.items() if not self._is_quick.get(host))
        if others < self._workers - self._workers // 4:
            return None
        return {host for host, is_quick in self._is_quick.items() if is_quick}

    def _note_pace(self, host: str, seconds: float) -> None:
        self._is_quick.pop(host, None)
        self._is_quick[host] = seconds < self._slow_after
        if len(self._is_quick) > _HOSTS:
            del self._is_quick[next(iter(self._is_quick))]  # asked for the longest time ago

    async def _attempt(self, parcel: Parcel) -> Verdict:
        if parcel.url is None:
            return Dead("no-url")
        rules = rules_for(parcel.url, self._rules)
        try:
            failure = await self._send(parcel, parcel.url, rules)
        except EgressError as error:
            failure = _failure(error)
        except Exception:
            # A fault of ours with one event must not be the end of all others.
            log.exception("event not sent", event_id=str(parcel.event.id))
            failure = Failure("crash", frozenset(Kind))
        return verdict(
            failure, rules, attempt=parcel.attempts + 1, age=parcel.age, chance=self._chance()
        )

    async def _send(self, parcel: Parcel, url: str, rules: Rules) -> Failure | None:
        request = webhook_request(
            parcel.event,
            method=parcel.method,
            url=url,
            format=parcel.format,
            signed_with=parcel.secrets,
            at=self._now(),
        )
        answer = await self._egress.call(
            request.method,
            request.url,
            headers=request.headers,
            body=request.body,
            connect_within=rules.connect_within,
            within=rules.within,
            read=_READ,
        )
        return of_status(answer.status)

    def _report(self, parcel: Parcel, made: Verdict) -> None:
        told = {
            "event_id": str(parcel.event.id),
            "event_name": parcel.event.name,
            "attempt": parcel.attempts + 1,
        }
        match made:
            case Delivered():
                metrics.WEBHOOKS.labels("delivered").inc()
                log.debug("event delivered", **told)
            case Retry(delay, reason):
                metrics.WEBHOOKS.labels("retried").inc()
                log.debug("event not delivered yet", reason=reason, **told)
                asyncio.get_running_loop().call_later(delay, self.wake)
            case Dead(reason):
                metrics.WEBHOOKS.labels("dead").inc()
                log.warning("event is dead", reason=reason, **told)


def _failure(error: EgressError) -> Failure:
    match error:
        case TimedOut():
            kinds = {Kind.CONNECT, Kind.READ}
        case Unreachable() if error.reason in _NO_CONNECTION:
            kinds = {Kind.CONNECT}
        case Forbidden():
            kinds = {Kind.OTHER}
        case _:
            kinds = {Kind.READ}
    return Failure(error.reason, frozenset(kinds))
