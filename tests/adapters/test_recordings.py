"""Recordings after their calls: converted, given out, erased."""

import asyncio
import dataclasses
import hashlib
import os
import uuid
from array import array
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import asyncpg
import pytest

from bridge.aio import alongside
from bridge.domain.consent import Consent
from bridge.domain.recordings import NewRecording, Pause, RawRecording, RecordingFailure
from bridge.domain.records import Role
from bridge.domain.sessions import RecordingAnnouncement, RecordingFormat, RecordingPlan
from bridge.recordings.files import Archive, DirectoryArchive, Spool
from bridge.recordings.worker import RecordingWorker
from bridge.store.accounts import Accounts
from bridge.store.calls import Calls
from bridge.store.errors import StoreUnavailable
from bridge.store.listener import Listener
from bridge.store.pauses import PAUSE_CHANNEL, Pauses
from bridge.store.pool import Database
from bridge.store.recordings import Recordings
from tests.adapters.conftest import Api, Clock
from tests.adapters.test_calls import arrival, record
from tests.people import ALICE, VIRTUAL
from tests.sounds import heard, level, level_at, tone

STARTED = datetime(2026, 1, 1, 12, 0, tzinfo=UTC)


def raw(caller: Sequence[int], callee: Sequence[int]) -> bytes:
    """What Asterisk writes: what the callee's leg says, and what it hears, in turn."""
    return array(
        "h", [sample for pair in zip(callee, caller, strict=True) for sample in pair]
    ).tobytes()


@dataclasses.dataclass
class Site:
    """One node's worker, and calls that were recorded."""

    api: Api
    database: Database
    spool: Path
    archive: Archive
    worker: RecordingWorker
    directory: Path
    """Where the archive is, or what is on its way there."""

    async def recorded(
        self,
        content: bytes | None,
        *,
        format: RecordingFormat = "wav",
        seconds: float = 2,
        over: bool = True,
        failure: RecordingFailure | None = None,
        consent: tuple[Consent, ...] = (),
    ) -> uuid.UUID:
        """A call that was recorded, or is being, or could not be."""
        session = await self.api.session()
        new = NewRecording(
            id=uuid.uuid4(),
            call_id=uuid.uuid4(),
            format=format,
            started_at=STARTED,
            failure=failure,
            consent=consent,
        )
        async with self.database.transaction() as connection:
            await connection.execute(
                "WITH new AS (INSERT INTO call (id, node, session, caller_side, virtual_number,"
                " started_at) VALUES ($1, 'here', $2, 'first', $3, $4) RETURNING id)"
                " INSERT INTO leg (call, role, channel_id, party_number, started_at)"
                " SELECT id, 'a', id::text, $5, $4 FROM new",
                new.call_id,
                uuid.UUID(session["session_uuid"]),
                VIRTUAL.e164,
                STARTED,
                ALICE.e164,
            )
            await Recordings(self.database).write_new(connection, new)
            if over:
                call = dataclasses.replace(
                    arrival(), call_id=new.call_id, channel_id=str(new.call_id)
                )
                ended_at = STARTED + timedelta(seconds=seconds)
                await Calls(self.database, node="here").write_end(
                    connection, dataclasses.replace(record(call), ended_at=ended_at)
                )
        await self.api("DELETE", f"Masking/Session/{session['session_uuid']}/")
        if content is not None:
            (self.spool / f"{new.id}.raw").write_bytes(content)
        return new.id

    def file(self, recording_id: uuid.UUID, format: RecordingFormat = "wav") -> Path | None:
        """What the archive keeps of it, if that is a directory."""
        return DirectoryArchive(self.directory).locate(recording_id, format)

    async def row(self, recording_id: uuid.UUID) -> Any:
        async with self.database.connection() as connection:
            return await connection.fetchrow("SELECT * FROM recording WHERE id = $1", recording_id)

    async def told(self) -> list[tuple[str, dict[str, Any]]]:
        """Events of recordings, in their order, with what they say beyond the call's own."""
        _, found = await self.api("GET", "Event/")
        return [
            (
                one["event_name"].removeprefix("SessionRecording"),
                {k: v for k, v in one["attributes"].items() if k.startswith("Recording")},
            )
            for one in sorted(found["objects"], key=lambda one: one["sequence_number"] or 0)
            if one["event_name"].startswith("SessionRecording")
        ]

    async def ready(self) -> uuid.UUID:
        recording_id = await self.recorded(raw(tone(2, hz=440), tone(2, hz=1000)))
        await self.worker.convert()
        return recording_id


