"""Recordings in an object store: kept, given out, erased; and what is when it is away."""

import hashlib
import uuid
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from bridge.embedded.processes import free_port
from bridge.recordings.files import Archive, ArchiveUnavailable, Spool
from bridge.recordings.objects import ObjectArchive, object_store
from bridge.recordings.worker import RecordingWorker
from bridge.store.recordings import Recordings
from tests.adapters.test_recordings import Site, content_of, raw
from tests.adapters.test_recordings import site as site
from tests.fakes.object_store import ObjectStore
from tests.sounds import tone

KEYS = {"access_key": "AKIAIOSFODNN7EXAMPLE", "secret_key": "wJalrXUtnFEMI/K7MDENG"}


@pytest.fixture
async def store() -> AsyncIterator[ObjectStore]:
    async with ObjectStore(region="garage", **KEYS).serving() as store:
        yield store


def archive_of(store: ObjectStore, directory: Path, **changes: Any) -> ObjectArchive:
    options = {"url": store.url, "region": "garage", **KEYS, **changes}
    bucket = object_store(
        bucket=store.bucket, retries=0, read_timeout=options.pop("read_timeout", 5.0), **options
    )
    return ObjectArchive(bucket, directory)


@pytest.fixture
def archive(store: ObjectStore, tmp_path: Path) -> Archive:
    return archive_of(store, tmp_path / "recordings")


async def recorded(site: Site) -> uuid.UUID:
    return await site.recorded(raw(tone(1), tone(1)), seconds=1)


async def test_a_recording_is_kept_there_and_given_out(site: Site, store: ObjectStore) -> None:
    recording_id = await site.ready()
    [(key, kept)] = store.objects.items()
    assert key == f"{recording_id}.wav"
    assert hashlib.sha256(kept).digest() == (await site.row(recording_id))["sha256"]
    assert [*site.spool.iterdir(), *site.directory.iterdir()] == []
    _, shown = await site.api("GET", f"Recording/{recording_id}/")
    path = f"/v1/Account/{site.api.account}/Recording/{recording_id}/Media/"
    for url, headers in ((path, site.api.auth), (shown["recording_url"], {})):
        response, content = await content_of(site, url, **headers)
        assert (response.status, content) == (200, kept)


async def test_only_the_range_that_is_asked_for_is_fetched(site: Site, store: ObjectStore) -> None:
    recording_id = await site.ready()
    [kept] = store.objects.values()
    path = f"/v1/Account/{site.api.account}/Recording/{recording_id}/Media/"
    response, content = await content_of(site, path, Range="bytes=-10", **site.api.auth)
    assert (response.status, content) == (206, kept[-10:])
    assert (
        response.headers["Content-Range"] == f"bytes {len(kept) - 10}-{len(kept) - 1}/{len(kept)}"
    )
    assert store.asked[-1] == ("GET", f"bytes={len(kept) - 10}-{len(kept) - 1}")


async def test_a_long_one_goes_there_in_parts(store: ObjectStore, tmp_path: Path) -> None:
    archive, recording_id = archive_of(store, tmp_path), uuid.uuid4()
    content = bytes(range(256)) * 40_000  # 10 MB
    archive.room_for(recording_id, "wav").write_bytes(content)
    await archive.keep(recording_id, "wav")
    assert store.objects[f"{recording_id}.wav"] == content
    assert len([method for method, _ in store.asked if method == "PUT"]) > 1
    pieces = await archive.read(recording_id, "wav", range(5, len(content)))
    assert pieces
    assert b"".join([piece async for piece in pieces]) == content[5:]


@pytest.mark.parametrize("trouble", ["refuses", "hangs", "is away", "knows another key"])
async def test_what_cannot_be_kept_stays_and_is_tried_again(
    site: Site, store: ObjectStore, trouble: str
) -> None:
    recording_id = await recorded(site)
    changes: dict[str, dict[str, Any]] = {
        "refuses": {},
        "hangs": {"read_timeout": 0.3},
        "is away": {"url": f"http://127.0.0.1:{free_port()}"},
        "knows another key": {"secret_key": "another"},
    }
    store.refuses, store.hangs = trouble == "refuses", trouble == "hangs"
    away = archive_of(store, site.directory, **changes[trouble])
    rows, spool = Recordings(site.database), Spool(site.spool)
    await RecordingWorker(rows, spool, away, node="here").convert()
    row = await site.row(recording_id)
    assert (row["state"], row["failure"]) == ("in-progress", "archive-away")
    assert [one.name for one in site.spool.iterdir()] == [f"{recording_id}.raw"]
    assert list(site.directory.iterdir()) == []
    store.refuses = store.hangs = False
    await site.worker.convert()
    row = await site.row(recording_id)
    assert (row["state"], row["failure"]) == ("ready", None)
    assert list(site.spool.iterdir()) == []
    assert [name for name, _ in await site.told()] == ["Initiated", "Completed"]


async def test_while_it_is_away_no_other_is_made_for_nothing(
    site: Site, store: ObjectStore
) -> None:
    for _ in range(2):
        await recorded(site)
    store.refuses = True
    for _ in range(2):
        await site.worker.convert()
    assert len(store.asked) == 1


async def test_who_wants_to_hear_one_is_told_to_come_back(site: Site, store: ObjectStore) -> None:
    recording_id = await site.ready()
    path = f"/v1/Account/{site.api.account}/Recording/{recording_id}/Media/"
    store.refuses = True
    response, _ = await content_of(site, path, **site.api.auth)
    assert (response.status, response.headers["Retry-After"]) == (503, "2")
    store.refuses = False
    store.objects.clear()
    assert (await content_of(site, path, **site.api.auth))[0].status == 404


async def test_one_that_breaks_off_does_not_look_whole(site: Site, store: ObjectStore) -> None:
    recording_id = await site.ready()
    store.breaks = True
    path = f"/v1/Account/{site.api.account}/Recording/{recording_id}/Media/"
    with pytest.raises(aiohttp.ClientPayloadError):
        await content_of(site, path, **site.api.auth)


async def test_what_is_removed_is_erased_there_as_soon_as_it_can_be(
    site: Site, store: ObjectStore
) -> None:
    recording_id = await site.ready()
    assert (await site.api("DELETE", f"Recording/{recording_id}/"))[0] == 204
    store.refuses = True
    with pytest.raises(ArchiveUnavailable):
        await site.worker.erase()
    assert (await site.row(recording_id))["erased_at"] is None
    store.refuses = False
    await site.worker.erase()
    assert store.objects == {}
    assert (await site.row(recording_id))["erased_at"]
    await site.archive.erase(recording_id, "wav")


async def test_what_others_have_in_the_bucket_is_left_alone(site: Site, store: ObjectStore) -> None:
    store.objects[f"{uuid.uuid4()}.wav"] = b"another database's"
    await site.worker.sweep()
    assert len(store.objects) == 1


async def test_an_error_tells_no_more_than_where_and_what(
    store: ObjectStore, tmp_path: Path
) -> None:
    store.refuses = True
    with pytest.raises(ArchiveUnavailable, match="403") as caught:
        await archive_of(store, tmp_path).erase(uuid.uuid4(), "wav")
    assert not any(key in str(caught.value) for key in (*KEYS.values(), "AccessDenied", "\n"))
