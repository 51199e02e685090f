"""What a phone does, step by step, in SIPp's language (https://sipp.readthedocs.io, scenarios).

Two kinds of scenario: the steps of `Caller` place a call, those of `Callee` take one.  Each step is
a piece of XML; `scenario` puts them together.
"""

import re
from typing import Final

SILENT_PHONES: Final = {"BRIDGE_SILENCE_LIMIT": "3600"}
"""For a bridge whose phones send no audio and are ready for nothing that their steps do not say, so
that they are not asked whether they are there."""

CUE: Final = "sip:cue@phone"
"""Request URI of the messages that the test itself sends to a phone; never on the wire between
phone and Asterisk."""

# On a busy machine Asterisk may not read a 180 within half a second, and then it sends its INVITE
# again (RFC 3261 17.1.1.2).  SIPp recognises that only if nothing came in between, such as a cue.
_ACK = '<recv request="INVITE" optional="true"/>\n<recv request="ACK"/>'

_SDP = """\
v=0
o={owner} 1 1 IN IP4 [local_ip]
s={owner}
c=IN IP4 [local_ip]
t=0 0
m=audio [rtp_port] RTP/AVP 0 101
a=rtpmap:0 PCMU/8000
a=rtpmap:101 telephone-event/8000
a=fmtp:101 0-15
a={direction}
"""


def scenario(*steps: str) -> str:
    body = "\n".join(steps)
    # SIPp takes a variable that is kept and not used for a mistake.
    kept = dict.fromkeys(re.findall(r'assign_to="(\w+)"', body))
    if kept:
        body += f'\n<Reference variables="{",".join(kept)}"/>'
    return f'<?xml version="1.0" encoding="ISO-8859-1" ?>\n<scenario>\n{body}\n</scenario>\n'


def pause(milliseconds: int) -> str:
    """The phone does nothing for a while, as a person would."""
    return f'<pause milliseconds="{milliseconds}"/>'


def wait_for_cue() -> str:
    """Stand still until the test says go on (`Phone.cue`)."""
    return '<recv request="INFO"/>'


def sdp(*, owner: str = "-", direction: str = "sendrecv") -> str:
    """A description of the phone's audio.  A careless phone puts its number into ``owner``."""
    return _SDP.format(owner=owner, direction=direction)


