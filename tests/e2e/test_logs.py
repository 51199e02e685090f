"""No text of a caller, a callee or a carrier reaches a log, however wrong their messages are.

Each message has a number of its own, in the place that is wrong; the number that is found in a log
tells which message was written down.
"""

import re
from collections.abc import Callable, Iterator, Sequence

import pytest

from bridge.embedded.phones.phone import header
from tests.e2e.conftest import Site, assert_nothing_left
from tests.e2e.test_leaks import all_digits
from tests.e2e.wire import (
    Wire,
    acknowledge,
    asterisk_has_written_all,
    calls,
    connected,
    hang_up,
    invite,
    is_called,
    leg_of_caller,
    sdp,
    status,
    wires,
)


@pytest.fixture
def numbers() -> Iterator[str]:
    """Numbers that are nobody's here: fiction's."""
    return (f"+1{area}55501{last:02}" for area in range(803, 900) for last in range(100))


def written(site: Site, marks: dict[str, int]) -> dict[str, str]:
    """What each part has written down since ``marks``, which is moved on."""
    files = {
        "bridge": (site.stack.directory / "bridge.log").read_text(),
        "asterisk": site.stack.asterisk.log_text,
        "postgres": (site.stack.directory / "postgres" / "log").read_text(),
    }
    new = {name: text[marks.get(name, 0) :] for name, text in files.items()}
    marks.update({name: len(text) for name, text in files.items()})
    return new


def assert_none_written(site: Site, told: dict[str, str], marks: dict[str, int]) -> None:
    """No log has any of the numbers; ``told``: what was sent with each."""
    logs = written(site, marks)
    for name, text in logs.items():
        digits = " ".join(all_digits(text))
        found = [what for number, what in told.items() if number.removeprefix("+1") in digits]
        assert not found, f"the log of {name} has the number of {len(found)}, such as {found[0]}"
    for line in logs["asterisk"].splitlines():
        assert re.match(r"20\d\d-\d\d-\d\d [0-9:.]+ [A-Z]+\[\d+\] |$", line), line


def without(text: str, name: str) -> str:
    return re.sub(rf"^{name}: [^\r]*\r\n", "", text, flags=re.M)


def instead(text: str, name: str, value: str) -> str:
    return re.sub(rf"^({name}): [^\r]*", lambda found: f"{found[1]}: {value}", text, flags=re.M)


def with_body(text: str, body: str) -> str:
    head = instead(text.partition("\r\n\r\n")[0] + "\r\n", "Content-Length", str(len(body)))
    return f"{head}\r\n{body}"


def with_line(body: str, line: str) -> str:
    """A description with ``line`` where it has one of that kind, or at its end."""
    lines = body.splitlines()
    same = [place for place, one in enumerate(lines) if one[:2] == line[:2]]
    place = same[0] if same else len(lines)
    lines[place : place + 1] = [line]
    return "".join(f"{one}\r\n" for one in lines)


def wrong_messages(wire: Wire, uri: str, number: Callable[[], str]) -> Iterator[tuple[str, str]]:
    """Every message that is wrong in one place, with a number there; and what is wrong."""

    def whole() -> tuple[str, str]:
        own = number()
        return own, invite(wire, own, uri, headers=f"Subject: {own}\r\n")

    for name in ("Via", "From", "To", "Call-ID", "CSeq", "Max-Forwards", "Contact"):
        own, text = whole()
        yield own, without(text, name)
    for name, values in _WRONG_VALUES.items():
        for value in values:
            own, text = whole()
            said = value.format(own)
            changed = instead(text, name, said)
            if changed == text:
                changed = text.replace("\r\nCSeq", f"\r\n{name}: {said}\r\nCSeq", 1)
            yield own, changed
    for line in _WRONG_SDP:
        own, text = whole()
        yield own, with_body(text, with_line(sdp(wire.address), line.format(own)))
    for target in _WRONG_TARGETS:
        own, text = whole()
        yield own, text.replace(f"INVITE {uri}", f"INVITE {target.format(own, uri)}", 1)
    for method in _METHODS:
        own, text = whole()
        text = text.replace("INVITE", method.format(own[1:]))
        yield (
            own,
            text.replace("\r\nCSeq", f"\r\nEvent: {own}\r\nRefer-To: <sip:{own}@x>\r\nCSeq", 1),
        )
    for line in ("200 OK", "{0} {0}", "999 {0}", "180 Ringing", "abc"):
        own, text = whole()
        yield own, f"SIP/2.0 {line.format(own)}\r\n" + text.partition("\r\n")[2]
    for length in (0, 1, 10, 40):
        own, text = whole()
        yield own, text.replace(own, f"{own}\x00\xff", 1)[: len(text) - length * 20]
    own = number()
    yield own, f"{own}\r\n\r\n"


