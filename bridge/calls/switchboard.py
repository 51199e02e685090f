"""Every live call in a task of its own: arrivals, isolation, drain."""

import asyncio
from collections.abc import Awaitable, Callable, Collection
from datetime import datetime
from uuid import UUID

import structlog

from bridge import metrics
from bridge.ari.errors import AriError
from bridge.ari.leg import Leg
from bridge.calls.live_call import LiveCall, over, record_of
from bridge.calls.ports import CallLog
from bridge.domain.errors import Unavailable
from bridge.domain.outcomes import (
    ASTERISK_FAILED,
    CRASHED,
    DRAINED,
    LOST,
    STORE_FAILED,
    Fault,
    Outcome,
)
from bridge.domain.recordings import Pause
from bridge.domain.records import CallRecord, Over

log = structlog.get_logger(__name__)

Story = Callable[[LiveCall], Awaitable[Outcome]]


class Switchboard:
    """Runs a story for every call, and sees to it that each leaves exactly one record.

    Args:
        release: ends a leg if it is still up, and waits until it is gone.
        drain_timeout: seconds that live calls get once `close` was called.
    """

    def __init__(
        self,
        *,
        call_log: CallLog,
        release: Callable[[Leg], Awaitable[None]],
        now: Callable[[], datetime],
        drain_timeout: float,
    ) -> None:
        self._call_log = call_log
        self._release = release
        self._now = now
        self._drain_timeout = drain_timeout
        self._calls: dict[UUID, LiveCall] = {}
        self._tasks: dict[UUID, asyncio.Task[None]] = {}
        self._group: asyncio.TaskGroup | None = None
        self._closed = asyncio.Event()

    @property
    def live(self) -> frozenset[UUID]:
        """Ids of the calls that are up."""
        return frozenset(self._tasks)

    @property
    def calls(self) -> Collection[LiveCall]:
        """The calls that are up."""
        return self._calls.values()

    @property
    def over(self) -> Over:
        """Those of them that are over, or about to be."""
        return over(self._calls.values())

    def close(self) -> None:
        """No new calls are to come; `run` returns when the live ones are over."""
        self._closed.set()

    async def run(self) -> None:
        """Carry calls until `close`, then let the live ones finish, and end those that do not."""
        async with asyncio.TaskGroup() as self._group:
            await self._closed.wait()
            if self._tasks:
                log.info("draining", live_calls=len(self._tasks))
                await asyncio.wait(self._tasks.values(), timeout=self._drain_timeout)
            for task in self._tasks.values():
                task.cancel()

    def take(self, call: LiveCall, story: Story) -> None:
        """Carry ``call``, from the beginning or from where it is, by ``story``.  Never blocks."""
        if self._group is None:
            raise RuntimeError("the switchboard is not running")
        task = self._group.create_task(self._carry(call, story), name=f"call {call.id}")
        self._calls[call.id], self._tasks[call.id] = call, task
        task.add_done_callback(lambda _: self._forget(call.id))

    def hang_up(self, call_id: UUID) -> None:
        """Have a call end for its customer asks for it; one that is over is no error."""
        if call := self._calls.get(call_id):
            call.asked_to_end.set()

    def pause_recording(self, pause: Pause) -> None:
        """Have a recording paused, or go on; of a call that is over it is no error."""
        if call := self._calls.get(pause.call_id):
            call.pauses.put_nowait(pause)

    def _forget(self, call_id: UUID) -> None:
        self._calls.pop(call_id, None)
        self._tasks.pop(call_id, None)

    async def _carry(self, call: LiveCall, story: Story) -> None:
        """The call's last line of defence: a bug ends this call, no other, and is recorded."""
        structlog.contextvars.bind_contextvars(call_id=str(call.id))
        outcome = CRASHED
        try:
            outcome = await story(call)
        except asyncio.CancelledError:
            outcome = DRAINED
            raise
        except AriError as error:
            outcome = ASTERISK_FAILED
            log.error("asterisk failed the call", error=error)
        except Unavailable:
            outcome = STORE_FAILED
        except Exception:
            log.exception("call crashed")
        finally:
            call.over.set()
            legs = [leg for leg in (call.a_leg, call.b_leg) if leg]
            for leg in legs:
                await self._release(leg)
            # Of one, perhaps: the first that an Asterisk ends as it stops ends the other at once.
            if any(leg.state.switch_restarted for leg in legs):
                outcome = LOST
            record = record_of(call, outcome, now=self._now())
            self._call_log.ended(record)
            _log_end(record)


def _log_end(record: CallRecord) -> None:
    outcome = record.outcome
    metrics.CALLS.labels(outcome.disposition, outcome.fault, outcome.reason).inc()
    level = log.warning if outcome.fault in {Fault.US, Fault.CARRIER} else log.info
    level(
        "call ended",
        disposition=outcome.disposition,
        reason=outcome.reason,
        fault=outcome.fault,
        hung_up_by=outcome.hung_up_by,
        causes=[leg.hangup_cause for leg in record.legs],
        sip_codes=[leg.sip_code for leg in record.legs],
        ring_s=_seconds(record.ringing_at, record.answered_at or record.ended_at),
        talk_s=_seconds(record.answered_at, record.ended_at),
    )


def _seconds(start: datetime | None, end: datetime) -> float:
    return round((end - start).total_seconds(), 3) if start else 0.0