@pytest.fixture
def site(api: Api, database: Database, archive: Archive, tmp_path: Path) -> Site:
    spool = tmp_path / "spool"
    spool.mkdir()
    worker = RecordingWorker(Recordings(database), Spool(spool), archive, node="here")
    return Site(api, database, spool, archive, worker, tmp_path / "recordings")


async def content_of(site: Site, path: str, **headers: str) -> tuple[aiohttp.ClientResponse, bytes]:
    async with site.api.client.get(path, headers=headers) as response:
        return response, await response.read()


@pytest.mark.parametrize("format", ["wav", "mp3"])
async def test_what_asterisk_wrote_becomes_what_was_asked_for(site: Site, format: Any) -> None:
    recording_id = await site.recorded(raw(tone(2, hz=440), tone(2, hz=1000)), format=format)
    await site.worker.convert()
    path = site.file(recording_id, format)
    assert path
    content = path.read_bytes()
    caller, callee = heard(content, format)
    assert level_at(caller, 440) == pytest.approx(-20, abs=1)
    assert level_at(callee, 1000) == pytest.approx(-20, abs=1)
    assert level(caller) == pytest.approx(-20, abs=1)
    row = await site.row(recording_id)
    assert (row["state"], row["failure"], row["bytes"]) == ("ready", None, len(content))
    assert row["sha256"] == hashlib.sha256(content).digest()
    assert row["ended_at"] - row["started_at"] == timedelta(seconds=2)
    assert list(site.spool.iterdir()) == []
    assert [one.name for one in path.parent.iterdir()] == [f"{recording_id}.{format}"]


async def test_a_call_that_is_up_is_left_alone(site: Site) -> None:
    recording_id = await site.recorded(raw(tone(1), tone(1)), over=False)
    await site.worker.convert()
    await site.worker.sweep()
    assert (await site.row(recording_id))["state"] == "in-progress"
    assert len(list(site.spool.iterdir())) == 1
    assert (await site.api("DELETE", f"Recording/{recording_id}/"))[0] == 409


async def test_another_node_s_is_left_to_it(site: Site, database: Database) -> None:
    recording_id = await site.recorded(raw(tone(1), tone(1)))
    other = RecordingWorker(Recordings(database), Spool(site.spool), site.archive, node="elsewhere")
    await other.convert()
    assert (await site.row(recording_id))["state"] == "in-progress"


@pytest.mark.parametrize("content", [None, b"", b"\0\0"])
async def test_nothing_recorded_is_a_failure(site: Site, content: bytes | None) -> None:
    recording_id = await site.recorded(content)
    await site.worker.convert()
    row = await site.row(recording_id)
    assert (row["state"], row["failure"]) == ("failed", "nothing-recorded")
    _, shown = await site.api("GET", f"Recording/{recording_id}/")
    assert (shown["status"], shown["failure"]) == ("failed", "nothing-recorded")
    assert shown["recording_url"] is None


async def test_less_than_the_call_is_told(site: Site) -> None:
    recording_id = await site.recorded(raw(tone(2), tone(2)) + b"\0\0\0", seconds=600)
    await site.worker.convert()
    row = await site.row(recording_id)
    assert (row["state"], row["failure"]) == ("ready", "incomplete")


async def test_an_archive_that_is_full_loses_nothing(site: Site, tmp_path: Path) -> None:
    recording_id = await site.recorded(raw(tone(1), tone(1)), seconds=1)
    (tmp_path / "recordings").write_text("no directory")
    await site.worker.convert()
    row = await site.row(recording_id)
    assert (row["state"], row["failure"]) == ("in-progress", "conversion-failed")
    (tmp_path / "recordings").unlink()
    await site.worker.convert()
    assert (await site.row(recording_id))["state"] == "in-progress", "not before its time"
    again = RecordingWorker(Recordings(site.database), Spool(site.spool), site.archive, node="here")
    await again.convert()
    row = await site.row(recording_id)
    assert (row["state"], row["failure"]) == ("ready", None)


