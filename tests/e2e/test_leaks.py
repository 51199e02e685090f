"""The promise: no byte that a party receives holds any form of the other's number or address.

Both phones are as careless as can be: every header that may carry an identity carries their number,
and so do display names, SDP, and all of RTP and RTCP that is not audio (`careless.py`).  The scan
looks at all SIP, SDP, RTP and RTCP that reached either phone, and at where its RTP came from.

Every protection is doubled, in the configuration and in the dialplan or the code, so that one
mistake shows nothing.  `tests/README.md` lists the pairs that were taken out to see this fail, and
the command that does it (`make break`).
"""

import base64
import binascii
import re
from collections.abc import Iterator, Sequence

import pytest

from bridge.embedded.phones.phone import Phone, header, media, user
from bridge.embedded.phones.sound import Sound
from bridge.embedded.phones.steps import Callee, Caller, scenario, wait_for_cue
from bridge.embedded.processes import until
from tests.e2e.conftest import Site

_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{8,}")


def identities(number: str) -> str:
    """Every header that a careless phone or network puts its number into."""
    return "".join(
        f"{line}\n"
        for line in (
            f'P-Asserted-Identity: "{number}" <sip:{number}@phone>',
            f"P-Asserted-Identity: <tel:{number}>",
            f"P-Preferred-Identity: <sip:{number}@phone>",
            f'Remote-Party-ID: "{number}" <sip:{number}@phone>;party=calling;privacy=off',
            f"Diversion: <sip:{number}@phone>;reason=unconditional;counter=1",
            f"History-Info: <sip:{number}@phone>;index=1",
            f"Identity: {base64.urlsafe_b64encode(number.encode()).decode()};info=<https://x/y>",
            f"X-Real-Number: {number}",
            f"Subject: call from {number}",
            f"Organization: {number}",
            f"Reply-To: <sip:{number}@phone>",
            f"Call-Info: <https://example.test/{number}>;purpose=info",
            f"User-to-User: {number.encode().hex()};encoding=hex",
            f"Geolocation: <cid:{number}@phone>",
        )
    )


def assert_holds_nothing_of(phone: Phone, number: str, *, address: str) -> None:
    """Nothing that ``phone`` received holds ``number`` in any form, or the other's address."""
    assert phone.received
    for message in phone.received:
        assert address not in message, f"the other phone's address:\n{message}"
    assert_nothing_of(number, phone.received)


def assert_nothing_of(number: str, messages: Sequence[str]) -> None:
    """No message holds ``number`` in any form."""
    for message in messages:
        for digits in all_digits(message):
            assert _national(number) not in digits, f"{number} in:\n{message}"


def all_digits(text: str) -> Iterator[str]:
    """The digits of each line, and those of what Base64 or hexadecimal in it stands for."""
    for line in text.splitlines():
        for form in (line, *_decoded(line)):
            yield re.sub(r"\D", "", form)


def _national(number: str) -> str:
    """The part of a North American number that is in all its forms."""
    return number.removeprefix("+1")


