"""What is made once and shared by all checkouts of this machine."""

import contextlib
import fcntl
from collections.abc import Iterator
from pathlib import Path

CACHE = Path("/var/cache/masking-bridge")


@contextlib.contextmanager
def alone() -> Iterator[None]:
    """One at a time, over all checkouts; the directory is there."""
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
