"""What a carrier's SIP headers say about the caller."""

import re

from bridge.domain.numbers import PhoneNumber, from_carrier

_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"')
_URI_USER = re.compile(r"\b(?:sips?|tel):([^@;>,\s]*)", re.IGNORECASE)


def caller_number(from_header: str, asserted_identity: str) -> PhoneNumber | None:
    """Who is calling: the From header, or where that is withheld the trunk's P-Asserted-Identity.

    The identity that a trusted network asserts (RFC 3325) serves the look-up only; it is never
    shown to anybody.  ``None``: the caller stays unknown.
    """
    return _first_number(from_header) or _first_number(asserted_identity)


def _first_number(header: str) -> PhoneNumber | None:
    # A display name is the caller's own text: it must not be able to pose as the address.
    addresses = _URI_USER.findall(_QUOTED.sub("", header))
    numbers = (from_carrier(address) for address in addresses)
    return next((number for number in numbers if number), None)


def dialled_number(request_user: str) -> str:
    """The number that was called: E.164 if it is one, else what of it is fit to be written down."""
    number = from_carrier(request_user)
    return number.e164 if number else re.sub(r"[^0-9A-Za-z+*#._-]", "", request_user)[:32]
