"""Which addresses and URLs may be called: every special network, in every notation."""

import ipaddress

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bridge.domain.egress import LONGEST_GIVEN_URL, Address, EgressRules, Fault, is_public

PUBLIC = EgressRules()

FORBIDDEN = {
    "this network": ["0.0.0.0", "0.1.2.3", "::"],
    "loopback": ["127.0.0.1", "127.255.255.254", "::1"],
    "private": ["10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "fc00::1", "fd12::1"],
    "link-local": ["169.254.1.1", "fe80::1", "fe80::1%2", "febf::1"],
    "site-local": ["fec0::1"],
    "carrier NAT": ["100.64.0.1", "100.127.255.255"],
    "metadata": [
        "169.254.169.254",
        "169.254.170.2",
        "100.100.100.200",
        "192.0.0.192",
        "168.63.129.16",
        "fd00:ec2::254",
    ],
    "IETF protocols": ["192.0.0.1", "2001::1", "2001:10::1", "2001:1ff:ffff::1"],
    "documentation": ["192.0.2.1", "198.51.100.1", "203.0.113.1", "2001:db8::1", "3fff::1"],
    "benchmarks": ["198.18.0.1", "198.19.255.255", "2001:2::1"],
    "multicast": ["224.0.0.1", "239.255.255.255", "ff02::1", "ff0e::1"],
    "reserved": ["240.0.0.1", "255.255.255.255", "4000::1", "100::1", "5f00::1"],
    "6to4": ["192.88.99.1", "2002:7f00:1::", "2002:808:808::1"],
    "Teredo": ["2001:0:808:808:0:0:f7f7:f7f7"],
    "IPv4-mapped": ["::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254"],
    "IPv4-compatible": ["::127.0.0.1", "::8.8.8.8"],
    "NAT64": ["64:ff9b::127.0.0.1", "64:ff9b::10.0.0.1", "64:ff9b::169.254.169.254"],
    "local NAT64": ["64:ff9b:1::1", "64:ff9b:1:ffff:ffff:ffff:808:808"],
}
ALLOWED = [
    "1.1.1.1",
    "8.8.8.8",
    "9.255.255.255",
    "11.0.0.0",
    "100.63.255.255",
    "100.128.0.0",
    "172.15.255.255",
    "172.32.0.0",
    "192.167.255.255",
    "192.169.0.0",
    "223.255.255.255",
    "2606:4700:4700::1111",
    "2001:200::1",
    "2a00:1450::1",
    "::ffff:8.8.8.8",
    "64:ff9b::8.8.8.8",
]

ipv4 = st.ip_addresses(v=4)
ipv6 = st.ip_addresses(v=6)


@pytest.mark.parametrize(
    "text", [text for addresses in FORBIDDEN.values() for text in addresses], ids=str
)
def test_what_is_not_on_the_public_internet_is_not_called(text: str) -> None:
    assert not PUBLIC.allow(ipaddress.ip_address(text))


@pytest.mark.parametrize("text", ALLOWED)
def test_what_is_public_is_called(text: str) -> None:
    assert PUBLIC.allow(ipaddress.ip_address(text))


@pytest.mark.parametrize(
    ("url", "goes"),
    [
        ("https://app.test/", True),
        ("HTTPS://app.test/", True),
        ("http://app.test/", False),
        ("http://app.test:443/", False),
        ("http://127.0.0.1.app.test/", False),
        ("http://192.168.1.1/", False),
        ("http://127.0.0.1:8000/", True),
        ("http://[::1]/", True),
        ("http://localhost/", True),
        ("http://[", False),
    ],
)
def test_a_question_with_full_numbers_goes_by_tls_or_stays_on_the_machine(
    url: str, goes: bool
) -> None:
    assert (PUBLIC.fault_of_question(url) is None) is goes
    if url.startswith("http://") and "[" not in url:
        assert EgressRules(numbers_over_http=True).fault_of_question(url) is None


@given(st.ip_addresses())
@example(ipaddress.ip_address("224.0.0.1"))
def test_nothing_that_python_knows_to_be_special_is_public(address: Address) -> None:
    special = (
        address.is_private
        or address.is_loopback
        or address.is_link_local
        or address.is_multicast
        or address.is_reserved
        or address.is_unspecified
    )
    if special and getattr(address, "ipv4_mapped", None) is None:
        # The one that Python takes for reserved and that leads to a public host.
        assert not is_public(address) or address in ipaddress.ip_network("64:ff9b::/96")


@given(ipv4)
@example(ipaddress.IPv4Address("10.0.0.1"))
@example(ipaddress.IPv4Address("8.8.8.8"))
def test_an_ipv4_address_in_an_ipv6_one_is_judged_as_itself_or_not_allowed(
    address: ipaddress.IPv4Address,
) -> None:
    for prefix in ("::ffff:0:0", "64:ff9b::"):
        inside = ipaddress.IPv6Address(int(ipaddress.IPv6Address(prefix)) | int(address))
        assert is_public(inside) == is_public(address)
    for shift, prefix in ((0, "::"), (0, "64:ff9b:1::"), (80, "2002::"), (64, "2001::")):
        inside = ipaddress.IPv6Address(int(ipaddress.IPv6Address(prefix)) | (int(address) << shift))
        assert not is_public(inside)


@given(ipv4, st.integers(min_value=1, max_value=32), ipv4)
def test_an_allowed_network_allows_itself_and_changes_nothing_else(
    base: ipaddress.IPv4Address, length: int, other: ipaddress.IPv4Address
) -> None:
    network = ipaddress.ip_network((int(base), length), strict=False)
    rules = EgressRules(networks=(network,))
    mapped = ipaddress.IPv6Address((0xFFFF << 32) | int(base))
    assert rules.allow(base)
    assert rules.allow(mapped)
    assert rules.allow(other) == (other in network or is_public(other))


@given(ipv6)
def test_every_address_is_decided_about(address: ipaddress.IPv6Address) -> None:
    assert PUBLIC.allow(address) in {True, False}


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com",
        "https://example.com/path?query=1#ct=2000",
        "https://user:secret@example.com/",
        "http://example.com:8080/",
        "HTTPS://EXAMPLE.COM:443/",
        "http://8.8.8.8/",
        "http://[2606:4700:4700::1111]:8443/",
        "http://bücher.example/",
        "https://example.com/" + "a" * (LONGEST_GIVEN_URL - 20),
    ],
)
def test_urls_that_may_be_called(url: str) -> None:
    assert PUBLIC.fault(url) is None
    assert PUBLIC.fault(url, longest=LONGEST_GIVEN_URL) is None


