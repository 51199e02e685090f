"""What stories may rely on, of the real Asterisk and of the fake that stands in for it.

Every scenario runs on both: a fake that says something else than the real one fails here.
"""

import asyncio
import uuid
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bridge.aio import TIMED_OUT, alongside, race
from bridge.ari.leg import Leg
from bridge.ari.leg_state import Event
from bridge.domain.announcements import Announcement
from bridge.domain.causes import Cause
from bridge.domain.sessions import Limits
from bridge.domain.verdicts import Gone
from tests.contract.rigs import FakeRig, Play, RealRig, Rig
from tests.people import BOB, VIRTUAL

LIMITS = Limits(ring_timeout=30, call_time_limit=60)


@pytest.fixture(params=["fake", "real"])
async def rig(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Rig]:
    if request.param == "fake":
        yield FakeRig()
        return
    async with RealRig.up(tmp_path) as real:
        yield real
        await real.phones_are_content()


async def ends(*legs: Leg) -> None:
    async with asyncio.timeout(30):
        for leg in legs:
            await leg.ended()


async def both_answer(rig: Rig, a_leg: Leg, b_leg: Leg) -> None:
    """The callee, and then the caller, who has heard it ring."""
    await rig.switch.couple(a_leg, b_leg)
    await a_leg.ring()
    await rig.callee_acts(b_leg)
    await b_leg.answered()
    await a_leg.answer()
    await a_leg.answered()


@pytest.mark.parametrize("ended_by", ["caller", "callee"])
async def test_a_conversation(rig: Rig, ended_by: str) -> None:
    """Who hung up is known; the other leg ends by itself, coupled."""
    call_id = uuid.uuid4()
    a_leg = await rig.comes_in(Play(ended_by=ended_by))
    assert not a_leg.state.answered
    async with rig.switch.dial(BOB, caller_id=VIRTUAL, call_id=call_id, limits=LIMITS) as b_leg:
        assert b_leg.state.started_at
        await a_leg.ring()
        await rig.switch.couple(a_leg, b_leg)
        await rig.callee_acts(b_leg)
        await b_leg.answered()
        assert b_leg.state.ringing
        await a_leg.answer()
        async with rig.switch.joined(a_leg, b_leg, call_id=call_id, call_time_limit=60):
            await a_leg.answered()
            await rig.end()
            await ends(a_leg, b_leg)
    assert a_leg.state.far_end_hung_up is (ended_by == "caller")
    assert b_leg.state.far_end_hung_up is (ended_by == "callee")
    assert not a_leg.state.lost
    assert not b_leg.state.lost
    assert b_leg.state.hangup_cause == Cause.NORMAL_CLEARING


@pytest.mark.parametrize(
    ("status", "cause"),
    [
        ("486 Busy Here", Cause.USER_BUSY),
        ("404 Not Found", Cause.UNALLOCATED),
        ("603 Decline", Cause.CALL_REJECTED),
        ("503 Service Unavailable", Cause.CONGESTION),
    ],
)
async def test_a_callee_who_fails_says_why(rig: Rig, status: str, cause: Cause) -> None:
    a_leg = await rig.comes_in(Play(callee=status))
    async with rig.switch.dial(
        BOB, caller_id=VIRTUAL, call_id=uuid.uuid4(), limits=LIMITS
    ) as b_leg:
        await a_leg.ring()
        await rig.switch.couple(a_leg, b_leg)
        await rig.callee_acts(b_leg)
        await ends(b_leg)
        assert not b_leg.state.answered
        assert b_leg.state.far_end_hung_up
        assert b_leg.state.hangup_cause == cause
        assert b_leg.state.sip_code == int(status[:3])
        assert not a_leg.state.ended
        await a_leg.hangup(Cause.NO_ANSWER)
        await ends(a_leg)
    assert not a_leg.state.far_end_hung_up


