"""The rules of `masking-bridge firewall`, taken by nft and obeyed by Linux."""

import subprocess

import pytest

from bridge import firewall
from bridge.config import SiteSettings
from bridge.embedded.install import install_firewall
from tests.adapters.network import arrived

CARRIER, MEDIA, STRANGER = "203.0.113.5", "198.51.100.20", "203.0.113.99"
CARRIER_6, STRANGER_6 = "2001:db8:5::5", "2001:db8:9::9"


@pytest.fixture(autouse=True, scope="module")
def tools() -> None:
    install_firewall()
    # A container may not make any; what it is in has a firewall of its own.
    if subprocess.run(["unshare", "-rn", "true"], capture_output=True, check=False).returncode:
        pytest.skip("this machine makes no network namespaces")


def rules(**settings: str) -> str:
    given = {
        "ari_password": "3f9c1e7ab2d84056c9e1b7",
        "trunk_host": f"{CARRIER}:5060",
        "trunk_match": f"203.0.113.0/28,{CARRIER},2001:db8:5::/48",  # nft takes no overlaps
        "trunk_media_match": "198.51.100.0/24,2001:db8:5::/64",
    }
    return firewall.rules(SiteSettings.model_validate(given | settings))


def test_sip_comes_from_the_carrier_only_and_audio_from_its_networks_only() -> None:
    here, other = "192.0.2.10", "192.0.2.11"
    let_in = [
        (CARRIER, here, 5060),
        (MEDIA, here, 10000),
        (MEDIA, here, 20001),
        (STRANGER, here, 9999),  # is none of ours
        (STRANGER, here, 20002),
        (STRANGER, here, 5061),
        (STRANGER, other, 5060),
    ]
    kept_out = [
        (STRANGER, here, 5060),
        (MEDIA, here, 5060),
        (CARRIER, here, 10000),
        (STRANGER, here, 10000),
        (STRANGER, here, 14142),
        (STRANGER, here, 20001),
    ]
    assert arrived(rules(sip_host=here), [*kept_out, *let_in]) == let_in


def test_an_asterisk_on_every_address_is_guarded_on_both_kinds() -> None:
    let_in = [(CARRIER, "192.0.2.10", 5060), (CARRIER_6, "2001:db8::10", 5060)]
    kept_out = [(STRANGER, "192.0.2.10", 5060), (STRANGER_6, "2001:db8::10", 10000)]
    assert arrived(rules(sip_host="0.0.0.0"), [*kept_out, *let_in]) == let_in
