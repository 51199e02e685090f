"""Having a call recorded, where its session wants it."""

import asyncio
import uuid
from typing import Protocol

import structlog

from bridge import metrics
from bridge.aio import race
from bridge.ari.errors import AriError
from bridge.ari.leg import Leg
from bridge.calls.live_call import LiveCall
from bridge.domain.announcements import Announcement
from bridge.domain.recordings import NewRecording, RecordingFailure

logger = structlog.get_logger(__name__)


class Recorder(Protocol):
    """What this asks of Asterisk."""

    async def record(self, b_leg: Leg, recording_id: uuid.UUID) -> bool: ...


async def announce_recording(a_leg: Leg, b_leg: Leg) -> None:
    """Tell both, at the same time, that what they say will be recorded; unless one hangs up."""

    async def tell_both() -> None:
        async with asyncio.TaskGroup() as both:
            for leg in (a_leg, b_leg):
                both.create_task(leg.play(Announcement.BEING_RECORDED.media))

    await race(caller=a_leg.ended(), callee=b_leg.ended(), told=tell_both())


async def begin_recording(call: LiveCall, b_leg: Leg, *, switch: Recorder) -> NewRecording | None:
    """Have the two recorded from their being joined to the end of the callee's leg.

    What is returned is to be written down once they are joined; ``None``: nothing is.  A recording
    that cannot be made is reported, and the call goes on without it.
    """
    if call.recording is None or b_leg.state.ended:
        return None
    recording_id = uuid.uuid4()
    failure: RecordingFailure | None = None
    try:
        if not await switch.record(b_leg, recording_id):
            failure = RecordingFailure.NOT_POSSIBLE
    except AriError as error:
        failure = RecordingFailure.REFUSED
        logger.warning("recording refused", error=str(error))
    if b_leg.state.ended:
        return None
    if failure:
        metrics.RECORDINGS.labels("failed").inc()
        logger.warning("call not recorded", reason=failure)
    return NewRecording(
        id=recording_id,
        call_id=call.id,
        format=call.recording.format,
        started_at=b_leg.state.recorded_at or b_leg.state.answered_at,
        failure=failure,
    )