async def test_a_caller_who_gives_up_ends_the_ringing(rig: Rig) -> None:
    a_leg = await rig.comes_in(Play(callee="rings"))
    async with rig.switch.dial(
        BOB, caller_id=VIRTUAL, call_id=uuid.uuid4(), limits=LIMITS
    ) as b_leg:
        await a_leg.ring()
        await rig.switch.couple(a_leg, b_leg)
        await rig.callee_acts(b_leg)
        await rig.end()
        await ends(a_leg, b_leg)
    assert a_leg.state.far_end_hung_up
    assert not b_leg.state.far_end_hung_up
    assert not b_leg.state.answered


async def test_a_leg_that_is_to_be_recorded_comes_back_and_is_joined(rig: Rig) -> None:
    call_id = uuid.uuid4()
    a_leg = await rig.comes_in(Play(ended_by="callee"))
    async with rig.switch.dial(BOB, caller_id=VIRTUAL, call_id=call_id, limits=LIMITS) as b_leg:
        await both_answer(rig, a_leg, b_leg)
        assert await rig.switch.record(b_leg, uuid.uuid4())
        assert b_leg.state.recorded_at
        async with rig.switch.joined(a_leg, b_leg, call_id=call_id, call_time_limit=60):
            for paused in (True, True, False, False):
                before = b_leg.state.recorded_at
                assert await rig.switch.pause_recording(b_leg, call_id=call_id, paused=paused)
                assert b_leg.state.recorded_at != before
                assert b_leg.state.in_stasis
            await rig.end()
            await ends(a_leg, b_leg)
        assert not await rig.switch.record(b_leg, uuid.uuid4()) or b_leg.state.ended
    assert b_leg.state.far_end_hung_up
    assert not b_leg.state.lost


async def test_two_who_are_joined_can_be_joined_again(rig: Rig) -> None:
    """As the next bridge does: Asterisk refuses to make what is there, and nobody notices."""
    call_id = uuid.uuid4()
    a_leg = await rig.comes_in(Play(ended_by="callee"))
    async with rig.switch.dial(BOB, caller_id=VIRTUAL, call_id=call_id, limits=LIMITS) as b_leg:
        await both_answer(rig, a_leg, b_leg)
        async with (
            rig.switch.joined(a_leg, b_leg, call_id=call_id, call_time_limit=60),
            rig.switch.joined(a_leg, b_leg, call_id=call_id, call_time_limit=60),
        ):
            await rig.end()
            await ends(a_leg, b_leg)
    assert b_leg.state.far_end_hung_up


async def test_leaving_the_block_ends_the_leg_that_it_placed(rig: Rig) -> None:
    a_leg = await rig.comes_in(Play(ended_by="us"))
    async with rig.switch.dial(
        BOB, caller_id=VIRTUAL, call_id=uuid.uuid4(), limits=LIMITS
    ) as b_leg:
        await a_leg.ring()
        await rig.callee_acts(b_leg)
        await b_leg.answered()
        await a_leg.answer()
        await a_leg.answered()
    assert b_leg.state.ended
    assert b_leg.asked_to_hang_up == Cause.NORMAL_CLEARING
    await a_leg.hangup()
    await ends(a_leg)


async def test_a_sound_that_is_stopped_leaves_the_leg_free(rig: Rig) -> None:
    """While one plays on a leg that is in no bridge, Asterisk holds back what else is asked."""
    call_id = uuid.uuid4()
    a_leg = await rig.comes_in(Play(ended_by="caller"))
    async with rig.switch.dial(BOB, caller_id=VIRTUAL, call_id=call_id, limits=LIMITS) as b_leg:
        await both_answer(rig, a_leg, b_leg)
        sounds = Announcement.TOO_MANY_PINS.media * 10  # a minute long
        assert await race(played=a_leg.play(sounds), within=0.2) == TIMED_OUT
        async with (
            asyncio.timeout(20),
            rig.switch.joined(a_leg, b_leg, call_id=call_id, call_time_limit=60),
        ):
            pass
        await rig.end()
        await ends(a_leg, b_leg)
        await a_leg.play(sounds)  # to nobody: no error, and no waiting


