"""Having a call recorded, where its session wants it."""

import asyncio
import uuid
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from typing import Any, Protocol

import structlog

from bridge import metrics
from bridge.aio import race
from bridge.ari.errors import AriError
from bridge.ari.leg import Leg
from bridge.calls.dialogue import key_while
from bridge.calls.live_call import LiveCall
from bridge.domain.announcements import Announcement
from bridge.domain.consent import Consent
from bridge.domain.recordings import NewRecording, Pause, RecordingFailure
from bridge.domain.records import Role
from bridge.domain.sessions import RecordingAnnouncement

logger = structlog.get_logger(__name__)

_CONSENT_WAIT = 5.0  # seconds for a key after the question


class Recorder(Protocol):
    """What this asks of Asterisk."""

    async def record(self, b_leg: Leg, recording_id: uuid.UUID) -> bool: ...
    async def pause_recording(self, b_leg: Leg, *, call_id: uuid.UUID, paused: bool) -> bool: ...


class RecordingLog(Protocol):
    """Where it is written down."""

    def recording_paused(self, pause: Pause, at: datetime) -> None: ...


async def begin_recording(call: LiveCall, b_leg: Leg, *, switch: Recorder) -> NewRecording | None:
    """Have the two recorded from their being joined to the end of the callee's leg.

    What is returned is to be written down once they are joined; ``None``: nothing is.  A recording
    that cannot be made, or that they do not want, is reported, and the call goes on without it.
    """
    if call.recording is None:
        return None
    consent = await _announced(call, b_leg, call.recording.announcement)
    if any(leg.state.ended for leg in (call.a_leg, b_leg)) or call.asked_to_end.is_set():
        return None
    recording_id = uuid.uuid4()
    failure: RecordingFailure | None = None
    try:
        if any(one.given is False for one in consent):
            failure = RecordingFailure.DECLINED
        elif not all(one.given for one in consent):
            failure = RecordingFailure.NOT_ANNOUNCED
        elif not await switch.record(b_leg, recording_id):
            failure = RecordingFailure.NOT_POSSIBLE
    except AriError as error:
        failure = RecordingFailure.REFUSED
        logger.warning("recording refused", error=error)
    if b_leg.state.ended:
        return None
    if failure is RecordingFailure.DECLINED:
        metrics.RECORDINGS.labels("declined").inc()
        logger.info("recording declined")
    elif failure:
        metrics.RECORDINGS.labels("failed").inc()
        logger.warning("call not recorded", reason=failure)
    return NewRecording(
        id=recording_id,
        call_id=call.id,
        format=call.recording.format,
        started_at=b_leg.state.recorded_at or b_leg.state.answered_at,
        failure=failure,
        consent=consent,
    )


async def obey_pauses(call: LiveCall, b_leg: Leg, *, log: RecordingLog, switch: Recorder) -> None:
    """Pause the recording, and let it go on, as its customer asks; until cancelled.

    What fails is asked for again as long as nobody writes down that it is done.
    """
    done: bool | None = None
    while True:
        pause = await call.pauses.get()
        if pause.paused is done:
            continue
        try:
            can_pause = await switch.pause_recording(b_leg, call_id=call.id, paused=pause.paused)
        except AriError as error:
            logger.warning("recording not paused", wanted=pause.paused, error=error)
            continue
        done = pause.paused
        if not can_pause:
            logger.warning("asterisk's dialplan cannot pause recordings")
        elif at := b_leg.state.recorded_at:
            log.recording_paused(pause, at)
            logger.info("recording paused" if pause.paused else "recording goes on")


async def _announced(
    call: LiveCall, b_leg: Leg, announcement: RecordingAnnouncement
) -> tuple[Consent, ...]:
    """Tell or ask both, at the same time, as it is wanted; what each of the two says to it.

    Empty: they are neither told nor asked.  It is over when one of them hangs up, or declines.
    """
    if announcement is RecordingAnnouncement.NONE:
        return ()
    asked = announcement is RecordingAnnouncement.PRESS_1
    said = Announcement.AGREE_TO_RECORDING if asked else Announcement.BEING_RECORDED
    legs = {Role.A: call.a_leg, Role.B: b_leg}
    answers: dict[Role, Consent] = {}
    declined = asyncio.Event()

    def note(role: Role, *, given: bool | None, digit: str | None = None) -> None:
        answers[role] = Consent(
            role=role,
            announcement=announcement,
            sounds=said.media,
            given=given,
            digit=digit,
            at=datetime.now(UTC),
        )

    async def tell(role: Role) -> None:
        note(role, given=await legs[role].play(said.media) or None)

    async def ask(role: Role) -> None:
        legs[role].forget_digits()  # such as the end of a PIN
        key = await key_while(legs[role], said.media, within=_CONSENT_WAIT)
        note(role, given=key == "1", digit=key)
        if key != "1":
            declined.set()

    async def both(speak: Callable[[Role], Coroutine[Any, Any, None]]) -> None:
        async with asyncio.TaskGroup() as group:
            for role in legs:
                group.create_task(speak(role))

    await race(
        caller=call.a_leg.ended(),
        callee=b_leg.ended(),
        customer=call.asked_to_end.wait(),
        declined=declined.wait(),
        heard=both(ask if asked else tell),
    )
    for role in legs.keys() - answers.keys():
        note(role, given=None)
    return tuple(answers[role] for role in legs)
