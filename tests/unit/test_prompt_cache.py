"""Prompts on disk: what stays, what goes, what an earlier run left."""

import os
from pathlib import Path

import pytest

from bridge.prompts.cache import Cache, Entry


def put(cache: Cache, key: str, *, size: int = 100) -> None:
    with cache.workplace() as work:
        for name in ("ulaw", "alaw"):
            (work / name).write_bytes(bytes(size // 2))
        entry = Entry(seconds=1, size=size, digest=key, checked_at=0)
        cache.put(key, entry, {".ulaw": work / "ulaw", ".alaw": work / "alaw"})


def names(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir())


def kept(cache: Cache, *keys: str) -> list[str]:
    return [key for key in keys if cache.get(key)]


def test_a_prompt_is_two_sounds_that_anybody_may_read(tmp_path: Path) -> None:
    cache = Cache(tmp_path / "prompts", largest=1000)
    put(cache, "a")
    assert names(tmp_path / "prompts") == ["a.alaw", "a.json", "a.ulaw"]
    assert (tmp_path / "prompts").stat().st_mode & 0o777 == 0o755
    for ending in (".ulaw", ".alaw"):
        assert (tmp_path / "prompts" / f"a{ending}").stat().st_mode & 0o777 == 0o644


def test_the_one_not_used_for_longest_makes_room(tmp_path: Path) -> None:
    cache = Cache(tmp_path, largest=250)
    put(cache, "a")
    put(cache, "b")
    assert cache.get("a")
    put(cache, "c")
    assert kept(cache, "a", "b", "c") == ["a", "c"]
    assert names(tmp_path) == ["a.alaw", "a.json", "a.ulaw", "c.alaw", "c.json", "c.ulaw"]


def test_a_prompt_that_is_taken_in_again_counts_once(tmp_path: Path) -> None:
    cache = Cache(tmp_path, largest=250)
    put(cache, "a")
    for _ in range(5):
        put(cache, "b")
    assert kept(cache, "a", "b") == ["a", "b"]


def test_the_newest_stays_however_large(tmp_path: Path) -> None:
    cache = Cache(tmp_path, largest=10)
    put(cache, "a")
    put(cache, "b")
    assert kept(cache, "a", "b") == ["b"]


def test_a_restart_keeps_what_is_there_and_who_was_used_last(tmp_path: Path) -> None:
    cache = Cache(tmp_path, largest=1000)
    for key, used_at in (("a", 3), ("b", 1), ("c", 2)):
        put(cache, key)
        os.utime(tmp_path / f"{key}.json", (used_at, used_at))
    restarted = Cache(tmp_path, largest=200)
    assert kept(restarted, "a", "b", "c") == ["a", "c"]
    entry = restarted.get("a")
    assert entry == Entry(seconds=1, size=100, digest="a", checked_at=0)


def test_what_was_left_half_done_is_removed(tmp_path: Path) -> None:
    put(Cache(tmp_path, largest=1000), "whole")
    for key in ("cut", "silent", "odd", "older"):
        put(Cache(tmp_path, largest=1000), key)
    (tmp_path / "cut.ulaw").write_bytes(b"")
    (tmp_path / "silent.alaw").unlink()
    (tmp_path / "odd.json").write_text("{")
    (tmp_path / "older.json").write_text('{"seconds": 1}')
    (tmp_path / "sound-alone.ulaw").write_bytes(b"a")
    (tmp_path / ".new-abc").mkdir()
    (tmp_path / ".new-abc" / "source").write_bytes(b"a")
    Cache(tmp_path, largest=1000)
    assert names(tmp_path) == ["whole.alaw", "whole.json", "whole.ulaw"]


def test_what_somebody_removed_is_not_there(tmp_path: Path) -> None:
    cache = Cache(tmp_path, largest=1000)
    put(cache, "a")
    for path in tmp_path.iterdir():
        path.unlink()
    assert cache.get("a") is None


def test_a_directory_that_cannot_be_used_is_told_at_once(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match="file"):
        Cache(tmp_path / "file", largest=1000)
