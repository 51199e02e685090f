"""Getting what the machine lacks: SIPp, and an Asterisk that is new enough.

Asterisk 22.10.1 is the first without two known holes in ARI, and Debian 14 the first to package
it; so on anything older it gets a root file system of its own, made from Debian's packages.
"""

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from bridge.embedded.cache import CACHE, alone
from bridge.embedded.processes import StartError, program

LEAST_ASTERISK = (22, 10, 1)
_SUITE = "forky"  # Debian 14
_PACKAGES = "asterisk,asterisk-core-sounds-en-gsm,ca-certificates"
_ARCHIVE_KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"

console = Console(stderr=True, highlight=False)


def install() -> Path:
    """Install what is missing, telling the person at the terminal; Asterisk's root directory.

    Raises:
        StartError: something cannot be had.
    """
    if not program("sipp"):
        _apt_install("sip-tester", "SIPp, which plays the phones")
    if (version := _asterisk_version([])) and version >= LEAST_ASTERISK:
        return Path("/")
    if os.geteuid() != 0:
        raise StartError(
            "Asterisk 22.10.1 or newer is not installed, and only root can make one: run as root"
        )
    return _root_file_system()


def install_firewall() -> None:
    """Get what the tests of the firewall try it with: nft, and ip of iproute2.

    Raises:
        StartError: they cannot be had.
    """
    with alone():
        for name, package in (("nft", "nftables"), ("ip", "iproute2")):
            if not program(name):
                _apt_install(package, f"{package}, with which the firewall's rules are tried")


def install_pooler() -> str:
    """PgBouncer's program, for the tests; it is installed if it is missing, and never started.

    Raises:
        StartError: it cannot be had.
    """
    with alone():
        if not program("pgbouncer"):
            _apt_install("pgbouncer", "PgBouncer, a pooler, for tests")
            if systemctl := program("systemctl"):
                disable = [systemctl, "--quiet", "disable", "--now", "pgbouncer"]
                subprocess.run(disable, capture_output=True, check=False)
    found = program("pgbouncer")
    if not found:
        raise StartError("pgbouncer was installed, and is not there")
    return found


def _asterisk_version(prefix: Sequence[str]) -> tuple[int, ...] | None:
    if not prefix and not program("asterisk"):
        return None
    done = subprocess.run(
        [*prefix, program("asterisk") if not prefix else "asterisk", "-V"],  # type: ignore[list-item]
        capture_output=True,
        text=True,
        check=False,
    )
    match = re.search(r"Asterisk (\d+)\.(\d+)\.(\d+)", done.stdout)
    return tuple(int(part) for part in match.groups()) if match else None


def _root_file_system() -> Path:
    """Asterisk's root file system, shared by all checkouts of this machine."""
    root = CACHE / f"asterisk-{_SUITE}"
    with alone():
        version = _asterisk_version(["chroot", str(root)]) if root.exists() else None
        if version is None or version < LEAST_ASTERISK:
            _make(root)
    return root


def _make(root: Path) -> None:
    """Make it beside its place and move it there whole, so that half of one is never used."""
    if not program("mmdebstrap"):
        _apt_install("mmdebstrap", "mmdebstrap, which makes root file systems")
    if not Path(_ARCHIVE_KEYRING).exists():
        _apt_install("debian-archive-keyring", "Debian's archive keys")
    with tempfile.TemporaryDirectory(dir=root.parent) as work:
        new = Path(work) / "root"
        _run(
            [
                "mmdebstrap",
                "--variant=minbase",
                f"--include={_PACKAGES}",
                # Debian 14 may reach us through a mirror that stands still.
                '--aptopt=Acquire::Check-Valid-Until "false"',
                f"--keyring={_ARCHIVE_KEYRING}",
                _SUITE,
                str(new),
            ],
            "Asterisk 22 in a root file system of its own (350 MB, kept for next time)",
        )
        version = _asterisk_version(["chroot", str(new)])
        if version is None or version < LEAST_ASTERISK:
            raise StartError("Debian 14 gave an Asterisk that is too old")
        shutil.rmtree(root, ignore_errors=True)
        new.rename(root)


def _apt_install(package: str, what: str) -> None:
    if os.geteuid() != 0:
        raise StartError(f"{package} is not installed, and only root can: run as root")
    _run(["apt-get", "update", "-q"], "the list of Debian's packages")
    _run(["apt-get", "install", "-y", "-q", "--no-install-recommends", package], what)


def _run(command: Sequence[str], what: str) -> None:
    """Run an installer behind a spinner; on failure show what it said."""
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    with console.status(f"Getting {what} …"):
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=environment,
            check=False,
        )
    if done.returncode:
        last_words = "\n".join(done.stdout.splitlines()[-20:])
        raise StartError(f"could not get {what}:\n{last_words}")
    console.print(f"[green]✓[/green] {what}")