_WRONG_VALUES: dict[str, Sequence[str]] = {
    "CSeq": ("99999999999 INVITE", "{0} INVITE", "1 {0}", "-1 INVITE", "1 BYE", "{0}", "1"),
    "From": (
        "{0}",
        "<{0}>",
        "<sip:{0}",
        '"{0} <sip:x@y>;tag=1',
        "<tel:{0}>",
        "<xmpp:{0}@x>;tag=1",
        '"\xff\xfe" <sip:{0}@x>;tag=1',
        '"{0}\xc3" <sip:{0}@x>;tag=1',
        '"%0d%0a[2026-11-29 00:00:00.000] ERROR" <sip:%0d%0a{0}%0d%0a@x>;tag=1',
        "<sip:{0}@x>;tag={0}",
        "<sip:{0}@[::{0}>;tag=1",
    ),
    "To": ("{0}", "<{0}>", "<sip:{0}@:::>", "<sip:x@y>;tag={0}", "<sip:%0a{0}@x>"),
    "Via": (
        "{0}",
        "SIP/2.0/{0} x:1;branch=z9hG4bK1",
        "SIP/2.0/UDP {0}.invalid:99999999;branch=z9hG4bK{0}",
        "SIP/2.0/UDP 127.0.0.1;maddr={0};ttl={0};branch=z9hG4bK{0}",
        "SIP/2.0/TCP 127.0.0.1;branch=z9hG4bK{0};rport={0}",
    ),
    "Contact": (
        "{0}",
        "<{0}>",
        "<sip:{0}@{0}.invalid:99999999>",
        "*",
        "<sips:{0}@x>",
        "<sip:{0}@x;transport={0}>",
    ),
    "Max-Forwards": ("{0}", "0", "-1"),
    "Content-Length": ("{0}", "-1", "0", "99999"),
    "Content-Type": ("{0}", "text/{0}", "multipart/mixed;boundary={0}", "application/{0}"),
    "Expires": ("{0}",),
    "Require": ("{0}", "100rel, {0}"),
    "Proxy-Require": ("{0}",),
    "Supported": ("{0}",),
    "Allow": ("{0}",),
    "Session-Expires": ("{0}", "1;refresher={0}", "{0};refresher=uas"),
    "Min-SE": ("{0}", "99999999999"),
    "Route": ("<sip:{0}.invalid;lr>", "{0}", "<sip:{0}@127.0.0.1:9;lr>"),
    "Record-Route": ("<sip:{0}.invalid;lr>", "{0}"),
    "Authorization": (
        'Digest username="{0}",realm="{0}",nonce="{0}",uri="{0}",response="{0}"',
        "{0}",
    ),
    "Proxy-Authorization": ('Digest username="{0}"',),
    "Replaces": ("{0};to-tag={0};from-tag={0}", "{0}"),
    "Reason": ('Q.850;cause={0};text="{0}"', "{0}"),
    "Privacy": ("{0}",),
    "P-Asserted-Identity": ("{0}", '"{0} <sip:{0}', "<sip:{0}@x>, <tel:{0}>"),
    "Remote-Party-ID": ("{0}", '"{0}" <sip:{0}@x>;party={0}'),
    "Diversion": ("<sip:{0}@x>;reason={0}", "{0}"),
    "History-Info": ("{0}",),
    "Identity": ("{0}",),
    "RAck": ("{0} {0} INVITE",),
    "RSeq": ("{0}",),
    "Retry-After": ("{0}",),
    "User-Agent": ("{0}",),
    "X-Header with a space": ("{0}",),
    "Date": ("{0}",),
}
_WRONG_SDP: Sequence[str] = (
    "c=IN IP4 {0}",
    "c=IN IP4 {0}.invalid",
    "c=IN IP6 {0}",
    "c={0}",
    "c=IN {0} 127.0.0.1",
    "v={0}",
    "o={0}",
    "o={0} {0} {0} IN IP4 {0}",
    "s=",
    "t={0} {0}",
    "m={0}",
    "m=audio {0} RTP/AVP 0",
    "m=audio 9 {0} 0",
    "m=audio 9 RTP/AVP {0}",
    "m={0} 9 RTP/AVP 0",
    "m=image 9 udptl t38",
    "a=rtpmap:{0}",
    "a=rtpmap:97 {0}/{0}",
    "a=fmtp:{0} {0}",
    "a=crypto:1 {0} inline:{0}",
    "a=candidate:{0}",
    "a=rtcp:{0} IN IP4 {0}",
    "a=ptime:{0}",
    "a=fingerprint:{0}",
    "b={0}",
    "{0}",
)
_WRONG_TARGETS: Sequence[str] = (
    "sip:{0}",
    "sip:{0}@",
    "sip:{0}@x:99999999",
    "sips:{0}@x",
    "tel:{0};phone-context={0}",
    "tel:x",
    "urn:service:{0}",
    "http://{0}",
    "sip:x{0}@x",
    "sip:%0d%0a{0}@x",
    "sip:,{0},1@x",
    "sip:{0}@x;transport={0}",
    "{0}",
    "{1} {0}",
)
_METHODS: Sequence[str] = (
    "ACK",
    "BYE",
    "CANCEL",
    "OPTIONS",
    "INFO",
    "MESSAGE",
    "NOTIFY",
    "PRACK",
    "PUBLISH",
    "REFER",
    "REGISTER",
    "SUBSCRIBE",
    "UPDATE",
    "DANCE{0}",
)