@pytest.mark.parametrize(
    ("fault", "url"),
    [
        (Fault.TOO_LONG, "https://example.com/" + "a" * (LONGEST_GIVEN_URL - 19)),
        (Fault.MALFORMED, ""),
        (Fault.MALFORMED, "example.com/prompt.mp3"),
        (Fault.MALFORMED, "http://"),
        (Fault.MALFORMED, "http:///prompt.mp3"),
        (Fault.MALFORMED, "http://[::1"),
        (Fault.MALFORMED, "http://example.com:99999/"),
        (Fault.MALFORMED, "http://example.com:port/"),
        (Fault.MALFORMED, "http://exam ple.com/"),
        (Fault.MALFORMED, "http://example.com/\r\nHost: evil"),
        (Fault.MALFORMED, "http://example.com\\@127.0.0.1/"),
        (Fault.MALFORMED, "http://%65xample.com/"),
        (Fault.MALFORMED, "http://[2606:4700:4700::1111%25eth0]/"),
        (Fault.SCHEME, "ftp://example.com/prompt.mp3"),
        (Fault.SCHEME, "file:///etc/passwd"),
        (Fault.SCHEME, "gopher://example.com/"),
        (Fault.SCHEME, "javascript:alert(1)"),
        (Fault.PORT, "http://example.com:22/"),
        (Fault.PORT, "http://example.com:25/"),
        (Fault.PORT, "http://example.com:0/"),
        (Fault.ADDRESS, "http://localhost/"),
        (Fault.ADDRESS, "http://LOCALHOST./"),
        (Fault.ADDRESS, "http://anything.localhost:8080/"),
        (Fault.ADDRESS, "http://127.0.0.1:8088/ari/channels"),
        (Fault.ADDRESS, "http://127.1/"),
        (Fault.ADDRESS, "http://2130706433/"),
        (Fault.ADDRESS, "http://0x7f000001/"),
        (Fault.ADDRESS, "http://0x7f.0.0.1/"),
        (Fault.ADDRESS, "http://0177.0.0.1/"),
        (Fault.ADDRESS, "http://127.0.0.1./"),
        (Fault.ADDRESS, "http://user:secret@169.254.169.254/latest/meta-data/"),
        (Fault.ADDRESS, "http://[::1]/"),
        (Fault.ADDRESS, "http://[::ffff:127.0.0.1]/"),
        (Fault.ADDRESS, "http://[::ffff:7f00:1]/"),
        (Fault.ADDRESS, "http://[fe80::1%25eth0]/"),
        (Fault.ADDRESS, "http://[64:ff9b::a9fe:a9fe]/"),
    ],
)
def test_urls_that_may_not(fault: Fault, url: str) -> None:
    assert PUBLIC.fault(url, longest=LONGEST_GIVEN_URL) is fault


def test_what_the_operator_allows_is_allowed() -> None:
    rules = EgressRules(
        networks=(ipaddress.ip_network("127.0.0.0/8"), ipaddress.ip_network("fd00::/8")),
        ports=(range(8080, 8081),),
    )
    for url in ("http://localhost:8080/", "http://2130706433:8080/", "http://[fd00::1]:8080/"):
        assert rules.fault(url) is None
    assert rules.fault("http://127.0.0.1/") is Fault.PORT
    assert rules.fault("http://10.0.0.1:8080/") is Fault.ADDRESS


@given(st.text())
@example("http://[")
@example("http://\uff11:80/")
@example("http://%zz/")
def test_no_text_is_too_odd(text: str) -> None:
    for url in (text, f"http://{text}", f"http://example.com:{text}"):
        fault = PUBLIC.fault(url)
        assert fault is None or fault in Fault
