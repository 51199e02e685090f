"""Prompts on disk, where Asterisk reads them.

A prompt is three files: the sound in each law of G.711, and what is known about it.  They are named
by the SHA-256 of the URL, for a URL may hold credentials and numbers, and it is not written down
anywhere.  The third file is written last and removed first: without it, the others are no prompt.
When it was last written or touched is when the prompt was last used.
"""

import contextlib
import dataclasses
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bridge.domain.json_text import read_json

SOUNDS = (".ulaw", ".alaw")
_ABOUT = ".json"
_WORK = ".new-"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What is known about a prompt.

    Args:
        seconds: how long it lasts.
        size: bytes of its sounds.
        digest: SHA-256 of what was fetched.
        checked_at: Unix time at which this was known to be what the URL gives.
        etag, last_modified: what its server calls this version.
    """

    seconds: float
    size: int
    digest: str
    checked_at: float
    etag: str | None = None
    last_modified: str | None = None


class Cache:
    """As many prompts as ``largest`` bytes hold; those not used for longest go first.

    Only one process may use a directory.

    Raises:
        OSError: the directory cannot be made, or not be written to.
    """

    def __init__(self, directory: Path, *, largest: int) -> None:
        self.directory = directory
        self._largest = largest
        if not directory.exists():
            directory.mkdir(parents=True)
            directory.chmod(0o755)  # Asterisk is another user
        self._entries = self._load()
        """Least recently used first."""
        self._evict()

    def get(self, key: str) -> Entry | None:
        """The prompt, which counts as used by this."""
        entry = self._entries.pop(key, None)
        if entry is None:
            return None
        try:
            os.utime(self._path(key, _ABOUT))
        except FileNotFoundError:  # somebody tidied up
            self.remove(key)
            return None
        self._entries[key] = entry
        return entry

    @contextmanager
    def workplace(self) -> Iterator[Path]:
        """A directory for the length of the block, from which files can be moved into place."""
        with tempfile.TemporaryDirectory(dir=self.directory, prefix=_WORK) as work:
            yield Path(work)

    def put(self, key: str, entry: Entry, sounds: dict[str, Path]) -> None:
        """Take files in, one for each of `SOUNDS`, in place of those there may be.

        Whoever plays the old ones goes on doing so.
        """
        for ending, path in sounds.items():
            path.chmod(0o644)
            path.replace(self._path(key, ending))
        self.note(key, entry)
        self._evict()

    def note(self, key: str, entry: Entry) -> None:
        """Write down what is known now."""
        with self.workplace() as work:
            (work / "about").write_text(json.dumps(dataclasses.asdict(entry)))
            (work / "about").replace(self._path(key, _ABOUT))
        self._entries.pop(key, None)
        self._entries[key] = entry

    def remove(self, key: str) -> None:
        self._entries.pop(key, None)
        for ending in (_ABOUT, *SOUNDS):
            self._path(key, ending).unlink(missing_ok=True)

    def _path(self, key: str, ending: str) -> Path:
        return self.directory / f"{key}{ending}"

    def _evict(self) -> None:
        total = sum(entry.size for entry in self._entries.values())
        while total > self._largest and len(self._entries) > 1:
            oldest = next(iter(self._entries))
            total -= self._entries[oldest].size
            self.remove(oldest)

    def _load(self) -> dict[str, Entry]:
        """What an earlier run left whole; what it left half done is removed."""
        found: list[tuple[float, str, Entry]] = []
        for path in self.directory.iterdir():
            if path.name.startswith(_WORK):
                shutil.rmtree(path, ignore_errors=True)
            elif path.suffix == _ABOUT:
                with contextlib.suppress(OSError, ValueError, TypeError):
                    entry = Entry(**read_json(path.read_bytes()))
                    if self._sounds_size(path.stem) == entry.size:
                        found.append((path.stat().st_mtime, path.stem, entry))
        whole = {key: entry for _, key, entry in sorted(found, key=lambda one: one[0])}
        for path in self.directory.iterdir():
            if path.suffix in (_ABOUT, *SOUNDS) and path.stem not in whole:
                path.unlink(missing_ok=True)
        return whole

    def _sounds_size(self, key: str) -> int:
        return sum(self._path(key, ending).stat().st_size for ending in SOUNDS)