async def test_what_a_crash_left_is_cleared_up(site: Site) -> None:
    recording_id = await site.ready()
    (site.spool / f"{recording_id}.raw").write_bytes(b"again")  # died before it was removed
    stray = site.spool / f"{uuid.uuid4()}.raw"
    stray.write_bytes(b"of nobody")
    kept = site.archive.room_for(uuid.uuid4(), "wav").with_suffix("")
    kept.write_bytes(b"of nobody")
    await site.worker.sweep()
    assert list(site.spool.iterdir()) == [stray], "it may be of a call that has just begun"
    assert not kept.exists()
    assert site.file(recording_id)


class AwayAtFirst(Recordings):
    """Recordings in a Postgres that is away when it is asked first."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self.asked = 0
        self.is_back = asyncio.Event()

    async def raw(self, node: str, *, settled: int) -> Sequence[RawRecording]:
        self.asked += 1
        if self.asked == 1:
            raise StoreUnavailable("away")
        if self.asked == 3:  # so a whole pass has been made since
            self.is_back.set()
        return await super().raw(node, settled=settled)


async def test_nothing_is_nobodys_while_its_row_waits_for_postgres(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    waiting = site.spool / f"{uuid.uuid4()}.raw"
    waiting.write_bytes(b"of a call that ended while postgres was away")
    os.utime(waiting, (0, 0))
    monkeypatch.setattr("bridge.recordings.worker._INTERVAL", 0.0)
    rows = AwayAtFirst(site.database)
    worker = RecordingWorker(rows, Spool(site.spool), site.archive, node="here")
    async with alongside(worker.run()):
        await rows.is_back.wait()
    assert waiting.exists()


async def test_its_application_is_told_when_it_begins_and_when_it_can_be_heard(
    site: Site,
) -> None:
    recording_id = await site.recorded(raw(tone(2), tone(2)), over=True)
    resource = f"/v1/Account/{site.api.account}/Recording/{recording_id}/"
    began = {
        "RecordingUUID": str(recording_id),
        "RecordingResourceURL": resource,
        "RecordingStartTime": "2026-01-01 12:00:00.000000 +0000 UTC",
        "RecordingFormat": ".wav",
    }
    assert await site.told() == [("Initiated", began)]
    await site.worker.convert()
    [_, (name, said)] = await site.told()
    assert (name, said) == (
        "Completed",
        began
        | {
            "RecordingURL": f"{resource}Media/",
            "RecordingDuration": 2,
            "RecordingEndTime": "2026-01-01 12:00:02.000000 +0000 UTC",
        },
    )
    assert (await content_of(site, said["RecordingURL"], **site.api.auth))[0].status == 200
    assert (await content_of(site, said["RecordingURL"]))[0].status == 401, "it is no secret"


@pytest.mark.parametrize(
    ("failure", "told"),
    [
        (RecordingFailure.REFUSED, ["Failed"]),
        (RecordingFailure.DECLINED, ["Failed"]),
        (None, ["Initiated", "Failed"]),  # and then there was no file
    ],
)
async def test_its_application_is_told_why_there_is_none(
    site: Site, failure: RecordingFailure | None, told: list[str]
) -> None:
    recording_id = await site.recorded(None, failure=failure)
    await site.worker.convert()
    steps = await site.told()
    assert [name for name, _ in steps] == told
    last = steps[-1][1]
    assert last["RecordingUUID"] == str(recording_id)
    assert last["RecordingFailureReason"] == (failure or "nothing-recorded")
    assert not {"RecordingURL", "RecordingResourceURL"} & last.keys()
    _, shown = await site.api("GET", f"Recording/{recording_id}/")
    assert (shown["status"], shown["recording_url"]) == ("failed", None)
    session = await site.api("GET", f"Masking/Session/{shown['session_uuid']}/")
    [interaction] = session[1]["response"]["interaction"]
    assert "recording_resource_url" not in interaction, "it would lead to no recording"


async def test_every_url_that_is_shown_of_a_recording_leads_to_something(site: Site) -> None:
    """In events, in interactions and in its own answer, in each state that it goes through."""
    recording_id = await site.recorded(raw(tone(2), tone(2)), over=True)
    _, shown = await site.api("GET", f"Recording/{recording_id}/")
    session = f"Masking/Session/{shown['session_uuid']}/"
    await _all_urls_lead_somewhere(site, session, recording_id, expected=3)
    await site.worker.convert()
    await _all_urls_lead_somewhere(site, session, recording_id, expected=6)
    assert (await site.api("DELETE", f"Recording/{recording_id}/"))[0] == 204
    [interaction] = (await site.api("GET", session))[1]["response"]["interaction"]
    assert "recording_resource_url" not in interaction


async def _all_urls_lead_somewhere(
    site: Site, session: str, recording_id: uuid.UUID, *, expected: int
) -> None:
    [interaction] = (await site.api("GET", session))[1]["response"]["interaction"]
    _, shown = await site.api("GET", f"Recording/{recording_id}/")
    told = [said for _, said in await site.told()]
    names = ["recording_resource_url", "resource_uri", "recording_url"]
    names += ["RecordingURL", "RecordingResourceURL"]
    urls = [one[name] for one in (interaction, shown, *told) for name in names if one.get(name)]
    assert len(urls) == expected
    for url in urls:
        assert (await content_of(site, url, **site.api.auth))[0].status == 200


CONSENT = tuple(
    Consent(
        role=role,
        announcement=RecordingAnnouncement.PRESS_1,
        sounds=("sound:beep", "sound:vm-saveoper"),
        given=given,
        digit=digit,
        at=STARTED + timedelta(seconds=seconds),
    )
    for role, given, digit, seconds in ((Role.A, True, "1", 1), (Role.B, False, "2", 3))
)


@pytest.mark.parametrize("caller_side", ["first", "second"])
async def test_what_the_two_said_to_it_is_kept_when_its_audio_is_not(
    site: Site, caller_side: str
) -> None:
    recording_id = await site.recorded(None, failure=RecordingFailure.DECLINED, consent=())
    async with site.database.transaction() as connection:
        call = await connection.fetchval("SELECT call FROM recording")
        await connection.execute("DELETE FROM recording")
        await connection.execute("UPDATE call SET caller_side = $1", caller_side)
        new = NewRecording(
            id=recording_id,
            call_id=call,
            format="wav",
            started_at=STARTED,
            failure=RecordingFailure.DECLINED,
            consent=CONSENT,
        )
        await Recordings(site.database).write_new(connection, new)
    other_side = "second" if caller_side == "first" else "first"
    words = {"announcement": "press_1", "sounds": ["beep", "vm-saveoper"]}
    expected = [
        {
            **words,
            "party": caller_side,
            "given": True,
            "digit": "1",
            "at": "2026-01-01 12:00:01 +0000 UTC",
        },
        {
            **words,
            "party": other_side,
            "given": False,
            "digit": "2",
            "at": "2026-01-01 12:00:03 +0000 UTC",
        },
    ]
    _, shown = await site.api("GET", f"Recording/{recording_id}/")
    assert shown["consent"] == expected
    assert (await site.api("GET", "Recording/"))[1]["objects"][0]["consent"] == expected
    session = f"Masking/Session/{shown['session_uuid']}/"
    assert (await site.api("DELETE", f"Recording/{recording_id}/"))[0] == 204
    await site.worker.erase()
    [interaction] = (await site.api("GET", session))[1]["response"]["interaction"]
    assert interaction["recording_consent"] == expected


@pytest.mark.parametrize("announcement", RecordingAnnouncement)
async def test_a_call_is_recorded_as_its_session_says(
    site: Site, announcement: RecordingAnnouncement
) -> None:
    await site.api.session(record=True, recording_announcement=announcement.value)
    calls = Calls(site.database, node="here")
    found = (await calls.arrived(arrival())).session
    assert found
    assert found.recording == RecordingPlan("mp3", announcement)
    [after_a_restart] = await calls.open_calls()
    assert after_a_restart.recording == found.recording


class DiesBefore(Recordings):
    """Recordings of a process that dies before it has written that one is finished."""

    async def finish(self, *_: Any, **__: Any) -> None:
        raise StoreUnavailable("dead")


class DiesAfter(Recordings):
    """Recordings of a process that dies when it has written that one is finished."""

    async def finish(self, *said: Any, **more: Any) -> None:
        await super().finish(*said, **more)
        raise StoreUnavailable("dead")


@pytest.mark.parametrize("rows", [DiesBefore, DiesAfter])
async def test_what_a_crash_leaves_is_done_again_and_told_once(
    site: Site, rows: type[Recordings]
) -> None:
    recording_id = await site.recorded(raw(tone(1), tone(1)), seconds=1)
    worker = RecordingWorker(rows(site.database), Spool(site.spool), site.archive, node="here")
    with pytest.raises(StoreUnavailable):
        await worker.convert()
    await site.worker.convert()
    await site.worker.sweep()
    assert [name for name, _ in await site.told()] == ["Initiated", "Completed"]
    assert (await site.row(recording_id))["state"] == "ready"
    assert site.file(recording_id)
    assert list(site.spool.iterdir()) == []


async def test_what_is_said_twice_is_told_once(site: Site) -> None:
    recording_id = await site.recorded(raw(tone(1), tone(1)), seconds=1)
    rows = Recordings(site.database)
    [found] = await rows.raw("here", settled=2)
    for size in (1, 2):
        await rows.finish(found, ended_at=STARTED, size=size, sha256=bytes(32), failure=None)
    await rows.fail(found, RecordingFailure.NOTHING_RECORDED, ended_at=STARTED)
    assert [name for name, _ in await site.told()] == ["Initiated", "Completed"]
    assert (await site.row(recording_id))["bytes"] == 1


async def test_none_is_ready_of_which_nobody_is_told(site: Site) -> None:
    recording_id = await site.recorded(raw(tone(1), tone(1)), seconds=1)
    async with site.database.connection() as connection:
        await connection.execute(
            "ALTER TABLE event ADD CHECK (name <> 'SessionRecordingCompleted') NOT VALID"
        )
    with pytest.raises(asyncpg.CheckViolationError):
        await site.worker.convert()
    assert (await site.row(recording_id))["state"] == "in-progress"


async def test_recordings_are_erased_when_their_days_are_over(site: Site) -> None:
    recording_id = await site.ready()
    accounts = Accounts(site.database)
    await accounts.keep_recordings(site.api.account, 36500)
    await Recordings(site.database).remove_overdue()
    await site.worker.erase()
    assert site.file(recording_id)
    await accounts.keep_recordings(site.api.account, 1)
    await Recordings(site.database).remove_overdue()
    await site.worker.erase()
    assert site.file(recording_id) is None
    assert (await site.row(recording_id))["erased_at"]
    assert (await site.api("GET", f"Recording/{recording_id}/"))[0] == 404
    assert (await site.api("GET", "Recording/"))[1]["objects"] == []


async def test_a_removed_recording_is_given_out_no_more(site: Site) -> None:
    recording_id = await site.ready()
    _, shown = await site.api("GET", f"Recording/{recording_id}/")
    session = f"Masking/Session/{shown['session_uuid']}/"
    [before] = (await site.api("GET", session))[1]["response"]["interaction"]
    assert before["recording_resource_url"] == shown["resource_uri"]
    assert (await site.api("DELETE", f"Recording/{recording_id}/"))[0] == 204
    [after] = (await site.api("GET", session))[1]["response"]["interaction"]
    assert after.get("recording_resource_url") is None
    assert (await site.api("DELETE", f"Recording/{recording_id}/"))[0] == 404
    assert (await site.api("GET", f"Recording/{recording_id}/Media/"))[0] == 404
    assert (await content_of(site, shown["recording_url"]))[0].status == 410
    await site.worker.erase()
    assert site.file(recording_id) is None


async def test_its_account_hears_it_and_no_other(site: Site) -> None:
    recording_id = await site.ready()
    path = f"/v1/Account/{site.api.account}/Recording/{recording_id}/Media/"
    response, content = await content_of(site, path, **site.api.auth)
    assert (response.status, response.content_type) == (200, "audio/wav")
    assert response.headers["Cache-Control"] == "private, no-store"
    assert hashlib.sha256(content).digest() == (await site.row(recording_id))["sha256"]
    assert (await content_of(site, path))[0].status == 401
    other = await Accounts(site.database).create("Other", token="8" * 64)
    auth = {"Authorization": aiohttp.encode_basic_auth(other, "8" * 64)}
    path = f"/v1/Account/{other}/Recording/{recording_id}/"
    assert (await content_of(site, f"{path}Media/", **auth))[0].status == 404
    assert (await site.api("DELETE", path, headers=auth))[0] == 404


@pytest.mark.parametrize(
    ("wanted", "status", "part", "said"),
    [
        ("bytes=0-3", 206, slice(0, 4), "bytes 0-3/{size}"),
        ("bytes=44-", 206, slice(44, None), "bytes 44-{last}/{size}"),
        ("bytes=-10", 206, slice(-10, None), "bytes {tenth}-{last}/{size}"),
        ("bytes=0-99999999", 206, slice(0, None), "bytes 0-{last}/{size}"),
        ("bytes=99999999-", 416, None, "bytes */{size}"),
    ],
)
async def test_a_range_of_its_bytes(
    site: Site, wanted: str, status: int, part: slice | None, said: str
) -> None:
    recording_id = await site.ready()
    file = site.file(recording_id)
    assert file
    whole = file.read_bytes()
    path = f"/v1/Account/{site.api.account}/Recording/{recording_id}/Media/"
    response, content = await content_of(site, path, Range=wanted, **site.api.auth)
    assert response.status == status
    size = len(whole)
    expected = said.format(size=size, last=size - 1, tenth=size - 10)
    assert response.headers["Content-Range"] == expected
    if part:
        assert content == whole[part]


async def test_a_range_of_what_it_was_before_is_the_whole(site: Site) -> None:
    """If-Range, RFC 9110 13.1.5."""
    recording_id = await site.ready()
    path = f"/v1/Account/{site.api.account}/Recording/{recording_id}/Media/"
    response, _ = await content_of(site, path, **site.api.auth)
    for tag, status in ((response.headers["ETag"], 206), ('"another"', 200), ("W/x", 200)):
        headers = {"Range": "bytes=0-3", "If-Range": tag, **site.api.auth}
        assert (await content_of(site, path, **headers))[0].status == status


async def test_a_signed_url_needs_no_account_and_is_over_in_time(site: Site, clock: Clock) -> None:
    recording_id = await site.ready()
    _, shown = await site.api("GET", f"Recording/{recording_id}/")
    url = shown["recording_url"]
    assert (await content_of(site, url))[0].status == 200
    assert (await content_of(site, url, Range="bytes=0-3"))[0].status == 206
    later = url.replace(f"expires={int(clock.time) + 60}", f"expires={int(clock.time) + 61}")
    assert later != url
    another = url.replace(str(recording_id), str(uuid.uuid4()))
    for forged in (later, another, url[:-1] + ("A" if url[-1] != "A" else "B"), url[:-1] + "ö"):
        assert (await content_of(site, forged))[0].status == 403
    for wrong in (url.partition("&")[0], url.partition("?")[0], url + "&more=1"):
        assert (await content_of(site, wrong))[0].status == 400
    clock.time += 60
    assert (await content_of(site, url))[0].status == 410


# --- pauses ---


class Bridge:
    """What the bridge of a node hears of pauses, and writes down."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.asked: asyncio.Queue[Pause] = asyncio.Queue()

    @asynccontextmanager
    async def hears(self, node: str = "here") -> AsyncIterator[None]:
        pauses = Pauses(self.database, node=node, pause=self.asked.put_nowait)
        async with alongside(Listener(self.database, [PAUSE_CHANNEL], pauses.look).run()):
            yield

    async def next_asked(self) -> Pause:
        async with asyncio.timeout(10):
            return await self.asked.get()

    async def does(self, pause: Pause, *, after: float) -> None:
        at = STARTED + timedelta(seconds=after)
        async with self.database.transaction() as connection:
            await Recordings(self.database).write_pause(connection, pause, at)