def test_nothing_of_a_message_that_is_wrong_is_written_down(
    site: Site, numbers: Iterator[str]
) -> None:
    """From the trunk's address."""
    marks: dict[str, int] = {}
    written(site, marks)
    told: dict[str, str] = {}
    with wires(site) as (caller, _):
        uri = f"sip:{site.virtual}@{site.stack.place.sip}"
        for number, text in wrong_messages(caller, uri, lambda: next(numbers)):
            told[number] = text
            caller.send(text)
        assert_nothing_left(site.stack)
        asterisk_has_written_all(site, caller)
        assert_none_written(site, told, marks)
    assert len(told) > 150


def test_nothing_of_a_stranger_s_message_is_written_down(
    site: Site, numbers: Iterator[str]
) -> None:
    """From an address that no trunk has."""
    place = site.stack.place
    marks: dict[str, int] = {}
    written(site, marks)
    told: dict[str, str] = {}
    elsewhere = place.caller_address.rpartition(".")[0] + ".9"
    stranger = Wire(elsewhere, (place.sip_host, place.sip_port))
    with wires(site) as (caller, _):
        uri = f"sip:{site.virtual}@{place.sip}"
        for number, text in wrong_messages(stranger, uri, lambda: next(numbers)):
            told[number] = text
            stranger.send(text)
        asterisk_has_written_all(site, caller)
        assert_none_written(site, told, marks)
    stranger.close()


_IN_A_CALL: Sequence[tuple[str, str, str, str]] = (
    ("INFO", "", "application/dtmf-relay", "Signal={0}\r\nDuration={0}\r\n"),
    ("INFO", "", "application/dtmf", "{0}"),
    ("INFO", "", "application/media_control+xml", "<{0}>"),
    ("INFO", "Info-Package: {0}\r\n", "text/{0}", "{0}"),
    ("INVITE", "", "application/sdp", "v=0\r\no={0} 1 1 IN IP4 x\r\ns=-\r\nc=IN IP4 {0}\r\n"),
    ("INVITE", "Require: {0}\r\n", "application/sdp", "{0}"),
    ("UPDATE", "Session-Expires: {0}\r\n", "application/sdp", "{0}"),
    ("UPDATE", "", "application/sdp", "{sdp}a=rtpmap:97 {0}/{0}\r\nc=IN IP4 {0}.invalid\r\n"),
    ("MESSAGE", "", "text/plain", "{0}"),
    ("NOTIFY", "Event: {0}\r\nSubscription-State: {0}\r\n", "", ""),
    ("REFER", "Refer-To: {0}\r\n", "", ""),
    ("PRACK", "RAck: {0} {0} {0}\r\n", "", ""),
    ("DANCE", "X: {0}\r\n", "", ""),
    ("OPTIONS", "Accept: {0}\r\n", "text/plain", "{0}"),
)


