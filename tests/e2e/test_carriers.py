"""What carriers ask of us, and how they write what is dialled."""

import hashlib
import re
import secrets
import urllib.error
import urllib.request
from collections.abc import Iterator

import pydantic
import pytest

from bridge.embedded.phones.phone import header
from tests.e2e.conftest import Site
from tests.e2e.wire import (
    Wire,
    acknowledge,
    calls,
    connected,
    hang_up,
    invite,
    is_called,
    is_refused,
    new_id,
    status,
    wires,
)

_NO_NUMBERS = ("ping", "acme", "s", "h", "i", "t", "7", "a,b", "acme,1", "1", "x+12025550140")


@pytest.mark.parametrize("user", ["", "+12025550140", "2025550140", "*8", *_NO_NUMBERS])
def test_a_carrier_that_asks_whether_we_are_up_is_told_so_whatever_user_it_asks_for(
    site: Site, user: str
) -> None:
    with wires(site) as (carrier, _):
        place = site.stack.place.sip
        asked = carrier.request("OPTIONS", f"sip:{user}@{place}" if user else f"sip:{place}")
        answer = carrier.final(header(asked, "Call-ID"), "OPTIONS")
    assert status(answer) == 200


@pytest.mark.parametrize("user", ["", *_NO_NUMBERS])
def test_a_call_to_a_user_that_is_no_number_is_refused_and_the_bridge_hears_nothing_of_it(
    site: Site, user: str
) -> None:
    site.create_session()
    place = site.stack.place.sip
    with wires(site) as (caller, callee):
        uri = f"sip:{user}@{place}" if user else f"sip:{place}"
        assert is_refused(caller, invite(caller, site.alice, uri)) == 404
        assert callee.received == []
    assert site.stack.rows("SELECT 1 FROM call WHERE caller = $1", site.alice) == []


def test_a_stranger_who_asks_whether_we_are_up_is_not_told(site: Site) -> None:
    place = site.stack.place
    elsewhere = place.caller_address.rpartition(".")[0] + ".9"
    stranger = Wire(elsewhere, (place.sip_host, place.sip_port))
    asked = stranger.request("OPTIONS", f"sip:ping@{place.sip}")
    assert status(stranger.final(header(asked, "Call-ID"), "OPTIONS")) in {401, 403}
    stranger.close()


@pytest.mark.parametrize(
    "written",
    [
        "sip:{whole}@{here}",
        "sip:{whole};npdi@{here};user=phone",
        "sip:{national};phone-context=+1@{here};user=phone",
        "sip:%2B{country}{national}@{here}",
        "sip:+1({area}){rest}@{here}",
        "sip:({area}){rest};phone-context=+1@{here}",
        "tel:{whole}",
        "tel:+1-{area}-{rest}",
        "tel:+1({area}){rest}",
        "tel:{national};phone-context=+1",
        "tel:({area}){rest};phone-context=+1",
        "tel:{national};rn=+12025550199;npdi;phone-context=+1",
        "TEL:{national};Phone-Context=+1",
    ],
)
def test_a_number_is_understood_however_the_carrier_writes_what_is_dialled(
    site: Site, written: str
) -> None:
    site.create_session()
    national = site.virtual.removeprefix("+1")
    uri = written.format(
        whole=site.virtual,
        country="1",
        national=national,
        area=national[:3],
        rest=national[3:],
        here=site.stack.place.sip,
    )
    with wires(site) as (caller, callee):
        request = invite(caller, site.alice, uri)
        caller.send(request)
        callee.response(is_called(callee), "486 Busy Here", tag="1")
        refused = caller.final(header(request, "Call-ID"), "INVITE")
        acknowledge(caller, request, refused)
    assert status(refused) == 486


@pytest.mark.parametrize(
    "written",
    [
        "tel:{national};phone-context=+20",
        "tel:{national};phone-context=+1;phone-context=+20",
        "tel:{national};phone-context=carrier.example",
        "tel:{national}",
        "sip:{national}%2C1%29%3ASystem%28x%29;phone-context=+1@{here}",
        "sip:{national}%2C14;phone-context=+1@{here}",
        "tel:1;phone-context={whole}",
        "sip:*8@{here}",
        "sip:{whole}x@{here}",
    ],
)
def test_what_is_dialled_is_no_other_number_than_it_says(site: Site, written: str) -> None:
    site.create_session()
    national, here = site.virtual.removeprefix("+1"), site.stack.place.sip
    uri = written.format(whole=site.virtual, national=national, here=here)
    with wires(site) as (caller, callee):
        assert is_refused(caller, invite(caller, site.alice, uri)) in {400, 404, 416}
        assert callee.received == []