class Caller:
    """Steps of a phone that places a call.  ``[number]`` is its number, ``[service]`` the dialled.

    Args:
        headers: further lines of the INVITE, each with a line end.
        display_name: in the From header, in quotes.
        number: what it calls itself; a SIPp keyword or text.
    """

    def __init__(
        self,
        *,
        headers: str = "",
        display_name: str = "",
        number: str = "[number]",
        owner: str = "-",
    ) -> None:
        self._headers = headers
        self._from = f'"{display_name}" ' if display_name else ""
        self._from += f"<sip:{number}@[local_ip]:[local_port]>;tag=[call_number]-[pid]"
        self._number = number
        self._owner = owner
        self._branch = "z9hG4bK-[pid]-[call_number]"

    def invite(self) -> str:
        return _send(
            f"""\
INVITE sip:[service]@[remote_ip]:[remote_port] SIP/2.0
Via: SIP/2.0/UDP [local_ip]:[local_port];branch={self._branch}-invite
From: {self._from}
To: <sip:[service]@[remote_ip]:[remote_port]>
Call-ID: [call_id]
CSeq: 1 INVITE
Contact: <sip:{self._number}@[local_ip]:[local_port]>
Max-Forwards: 70
{self._headers}Content-Type: application/sdp
Content-Length: [len]

{sdp(owner=self._owner)}""",
            retransmit=True,
        )

    def hears_ringback(self) -> str:
        return '<recv response="100" optional="true"/>\n<recv response="180"/>'

    def is_answered(self) -> str:
        """Takes the 200 and acknowledges it."""
        return (
            '<recv response="200" rrs="true"><action>\n'
            '<ereg regexp=".*" search_in="hdr" header="To:" assign_to="far_end"/>\n'
            "</action></recv>\n" + self._request("ACK", cseq=1)
        )

    def is_answered_at_once(self) -> str:
        """The same, with no ringback before."""
        return '<recv response="100" optional="true"/>\n' + self.is_answered()

    def is_refused(self, status: int) -> str:
        """Gets that final status and no answer."""
        return (
            '<recv response="100" optional="true"/>\n'
            '<recv response="180" optional="true"/>\n'
            f'<recv response="{status}"/>\n' + self._acknowledge_failure()
        )

    def cancels(self) -> str:
        """Hangs up while it rings."""
        return (
            self._cancel()
            + '\n<recv response="200"/>\n<recv response="487"/>\n'
            + self._acknowledge_failure()
        )

    def cancels_or_is_too_late(self) -> str:
        """On the cue, hangs up; the answer may come before it or cross it; then it says BYE."""
        took = (
            '<action>\n<ereg regexp=".*" search_in="hdr" header="To:" assign_to="far_end"/>\n'
            '<ereg regexp="INVITE" search_in="hdr" header="CSeq:" assign_to="answered"/>\n</action>'
        )
        answer = f'<recv response="200" optional="true" next="too_late" rrs="true">{took}</recv>'
        return "\n".join(
            (
                answer,
                wait_for_cue(),
                self._cancel(),
                f'<recv response="200" next="crossed" test="answered" rrs="true">{took}</recv>',
                answer,  # the 200 before was for the CANCEL
                '<recv response="487" next="cancelled"/>',
                '<label id="crossed"/>',  # the CANCEL's own answer is still to come
                '<recv response="481" optional="true" next="too_late"/>',
                '<recv response="200"/>',
                '<label id="too_late"/>',
                self._request("ACK", cseq=1),
                self._request("BYE", cseq=2, retransmit=True),
                '<recv response="200" next="over"/>',
                '<label id="cancelled"/>',
                self._acknowledge_failure(),
                '<label id="over"/>',
            )
        )

    def _cancel(self) -> str:
        return _send(
            f"""\
CANCEL sip:[service]@[remote_ip]:[remote_port] SIP/2.0
Via: SIP/2.0/UDP [local_ip]:[local_port];branch={self._branch}-invite
From: {self._from}
To: <sip:[service]@[remote_ip]:[remote_port]>
Call-ID: [call_id]
CSeq: 1 CANCEL
Max-Forwards: 70
Content-Length: 0

""",
            retransmit=True,
        )

    def hangs_up(self) -> str:
        return self._request("BYE", cseq=2, retransmit=True) + '\n<recv response="200"/>'

    def is_hung_up_on(self) -> str:
        return _is_hung_up_on()

    def _request(self, method: str, *, cseq: int, retransmit: bool = False) -> str:
        return _send(
            f"""\
{method} [next_url] SIP/2.0
Via: SIP/2.0/UDP [local_ip]:[local_port];branch={self._branch}-{method.lower()}
From: {self._from}
To:[$far_end]
Call-ID: [call_id]
CSeq: {cseq} {method}
Max-Forwards: 70
Content-Length: 0

""",
            retransmit=retransmit,
        )

    def _acknowledge_failure(self) -> str:
        return _send(
            f"""\
ACK sip:[service]@[remote_ip]:[remote_port] SIP/2.0
Via: SIP/2.0/UDP [local_ip]:[local_port];branch={self._branch}-invite
From: {self._from}
[last_To:]
Call-ID: [call_id]
CSeq: 1 ACK
Max-Forwards: 70
Content-Length: 0

"""
        )


