"""What several settings share: networks that are not everybody's, secrets that nobody guesses."""

import ipaddress
import secrets

import pydantic
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.config import ConfigError, Settings, SiteSettings, load
from bridge.media_settings import MediaSettings
from bridge.recording_settings import RecordingSettings
from bridge.setting_types import Networks, strong_secret

NETWORKS = pydantic.TypeAdapter(Networks)

NEARLY_EVERYBODY = [
    "0.0.0.0/0",
    "0.0.0.0/1",
    "128.0.0.0/1",
    "0.0.0.0/1,128.0.0.0/1",
    "64.0.0.0/7",
    "203.0.113.1,::/0",
    "::/1,8000::/1",
    "2000::/3",
    "2a00::/12",
    "::ffff:0:0/96",
    "::ffff:0:0/97",
    "64:ff9b::/96",
    "2002::/16",
    ",".join(f"{first}.0.0.0/8" for first in range(1, 224, 2)),
    ",".join(f"{first}.{second}.0.0/16" for first in range(1, 200) for second in range(0, 256, 64)),
]


@pytest.mark.parametrize("text", NEARLY_EVERYBODY, ids=lambda text: text[:30])
@pytest.mark.parametrize(
    ("name", "kind"),
    [("BRIDGE_TRUNK_MATCH", SiteSettings), ("BRIDGE_EGRESS_ALLOW_NETWORKS", MediaSettings)],
)
def test_networks_that_are_nearly_everybody_are_refused(
    monkeypatch: pytest.MonkeyPatch, name: str, kind: type[SiteSettings], text: str
) -> None:
    monkeypatch.setenv("BRIDGE_ARI_PASSWORD", secrets.token_hex(32))
    monkeypatch.setenv(name, text)
    with pytest.raises(ConfigError, match=f"{name} names nearly everybody: name the hosts"):
        load(kind)


@pytest.mark.parametrize(
    "text",
    [
        "203.0.113.0/28, 203.0.113.99",
        "10.0.0.0/8,172.16.0.0/12,192.168.0.0/16,fc00::/7",
        "2001:db8::/32",
        "::ffff:203.0.113.0/124",
        "127.0.0.0/8",
    ],
)
def test_networks_of_somebody_are_taken(text: str) -> None:
    assert len(NETWORKS.validate_python(text)) == text.count(",") + 1


@given(
    st.lists(
        st.builds(
            lambda address, length: ipaddress.ip_network((address, length), strict=False),
            st.ip_addresses(v=4),
            st.integers(0, 32),
        ),
        min_size=1,
        max_size=40,
    )
)
def test_whatever_is_taken_leaves_out_nearly_everybody(
    networks: list[ipaddress.IPv4Network],
) -> None:
    try:
        taken = NETWORKS.validate_python(",".join(map(str, networks)))
    except pydantic.ValidationError:
        return
    assert taken == networks
    covered = sum(one.num_addresses for one in ipaddress.collapse_addresses(networks))
    assert covered <= 2**32 / 128


WEAK = [
    "a" * 40,
    "ab" * 20,
    "Xy1Xy1" * 8,
    "aaaaaaaaaaaaaaaabbbbbbbbbbbbbbbb",
    "12345678901234567890123456789012",
    "9876543210987654321098765432109876543210",
    "0123456789abcdef0123456789abcdef",
    "abcdefghijklmnopqrstuvwxyzabcdefgh",
    "qwertyuiopasdfghjklzxcvbnmqwertyuiop",
    "1q2w3e4r5t6y7u8i9o0p1q2w3e4r5t6y7u8i",
    "aAbBcCdDeEfFgGhHiIjJkKlLmMnNoOpP",
    "passwordpasswordpasswordpassword",
    "Change-Me-Change-Me-Change-Me-12",
    "Asterisk-Bridge-Secret-Password-2026",
]


@pytest.mark.parametrize("text", WEAK)
@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("BRIDGE_ARI_PASSWORD", Settings),
        ("BRIDGE_RECORDING_URL_SECRET", RecordingSettings),
    ],
)
def test_a_secret_that_can_be_guessed_is_refused_and_not_shown(
    monkeypatch: pytest.MonkeyPatch, name: str, kind: type[Settings], text: str
) -> None:
    monkeypatch.setenv("BRIDGE_DATABASE_URL", "postgresql://bridge@127.0.0.1/masking")
    monkeypatch.setenv("BRIDGE_ARI_PASSWORD", secrets.token_hex(32))
    monkeypatch.setenv(name, text)
    with pytest.raises(ConfigError, match="openssl rand -hex 32") as error:
        load(kind)
    assert str(error.value).startswith(f"{name} can be guessed")
    assert text not in str(error.value)


@given(st.binary(min_size=32, max_size=32).filter(lambda octets: len(set(octets)) > 24))
def test_what_openssl_makes_is_taken(octets: bytes) -> None:
    assert strong_secret(pydantic.SecretStr(octets.hex()), at_least=32)
