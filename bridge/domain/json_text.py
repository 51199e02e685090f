"""JSON that somebody else wrote, read within bounds (RFC 8259).

RFC 8259, 9 lets a reader limit the depth, the range of numbers and the size of texts.  Without a
limit a small text exhausts the stack, and a number becomes one that Postgres or JSON cannot hold.
"""

import json
import math
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

DEEPEST = 32
"""Levels of arrays and objects.  What is one's own has three to five."""

_MOST_DIGITS = 64  # of a whole number; 128 bits have 39, and Python converts no more than 4300
_UNFIT = re.compile("[\0\ud800-\udfff]")
_TEXT = r'"(?>[^"\\]+|\\.?)*+(?:"|\Z)'  # to the end of it, or of everything: the scan is linear
_BRACKETS = re.compile(rf"{_TEXT}|[\[\]{{}}]", re.DOTALL)
_NUMBERS = re.compile(rf"{_TEXT}|-?[0-9][-+0-9.eE]*|NaN|-?Infinity", re.DOTALL)
_EXPLAINED = (
    ("Expecting value", "a value is expected"),
    ("Expecting ','", "a comma or the end is expected"),
    ("Expecting ':'", "a colon is expected"),
    ("Expecting property name", "a name in double quotes is expected"),
    ("Illegal trailing comma", "a comma must not be the last"),
    ("Unterminated string", "a text begins that has no end"),
    ("Invalid control character", "a control character in a text must be escaped"),
    ("Invalid \\", "JSON has no such escape"),
    ("Extra data", "nothing may follow after the end"),
)


class BadJson(ValueError):
    """A text is no JSON, or JSON beyond the bounds.

    It never holds a value of the text.

    Attributes:
        reason: one stable word for programs.
        what: the end of a sentence, such as ``is not valid JSON: line 1, column 5: …``.
        name: the name that an object has twice, and else ``None``.  It comes from outside.
    """

    def __init__(self, reason: str, what: str, *, name: str | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.what = what
        self.name = name


def read_json(sent: bytes | str) -> Any:
    """The value that a text in UTF-8 stands for; a byte order mark before it is passed over.

    Raises:
        BadJson: it is not JSON, or not UTF-8; it is nested deeper than `DEEPEST`; an object has a
            name twice, so that two readers may understand two things; a number is NaN, infinite,
            greater than a double or longer than 64 digits.
    """
    text = _decoded(sent)
    _check_depth(text)
    try:
        return json.loads(
            text,
            object_pairs_hook=_object,
            parse_int=_integer,
            parse_float=_float,
            parse_constant=_constant,
        )
    except json.JSONDecodeError as error:
        why = next((ours for theirs, ours in _EXPLAINED if error.msg.startswith(theirs)), "")
        what = f"is not valid JSON: {_place(text, error.pos)}{': ' if why else ''}{why}."
        raise BadJson("not-json", what) from None
    except _Unfit as error:
        raise error.told(text) from None


def is_fit(value: Any) -> bool:
    """Whether all texts of a JSON value can be kept: JSON may hold NUL and half of a surrogate
    pair, and Postgres may not."""
    return not any(map(_UNFIT.search, _texts(value)))


class _Unfit(Exception):
    """A number that is none to us; its place is looked for only then."""

    def __init__(self, number: str, reason: str, what: str) -> None:
        super().__init__(reason)
        self._number = number
        self._reason = reason
        self._what = what

    def told(self, text: str) -> BadJson:
        places = (one.start() for one in _NUMBERS.finditer(text) if one[0] == self._number)
        return BadJson(self._reason, f"{self._what}: {_place(text, next(places, 0))}.")


def _decoded(sent: bytes | str) -> str:
    if isinstance(sent, str):
        text = sent
    else:
        try:
            text = sent.decode()
        except UnicodeDecodeError as error:
            what = f"is not text in UTF-8: byte {error.start + 1} cannot be read."
            raise BadJson("not-json", what) from None
    text = text.removeprefix("\ufeff")
    if not text.strip(" \t\r\n"):
        raise BadJson("not-json", "is empty.")
    return text


def _check_depth(text: str) -> None:
    if text.count("[") + text.count("{") <= DEEPEST:
        return
    depth = 0
    for found in _BRACKETS.finditer(text):
        if found[0] in "[{":
            depth += 1
        elif found[0] in "]}":
            depth -= 1
        if depth > DEEPEST:
            what = f"is nested deeper than {DEEPEST} levels: {_place(text, found.start())}."
            raise BadJson("json-too-deep", what)


def _object(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        name = Counter(name for name, _ in pairs).most_common(1)[0][0]
        raise BadJson("json-repeated-name", "has a name twice in one object.", name=name)
    return made


def _integer(text: str) -> int:
    if len(text.removeprefix("-")) > _MOST_DIGITS:
        raise _Unfit(text, "json-number", f"has a number of more than {_MOST_DIGITS} digits")
    return int(text)


def _float(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise _Unfit(text, "json-number", "has a number that is too great")
    return number


def _constant(name: str) -> Any:
    raise _Unfit(name, "not-json", "is not valid JSON, which has neither NaN nor Infinity")


def _place(text: str, position: int) -> str:
    """Where it is, both counted from 1, and columns in characters."""
    line = text.count("\n", 0, position) + 1
    return f"line {line}, column {position - text.rfind(chr(10), 0, position)}"


def _texts(value: Any) -> Iterator[str]:
    """Every text in a JSON value, names included."""
    rest = [value]
    while rest:
        match rest.pop():
            case str(text):
                yield text
            case list(items):
                rest += items
            case dict(fields):
                rest += [*fields.keys(), *fields.values()]