async def test_a_pause_comes_to_the_bridge_that_carries_the_call(site: Site) -> None:
    recording_id = await site.recorded(raw(tone(2), tone(2)), over=False)
    path, bridge = f"Recording/{recording_id}/", Bridge(site.database)
    async with bridge.hears():
        for what, paused, after in (("Pause", True, 1), ("Resume", False, 3)):
            status, shown = await site.api("POST", f"{path}{what}/")
            assert (status, shown["paused"]) == (202, not paused), "not yet"
            asked = await bridge.next_asked()
            while asked.paused is not paused:  # it may be told of one twice
                asked = await bridge.next_asked()
            assert asked.recording_id == recording_id
            for _ in range(2):
                await bridge.does(asked, after=after)
            assert (await site.api("GET", path))[1]["paused"] is paused
    assert (await site.row(recording_id))["paused_for"] == timedelta(seconds=2)


async def test_a_pause_that_nobody_heard_of_is_found(site: Site) -> None:
    recording_id = await site.recorded(None, over=False)
    assert (await site.api("POST", f"Recording/{recording_id}/Pause/"))[0] == 202
    here, elsewhere = Bridge(site.database), Bridge(site.database)
    async with elsewhere.hears("elsewhere"), here.hears():
        assert (await here.next_asked()).recording_id == recording_id
    assert elsewhere.asked.empty()


