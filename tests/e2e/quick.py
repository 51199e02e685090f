"""Phones that act in the very moment in which something reaches them; SIPp starts too slowly."""

import itertools
import re
import socket
from collections.abc import Mapping
from typing import Self

_SDP = (
    "v=0\r\no=- 1 1 IN IP4 {host}\r\ns=-\r\nc=IN IP4 {host}\r\nt=0 0\r\n"
    "m=audio 9 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\n"
)
_ids = itertools.count(1)


class QuickPhones:
    """All phones of the carrier's customers, at one address; one message after the other.

    Args:
        place: where they are, ``host:port``.
        switch: where they call, ``host:port``.
    """

    def __init__(self, place: str, switch: str) -> None:
        self.host, port = place.rsplit(":", 1)
        self.port = int(port)
        host, port = switch.rsplit(":", 1)
        self._switch = (host, int(port))
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((self.host, self.port))
        self._socket.settimeout(10)
        self._seen: set[tuple[str, str]] = set()
        self._far_end: dict[str, str] = {}
        """By Call-ID: the address of whoever answered, with its tag."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def receives(self, *starts: str) -> str:
        """The next message that begins with one of these; others are passed over, as is an echo.

        Raises:
            TimeoutError: none came.
        """
        while True:
            message = self._socket.recv(65535).decode()
            key = (message.split("\r\n", 1)[0], value(message, "Call-ID") + value(message, "CSeq"))
            if message.startswith(starts) and key not in self._seen:
                self._seen.add(key)
                return message

    def calls(self, dialled: str, *, number: str) -> str:
        """Send an INVITE; the message."""
        one = f"{next(_ids)}-{self.port}"
        invite = self._request(
            f"INVITE sip:{dialled}@{self._switch[0]}:{self._switch[1]}",
            {
                "From": f"<sip:{number}@{self.host}>;tag=f{one}",
                "To": f"<sip:{dialled}@{self._switch[0]}>",
                "Call-ID": f"quick-{one}@{self.host}",
                "CSeq": "1 INVITE",
                "Via": f"SIP/2.0/UDP {self.host}:{self.port};branch=z9hG4bK-{one}",
            },
            _SDP.format(host=self.host),
        )
        self._send(invite)
        return invite

    def final(self, invite: str) -> int:
        """The final status that the call got, which is acknowledged; and asked of its 200."""
        while True:
            message = self.receives("SIP/2.0")
            status = int(message.split()[1])
            if value(message, "Call-ID") == value(invite, "Call-ID") and status >= 200:
                self._acknowledge(invite, message)
                return status

    def answers(self, invite: str) -> None:
        """Ring, answer, and see it acknowledged."""
        self._reply(invite, "180 Ringing")
        self._reply(invite, "200 OK", _SDP.format(host=self.host))

    def refuses(self, invite: str, status: str) -> None:
        """Give a final failure."""
        self._reply(invite, status)

    def says(self, request: str, status: str) -> None:
        """Answer a request within a call so; to a re-INVITE, with audio if it is accepted."""
        audio = status.startswith("2") and request.startswith("INVITE")
        self._reply(request, status, _SDP.format(host=self.host) if audio else "")

    def accepts(self, request: str) -> None:
        """Say 200 to a request within a call."""
        self._reply(request, "200 OK")

    def hangs_up(self, invite: str) -> None:
        """End a call that this phone made."""
        self._send(
            self._request(
                f"BYE sip:{self._switch[0]}:{self._switch[1]}",
                {
                    "From": value(invite, "From"),
                    "To": self._far_end[value(invite, "Call-ID")],
                    "Call-ID": value(invite, "Call-ID"),
                    "CSeq": "2 BYE",
                    "Via": f"SIP/2.0/UDP {self.host}:{self.port};branch=z9hG4bK-b{next(_ids)}",
                },
            )
        )

    def _acknowledge(self, invite: str, final: str) -> None:
        self._far_end[value(invite, "Call-ID")] = value(final, "To")
        refused = int(final.split()[1]) >= 300
        branch = value(invite, "Via") if refused else f"{value(invite, 'Via')}-ack"
        self._send(
            self._request(
                f"ACK {invite.split()[1]}",
                {
                    "From": value(invite, "From"),
                    "To": value(final, "To"),
                    "Call-ID": value(invite, "Call-ID"),
                    "CSeq": "1 ACK",
                    "Via": branch,
                },
            )
        )

    def _reply(self, request: str, status: str, body: str = "") -> None:
        to = value(request, "To")
        if ";tag=" not in to:
            to += f";tag=t{value(request, 'Call-ID')}"
        headers = {name: value(request, name) for name in ("Via", "From", "Call-ID", "CSeq")}
        self._send(_message(f"SIP/2.0 {status}", {**headers, "To": to, **self._contact}, body))

    def _request(self, line: str, headers: Mapping[str, str], body: str = "") -> str:
        return _message(f"{line} SIP/2.0", {**headers, "Max-Forwards": "70", **self._contact}, body)

    @property
    def _contact(self) -> Mapping[str, str]:
        return {"Contact": f"<sip:quick@{self.host}:{self.port}>"}

    def _send(self, message: str) -> None:
        self._socket.sendto(message.encode(), self._switch)


def _message(line: str, headers: Mapping[str, str], body: str) -> str:
    kind = {"Content-Type": "application/sdp"} if body else {}
    lines = [f"{name}: {text}" for name, text in {**headers, **kind}.items()]
    return "\r\n".join([line, *lines, f"Content-Length: {len(body)}", "", body])


def value(message: str, name: str) -> str:
    """A header's value, empty if there is none."""
    found = re.search(rf"^{name}\s*:\s*(.*?)\r?$", message, re.M | re.I)
    return found[1] if found else ""