def _decoded(line: str) -> list[str]:
    """What Base64 or hexadecimal in the line stands for."""
    texts = [
        binascii.unhexlify(token).decode("latin-1")
        for token in re.findall(r"(?:[0-9a-fA-F]{2}){8,}", line)
    ]
    for token in _BASE64.findall(line):
        digits = token.replace("-", "+").replace("_", "/")
        for start in range(4):  # the token may have begun in the middle of a word
            part = digits[start:]
            texts.append(base64.b64decode(part[: len(part) // 4 * 4]).decode("latin-1"))
    return texts


def assert_sound_only_from_us(site: Site, *sounds: Sound) -> None:
    for sound in sounds:
        assert sound.sources
        assert {source.partition(":")[0] for source in sound.sources} == {site.stack.place.sip_host}


@pytest.mark.parametrize("first_party_calls", [True, False], ids=["first-party", "second-party"])
@pytest.mark.parametrize("mode", ["shared", "per_party"])
def test_neither_sees_the_other_s_number_or_address_however_careless_their_phones(
    site: Site, mode: str, *, first_party_calls: bool
) -> None:
    numbers = [site.virtual, site.virtual]
    if mode == "per_party":
        numbers[1] = site.another_virtual_number()
        site.create_session(
            virtual_number_mode=mode, virtual_number=numbers[0], second_virtual_number=numbers[1]
        )
    else:
        site.create_session()
    number, other = (site.alice, site.bob) if first_party_calls else (site.bob, site.alice)
    dialled, shown = numbers if first_party_calls else numbers[::-1]
    a = Caller(headers=identities(number), display_name=f"Me {number}", owner=number)
    b = Callee(headers=identities(other), contact=other, owner=other)
    a_sound, b_sound = site.careless_sounds(number, other)
    callee = site.waits(
        scenario(
            b.is_called(),
            b.rings(),
            b.sends_early_media(),
            b.answers(),
            wait_for_cue(),
            b.changes_its_audio(cseq=2, direction="sendonly"),
            b.changes_its_audio(cseq=3),
            b.updates(cseq=4),
            b.transfers(to="+13035550996", cseq=5),
            b.sends_a_message(cseq=6),
            b.hangs_up(cseq=7),
        ),
        keywords={"rtp_port": str(b_sound.port)},
    )
    caller = site.calls(
        scenario(a.invite(), a.hears_ringback(), a.is_answered(), a.is_hung_up_on()),
        number=number,
        dialled=dialled,
        keywords={"rtp_port": str(a_sound.port)},
    )
    callee.has_seen("ACK")
    invite, answer = callee.has_seen("INVITE"), caller.has_seen("SIP/2.0 200")
    with a_sound.speaking_to(media(answer)), b_sound.speaking_to(media(invite)):
        assert b_sound.hears(a_sound)
        assert a_sound.hears(b_sound)
        a_sound.says_goodbye(media(answer))
        b_sound.says_goodbye(media(invite))
    callee.cue()
    caller.finish()
    callee.finish()

    assert user(header(invite, "From")) == shown
    assert_holds_nothing_of(callee, number, address=site.stack.place.caller_address)
    assert_holds_nothing_of(caller, other, address=site.callee_address)
    assert_sound_only_from_us(site, a_sound, b_sound)
    a_sound.assert_got_nothing_of(b_sound)
    b_sound.assert_got_nothing_of(a_sound)


@pytest.mark.parametrize("record", [False, True], ids=["not-recorded", "recorded"])
@pytest.mark.parametrize("kinds", [(0, 0), (0, 8)], ids=["one-codec", "two-codecs"])
def test_of_what_a_phone_sends_only_audio_and_keys_reach_the_other(
    site: Site, kinds: tuple[int, int], *, record: bool
) -> None:
    """Not even in Asterisk's own RTCP, of which each phone gets some 5 s after it was heard."""
    site.create_session(record=record)
    a_sound, b_sound = site.careless_sounds(site.alice, site.bob, kinds=kinds)
    with site.talking(a_sound, b_sound) as (caller, callee):
        assert until(lambda: min(len(a_sound.heard), len(b_sound.heard)) > 50)
        if kinds == (0, 0):
            assert a_sound.hears(b_sound)
            assert b_sound.hears(a_sound)
        a_sound.presses("5", media(caller.has_seen("SIP/2.0 200")))
        b_sound.presses("9", media(callee.has_seen("INVITE")))
        assert until(lambda: (a_sound.keys, b_sound.keys) == ("9", "5"))
        assert until(lambda: bool(a_sound.reports and b_sound.reports))
    a_sound.assert_got_nothing_of(b_sound)
    b_sound.assert_got_nothing_of(a_sound)


def test_nor_after_something_was_said_into_their_call(site: Site) -> None:
    session = site.create_session(time_limit_warning=19)
    site.stack.rows(
        "UPDATE session SET call_time_limit = 20 WHERE id = $1::uuid", session["session_uuid"]
    )
    a_sound, b_sound = site.careless_sounds(site.alice, site.bob)
    with site.talking(a_sound, b_sound):
        for technology in ("softmix", "simple_bridge"):  # while it is said, and afterwards
            assert _bridge_becomes(technology, site)
            del a_sound.heard[:], b_sound.heard[:]
        assert a_sound.hears(b_sound)
        assert b_sound.hears(a_sound)
    a_sound.assert_got_nothing_of(b_sound)
    b_sound.assert_got_nothing_of(a_sound)


def _bridge_becomes(technology: str, site: Site) -> bool:
    """Whether the one bridge that there is does, as Asterisk calls its ways to mix."""
    return until(lambda: technology in site.stack.asterisk.cli("bridge show all"), every=0.1)


@pytest.mark.parametrize(
    "status",
    ["486 Busy Here", "302 Moved Temporarily", "603 Decline", "404 Not Found", "503 Unavailable"],
)
def test_a_callee_who_does_not_answer_gives_nothing_away(site: Site, status: str) -> None:
    site.create_session()
    a = Caller(headers=identities(site.alice), display_name=f"Me {site.alice}", owner=site.alice)
    b = Callee(headers=identities(site.bob), contact=site.bob, owner=site.bob)
    callee = site.waits(scenario(b.is_called(), b.rings(), b.sends_early_media(), b.fails(status)))
    told = {"486": 486, "503": 503}.get(status[:3], 480)
    caller = site.calls(scenario(a.invite(), a.is_refused(told)))
    caller.finish()
    callee.finish()
    place = site.stack.place
    assert_holds_nothing_of(callee, site.alice, address=place.caller_address)
    assert_holds_nothing_of(caller, site.bob, address=place.trunk_host.partition(":")[0])


def test_no_log_of_ours_or_of_asterisk_holds_a_number(site: Site) -> None:
    site.create_session()
    a = Caller(headers=identities(site.alice), display_name=f"Me {site.alice}", owner=site.alice)
    b = Callee(headers=identities(site.bob), contact=site.bob, owner=site.bob)
    callee = site.waits(scenario(b.is_called(), b.rings(), b.answers(), b.is_hung_up_on()))
    site.calls(scenario(a.invite(), a.hears_ringback(), a.is_answered(), a.hangs_up())).finish()
    callee.finish()
    site.call_record()
    logs = {
        "bridge": (site.stack.directory / "bridge.log").read_text(),
        "asterisk": site.stack.asterisk.log_text,
        "postgres": (site.stack.directory / "postgres" / "log").read_text(),
    }
    for name, text in logs.items():
        for number in (site.alice, site.bob):
            assert _national(number) not in text, f"{number} in the log of {name}"
    assert "call ended" in logs["bridge"]