async def test_who_changes_his_mind_while_it_is_done_is_heard(site: Site) -> None:
    recording_id = await site.recorded(None, over=False)
    path, bridge = f"Recording/{recording_id}/", Bridge(site.database)
    async with bridge.hears():
        await site.api("POST", f"{path}Pause/")
        first = await bridge.next_asked()
        await site.api("POST", f"{path}Resume/")  # which is how it still is
        await bridge.does(first, after=1)
        asked = await bridge.next_asked()
        while asked.paused:
            asked = await bridge.next_asked()


async def test_only_what_is_being_recorded_is_paused(site: Site) -> None:
    over = await site.recorded(None)
    failed = await site.recorded(None, failure=RecordingFailure.DECLINED)
    live = await site.recorded(None, over=False)
    for recording_id in (failed, over):
        assert (await site.api("POST", f"Recording/{recording_id}/Pause/"))[0] == 409
    assert (await site.api("POST", f"Recording/{uuid.uuid4()}/Pause/"))[0] == 404
    other = await Accounts(site.database).create("Other", token="8" * 64)
    auth = {"Authorization": aiohttp.encode_basic_auth(other, "8" * 64)}
    path = f"/v1/Account/{other}/Recording/{live}/Pause/"
    assert (await site.api("POST", path, headers=auth))[0] == 404
    assert not (await site.row(live))["pause_wanted"]


async def test_a_recording_that_was_paused_is_complete(site: Site) -> None:
    recording_id = await site.recorded(raw(tone(2), tone(2)), over=False)
    bridge = Bridge(site.database)
    await bridge.does(Pause(recording_id, uuid.uuid4(), True), after=2)
    async with site.database.connection() as connection:
        await connection.execute(
            "UPDATE call SET ended_at = $1, disposition = 'completed', reason = 'hung-up',"
            " fault = 'none', hung_up_by = 'caller'",
            STARTED + timedelta(seconds=60),
        )
    await site.worker.convert()
    row = await site.row(recording_id)
    assert (row["state"], row["failure"]) == ("ready", None)
    assert row["ended_at"] == STARTED + timedelta(seconds=60)
    assert (await site.told())[-1][1]["RecordingDuration"] == 2
    _, shown = await site.api("GET", f"Recording/{recording_id}/")
    assert (shown["recording_duration_ms"], shown["paused"]) == ("2000.00000", False)
