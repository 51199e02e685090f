"""An Asterisk of our own, with the product's configuration."""

import base64
import os
import secrets
import shutil
import socket
import subprocess
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from bridge import asterisk_config
from bridge.config import SiteSettings
from bridge.embedded.processes import Child

_DIRECTORIES = ("etc", "run", "log", "spool", "db", "recordings")


class Asterisk:
    """One instance out of a root directory that several may share.

    Args:
        root: what to ``chroot`` into; ``/`` for the machine's own Asterisk.
    """

    def __init__(self, root: Path, site: SiteSettings, *, log_file: Path) -> None:
        self._root = root
        self._inside = Path("/srv") / f"masking-bridge-{os.getpid()}-{secrets.token_hex(4)}"
        self._directory = root / self._inside.relative_to("/")
        # Beside it, for it outlives a restart.
        self.prompts_inside = self._inside.with_name(f"{self._inside.name}-prompts")
        """Where prompts are, as Asterisk sees it."""
        self.prompts = root / self.prompts_inside.relative_to("/")
        self.recordings = self._directory / "recordings"
        """Where it writes recordings, as they who are not in its root directory call it."""
        self.site = site.model_copy(
            update={"recording_spool_directory": self._inside / "recordings"}
        )
        command = ["asterisk", "-f", "-C", str(self._inside / "etc" / "asterisk.conf")]
        uid, gid = self._account()
        user = [f"--reuid={uid}", f"--regid={gid}", "--clear-groups"]
        if root != Path("/"):
            # chroot first, as root; then another user, and only then the tie to our life.
            command = ["chroot", str(root), "setpriv", *user, "--pdeathsig=KILL", *command]
            user = []
        kept = ["sed", "-u", "-E", "-f", str(asterisk_config.log_filter())]
        self._child = Child("Asterisk", command, log_file=log_file, user=user, log_filter=kept)

    @property
    def running(self) -> bool:
        return self._child.running

    @property
    def pid(self) -> int | None:
        return self._child.pid

    def start(self) -> None:
        """Start it anew, with nothing left of an earlier run.

        Raises:
            StartError: it did not come up.
        """
        self._configure()
        self._child.start(self._answers, within=60)

    def reload_trunk(self, **settings: Any) -> None:
        """Have it take up the trunk with other settings, which count for new calls."""
        site = self.site.model_copy(update=settings)
        trunk = self._directory / "etc" / "site" / "pjsip.conf"
        trunk.write_text(asterisk_config.render(site)["pjsip.conf"])
        self.cli("module reload res_pjsip.so")

    def stop(self) -> None:
        self._child.stop()
        for directory in (self._directory, self.prompts):
            shutil.rmtree(directory, ignore_errors=True)

    def kill(self) -> None:
        self._child.kill()

    @property
    def log_text(self) -> str:
        """Everything that this Asterisk has written to any log."""
        logs = [self._child.log_file, *self._directory.glob("log/*")]
        return "\n".join(log.read_text(errors="replace") for log in logs if log.is_file())

    def cli(self, command: str) -> str:
        """What Asterisk's console says to ``command``."""
        asterisk = ["asterisk", "-C", str(self._inside / "etc" / "asterisk.conf"), "-rx", command]
        chroot = [] if self._root == Path("/") else ["chroot", str(self._root)]
        done = subprocess.run([*chroot, *asterisk], capture_output=True, text=True, check=True)
        return done.stdout

    def _configure(self) -> None:
        self._remove_remains()
        for name in _DIRECTORIES:
            (self._directory / name).mkdir(parents=True)
        etc = self._directory / "etc"
        asterisk_config.write(etc, self.site)
        options = (etc / "asterisk.conf").read_text()
        (etc / "asterisk.conf").write_text(self._directories() + options)
        uid, gid = self._account()
        for path in [self._directory, *self._directory.rglob("*")]:
            os.chown(path, uid, gid)
        if self._root != Path("/"):
            # Asterisk looks its own name up for every call, and would wait for an answer.
            hosts = f"127.0.0.1 localhost {socket.gethostname()}\n"
            file = self._root / "etc" / "hosts"
            if not file.exists() or file.read_text() != hosts:  # another Asterisk may be reading it
                file.write_text(hosts)

    def _remove_remains(self) -> None:
        """Files of an earlier run of ours, and of those of processes that were killed."""
        for directory in self._directory.parent.glob("masking-bridge-*"):
            pid = directory.name.split("-")[2]
            if directory == self._directory or not Path("/proc", pid).exists():
                shutil.rmtree(directory, ignore_errors=True)

    def _directories(self) -> str:
        [modules] = (self._root / "usr/lib").glob("*/asterisk/modules")
        places = {
            "astetcdir": self._inside / "etc",
            "astmoddir": "/" / modules.relative_to(self._root),
            "astvarlibdir": "/var/lib/asterisk",
            "astdatadir": "/usr/share/asterisk",
            "astdbdir": self._inside / "db",
            "astkeydir": self._inside / "db",
            "astagidir": self._inside / "db",
            "astspooldir": self._inside / "spool",
            "astrundir": self._inside / "run",
            "astlogdir": self._inside / "log",
        }
        return "[directories]\n" + "".join(f"{key} => {path}\n" for key, path in places.items())

    def _account(self) -> tuple[int, int]:
        """The user ``asterisk`` as the root directory knows it, which is not the machine's."""
        for line in (self._root / "etc" / "passwd").read_text().splitlines():
            name, _, uid, gid, *_ = line.split(":")
            if name == "asterisk":
                return int(uid), int(gid)
        return os.getuid(), os.getgid()

    def _answers(self) -> bool:
        credentials = f"{self.site.ari_user}:{self.site.ari_password.get_secret_value()}"
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.site.ari_port}/ari/asterisk/ping",
            headers={"Authorization": f"Basic {base64.b64encode(credentials.encode()).decode()}"},
        )
        try:
            with urllib.request.urlopen(request, timeout=2):  # noqa: S310
                return True
        except (urllib.error.URLError, OSError):
            return False
