"""The bridge itself, as a child process."""

import os
import signal
import sys
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path

from bridge.embedded.processes import Child


class BridgeProcess:
    """``masking-bridge serve``, with its settings in its environment."""

    def __init__(self, settings: Mapping[str, str], *, api_url: str, log_file: Path) -> None:
        self.log_file = log_file
        self.api_url = api_url
        self.environment = {**os.environ, **settings}
        self._child = Child(
            "The bridge",
            [sys.executable, "-m", "bridge", "serve"],
            log_file=log_file,
            env=self.environment,
        )

    @property
    def running(self) -> bool:
        return self._child.running

    @property
    def pid(self) -> int | None:
        return self._child.pid

    @property
    def is_ready(self) -> bool:
        """Whether it has all it needs to take calls."""
        return is_ready(self.api_url)

    def start(self) -> None:
        """Raises: StartError: it did not get ready."""
        self._child.start(lambda: self.is_ready, within=60)

    def begin(self) -> None:
        """Start it, and do not wait until it is ready."""
        self._child.start(lambda: True, within=60)

    def stop(self, *, within: float = 70.0) -> None:
        """Ask it to drain and end, and wait."""
        self._child.stop(within=within)

    def terminate(self) -> None:
        """Ask it to drain and end."""
        self._child.signal(signal.SIGTERM)

    def kill(self) -> None:
        self._child.kill()

    def freeze(self) -> None:
        """Have it hang."""
        self._child.signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._child.signal(signal.SIGCONT)


def is_ready(api_url: str) -> bool:
    """Whether the bridge has all it needs to take calls."""
    try:
        with urllib.request.urlopen(f"{api_url}/readyz", timeout=2):  # noqa: S310
            return True
    except (urllib.error.URLError, OSError):
        return False
