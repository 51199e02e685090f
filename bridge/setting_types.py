"""Types of settings that several groups of them share."""

import functools
import ipaddress
import itertools
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, TypeAlias

import pydantic
from pydantic_settings import NoDecode

from bridge.domain.egress import Network

_PLAIN_PATH = re.compile(r"/[A-Za-z0-9/_.-]*")


def _plain(path: Path) -> Path:
    if not _PLAIN_PATH.fullmatch(str(path)):
        raise ValueError("must begin with / and hold letters, digits and /_.- only")
    return path


AsteriskPath: TypeAlias = Annotated[Path, pydantic.AfterValidator(_plain)]
"""A path that Asterisk is told: it becomes part of a line of its dialplan, or the name of a sound,
where a comma would begin another."""


# --- networks ---

_WIDEST_V4 = 8
_WIDEST_V6 = 16
_ALL_V4 = 2 * 2 ** (32 - _WIDEST_V4)
_ALL_V6 = 2 * 2 ** (128 - _WIDEST_V6)
"""Addresses that all networks of a setting may have together: those of two of the widest."""

_PRIVATE_V6 = ipaddress.IPv6Network("fc00::/7")  # RFC 4193; nobody of the internet is there
# Each holds the whole of IPv4: mapped (RFC 4291), NAT64 (RFC 6052), 6to4 (RFC 3056).
_V4_INSIDE = tuple(map(ipaddress.IPv6Network, ("::ffff:0:0/96", "64:ff9b::/96", "2002::/16")))


def _listed(value: Any) -> Any:
    """The parts of a setting with commas."""
    if not isinstance(value, str):
        return value
    return [part.strip() for part in value.split(",")] if value.strip() else []


def _are_some(networks: list[Network]) -> list[Network]:
    """What names nearly everybody lets everybody in, also in several parts or in another form."""
    v4: list[ipaddress.IPv4Network] = []
    v6: list[ipaddress.IPv6Network] = []
    for network in networks:
        if isinstance(network, ipaddress.IPv4Network):
            v4.append(network)
            continue
        v6 += [] if network.subnet_of(_PRIVATE_V6) else [network]
        v4 += _v4_inside(network)
    too_wide = (
        any(one.prefixlen < _WIDEST_V4 for one in v4)
        or any(one.prefixlen < _WIDEST_V6 for one in v6)
        or _addresses(ipaddress.collapse_addresses(v4)) > _ALL_V4
        or _addresses(ipaddress.collapse_addresses(v6)) > _ALL_V6
    )
    if too_wide:
        raise ValueError(
            "names nearly everybody: name the hosts that are meant, or networks of them, "
            f"at most two as wide as /{_WIDEST_V4} (IPv4) or /{_WIDEST_V6} (IPv6)"
        )
    return networks


def _v4_inside(network: ipaddress.IPv6Network) -> list[ipaddress.IPv4Network]:
    """The IPv4 network that stands in an IPv6 one."""
    for whole in _V4_INSIDE:
        if whole.subnet_of(network):
            return [ipaddress.IPv4Network("0.0.0.0/0")]
        if network.subnet_of(whole):
            length = min(network.prefixlen - whole.prefixlen, 32)
            first = int(network.network_address) >> (96 - whole.prefixlen) & 0xFFFF_FFFF
            return [ipaddress.IPv4Network((first, length), strict=False)]
    return []


def _addresses(networks: Iterable[Network]) -> int:
    return sum(network.num_addresses for network in networks)


Networks: TypeAlias = Annotated[
    list[pydantic.IPvAnyNetwork],
    NoDecode,
    pydantic.BeforeValidator(_listed),
    pydantic.AfterValidator(_are_some),
]
"""Comma-separated addresses and networks, never nearly everybody; may be empty."""


# --- secrets ---

_A_GOOD_ONE = "`openssl rand -hex 32` makes a good one"
_FEWEST_LETTERS = 6
_LONGEST_UNIT = 6
_IN_ROWS = 0.6
_ROWS = (
    "0123456789",
    "abcdefghijklmnopqrstuvwxyz",
    "qwertyuiopasdfghjklzxcvbnm",
    "qwertzuiop",
    "1q2w3e4r5t6y7u8i9o0p",
)
_WORDS = re.compile(
    r"pass(?:w[o0]rd|wort|phrase)?|change[-_ ]?(?:me|it)|secret|letmein|welcome|default|example"
    r"|admin|root|user|test|masking|bridge|asterisk|postgres|database|recording|carrier|trunk"
    r"|your|my|the|openssl|rand|hex|fill|here|todo|xxx+|iloveyou|dragon|monkey|qwert[yz]"
)


def strong_secret(value: pydantic.SecretStr, *, at_least: int) -> pydantic.SecretStr:
    """The secret, unless somebody could guess it.

    Raises:
        ValueError: it is short, or it is of few letters, a repetition, a row or common words.  The
            message holds nothing of it.
    """
    long_secret(value, at_least=at_least)
    if wrong := weakness(value, at_least=at_least):
        raise ValueError(wrong)
    return value


def long_secret(value: pydantic.SecretStr, *, at_least: int) -> pydantic.SecretStr:
    """The secret, unless it is short.

    Raises:
        ValueError: it is.
    """
    if len(value.get_secret_value()) < at_least:
        raise ValueError(f"must have {at_least} characters or more: {_A_GOOD_ONE}")
    return value


def weakness(value: pydantic.SecretStr, *, at_least: int) -> str | None:
    """Why somebody could guess a secret that is long enough; ``None``: nobody could."""
    if not _is_weak(value.get_secret_value().lower(), at_least):
        return None
    wrong = "can be guessed: it repeats a few letters, or is a row of the keyboard or words"
    return f"{wrong}: {_A_GOOD_ONE}"


def _is_weak(text: str, at_least: int) -> bool:
    rest = re.sub(r"[\W_]", "", _WORDS.sub("", text))
    return (
        len(set(text)) < _FEWEST_LETTERS
        or any(_repeats(text, length) for length in range(1, _LONGEST_UNIT + 1))
        or len(rest) < at_least / 2
        or _share_in_rows(rest) > _IN_ROWS
    )


def _repeats(text: str, length: int) -> bool:
    return text == (text[:length] * len(text))[: len(text)]


def _share_in_rows(text: str) -> float:
    """How many of its letters follow in a row upon the one before them, or are the same."""
    pairs = list(itertools.pairwise(text))
    return sum(pair in _neighbours() for pair in pairs) / max(len(pairs), 1)


@functools.cache
def _neighbours() -> frozenset[tuple[str, str]]:
    near: set[tuple[str, str]] = set()
    for row in _ROWS:
        around = row + row[0]  # 9 is followed by 0
        for one, other in itertools.pairwise(around):
            near |= {(one, other), (other, one), (one, one)}
    return frozenset(near)
