"""Checks of settings for what they do: a value can be spelled right, and do nothing or harm."""

import difflib
import ipaddress
import re
from collections.abc import Collection, Mapping
from typing import Final
from urllib.parse import urlsplit

_LABEL = r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_NAME = re.compile(rf"(?=.{{1,253}}\Z){_LABEL}(\.{_LABEL})*", re.ASCII)
_HOST_AND_PORT = re.compile(r"(?P<host>[^:]+)(:(?P<port>[0-9]{1,5}))?", re.ASCII)

CODECS: Final = ("ulaw", "alaw", "g722", "gsm")
"""Codecs that ``modules.conf`` has a translator for, so that any two of them hear each other, hear
prompts and can be recorded."""
_ALSO_CALLED: Final = {
    "pcmu": "ulaw",
    "mulaw": "ulaw",
    "g711u": "ulaw",
    "g711": "ulaw,alaw",
    "pcma": "alaw",
    "g711a": "alaw",
    "g722": "g722",
}
_NO_TRANSLATOR: Final = re.compile(
    r"adpcm|amr|amrwb|codec2|g719|g723|g726|g726aal2|g729a?|ilbc|lpc10|opus|silk[0-9]*|siren7|siren14"
    r"|slin[0-9]*|speex[0-9]*"
)
"""Asterisk's names of the others: ``core show codecs audio`` of 22.10."""

# What Kubernetes and Docker put into every container of a service that is called "bridge".
_OF_AN_ORCHESTRATOR = re.compile(
    r"BRIDGE_(\w+_)?(SERVICE_(HOST|PORT(_\w+)?)|PORT_[0-9]+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?"
    r"|ENV_\w+|NAME)"
)


def codecs(text: str) -> str:
    """Codecs as Asterisk is to have them, from a comma-separated list.

    Raises:
        ValueError: one is none of `CODECS`; the message says which, and what was meant.
    """
    names = [part.strip().lower() for part in text.split(",")]
    for name in names:
        if name not in CODECS:
            raise ValueError(_no_codec(name))
    if twice := {name for name in names if names.count(name) > 1}:
        raise ValueError(f"names {', '.join(sorted(twice))} twice")
    return ",".join(names)


def _no_codec(name: str) -> str:
    allowed = f"may be {', '.join(CODECS)}, separated by commas"
    if not re.fullmatch(r"[a-z0-9./_-]{1,32}", name):
        return allowed
    bare = re.sub(r"[^a-z0-9]", "", name)
    if bare in _ALSO_CALLED:
        return f"{allowed}: Asterisk calls {name} {_ALSO_CALLED[bare]}"
    if _NO_TRANSLATOR.fullmatch(bare):
        return (
            f"{allowed}: {name} cannot be translated here, so two phones of which one lacks it"
            " would hear nothing, and no prompt could be played"
        )
    if close := difflib.get_close_matches(bare, CODECS, n=1, cutoff=0.5):
        return f"{allowed}: {name} is none; {close[0]} is meant?"
    return f"{allowed}: {name} is none"


def host(text: str, *, with_port: bool) -> str:
    """An IPv4 address or a host's name, and where that is allowed its port.

    Raises:
        ValueError: it is neither.
    """
    wanted = "an address or a name, or one with :port" if with_port else "an address or a name"
    if re.search(r"[\[\]]|:.*:", text):
        raise ValueError(f"must be {wanted}, and no IPv6: audio is IPv4 only")
    match = _HOST_AND_PORT.fullmatch(text)
    if not match or (match["port"] and not with_port):
        raise ValueError(f"must be {wanted}")
    if match["port"] and not 0 < int(match["port"]) < 65536:
        raise ValueError("has a port that is not from 1 to 65535")
    if re.fullmatch(r"[0-9.]+", match["host"]):
        try:
            address = ipaddress.IPv4Address(match["host"])
        except ValueError:
            raise ValueError("is no IPv4 address, and no name either") from None
        if address.is_unspecified or address.is_multicast:
            raise ValueError("is an address that nobody can be reached at")
    elif not _NAME.fullmatch(match["host"]):
        raise ValueError(f"must be {wanted}")
    return text


def postgres_url(url: str) -> None:
    """Raises: ValueError: it is not one; the message holds nothing of it."""
    if not url.startswith(("postgresql://", "postgres://")):
        raise ValueError("must start with postgresql://")
    try:
        _ = urlsplit(url).port
    except ValueError:
        raise ValueError(
            "must be postgresql://user:password@host:port/name: what stands for the port is none."
            "  Signs such as / and @ in a password are written as %2F and %40"
        ) from None


def rtp_ports(start: int, end: int) -> None:
    """Raises: ValueError: a leg needs an even port and the next one, and a call two legs."""
    if start % 2:
        raise ValueError("BRIDGE_RTP_PORT_START must be even: audio is at even ports (RFC 3550 11)")
    if end - start < 3:
        raise ValueError("BRIDGE_RTP_PORT_END must leave room above BRIDGE_RTP_PORT_START")


def unknown(environment: Mapping[str, str], known: Collection[str]) -> list[str]:
    """What is wrong with variables that look like settings and are none; one line for each.

    Args:
        environment: of this process.
        known: names of all settings.
    """
    mistakes = []
    for name in sorted(environment):
        upper = name.upper()
        if (
            not upper.startswith("BRIDGE_")
            or upper in known
            or _of_an_orchestrator(name, environment)
        ):
            continue
        close = difflib.get_close_matches(upper, known, n=1, cutoff=0.75)
        meant = f"; is {close[0]} meant?" if close else ": README.md lists all settings"
        shown = name if re.fullmatch(r"\w{1,64}", name, re.ASCII) else "BRIDGE_..."
        mistakes.append(f"{shown} is no setting{meant}")
    return mistakes


def _of_an_orchestrator(name: str, environment: Mapping[str, str]) -> bool:
    is_link = name.endswith("_PORT") and environment[name].startswith(("tcp://", "udp://"))
    return is_link or bool(_OF_AN_ORCHESTRATOR.fullmatch(name))
