"""JSON in requests: each fault is a 400 that says what to do, whatever was sent and wherever."""

import json
import random
from typing import Any

import pytest
import structlog

from bridge.domain.json_text import DEEPEST
from bridge.store.pool import Database
from tests.adapters.conftest import PARTIES, Api
from tests.people import ALICE, CAROL, MALLORY

WITH_BODY = [
    ("POST", "Masking/Session/"),
    ("POST", "Masking/Session/00000000-0000-0000-0000-000000000000/"),
    ("POST", "Masking/Session/00000000-0000-0000-0000-000000000000/Call/"),
    ("POST", "Masking/Bulk/Create/"),
    ("POST", "Masking/Bulk/Expire/"),
    ("POST", ""),
    ("POST", "Subaccount/"),
    ("POST", "Subaccount/SA000000000000000000/"),
    ("DELETE", "Subaccount/SA000000000000000000/"),
    ("POST", "Number/"),
    ("POST", "Number/14155550199/"),
    ("POST", "Number/14155550199/Replace/"),
    ("POST", "Event/1/Reveal/"),
]
PRIVATE = "4155550198"


def nested(levels: int, inner: str = f'"{PRIVATE}"') -> str:
    return '{"a":' * levels + inner + "}" * levels


BODIES = [
    (nested(954), f"The body is nested deeper than {DEEPEST} levels: line 1, column 161."),
    (nested(40_000), f"The body is nested deeper than {DEEPEST} levels: line 1, column 161."),
    ('{"reason": "a",\n "reason": "b"}', "The body has reason twice in one object."),
    (f'{{"+1{PRIVATE}": 1, "+1{PRIVATE}": 2}}', "The body has a name twice in one object."),
    ('{"reason" "a"}', "The body is not valid JSON: line 1, column 11: a colon is expected."),
    ('{"reason": 1e999}', "The body has a number that is too great: line 1, column 12."),
    (
        f'{{"reason": {"9" * 5000}}}',
        "The body has a number of more than 64 digits: line 1, column 12.",
    ),
    (
        '{"reason": NaN}',
        "The body is not valid JSON, which has neither NaN nor Infinity: line 1, column 12.",
    ),
    (b'{"reason": "\xe9"}', "The body is not text in UTF-8: byte 13 cannot be read."),
    ('{"reason": "\\u0000"}', "must hold neither NUL nor half a surrogate pair."),
    ('{"reason": "\\ud800"}', "must hold neither NUL nor half a surrogate pair."),
    (json.dumps({"reason": "a" * 262_144}), "The body must be no longer than 262144 bytes."),
]


@pytest.mark.parametrize(("method", "path"), WITH_BODY)
async def test_a_body_that_is_not_taken_is_told_why(api: Api, method: str, path: str) -> None:
    headers = {**api.auth, "Content-Type": "application/json"}
    for body, error in BODIES:
        with structlog.testing.capture_logs() as lines:
            status, answer = await api(method, path, body, headers=headers)
        assert status == (413 if "262144" in error else 400)
        assert answer["error"].endswith(error)
        assert PRIVATE not in f"{answer} {lines}"


async def test_metadata_is_as_deep_as_it_may_be(api: Api) -> None:
    metadata = json.loads(nested(DEEPEST - 1, "1"))
    made = await api.session(metadata=metadata)
    status, found = await api("GET", f"Masking/Session/{made['session_uuid']}/")
    assert (status, found["response"]["metadata"]) == (200, metadata)
    status, answer = await api("POST", "Masking/Session/", {**PARTIES, "metadata": [metadata]})
    assert (status, answer["error"][:34]) == (400, "The body is nested deeper than 32 ")


