"""Child processes that say when they are ready, and that never outlive us."""

import contextlib
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import IO, cast


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
        log_filter: Sequence[str] = (),
    ) -> None:
        """Describe it; `start` starts it.

        Args:
            user: options for ``setpriv`` that change user and capabilities.
            log_filter: a program through which its output goes to the file.
        """
        self.name = name
        self.log_file = log_file
        self._command = ["setpriv", *user, "--pdeathsig=KILL", *command]
        self._env = env
        self._stop_signal = stop_signal
        self._log_filter = log_filter
        self._process: subprocess.Popen[bytes] | None = None
        self._filtering: subprocess.Popen[bytes] | None = None

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
        with contextlib.ExitStack() as ours:
            output: IO[bytes] = ours.enter_context(self.log_file.open("ab"))
            if self._log_filter:
                self._filtering = _filtering(self._log_filter, output)
                output = ours.enter_context(cast(IO[bytes], self._filtering.stdin))
            self._process = subprocess.Popen(
                self._command,
                stdin=subprocess.DEVNULL,
                stdout=output,
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
        self._finish_log()

    def signal(self, signum: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(signum)

    def kill(self) -> None:
        """End it as a crash would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._finish_log()

    def _finish_log(self) -> None:
        """Wait until the whole of its output is in the file."""
        if self._filtering is not None:
            self._filtering.wait()
            self._filtering = None

    def last_words(self, lines: int = 15) -> str:
        with contextlib.suppress(OSError):
            return "\n".join(self.log_file.read_text(errors="replace").splitlines()[-lines:])
        return "(none)"


def _filtering(program: Sequence[str], file: IO[bytes]) -> subprocess.Popen[bytes]:
    """A program between an output and ``file``; it ends when nobody has its input open any more."""
    return subprocess.Popen(
        program,
        stdin=subprocess.PIPE,
        stdout=file,
        env={"PATH": os.environ["PATH"], "LC_ALL": "C"},  # bytes, of whatever language
        start_new_session=True,
    )


def until(condition: Callable[[], bool], *, within: float = 30.0, every: float = 0.02) -> bool:
    """Look until ``condition`` holds; whether it did ``within`` seconds.

    For what can only be looked at, such as a port or another process's files.  Long waits cost
    nothing where all is well, and short ones fail on a busy machine.
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


def holds_udp_port(host: str, port: int) -> bool:
    """Whether somebody has this IPv4 port, of the UDP ports of this network namespace.

    For waiting until a program has it.  `is_free` would take the port for a moment, and the
    program that asks for it in that moment gets "address in use".
    """
    # The table has the address as the machine's own word, in hex: proc(5), /proc/net/udp.
    address = int.from_bytes(socket.inet_aton(host), sys.byteorder)
    local = f"{address:08X}:{port:04X}"
    table = Path("/proc/net/udp").read_text()
    return any(line.split()[1] == local for line in table.splitlines()[1:])


_given: set[int] = set()  # by `free_port`, whether or not a server has it yet


def free_port(host: str = "127.0.0.1", *, besides: Collection[int] = ()) -> int:
    """A TCP port that nobody listens on now, and that outgoing connections are not given.

    So it stays free until its server has it, and while that is away for a restart.  Each is given
    once only.

    Args:
        besides: none of these: somebody will have them.

    Raises:
        StartError: there is none.
    """
    lowest, _ = map(int, Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split())
    # Below what the kernel hands out (ip(7), ip_local_port_range).  Where it hands out all that
    # any user may take, there is no such port, and one from the middle is as good as any.
    ports = range(max(10_000, lowest - 10_000), lowest) or range(20_000, 30_000)
    for port in random.sample(ports, len(ports)):
        if port not in _given and port not in besides and is_free(host, port):
            _given.add(port)
            return port
    raise StartError(f"no port of {host} is free from {ports.start} to {ports.stop - 1}")


def program(name: str) -> str | None:
    """Path of an installed program, the system directories included."""
    return shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/local/sbin:/sbin")
