"""What a crash, a restart or a gap left behind: calls to take up again, and things to remove."""

import asyncio
import contextlib
import functools
from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID

import structlog

from bridge.aio import alongside
from bridge.ari.errors import AriError
from bridge.ari.leg import Leg
from bridge.calls.crossing import lent
from bridge.calls.dialogue import accepts
from bridge.calls.live_call import LiveCall, first_to_end, talk_over
from bridge.calls.masked_call import answered, join, ready, talking
from bridge.calls.ports import CallLog, Switch
from bridge.calls.recording import obey_pauses
from bridge.calls.switchboard import Switchboard
from bridge.domain.errors import Unavailable
from bridge.domain.numbers import PhoneNumber
from bridge.domain.outcomes import LOST_WHILE_RINGING, Outcome
from bridge.domain.records import OpenCall
from bridge.domain.verdicts import callee_failed, caller_failed

log = structlog.get_logger(__name__)

_INTERVAL = 30.0
_SHORT_INTERVAL = 2.0  # while calls that nobody carries may be waiting


class OpenCalls(Protocol):
    """The calls of this bridge whose record is not complete."""

    async def open_calls(self) -> Sequence[OpenCall]:
        """Raises: Unavailable: Postgres is away."""


class Unwritten(Protocol):
    """What is on its way to Postgres."""

    @property
    def unwritten(self) -> Collection[UUID]:
        """Calls that something is still to be written about."""


class Remains(Protocol):
    """What Asterisk still holds of calls that nobody carries."""

    def take_up(self, call: OpenCall) -> tuple[Leg, Leg]:
        """The legs of a call that an earlier process carried."""

    async def resynchronise(self) -> None:
        """Tell every leg what it may have missed; one that is gone learns that it is lost."""

    async def sweep(self, open_calls: Sequence[OpenCall]) -> bool:
        """Remove what is of ours and belongs to no leg we know, nor tells of one of these calls.

        ``False``: something was left for the next time, such as what may be on its way to us.
        """