_USER, _PASSWORD = "masking", secrets.token_hex(16)
_HASHES = {
    "MD5": hashlib.md5,
    "SHA-256": hashlib.sha256,
    "SHA-512-256": lambda text: hashlib.new("sha512_256", text),
}


@pytest.fixture
def credentials(site: Site) -> Iterator[None]:
    """The trunk has some, for the length of the test."""
    password = pydantic.SecretStr(_PASSWORD)
    site.stack.asterisk.reload_trunk(trunk_user=_USER, trunk_password=password)
    yield
    site.stack.asterisk.reload_trunk()


def is_right(credentials: str, *, nonce: str) -> bool:
    """Whether a digest of an INVITE (RFC 7616, 3.4.1) shows that its sender has the password."""
    said = dict(re.findall(r'(\w+)="?([^",]+)"?', credentials))
    algorithm = said.get("algorithm", "MD5")

    def digest(*parts: str) -> str:
        text: str = _HASHES[algorithm](":".join(parts).encode()).hexdigest()
        return text

    who = digest(said["username"], said["realm"], _PASSWORD)
    what = digest("INVITE", said["uri"])
    count = [said[name] for name in ("nc", "cnonce", "qop") if name in said]
    return (said["username"], said["nonce"]) == (_USER, nonce) and said["response"] == digest(
        who, nonce, *count, what
    )


@pytest.mark.parametrize(
    "algorithms", [["MD5"], [""], ["SHA-256"], ["SHA-512-256"], ["SHA-256", "MD5"]]
)
@pytest.mark.parametrize(
    ("line", "challenge", "answer"),
    [
        ("401 Unauthorized", "WWW-Authenticate", "Authorization"),
        ("407 Proxy Authentication Required", "Proxy-Authenticate", "Proxy-Authorization"),
    ],
)
@pytest.mark.usefixtures("credentials")
def test_a_carrier_that_asks_for_credentials_gets_them(
    site: Site, line: str, challenge: str, answer: str, algorithms: list[str]
) -> None:
    site.create_session()
    nonce = new_id("nonce")
    asks = "".join(
        f'{challenge}: Digest realm="carrier.example",nonce="{nonce}",qop="auth"'
        + (f",algorithm={algorithm}\r\n" if algorithm else "\r\n")
        for algorithm in algorithms
    )
    with wires(site) as (caller, carrier):
        request = calls(site, caller)
        carrier.response(is_called(carrier), line, tag="1", headers=asks)
        again = carrier.gets(lambda message: header(message, answer))
        assert is_right(header(again, answer), nonce=nonce)
        carrier.response(again, "486 Busy Here", tag="2")
        refused = caller.final(header(request, "Call-ID"), "INVITE")
        acknowledge(caller, request, refused)
    assert status(refused) == 486


def test_nothing_that_we_send_names_what_we_are(site: Site) -> None:
    """To a party, to a carrier, to a stranger, and on loopback."""
    site.create_session()
    place = site.stack.place
    elsewhere = place.caller_address.rpartition(".")[0] + ".9"
    stranger = Wire(elsewhere, (place.sip_host, place.sip_port))
    with wires(site) as (caller, callee):
        alice, bob = connected(site, caller, callee)
        alice.asks("OPTIONS")
        bob.asks("UPDATE")
        hang_up(alice, bob)
        is_refused(caller, invite(caller, site.alice, f"sip:ping@{place.sip}"))
        is_refused(stranger, invite(stranger, site.alice, f"sip:{site.virtual}@{place.sip}"))
        for wire in (caller, stranger):
            for method in ("OPTIONS", "REGISTER", "MESSAGE", "SUBSCRIBE", "PUBLISH", "DANCE"):
                asked = wire.request(method, f"sip:ping@{place.sip}")
                wire.final(header(asked, "Call-ID"), method)
        told = [*caller.received, *callee.received, *stranger.received]
    stranger.close()
    for path in ("ari/asterisk/ping", "ari/nothing", "nothing"):
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(f"http://127.0.0.1:{place.ari_port}/{path}")
        told.append(str(refused.value.headers))
        refused.value.close()
    assert len(told) > 20
    assert not [message for message in told if re.search("asterisk|digium|sangoma", message, re.I)]