async def test_the_end_of_a_sound_that_nobody_saw_is_learnt_afterwards(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in a gap of the events; else a caller who is told why it is refused is kept for hours."""
    call_id, over = uuid.uuid4(), asyncio.Event()

    def miss(event: Event) -> None:
        if event["type"] == "PlaybackFinished":
            over.set()

    a_leg = await rig.comes_in(Play(ended_by="caller"))
    async with rig.switch.dial(BOB, caller_id=VIRTUAL, call_id=call_id, limits=LIMITS) as b_leg:
        await both_answer(rig, a_leg, b_leg)
        async with asyncio.timeout(30), asyncio.TaskGroup() as group:
            with monkeypatch.context() as gap:
                gap.setattr(a_leg, "feed", miss)
                hearing = group.create_task(a_leg.play(["sound:beep"]))
                await rig.sound_ends(a_leg)
                await over.wait()
            assert not hearing.done()
            await rig.remains.resynchronise()
        await rig.end()
        await ends(a_leg, b_leg)


async def test_what_is_asked_of_a_leg_that_is_gone_is_no_error(rig: Rig) -> None:
    a_leg = await rig.comes_in(Play(ended_by="caller"))
    call_id = uuid.uuid4()
    async with rig.switch.dial(BOB, caller_id=VIRTUAL, call_id=call_id, limits=LIMITS) as b_leg:
        await both_answer(rig, a_leg, b_leg)
        await rig.end()
        await ends(a_leg, b_leg)
        await a_leg.ring()
        await a_leg.answer()
        await a_leg.hangup(Cause.USER_BUSY)
        async with rig.switch.joined(a_leg, b_leg, call_id=call_id, call_time_limit=60):
            pass
    assert a_leg.asked_to_hang_up is None


@pytest.mark.parametrize(
    "says", ["200 Still Here", "488 Not Acceptable Here", "501 Not Implemented", "500 Whatever"]
)
async def test_a_silent_phone_that_answers_anything_is_there(rig: Rig, says: str) -> None:
    call_id = uuid.uuid4()
    a_leg = await rig.comes_in(Play(ended_by="caller", asked=says))
    async with rig.switch.dial(BOB, caller_id=VIRTUAL, call_id=call_id, limits=LIMITS) as b_leg:
        await both_answer(rig, a_leg, b_leg)
        async with rig.switch.joined(a_leg, b_leg, call_id=call_id, call_time_limit=60):
            async with alongside(rig.switch.watch(b_leg)), asyncio.timeout(30):
                await rig.answers_the_question()
            await rig.end()
            await ends(a_leg, b_leg)
    assert b_leg.state.silent
    assert b_leg.state.gone is a_leg.state.gone is None
    assert a_leg.state.far_end_hung_up


async def test_a_silent_phone_that_knows_of_no_call_is_gone_and_has_not_hung_up(rig: Rig) -> None:
    call_id = uuid.uuid4()
    a_leg = await rig.comes_in(Play(asked="481 Call/Transaction Does Not Exist"))
    async with rig.switch.dial(BOB, caller_id=VIRTUAL, call_id=call_id, limits=LIMITS) as b_leg:
        await both_answer(rig, a_leg, b_leg)
        async with (
            rig.switch.joined(a_leg, b_leg, call_id=call_id, call_time_limit=60),
            alongside(rig.switch.watch(b_leg)),
        ):
            await ends(a_leg, b_leg)
    assert b_leg.state.gone is Gone.MEDIA
    assert not b_leg.state.far_end_hung_up
    assert not a_leg.state.far_end_hung_up


@pytest.mark.parametrize(
    ("status", "blocked"), [("603 Network Blocked", True), ("603 Decline", False)]
)
async def test_a_network_that_blocks_a_call_is_told_from_a_callee_who_declines(
    rig: Rig, status: str, blocked: bool
) -> None:
    """By the words alone, which come with the leg's last event; and that it rang is known, too."""
    a_leg = await rig.comes_in(Play(callee=status))
    async with rig.switch.dial(
        BOB, caller_id=VIRTUAL, call_id=uuid.uuid4(), limits=LIMITS
    ) as b_leg:
        await a_leg.ring()
        await rig.switch.couple(a_leg, b_leg)
        await rig.callee_acts(b_leg)
        await ends(b_leg)
        assert b_leg.state.network_blocked is blocked
        assert b_leg.state.progressed
        await a_leg.hangup(Cause.NO_ANSWER)
        await ends(a_leg)
