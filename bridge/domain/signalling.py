"""What a carrier's SIP headers say about the caller.

Every text here is a stranger's.  An address counts only where the header as a whole follows the
grammar of RFC 3261, 25.1: where one address begins in a text that does not, nobody can tell.
"""

import dataclasses
import re
from collections.abc import Iterable, Sequence

from bridge.domain.attestation import Attestation, attestation
from bridge.domain.numbers import PhoneNumber
from bridge.domain.trunk_rules import CallerHeader, TrunkRules, read

_QUOTED = r'"(?:[^"\\]|\\.)*"'
_ADDRESS = re.compile(
    rf"""
    \s*
    (?: (?: {_QUOTED}\s* | [^<>"(),:;@\\]* )    # a display name
        <(?P<uri>[^<>"\s]*)>
      | (?P<bare>[^<>",;?\s]+)            # without brackets all that follows is the header's
    )
    \s*
    (?P<parameters> (?: ; (?: [^<>",;\\] | {_QUOTED} )* )* )
    \s*
    """,
    re.VERBOSE | re.DOTALL,
)
_SIP = re.compile(r"sips?:(?P<user>[^@]*)@(?P<rest>[^@]*)", re.IGNORECASE)
_TEL = re.compile(r"tel:(?P<number>.*)", re.IGNORECASE)
_VERSTAT = re.compile(r';\s*verstat\s*=\s*"?\s*([^;?@",\s]*)', re.IGNORECASE)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class CallerHeaders:
    """The lines of the headers that tell of a caller, each line as it came."""

    said: Sequence[str] = ()
    """From."""
    asserted: Sequence[str] = ()
    """P-Asserted-Identity (RFC 3325): one or two, in one line or in two."""
    attested: Sequence[str] = ()
    """Attestation-Info or P-Attestation-Indicator."""


@dataclasses.dataclass(frozen=True, slots=True)
class Caller:
    """Who calls, as far as the carrier tells."""

    number: PhoneNumber | None
    """``None``: withheld, no number, more than one, or one whose check failed."""
    attestation: Attestation = Attestation.NONE


@dataclasses.dataclass(frozen=True, slots=True, repr=False)
class Address:
    """One address of a header."""

    signalled: str | None
    """What stands for a number, as it came: the user of a SIP URI, or all of a tel URI."""
    verstats: Sequence[str]
    """What the carrier says of the check of the number."""


def caller(headers: CallerHeaders, rules: TrunkRules) -> Caller:
    """Who is calling: by From, or where From withholds it by the trunk's P-Asserted-Identity.

    By `CallerHeader.ASSERTED` it is P-Asserted-Identity, and From counts only where the call has
    no such header: one that names nobody is of a caller whom the network does not know.
    The identity that a trusted network asserts serves the look-up only; no other party sees it.
    """
    said, asserted = _addresses(headers.said), _addresses(headers.asserted)
    verstats = [verstat for one in [*said, *asserted] for verstat in one.verstats]
    level = attestation(verstats, headers.attested)
    if level is Attestation.FAILED:
        return Caller(None, level)
    # From has one address (RFC 3261, 20.20).  Of several no network says which is the caller's.
    if len(said) > 1 or (rules.caller_header is CallerHeader.ASSERTED and headers.asserted):
        said = []
    return Caller(_the_only_number(said, rules) or _the_only_number(asserted, rules), level)


def addresses(header: str) -> Sequence[Address]:
    """The addresses in one line of a header; none where the line breaks the grammar.

    A display name and the parameters behind an address are the caller's own text, and cannot pose
    as an address.
    """
    found: list[Address] = []
    at = 0
    while address := _ADDRESS.match(header, at):
        found.append(_address(address["uri"] or address["bare"] or "", address["parameters"]))
        at = address.end() + 1
        if at > len(header):
            return found
        if header[at - 1] != ",":
            break
    return []


def dialled_number(request_user: str, rules: TrunkRules) -> str:
    """The number that was called: E.164 if it is one, else what of it is fit to be written down.

    What is not becomes a ``?``, so that no number is what is left of a text that was none.
    """
    number = read(request_user, rules).number
    return number.e164 if number else re.sub(r"[^0-9A-Za-z+*#._-]", "?", request_user)[:32]


def _the_only_number(signalled: Iterable[Address], rules: TrunkRules) -> PhoneNumber | None:
    """The number that the addresses name; of two numbers nobody can tell which is the caller's."""
    texts = [one.signalled for one in signalled if one.signalled is not None]
    numbers = {number for text in texts if (number := read(text, rules).number)}
    return numbers.pop() if len(numbers) == 1 else None


def _addresses(lines: Iterable[str]) -> Sequence[Address]:
    """The addresses of all lines of a header; none if one of the lines breaks the grammar."""
    found: list[Address] = []
    for line in filter(str.strip, lines):
        of_line = addresses(line)
        if not of_line:
            return []
        found += of_line
    return found


def _address(uri: str, parameters: str) -> Address:
    sip, tel = _SIP.fullmatch(uri), _TEL.fullmatch(uri)
    signalled = sip["user"] if sip else tel["number"] if tel else None
    return Address(signalled, _VERSTAT.findall(f"{uri}{parameters}"))