@pytest.mark.parametrize(
    ("metadata", "error"),
    [
        ("{", "metadata must be a JSON object; it is not valid JSON: line 1, column 2"),
        (nested(200), "metadata must be a JSON object; it is nested deeper than 32 levels"),
        ('{"a": 1, "a": 2}', "metadata must be a JSON object; it has a name twice"),
        ('{"a": 1e999}', "metadata must be a JSON object; it has a number that is too great"),
        (f'{{"a": {"9" * 5000}}}', "metadata must be a JSON object; it has a number of more"),
        ('{"a": "\\u0000"}', "metadata must hold neither NUL nor half a surrogate pair."),
        ('{"\\ud800": 1}', "metadata must hold neither NUL nor half a surrogate pair."),
        ("[]", "metadata must be a JSON object."),
    ],
)
async def test_metadata_to_look_for_is_read_within_the_same_bounds(
    api: Api, metadata: str, error: str
) -> None:
    status, answer = await api("GET", "Masking/Session/", params={"metadata": metadata})
    assert (status, answer["error"][: 19 + len(error)]) == (400, f"Invalid parameter. {error}")


async def test_a_body_is_json_whatever_its_label_says(api: Api) -> None:
    """`curl -d` says that it sends a form; a byte order mark is passed over (RFC 8259, 8.1)."""
    form = {**api.auth, "Content-Type": "application/x-www-form-urlencoded"}
    other = json.dumps({"first_party": CAROL.e164, "second_party": MALLORY.e164}).encode()
    for body in (json.dumps(PARTIES), b"\xef\xbb\xbf" + other):
        assert (await api("POST", "Masking/Session/", body, headers=form))[0] == 201


@pytest.mark.parametrize(
    ("label", "body"),
    [
        ("application/x-www-form-urlencoded", "first_party=1&second_party=2"),
        ("text/xml", "<session/>"),
        ("multipart/form-data; boundary=x", "--x--"),
        ("", "first_party"),
    ],
)
async def test_what_is_another_format_is_told_to_be_json(api: Api, label: str, body: str) -> None:
    headers = {**api.auth, **({"Content-Type": label} if label else {})}
    status, answer = await api("POST", "Masking/Session/", body, headers=headers)
    assert status == 400
    assert answer["error"].endswith("Send JSON, with Content-Type: application/json.")


async def test_a_parameter_is_in_the_query_once(api: Api) -> None:
    status, answer = await api("GET", "Masking/Session/?limit=1&limit=2")
    assert (status, answer["error"]) == (400, "Invalid parameter. limit must be given once.")


async def test_of_very_many_faults_the_first_are_named(api: Api) -> None:
    body = {f"name_{number}": 1 for number in range(10_000)}
    status, answer = await api("POST", "Masking/Session/", body)
    assert status == 400
    assert answer["error"].endswith("There are 9952 more faults.")
    assert len(answer["error"]) < 5000


async def test_nothing_that_is_sent_is_a_fault_of_ours_or_in_the_log(
    api: Api, database: Database
) -> None:
    """Bodies made of right ones, changed at random: the same ones every time."""
    chance = random.Random(14)  # noqa: S311 - no secret
    with structlog.testing.capture_logs() as lines:
        for _ in range(400):
            method, path = chance.choice(WITH_BODY)
            status, answer = await api(method, path, _changed(chance))
            assert status < 500, answer
            if status >= 400:
                assert PRIVATE not in str(answer)
    assert PRIVATE not in str(lines)


def _changed(chance: random.Random) -> str:
    deep = json.loads(nested(chance.choice([1, 20, 31, 33, 400, 900])))
    values = [
        PRIVATE,
        int(PRIVATE),
        [PRIVATE],
        {PRIVATE: PRIVATE},
        deep,
        None,
        1.5,
        -1,
        True,
        "",
        [],
    ]
    names = ["first_party", "second_party", "metadata", "quiet_hours", "numbers", "sessions"]
    names += ["session_uuids", "reason", "name", "alias", "first", "record", PRIVATE, "enabled"]
    body: dict[str, Any] = {"first_party": f"+1{PRIVATE}", "second_party": ALICE.e164}
    for _ in range(chance.randint(0, 4)):
        body[chance.choice(names)] = chance.choice(values)
    text = json.dumps(body)
    for _ in range(chance.choice([0, 0, 1, 3])):
        place = chance.randint(0, len(text))
        put = chance.choice(
            ['"', "\\", "{", "]", "\\u0000", "\\udfff", "1e999", "NaN", ",", "9" * 70]
        )
        text = text[:place] + put + text[place + chance.randint(0, 2) :]
    return text
