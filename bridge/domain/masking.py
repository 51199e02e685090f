"""Phone numbers in a text that may hold one, however it is written.

This is the second net below `bridge.domain.numbers.PhoneNumber`, which masks itself.  A number is
seven digits or more with nothing between them except what people and programs put there: spaces,
dots, brackets, dashes, slashes, quotes of a list, or an encoding.  Digits of every script count.
"""

import base64
import binascii
import html
import re
import unicodedata
import urllib.parse

_FEWEST = 7
"""Digits that are taken for a number; a port or a year has fewer."""
_LAYERS = 3
"""Encodings around a number that are undone, one around the other."""

_UUID = (
    r"(?<![0-9A-Za-z])[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[1-8][0-9A-Fa-f]{3}"
    r"-[89ABab][0-9A-Fa-f]{3}-[0-9A-Fa-f]{12}(?![0-9A-Za-z])"  # RFC 9562
)
_DATE = r"(?:19|20)\d\d-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])"
_TIME = r"[T ](?:[01]\d|2[0-3]):[0-5]\d:[0-6]\d(?:[.,]\d{1,6}(?!\d))?"
_ZONE = r"(?:Z|[+-](?:[01]\d|2[0-3]):[0-5]\d(?!\d))?"
_NO_NUMBER = re.compile(
    rf"({_UUID}"
    rf"|(?<!\d){_DATE}{_TIME}{_ZONE}"
    rf"|(?<![\d+])(?<![\d+][ ().-]){_DATE}(?![ ().-]?\d))",  # RFC 3339
    re.ASCII,
)
"""A UUID, a time and a date: they have as many digits, and the log needs them."""

_NUMBER = re.compile(r"[0-9](?:(?:[\"'], ?[\"']|[\s\x00-\x1f\x7f()+*#./\\|'_~-]{0,6})[0-9]){6,}")

_MAY_HOLD = re.compile(r"[0-9A-Z%\\&]|[^\x00-\x7f]")
"""What a text has at least that holds a number in any form; most of a log's have none of it."""

_ESCAPES = re.compile(r"((?:\\x[0-9A-Fa-f]{2})+)|\\u([0-9A-Fa-f]{4})|\\([0-3][0-7]{2})|\\[nrt]")
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{10,}")


def masked(text: str) -> str:
    """The text with every number in it masked, except for its last two digits.

    A text that holds a number only when it is decoded (percent-encoding, escapes of JSON, Python
    or HTML, base64) comes back decoded and masked.
    """
    if len(text) < _FEWEST or not _MAY_HOLD.search(text) or _NO_NUMBER.fullmatch(text):
        return text
    shown, plain = _masked(text), _plain_text(text)
    safe = _masked(plain)
    return _BASE64.sub(
        lambda token: _unpacked(token[0]), shown if _plain_text(shown) == safe else safe
    )


def _plain_text(text: str) -> str:
    """The text with what encodes it undone, a few times over."""
    for _ in range(_LAYERS):
        text, before = _decoded(text), text
        if text == before:
            break
    return text


def _masked(text: str) -> str:
    return "".join(
        part if index % 2 else _without_numbers(part)
        for index, part in enumerate(_NO_NUMBER.split(text))
    )


def _without_numbers(text: str) -> str:
    if sum(map(str.isdigit, text)) < _FEWEST:
        return text
    plain = text if text.isascii() else "".join(map(_plain, text))
    letters = list(text)
    for found in _NUMBER.finditer(plain):
        places = [place for place in range(*found.span()) if plain[place].isdigit()]
        for place in places[:-2]:
            letters[place] = "*"
    return "".join(letters)


def _plain(letter: str) -> str:
    """The ASCII digit that it is in another script; a space where it is neither that nor a letter,
    such as a dash of its own or a mark of no width."""
    if letter.isascii() or letter.isalpha():
        return letter
    digit = unicodedata.digit(letter, None)
    return " " if digit is None else str(digit)


def _decoded(text: str) -> str:
    """The text without one layer of encoding."""
    if "%" in text:
        text = urllib.parse.unquote(text, errors="replace")
    if "\\" in text:
        text = _ESCAPES.sub(_letter, text)
    return html.unescape(text) if "&" in text else text


def _letter(escape: re.Match[str]) -> str:
    octets, code, octal = escape.groups()
    if octets:
        return bytes.fromhex(octets.replace("\\x", "")).decode(errors="replace")
    if code:
        return chr(int(code, 16))
    return chr(int(octal, 8)) if octal else " "


def _unpacked(token: str) -> str:
    """Base64 that holds a number, unpacked and masked; anything else as it is."""
    standard = token.translate(str.maketrans("-_", "+/"))
    try:
        text = base64.b64decode(standard + "=" * (-len(token) % 4), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return token
    found = _masked(text)
    return token if found == text or not text.isprintable() else found
