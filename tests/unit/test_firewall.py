"""The rules for nftables; whether nft takes them and Linux obeys is in tests/adapters."""

import ipaddress

import pytest

from bridge import firewall
from bridge.config import ConfigError, SiteSettings


def site(**settings: str) -> SiteSettings:
    given = {"ari_password": "3f9c1e7ab2d84056c9e1b7", "trunk_media_match": "203.0.113.0/28"}
    return SiteSettings.model_validate(given | settings)


def test_there_are_none_while_nobody_says_where_audio_comes_from() -> None:
    with pytest.raises(ConfigError, match=r"^BRIDGE_TRUNK_MEDIA_MATCH is not set: .*203"):
        firewall.rules(site(trunk_media_match=""))


def test_sip_and_audio_have_networks_of_their_own() -> None:
    rules = firewall.rules(
        site(
            sip_host="192.0.2.10",
            sip_port="5070",
            rtp_port_start="12000",
            rtp_port_end="12999",
            trunk_host="198.51.100.9:5080",
            trunk_match="203.0.113.16/28",
            trunk_host_match="2001:db8::5",
        )
    )
    assert rules.splitlines()[1:] == [
        "table inet masking_bridge",
        "delete table inet masking_bridge",
        "table inet masking_bridge {",
        "\tchain sip {",
        "\t\tip saddr { 198.51.100.9/32, 203.0.113.16/28 } accept",
        "\t\tip6 saddr { 2001:db8::5/128 } accept",
        "\t\tdrop",
        "\t}",
        "\tchain audio {",
        "\t\tip saddr { 203.0.113.0/28 } accept",
        "\t\tdrop",
        "\t}",
        "\tchain input {",
        "\t\ttype filter hook input priority filter; policy accept;",
        '\t\tiif "lo" accept',
        "\t\tip daddr 192.0.2.10 udp dport 5070 goto sip",
        "\t\tip daddr 192.0.2.10 udp dport 12000-12999 goto audio",
        "\t}",
        "}",
    ]


def test_the_last_pair_of_ports_has_its_rtcp_too() -> None:
    assert "udp dport 10000-20001 goto audio" in firewall.rules(site())


def test_an_asterisk_on_every_address_is_guarded_on_every_address() -> None:
    assert "\t\tudp dport 5060 goto sip\n" in firewall.rules(site(sip_host="0.0.0.0"))


def test_networks_that_overlap_become_one() -> None:
    """To nft they would be a mistake."""
    rules = firewall.rules(site(trunk_match="203.0.113.0/28,203.0.113.4", trunk_host="203.0.113.5"))
    assert "ip saddr { 203.0.113.0/28 } accept" in rules


def test_where_sip_comes_from_is_where_calls_come_from_and_where_they_go() -> None:
    networks = site(
        trunk_match="203.0.113.0/28", trunk_host="198.51.100.9:5061", trunk_host_match="192.0.2.7"
    ).trunk_sip_networks
    assert set(networks) == {
        ipaddress.ip_network(text) for text in ("203.0.113.0/28", "192.0.2.7", "198.51.100.9")
    }


def test_of_a_host_with_a_name_the_settings_say_the_addresses() -> None:
    named = site(trunk_match="203.0.113.0/28", trunk_host="sip.carrier.example:5080")
    assert named.trunk_sip_networks == [ipaddress.ip_network("203.0.113.0/28")]
