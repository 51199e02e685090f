"""One SIPp process."""

import re
import signal
import socket
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from bridge.embedded.phones.steps import CUE
from bridge.embedded.processes import holds_udp_port, until

_MESSAGE = re.compile(
    rb"^-{20,} (?P<at>[^\n]*)\nUDP message (?P<direction>sent|received) \D(?P<size>\d+)[^\n]*\n\n",
    re.M,
)

# A wait that ended as its scenario foresaw: of many calls there are hundreds, with no line ends.
_FORESEEN = re.compile(
    r"\d{4}-\d\d-\d\d\s[\d:.]+\s[\d.]+: Call-Id: \S+, receive timeout on message \S+"
    r" jumping to label \d+?(?=\d{4}-|\s|$)"
)


class PhoneError(AssertionError):
    """A phone saw something other than its scenario says."""


class Phone:
    """Plays ``steps`` for ``calls`` calls, from one address and port.

    Args:
        name: for its files in ``directory``, and for messages.
        steps: a scenario of `bridge.embedded.phones.steps`.
        address: where it is, host:port; port 0 for any.
        target: where it calls, host:port; ``None`` for a phone that is called.
        keywords: what ``[name]`` in the steps stands for.
        callers: one line per call, ``;`` between fields, for ``[field0]`` and so on.
        within: seconds in which all of its calls must be over.
    """

    def __init__(
        self,
        name: str,
        steps: str,
        directory: Path,
        *,
        address: str,
        target: str | None = None,
        dialled: str = "",
        keywords: Mapping[str, str] | None = None,
        calls: int = 1,
        rate: int = 10,
        callers: Sequence[str] = (),
        within: int = 60,
    ) -> None:
        self.name = name
        self._directory = directory = directory.absolute()
        self._log = directory / f"{name}.messages"
        self._errors = directory / f"{name}.errors"
        self._within = within
        host, _, port = address.rpartition(":")
        self._host, self._port = host, int(port) or _free_udp_port(host)
        scenario = directory / f"{name}.xml"
        scenario.write_text(steps)
        self._command = ["sipp", "-sf", str(scenario), "-i", host, "-p", str(self._port)]
        self._command += ["-m", str(calls), "-l", str(calls), "-r", str(rate), "-nostdin"]
        # As much as the kernel gives: a hundred calls may be told something at once.
        self._command += ["-buff_size", "1000000"]
        self._command += ["-trace_msg", "-message_file", str(self._log)]
        self._command += ["-trace_err", "-error_file", str(self._errors)]
        self._command += ["-timeout", f"{within}s", "-timeout_error"]
        # Anything unexpected ends the call, and with it the scenario, as failed.
        self._command += ["-default_behaviors", "abortunexp"]
        if callers:
            lines = directory / f"{name}.csv"
            lines.write_text("SEQUENTIAL\n" + "".join(f"{caller}\n" for caller in callers))
            self._command += ["-inf", str(lines)]
        for key, value in {"rtp_port": "9", **(keywords or {})}.items():
            self._command += ["-key", key, value]
        if target:
            self._command += ["-s", dialled, target]
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> "Phone":
        """Start it, and wait until it has its port."""
        self._process = subprocess.Popen(
            ["setpriv", "--pdeathsig=KILL", *self._command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=self._directory,  # where it leaves files that nobody named
            start_new_session=True,
        )
        if not until(lambda: self._ended or holds_udp_port(self._host, self._port)):
            raise PhoneError(f"{self.name}: SIPp did not start")
        return self

    def finish(self) -> "Phone":
        """Wait until it has played its scenario.

        Raises:
            PhoneError: what came was not what its scenario says; with what it saw.
        """
        if self._process is None:
            raise PhoneError(f"{self.name} was not started")
        code = self._process.wait(self._within + 10)
        if code:
            raise PhoneError(f"{self.name}: SIPp ended with {code}\n{self._trouble()}")
        return self

    def closes(self) -> "Phone":
        """Have it take no more calls, and end when those that it has are over."""
        if self._process and not self._ended:
            self._process.send_signal(signal.SIGUSR1)
        return self

    def stop(self) -> None:
        """End it, whatever it is doing."""
        if self._process and not self._ended:
            self._process.kill()
            self._process.wait()

    @property
    def received(self) -> list[str]:
        """Every SIP message that reached it, in order; the test's own cues are left out."""
        return self._messages("received")

    @property
    def calls(self) -> list[str]:
        """The INVITE of every call that reached it, in order."""
        first: dict[str, str] = {}
        for message in self.received:
            if message.startswith("INVITE"):
                first.setdefault(header(message, "Call-ID"), message)
        return list(first.values())

    @property
    def sent(self) -> list[str]:
        return self._messages("sent")

    def moments(self, direction: str, start: str) -> list[tuple[datetime, str]]:
        """When, by the machine's clock, messages that begin with ``start`` passed; and they."""
        return [
            (datetime.fromisoformat(at.strip()).astimezone(UTC), text)
            for at, found, text in self._logged()
            if found == direction and text.startswith(start)
        ]

    def has_seen(self, start: str) -> str:
        """Wait for a message that begins with ``start``, such as ``SIP/2.0 180``; that message.

        Raises:
            PhoneError: it did not come.
        """
        return self._wait_for("received", start)

    def has_sent(self, start: str) -> str:
        """The same for a message that it sends itself."""
        return self._wait_for("sent", start)

    def _wait_for(self, direction: str, start: str) -> str:
        found: list[str] = []

        def look() -> bool:
            over = self._ended
            found[:] = [one for one in self._messages(direction) if one.startswith(start)]
            return bool(found) or over

        until(look, every=0.002)
        if not found:
            raise PhoneError(f"{self.name}: no {start!r} {direction}\n{self._trouble()}")
        return found[0]

    def cue(self) -> None:
        """Move it past the `wait_for_cue` at which it stands.

        It stands there once it `has_seen` the message before.
        """
        self._cue(header((self.sent or self.received)[0], "Call-ID"))

    def cue_all(self) -> None:
        """The same for every one of its calls."""
        for call_id in {header(message, "Call-ID") for message in self.sent}:
            self._cue(call_id)

    def _cue(self, call_id: str) -> None:
        text = (
            f"INFO {CUE} SIP/2.0\r\nVia: SIP/2.0/UDP {self._host}:9;branch=z9hG4bK-cue\r\n"
            f"From: <{CUE}>;tag=cue\r\nTo: <{CUE}>\r\nCall-ID: {call_id}\r\n"
            "CSeq: 1 INFO\r\nContent-Length: 0\r\n\r\n"
        )
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.sendto(text.encode(), (self._host, self._port))

    @property
    def _ended(self) -> bool:
        return self._process is None or self._process.poll() is not None

    def _messages(self, direction: str) -> list[str]:
        return [
            message
            for _, found, message in self._logged()
            if found == direction and CUE not in message
        ]

    def _logged(self) -> Iterator[tuple[str, str, str]]:
        """Of each message in SIPp's log: when, sent or received, and its text."""
        try:
            log = self._log.read_bytes()
        except FileNotFoundError:
            return
        start = 0
        while found := _MESSAGE.search(log, start):
            start = found.end() + int(found["size"])
            if start > len(log):  # it is still being written down
                return
            text = log[found.end() : start].decode(errors="replace").replace("\r\n", "\n")
            yield found["at"].decode(), found["direction"].decode(), text.strip("\n")

    def _trouble(self) -> str:
        errors = self._errors.read_text(errors="replace") if self._errors.exists() else ""
        errors = _FORESEEN.sub("", errors)
        seen = [message.splitlines()[0] for message in self.received]
        return f"received, at last: {seen[-20:]}\n{errors[-3000:]}"


def header(message: str, name: str) -> str:
    """Value of a header, empty if there is none."""
    found = re.search(rf"^{re.escape(name)}\s*:\s*(.*?)\s*$", message, re.M | re.I)
    return found[1] if found else ""


def user(address: str) -> str:
    """User part of the URI in a From or To header."""
    found = re.search(r"sips?:([^@;>]*)@", address)
    return found[1] if found else ""


def media(message: str) -> tuple[str, int]:
    """Where the sender of an SDP wants its audio: address and port.

    Raises:
        PhoneError: there is no audio in it.
    """
    address = re.search(r"^c=IN IP4 (\S+)\s*$", message, re.M)
    port = re.search(r"^m=audio (\d+) ", message, re.M)
    if not address or not port:
        raise PhoneError("no audio in this SDP")
    return address[1], int(port[1])


def _free_udp_port(host: str) -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind((host, 0))
        port: int = probe.getsockname()[1]
        return port
