"""Child processes that say when they are ready, and that never outlive us."""

import contextlib
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path


class StartError(Exception):
    """A part of the stack did not start; the message is for the person at the terminal."""


class Child:
    """One process with its output in a file.

    It is killed by the kernel when we die, however we die.  (The kernel forgets that when a
    process changes its user, so whoever does must do it before ``setpriv`` runs the command.)
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        *,
        log_file: Path,
        user: Sequence[str] = (),
        env: Mapping[str, str] | None = None,
        stop_signal: signal.Signals = signal.SIGTERM,
    ) -> None:
        """``user``: options for ``setpriv`` that change user and capabilities."""
        self.name = name
        self.log_file = log_file
        self._command = ["setpriv", *user, "--pdeathsig=KILL", *command]
        self._env = env
        self._stop_signal = stop_signal
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    def start(self, ready: Callable[[], bool], *, within: float) -> None:
        """Start it and wait until ``ready`` says so.

        Raises:
            StartError: it ended, or was not ready ``within`` seconds.
        """
        with self.log_file.open("ab") as log:
            self._process = subprocess.Popen(
                self._command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=self._env,
                # Ctrl-C is for us alone: we stop the parts in their order.
                start_new_session=True,
            )
        if not until(lambda: ready() or not self.running, within=within) or not self.running:
            self.kill()
            raise StartError(f"{self.name} did not start.  Its last words:\n{self.last_words()}")

    def stop(self, *, within: float = 10.0) -> None:
        """Ask it to end, and make it."""
        if self._process is None:
            return
        if self.running:
            self._process.send_signal(self._stop_signal)
        try:
            self._process.wait(within)
        except subprocess.TimeoutExpired:
            self.kill()

    def signal(self, signum: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(signum)

    def kill(self) -> None:
        """End it as a crash would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def last_words(self, lines: int = 15) -> str:
        with contextlib.suppress(OSError):
            return "\n".join(self.log_file.read_text(errors="replace").splitlines()[-lines:])
        return "(none)"


def until(condition: Callable[[], bool], *, within: float, every: float = 0.02) -> bool:
    """Look until ``condition`` holds; whether it did ``within`` seconds.

    For what can only be looked at, such as a port or another process's files.
    """
    deadline = time.monotonic() + within
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(every)
    return True


def is_free(host: str, port: int, kind: socket.SocketKind = socket.SOCK_STREAM) -> bool:
    """Whether a server could listen there."""
    with socket.socket(socket.AF_INET, kind) as probe:
        if kind == socket.SOCK_STREAM:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def free_port(host: str = "127.0.0.1") -> int:
    """A TCP port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind((host, 0))
        port: int = probe.getsockname()[1]
        return port


def program(name: str) -> str | None:
    """Path of an installed program, the system directories included."""
    return shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/local/sbin:/sbin")