class Callee:
    """Steps of a phone that takes a call.

    Args:
        headers: further lines of each of its responses and requests, each with a line end.
        contact: user part of its Contact header.
        owner: of its SDP.
    """

    def __init__(self, *, headers: str = "", contact: str = "phone", owner: str = "-") -> None:
        self._headers = headers
        self._contact = contact
        self._owner = owner

    def is_called(self) -> str:
        return (
            '<recv request="INVITE" rrs="true"><action>\n'
            '<ereg regexp=".*" search_in="hdr" header="From:" assign_to="far_end"/>\n'
            '<ereg regexp=".*" search_in="hdr" header="To:" assign_to="self"/>\n'
            '<ereg regexp=".*" search_in="hdr" header="Via:" assign_to="via"/>\n'
            '<ereg regexp=".*" search_in="hdr" header="CSeq:" assign_to="cseq"/>\n'
            "</action></recv>"
        )

    def rings(self) -> str:
        return self._response("180 Ringing")

    def sends_early_media(self) -> str:
        return self._response("183 Session Progress", body=sdp(owner=self._owner))

    def answers(self) -> str:
        return self._response("200 OK", body=sdp(owner=self._owner), retransmit=True) + f"\n{_ACK}"

    def answers_as_the_caller_gives_up(self) -> str:
        """Answers; a CANCEL that crosses the answer is too late, and gets its own answer.

        (RFC 3261 9.2.  One that got none would be sent again, to whatever phone is here by then.)
        """
        return self.answers().replace(
            '<recv request="ACK"/>',
            '<recv request="CANCEL" optional="true" next="too_late"/>\n'
            '<recv request="ACK" next="acknowledged"/>\n'
            '<label id="too_late"/>\n' + ok() + '\n<recv request="ACK"/>\n'
            '<label id="acknowledged"/>',
        )

    def fails(self, status: str, *, headers: str = "") -> str:
        """Gives a final failure, such as ``486 Busy Here``."""
        return f"{self._response(status, headers=headers)}\n{_ACK}"

    def is_asked(self, status: str) -> str:
        """A re-INVITE in the call, such as whether anybody is there; answers it so."""
        body = sdp(owner=self._owner) if status.startswith("2") else ""
        return (
            '<recv request="INVITE"><action>\n'
            '<ereg regexp=".*" search_in="hdr" header="Via:" assign_to="via"/>\n'
            '<ereg regexp=".*" search_in="hdr" header="CSeq:" assign_to="cseq"/>\n'
            f"</action></recv>\n{self._response(status, body=body)}\n{_ACK}"
        )

    def is_cancelled(self) -> str:
        """The caller gives up while it rings."""
        terminated = self._response("487 Request Terminated")
        return f'<recv request="CANCEL"/>\n{ok()}\n{terminated}\n<recv request="ACK"/>'

    def hangs_up(self, *, cseq: int = 2) -> str:
        return self.request("BYE", cseq=cseq) + '\n<recv response="200"/>'

    def hangs_up_on_cue_or_is_hung_up_on(self) -> str:
        """Whichever comes first; for a phone that plays both parties of an ordered call."""
        return "\n".join(
            (
                '<recv request="INFO" optional="true" next="hangs_up"/>',
                _is_hung_up_on(),
                '<nop next="over"/>',
                '<label id="hangs_up"/>',
                self.hangs_up(),
                '<label id="over"/>',
            )
        )

    def changes_its_audio(self, *, cseq: int, direction: str = "sendrecv") -> str:
        """A re-INVITE, such as for hold (``sendonly``)."""
        offer = sdp(owner=self._owner, direction=direction)
        return (
            self.request("INVITE", cseq=cseq, body=offer)
            + '\n<recv response="100" optional="true"/>\n<recv response="200"/>\n'
            + self.request("ACK", cseq=cseq)
        )

    def updates(self, *, cseq: int) -> str:
        """An UPDATE (RFC 3311), by which phones tell who is connected now."""
        body = sdp(owner=self._owner)
        return self.request("UPDATE", cseq=cseq, body=body) + '\n<recv response="200"/>'

    def transfers(self, *, to: str, cseq: int) -> str:
        """A REFER (RFC 3515), which nobody is to take up: it gets no answer."""
        refer_to = f"Refer-To: <sip:{to}@[remote_ip]>\n"
        return self.request("REFER", cseq=cseq, headers=refer_to)

    def sends_a_message(self, *, cseq: int) -> str:
        """A MESSAGE (RFC 3428), which nobody is to pass on: it gets no answer."""
        return self.request("MESSAGE", cseq=cseq, body="Hello", kind="text/plain")

    def is_hung_up_on(self) -> str:
        return _is_hung_up_on()

    def request(
        self,
        method: str,
        *,
        cseq: int,
        headers: str = "",
        body: str = "",
        kind: str = "application/sdp",
    ) -> str:
        """A request within the call, such as a re-INVITE; ``kind`` is its body's."""
        content = f"Content-Type: {kind}\n" if body else ""
        return _send(
            f"""\
{method} [next_url] SIP/2.0
Via: SIP/2.0/UDP [local_ip]:[local_port];branch=z9hG4bK-[pid]-[call_number]-{method}-{cseq}
From:[$self];tag=[call_number]-[pid]
To:[$far_end]
Call-ID: [call_id]
CSeq: {cseq} {method}
Contact: <sip:{self._contact}@[local_ip]:[local_port]>
Max-Forwards: 70
{self._headers}{headers}{content}Content-Length: [len]

{body}""",
            retransmit=method not in {"ACK", "REFER", "MESSAGE"},
        )

    def _response(
        self, status: str, *, headers: str = "", body: str = "", retransmit: bool = False
    ) -> str:
        """To the INVITE, whatever came after it."""
        content = "Content-Type: application/sdp\n" if body else ""
        return _send(
            f"""\
SIP/2.0 {status}
Via:[$via]
From:[$far_end]
To:[$self];tag=[call_number]-[pid]
Call-ID: [call_id]
CSeq:[$cseq]
Contact: <sip:{self._contact}@[local_ip]:[local_port]>
{self._headers}{headers}{content}Content-Length: [len]

{body}""",
            retransmit=retransmit,
        )


def _is_hung_up_on() -> str:
    return f'<recv request="BYE"/>\n{ok()}'


def ok() -> str:
    """To the request that came last."""
    return _send(
        """\
SIP/2.0 200 OK
[last_Via:]
[last_From:]
[last_To:]
[last_Call-ID:]
[last_CSeq:]
Content-Length: 0

"""
    )


def _send(message: str, *, retransmit: bool = False) -> str:
    timer = ' retrans="500"' if retransmit else ""
    return f"<send{timer}><![CDATA[\n{message}\n]]></send>"