class Housekeeping:
    """Runs after every connection to Asterisk, and from time to time."""

    def __init__(
        self,
        *,
        open_calls: OpenCalls,
        unwritten: Unwritten,
        remains: Remains,
        switchboard: Switchboard,
        call_log: CallLog,
        switch: Switch,
        now: Callable[[], datetime],
    ) -> None:
        self._open_calls = open_calls
        self._unwritten = unwritten
        self._remains = remains
        self._switchboard = switchboard
        self._call_log = call_log
        self._switch = switch
        self._now = now
        self._due = asyncio.Event()

    def connected(self) -> None:
        """Events may have been missed: look at once."""
        self._due.set()

    async def run(self) -> None:
        """Tidy up until cancelled."""
        await self._due.wait()
        while True:
            self._due.clear()
            pause = _SHORT_INTERVAL
            try:
                if await self.tidy():
                    pause = _INTERVAL
            # Also if Asterisk refuses: whatever one channel is like, the calls of others go on.
            except (AriError, Unavailable) as error:
                log.warning("housekeeping put off", error=error)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await self._due.wait()

    async def tidy(self) -> bool:
        """Take up the calls nobody carries, then remove what belongs to no call.

        In this order, for to sweep before the calls are known would end them.  ``False``: something
        was left that may be nobody's, and is to be looked at again soon.

        Raises:
            Unavailable: Postgres or Asterisk is away.
            AriError: Asterisk refused to say what it has.
        """
        carried = self._switchboard.live | set(self._unwritten.unwritten)
        open_calls = await self._open_calls.open_calls()
        abandoned = [
            call
            for call in open_calls
            if call.arrival.call_id not in carried | self._switchboard.live
        ]
        taken_up = [(call, *self._remains.take_up(call)) for call in abandoned]
        await self._remains.resynchronise()
        earlier: list[tuple[OpenCall, LiveCall]] = []
        for call, a_leg, b_leg in taken_up:
            log.info("call taken up", call_id=str(call.arrival.call_id))
            live = LiveCall(call.arrival, a_leg, call.callee, b_leg)
            story = functools.partial(self._resume, found=call)
            if other := _crossed(call, live, earlier):
                live.b_leg, other.crossed_by = None, live
                story = functools.partial(self._resume_lent, found=call, other=other)
            earlier.append((call, live))
            self._switchboard.take(live, story)
        return await self._remains.sweep(open_calls)

    async def _resume(self, call: LiveCall, found: OpenCall) -> Outcome:
        """The rest of a call's story, from where its legs are now."""
        a_leg, limits = call.a_leg, found.limits
        b_leg = call.crossed_by.a_leg if call.crossed_by else call.b_leg
        if b_leg is None or limits is None:
            return LOST_WHILE_RINGING
        joined_at = found.answered_at or _joined_at(a_leg, b_leg)
        if joined_at is None and a_leg.state.placed and a_leg.state.failed:
            return caller_failed(a_leg.state.evidence)
        if joined_at is None and b_leg.state.failed:
            failed, cause = callee_failed(b_leg.state.evidence)
            await a_leg.hangup(cause)
            return failed
        if joined_at is None:  # it is not too late to answer the caller
            # Else the other may have been made and never dialled: it would never ring.
            dialled = a_leg.state.coupled or b_leg.state.ringing or b_leg.state.answered
            if a_leg.state.ended or b_leg.state.ended or not dialled:
                return LOST_WHILE_RINGING
            await self._switch.couple(a_leg, b_leg)
            call.recording = found.recording
            outcome = await answered(call, b_leg, limits)
            if outcome is None:
                accept = functools.partial(accepts, b_leg, found.guard)
                outcome = await ready(call, b_leg, limits, accept)
            return outcome or await join(
                call, b_leg, limits, log=self._call_log, switch=self._switch
            )
        if found.answered_at is None:  # whoever saw it could not write it down
            self._call_log.answered(call.id, joined_at, ringing_at=b_leg.state.ringing_at)
        # One may have ended before it could be asked.
        for leg in [a_leg] if found.crossed and not call.crossed_by else [a_leg, b_leg]:
            leg.was_joined(joined_at)
        call.joined, call.answered_at = True, joined_at
        left = limits.call_time_limit - (self._now() - joined_at).total_seconds()
        if a_leg.state.ended_at and b_leg.state.ended_at:
            # What is left of their bridge is removed once this is written down.
            talked = (a_leg.state.ended_at - joined_at).total_seconds()
            return talk_over(
                first_to_end(a_leg.state, b_leg.state),
                a_leg.state,
                b_leg.state,
                time_is_up=talked >= limits.call_time_limit,
            )
        left = max(left, 0)
        async with (
            self._switch.joined(a_leg, b_leg, call_id=call.id, call_time_limit=left),
            alongside(obey_pauses(call, b_leg, log=self._call_log, switch=self._switch)),
        ):
            return await talking(
                call, b_leg, within=left, warning=limits.warning, switch=self._switch
            )

    async def _resume_lent(self, call: LiveCall, found: OpenCall, other: LiveCall) -> Outcome:
        """The rest of a call whose caller's leg is in the bridge of the other, which it crossed."""
        joined_at = found.answered_at or call.a_leg.state.joined_at
        if found.answered_at is None:
            self._call_log.answered(call.id, joined_at, ringing_at=None)
        if joined_at:
            call.a_leg.was_joined(joined_at)
        call.joined, call.answered_at = True, joined_at
        return await lent(call, other)


def _crossed(
    found: OpenCall, call: LiveCall, earlier: Sequence[tuple[OpenCall, LiveCall]]
) -> LiveCall | None:
    """The call that rang this one's caller, who was joined to it though nobody was rung for him.

    A session has one call at a time but for that.
    """
    if not (found.answered_at or call.a_leg.state.joined_at):
        return None
    if call.b_leg and call.b_leg.state.answered:
        return None
    return next(
        (
            other
            for before, other in earlier
            if _same_phone(before.callee, found.arrival.caller)
            and _same_phone(before.arrival.caller, found.callee)
            and (before.answered_at or other.a_leg.state.joined_at)
        ),
        None,
    )


def _same_phone(one: PhoneNumber | None, other: PhoneNumber | None) -> bool:
    """Whether both are known, and networks may write the one as the other."""
    return bool(one and other and one.lookup_form == other.lookup_form)


def _joined_at(*legs: Leg) -> datetime | None:
    """Since when two are joined, as far as one of them knows it."""
    return min((leg.state.joined_at for leg in legs if leg.state.joined_at), default=None)
