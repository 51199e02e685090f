"""Where requests of ours may go.

A client names the URLs that we call, so without a rule it could have us call our own network, this
machine or the cloud's metadata service (server-side request forgery).  What is decided here is
decided about addresses that are about to be connected to, so no way of writing one matters.
"""

import dataclasses
import enum
import ipaddress
import socket
from collections.abc import Iterable
from urllib.parse import urlsplit

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

LONGEST_GIVEN_URL = 999
"""Characters a URL may have that a client gives us (Plivo: under 1000)."""
_LONGEST_URL = 8000  # with an event's attributes in it, or redirected to: what servers take

WEB_PORTS = (range(80, 81), range(443, 444), range(1024, 65536))
"""Where people serve HTTP.  The others below 1024 are those of mail, remote login, names and files,
where nobody does, and where a request of ours could pass for something else."""


class Fault(enum.StrEnum):
    """Why a URL is not called."""

    MALFORMED = "malformed-url"
    TOO_LONG = "url-too-long"
    SCHEME = "scheme-not-allowed"
    PORT = "port-not-allowed"
    ADDRESS = "address-not-allowed"
    PLAIN_HTTP = "plain-http-not-allowed"


# IANA's registries of special-purpose addresses, as of RFC 6890 and its successors.  A table of our
# own, because `is_global` changes with Python's patch releases and takes multicast for global.
_NOT_PUBLIC = tuple(
    ipaddress.ip_network(network)
    for network in (
        "0.0.0.0/8",  # this network
        "10.0.0.0/8",  # private
        "100.64.0.0/10",  # behind a carrier's NAT; Alibaba's metadata service
        "127.0.0.0/8",  # loopback
        "168.63.129.16/32",  # Azure's services for its own machines, in public space
        "169.254.0.0/16",  # link-local; most clouds' metadata service
        "172.16.0.0/12",  # private
        "192.0.0.0/24",  # IETF protocols; Oracle's metadata service
        "192.0.2.0/24",  # documentation
        "192.88.99.0/24",  # 6to4 relays
        "192.168.0.0/16",  # private
        "198.18.0.0/15",  # benchmarks
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved; broadcast
        "2001::/23",  # IETF protocols: Teredo, ORCHID, benchmarks
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4: an IPv4 address inside, through somebody's relay
        "3fff::/20",  # documentation
    )
)
# The rest of IPv6 is loopback, private (fc00::/7), link-local, multicast, the IPv4-compatible form
# and the local NAT64 prefix (64:ff9b:1::/48), or nobody's yet.
_IPV6_UNICAST = ipaddress.IPv6Network("2000::/3")

# Two forms stand for the IPv4 address in their last 32 bits.  NAT64 is how a host without IPv4
# reaches everybody who has nothing else.
_IPV4_INSIDE = (ipaddress.IPv6Network("::ffff:0:0/96"), ipaddress.IPv6Network("64:ff9b::/96"))


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class EgressRules:
    """Which addresses and ports may be connected to.

    Args:
        networks: networks that are allowed although they are not public, such as an own PBX's.
        ports: the only ports allowed, there too.
        numbers_over_http: whether a question that holds full numbers may be sent with no TLS.
    """

    networks: tuple[Network, ...] = ()
    ports: tuple[range, ...] = WEB_PORTS
    numbers_over_http: bool = False

    def names(self, address: Address) -> bool:
        """Whether an allowed network holds ``address``."""
        return _within(_seen_through(address), self.networks)

    def allow(self, address: Address) -> bool:
        """Whether ``address`` may be connected to."""
        return is_public(address) or self.names(address)

    def fault(self, url: str, *, longest: int = _LONGEST_URL) -> Fault | None:
        """What is wrong with ``url`` as far as can be told without the network.

        A name says nothing: what it stands for is decided when it is connected to.

        Args:
            longest: characters it may have; `LONGEST_GIVEN_URL` where a client gives it.
        """
        if len(url) > longest:
            return Fault.TOO_LONG
        try:
            parts = urlsplit(url)
            host, port = parts.hostname, parts.port
        except ValueError:
            return Fault.MALFORMED
        if parts.scheme not in {"http", "https"}:
            return Fault.SCHEME if parts.scheme else Fault.MALFORMED
        if not host or not url.isprintable() or any(letter in url for letter in " \\"):
            return Fault.MALFORMED
        if port is None:
            port = 443 if parts.scheme == "https" else 80
        if not any(port in allowed for allowed in self.ports):
            return Fault.PORT
        address = _literal(host)
        if address and not self.allow(address):
            return Fault.ADDRESS
        # An escape, which no resolver undoes, or a zone of this machine's, which is no client's.
        return Fault.MALFORMED if "%" in host else None

    def fault_of_question(self, url: str) -> Fault | None:
        """What keeps a question that holds full numbers from being sent to ``url``.

        Plain http is read by everybody on the way.  An address of loopback has no way to it.
        """
        try:
            parts = urlsplit(url)
        except ValueError:
            return Fault.MALFORMED
        if parts.scheme == "https" or self.numbers_over_http:
            return None
        address = _literal(parts.hostname or "")
        return None if address and address.is_loopback else Fault.PLAIN_HTTP


def is_public(address: Address) -> bool:
    """Whether ``address`` is on the public internet, whichever form it is written in."""
    address = _seen_through(address)
    if isinstance(address, ipaddress.IPv6Address) and address not in _IPV6_UNICAST:
        return False
    return not _within(address, _NOT_PUBLIC)


def _seen_through(address: Address) -> Address:
    """The address that a packet for ``address`` ends up at."""
    if _within(address, _IPV4_INSIDE):
        return ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF)
    return address


def _within(address: Address, networks: Iterable[Network]) -> bool:
    return any(address in network for network in networks)


def _literal(host: str) -> Address | None:
    """The address that ``host`` is, in any notation; ``None`` for a name."""
    host = host.rstrip(".")
    if host == "localhost" or host.endswith(".localhost"):  # RFC 6761
        return ipaddress.IPv4Address("127.0.0.1")
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        pass
    try:
        # As the C library reads them: 2130706433, 0x7f.1, 0177.0.0.1 are all 127.0.0.1.
        return ipaddress.IPv4Address(socket.inet_aton(host))
    except OSError:
        return None
