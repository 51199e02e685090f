"""What a carrier's SIP headers say about the caller."""

import re
from collections.abc import Iterator

from bridge.domain.numbers import PhoneNumber
from bridge.domain.trunk_rules import CallerHeader, TrunkRules, read

_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"')
_IN_BRACKETS = re.compile(r"(?:^|,)[^<>,;]*<([^<>]*)>")
_URI = re.compile(r"\s*(?:sips?:(?P<user>[^@]*)@|tel:(?P<number>.*))", re.IGNORECASE | re.DOTALL)


def caller_number(
    from_header: str, asserted_identity: str, rules: TrunkRules
) -> PhoneNumber | None:
    """Who is calling: the From header, or where that is withheld the trunk's P-Asserted-Identity.

    By `CallerHeader.ASSERTED` it is the other way round, and From counts only where there is no
    P-Asserted-Identity at all: one that names nobody is of a caller whom the network knows not.
    The identity that a trusted network asserts (RFC 3325) serves the look-up only; it is never
    shown to anybody.  ``None``: the caller stays unknown.
    """
    # From has one address (RFC 3261, 20.20): a second is nobody's business there.
    said, asserted = list(signalled_numbers(from_header))[:1], signalled_numbers(asserted_identity)
    if rules.caller_header is CallerHeader.ASSERTED and asserted_identity:
        said = []
    signalled = [*said, *asserted]
    numbers = (read(text, rules).number for text in signalled)
    return next((number for number in numbers if number), None)


def signalled_numbers(header: str) -> Iterator[str]:
    """What stands for a number in each address of a header, as it came.

    A display name and parameters behind the address are the caller's own text, and must not be
    able to pose as the address.
    """
    unquoted = _QUOTED.sub("", header)
    if '"' in unquoted:
        return  # a quote that nobody closed: where the address begins is anybody's guess
    addresses = _IN_BRACKETS.findall(unquoted) if "<" in unquoted else [unquoted.partition(";")[0]]
    for address in addresses:
        if uri := _URI.match(address):
            yield uri["user"] if uri["user"] is not None else uri["number"]


def dialled_number(request_user: str, rules: TrunkRules) -> str:
    """The number that was called: E.164 if it is one, else what of it is fit to be written down.

    What is not becomes a ``?``, so that no number is what is left of a text that was none.
    """
    number = read(request_user, rules).number
    return number.e164 if number else re.sub(r"[^0-9A-Za-z+*#._-]", "?", request_user)[:32]
