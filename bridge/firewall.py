"""Rules for nftables: SIP and audio from the carrier's networks, and from nowhere else.

What Asterisk cannot do itself.  It takes audio from anybody until it has learnt where its phone is,
and answers to STUN on every open port.
"""

import ipaddress
from collections.abc import Iterable
from typing import TypeAlias

from bridge.config import ConfigError, SiteSettings

_Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network

_TABLE = "inet masking_bridge"


def rules(site: SiteSettings) -> str:
    """A file for ``nft -f``.  Loaded again, it takes the place of what it loaded before.

    Its table only drops: what other tables of the host drop stays dropped.

    Raises:
        ConfigError: nothing says where audio comes from.
    """
    if not site.trunk_media_match:
        raise ConfigError(
            "BRIDGE_TRUNK_MEDIA_MATCH is not set: name the networks that the carrier's audio comes"
            " from, such as 203.0.113.0/28"
        )
    # Of a port range that ends with an even port, the last RTCP port is one above.
    audio = f"{site.rtp_port_start}-{site.rtp_port_end | 1}"
    return "\n".join(
        (
            "# Written by `masking-bridge firewall`.",
            f"table {_TABLE}",
            f"delete table {_TABLE}",
            f"table {_TABLE} {{",
            *_chain("sip", site.trunk_sip_networks),
            *_chain("audio", site.trunk_media_match),
            "\tchain input {",
            "\t\ttype filter hook input priority filter; policy accept;",
            '\t\tiif "lo" accept',
            f"\t\t{_to_asterisk(site)}udp dport {site.sip_port} goto sip",
            f"\t\t{_to_asterisk(site)}udp dport {audio} goto audio",
            "\t}",
            "}",
            "",
        )
    )


def _chain(name: str, networks: Iterable[_Network]) -> list[str]:
    lines = [f"\tchain {name} {{"]
    for family, version in (("ip", 4), ("ip6", 6)):
        # Overlapping ones would be an error to nft.
        kept = ipaddress.collapse_addresses(  # type: ignore[type-var]
            network for network in networks if network.version == version
        )
        if found := ", ".join(map(str, kept)):
            lines.append(f"\t\t{family} saddr {{ {found} }} accept")
    return [*lines, "\t\tdrop", "\t}"]


def _to_asterisk(site: SiteSettings) -> str:
    """Asterisk's audio is on the address of its SIP, so other addresses of the host are free."""
    if site.sip_host.is_unspecified:
        return ""
    return f"{'ip' if site.sip_host.version == 4 else 'ip6'} daddr {site.sip_host} "
