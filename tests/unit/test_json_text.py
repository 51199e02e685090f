"""JSON from anybody is read within bounds, and what is wrong with it is said without its values."""

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.domain.json_text import DEEPEST, BadJson, is_fit, read_json

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**63), 10**63)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)
BYTES = st.text('[]{}":,\\u0019eE+-. \n\tnaNIiftyruls', max_size=200).map(str.encode)


@given(JSON)
def test_what_is_json_is_read_as_it_is(value: Any) -> None:
    for text in (json.dumps(value), json.dumps(value, indent=1)):
        assert read_json(text) == value
        assert read_json(b"\xef\xbb\xbf" + text.encode()) == value


@given(BYTES | st.binary(max_size=100))
def test_what_is_read_is_json_and_nothing_else_is_raised(text: bytes) -> None:
    try:
        value = read_json(text)
    except BadJson:
        return
    assert json.loads(text) == value
    json.dumps(value, allow_nan=False)


@given(JSON, st.data())
def test_a_text_that_is_cut_or_changed_is_never_repeated(value: Any, data: st.DataObject) -> None:
    party = "+14155550123"
    text = json.dumps({"party": party, "more": value, "last": int(party)})
    place = data.draw(st.integers(0, len(text)))
    changed = text[:place] + data.draw(st.sampled_from('[]{},:"\\x\n')) + text[place:]
    for broken in (text[:place], changed):
        assert party[3:] not in _told_of(broken)


def _told_of(text: str) -> str:
    """Everything that is said of a text that is not taken."""
    try:
        read_json(text)
    except BadJson as bad:
        return f"{bad} {bad.what} {bad.reason} {bad.__cause__}"
    return ""


@pytest.mark.parametrize("pair", ["[]", "{}"])
@pytest.mark.parametrize("depth", [DEEPEST, DEEPEST + 1, 954, 100_000])
def test_depth_is_bounded(pair: str, depth: int) -> None:
    opened = "[" if pair == "[]" else '{"a":'
    text = opened * (depth - 1) + pair + pair[1] * (depth - 1)
    if depth <= DEEPEST:
        read_json(text)
        return
    with pytest.raises(BadJson, match="json-too-deep") as raised:
        read_json(text)
    assert re.fullmatch(r"is nested deeper than 32 levels: line 1, column \d+\.", raised.value.what)


def test_brackets_in_texts_and_beside_each_other_are_no_depth() -> None:
    many = ["[" * 100, "\\[[", '"{' * 50, *[[]] * 100, {"[" * 40: "]"}]
    assert read_json(json.dumps(many)) == many


@pytest.mark.parametrize("end", ['"', "", "\\"])
def test_a_text_made_to_be_slow_is_read_in_one_pass(end: str) -> None:
    """A scan that began again at each quotation mark would take hours; this is read at once."""
    with pytest.raises(BadJson):
        read_json("[" * 33 + '"' + '\\"' * 120_000 + end)
    with pytest.raises(BadJson):
        read_json("[" + '"' + '\\"' * 120_000 + end + "1e999")


@pytest.mark.parametrize(
    ("text", "what"),
    [
        (b"", "is empty."),
        (b" \r\n", "is empty."),
        (b"\xef\xbb\xbf", "is empty."),
        (b'{"a": "\xff"}', "is not text in UTF-8: byte 8 cannot be read."),
        ('{"a": 1}'.encode("utf-16"), "is not text in UTF-8: byte 1 cannot be read."),
        (b"{", "is not valid JSON: line 1, column 2: a name in double quotes is expected."),
        (
            b'{"a": 1,\n "b" 2}',
            "is not valid JSON: line 2, column 6: a colon is expected.",
        ),
        (b'{"a": 1 "b"', "is not valid JSON: line 1, column 9: a comma or the end is expected."),
        ('{"ä": }'.encode(), "is not valid JSON: line 1, column 7: a value is expected."),
        (b'["a', "is not valid JSON: line 1, column 2: a text begins that has no end."),
        (b'["\\q"]', "is not valid JSON: line 1, column 3: JSON has no such escape."),
        (
            b'["a\n"]',
            "is not valid JSON: line 1, column 4: a control character in a text must be escaped.",
        ),
        (b"{} x", "is not valid JSON: line 1, column 4: nothing may follow after the end."),
        (b"first_party=1", "is not valid JSON: line 1, column 1: a value is expected."),
        (
            b'["NaN",\nNaN]',
            "is not valid JSON, which has neither NaN nor Infinity: line 2, column 1.",
        ),
        (
            b"[-Infinity]",
            "is not valid JSON, which has neither NaN nor Infinity: line 1, column 2.",
        ),
        (b'["1e999", 1e999]', "has a number that is too great: line 1, column 11."),
        (b"[-1e999]", "has a number that is too great: line 1, column 2."),
        (
            b"[1, " + b"9" * 5000 + b"]",
            "has a number of more than 64 digits: line 1, column 5.",
        ),
        (b'{"a": {"b": 1, "b": 1}}', "has a name twice in one object."),
    ],
)
def test_what_is_wrong_is_said_with_its_place(text: bytes, what: str) -> None:
    with pytest.raises(BadJson) as raised:
        read_json(text)
    assert raised.value.what == what


def test_a_name_may_be_in_different_objects() -> None:
    assert read_json('[{"a": {"a": 1}}, {"a": 2}]') == [{"a": {"a": 1}}, {"a": 2}]


def test_a_name_that_is_written_in_two_ways_is_the_same_name() -> None:
    with pytest.raises(BadJson, match="json-repeated-name") as raised:
        read_json('{"party": 1, "p\\u0061rty": 2}')
    assert raised.value.name == "party"


def test_a_number_of_64_digits_is_kept() -> None:
    assert read_json("9" * 64) == int("9" * 64)


@pytest.mark.parametrize(
    "value", ["\0", "\ud800", {"a": ["\0"]}, {"\udfff": 1}, [[{"a": {"b": "x\0"}}]]]
)
def test_text_that_postgres_does_not_take_is_found_wherever_it_is(value: Any) -> None:
    assert not is_fit(value)
    assert is_fit("\U0001f600 é")