@pytest.mark.parametrize("callers", [True, False], ids=["caller", "callee"])
def test_nothing_of_a_request_in_a_call_is_written_down(
    site: Site, numbers: Iterator[str], *, callers: bool
) -> None:
    site.create_session()
    marks: dict[str, int] = {}
    written(site, marks)
    told = {}
    with wires(site) as (caller, callee):
        alice, bob = connected(site, caller, callee)
        asking, other = (alice, bob) if callers else (bob, alice)
        for method, headers, kind, body in _IN_A_CALL:
            number = next(numbers)
            told[number] = f"{method} {headers} {body}"
            said = [
                text.replace("{0}", number).replace("{sdp}", sdp(caller.address))
                for text in (headers, kind, body)
            ]
            asking.send(method, headers=said[0], kind=said[1], body=said[2])
        assert asking.asks("OPTIONS") == 200
        hang_up(asking, other)
        assert_nothing_left(site.stack)
        asterisk_has_written_all(site, caller)
        assert_none_written(site, told, marks)


_ANSWERS: Sequence[tuple[str, str, str]] = (
    ("401 {0}", 'WWW-Authenticate: Digest realm="{0}",nonce="{0}",algorithm={0}\r\n', ""),
    ("407 No", 'Proxy-Authenticate: Digest realm="{0}",nonce="{0}",algorithm=MD5-sess\r\n', ""),
    ("407 No", "Proxy-Authenticate: {0}\r\n", ""),
    ("302 {0}", "Contact: <sip:{0}@{0}.invalid>\r\n", ""),
    ("302 Moved", "Contact: {0}\r\n", ""),
    ("486 {0}", 'Reason: Q.850;cause={0};text="{0}"\r\n', ""),
    ("420 No", "Unsupported: {0}\r\n", ""),
    ("422 No", "Min-SE: {0}\r\n", ""),
    ("503 {0}", "Retry-After: {0}\r\n", ""),
    ("603 {0}", "Warning: {0} {0} {0}\r\n", ""),
    ("488 {0}", "", "{0}"),
)
_DESCRIPTIONS: Sequence[str] = (
    "{0}",
    "v=0\r\no=- 1 1 IN IP4 x\r\ns={0}\r\nc=IN IP4 {0}\r\nt=0 0\r\nm=audio 9 RTP/AVP 0\r\n",
    "v=0\r\no=- 1 1 IN IP4 x\r\ns={0}\r\nc=IN IP4 {0}.invalid\r\nt=0 0\r\nm=audio 9 RTP/AVP 0\r\n",
    "v=0\r\no=- 1 1 IN IP4 x\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm={0} 9 RTP/AVP 0\r\n",
    "v=0\r\no=- 1 1 IN IP4 x\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 9 RTP/AVP {0}\r\n",
)


def test_nothing_of_a_callee_s_answer_is_written_down(site: Site, numbers: Iterator[str]) -> None:
    site.create_session()
    marks: dict[str, int] = {}
    written(site, marks)
    told = {}
    with wires(site) as (caller, callee):
        for line, headers, body in _ANSWERS:
            number = next(numbers)
            told[number] = f"{line} {headers}"
            request = calls(site, caller)
            came = is_called(callee)
            callee.response(
                came,
                line.format(number),
                tag=number,
                headers=f"{headers.format(number)}Server: {number}\r\n",
                body=body.format(number),
            )
            # Where the answer cannot be read at all, Asterisk would wait for one.
            callee.response(came, "486 Busy Here", tag=number)
            acknowledge(caller, request, caller.final(header(request, "Call-ID"), "INVITE"))
            assert_nothing_left(site.stack)
        for body in _DESCRIPTIONS:
            number = next(numbers)
            told[number] = f"200 {body}"
            request = calls(site, caller)
            came = is_called(callee)
            callee.response(came, "200 OK", tag=number, body=body.format(number))
            answer = caller.final(header(request, "Call-ID"), "INVITE")
            if status(answer) == 200:  # it will hear nothing, and hangs up
                alice = leg_of_caller(caller, request, answer)
                alice.send("ACK")
                alice.send("BYE")
            else:
                acknowledge(caller, request, answer)
            callee.response(callee.bye(header(came, "Call-ID")), "200 OK")
            assert_nothing_left(site.stack)
        asterisk_has_written_all(site, caller)
        assert_none_written(site, told, marks)
