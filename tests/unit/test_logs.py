"""The second net, and what is told of others: no number, no foreign text, one line an event."""

import ast
import base64
import io
import json
import logging
import subprocess
import sys
import unicodedata
import urllib.parse
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncpg
import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from bridge import logs
from bridge.ari.errors import Gone
from bridge.domain.masking import masked
from bridge.domain.numbers import PhoneNumber
from bridge.logs import Handler, mask_numbers
from tests.people import ALICE

ROOT = Path(__file__).parents[2]
STYLES = ("json", "console")


class Log:
    """What a log of one style shows."""

    def __init__(self, style: str) -> None:
        self._stream = io.StringIO()
        self._style = style
        self.handler = Handler(self._stream, style=style)
        logger = logging.Logger("bridge.somewhere")  # noqa: LOG001 - of this test alone
        logger.addHandler(self.handler)
        self.ours = structlog.wrap_logger(
            logger,
            processors=[
                structlog.stdlib.add_log_level,
                structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
            ],
            wrapper_class=structlog.stdlib.BoundLogger,
        )

    def theirs(self, name: str) -> logging.Logger:
        logger = logging.Logger(name)  # noqa: LOG001 - of this test alone
        logger.addHandler(self.handler)
        return logger

    def line(self) -> str:
        """The one line that was written."""
        [line] = self._stream.getvalue().splitlines()
        return line

    def fields(self) -> dict[str, Any]:
        fields: dict[str, Any] = json.loads(self.line())
        return fields


# --- numbers ---

NUMBERS = st.from_regex(r"[2-9][0-9]{2}55501[0-9]{2}", fullmatch=True)
SEPARATORS = st.sampled_from(
    ["", " ", ".", "-", "/", " - ", "\u00a0", "\u2011", "\u200b", "\n", "_"]
)
ZEROS = "0\u0660\uff10\u0966\U0001d7ce"  # and of Arabic, full width, Devanagari, bold
SCRIPTS = st.sampled_from(["".join(chr(ord(zero) + i) for i in range(10)) for zero in ZEROS])
ENCODINGS: list[Callable[[str], str]] = [
    str,
    urllib.parse.quote,
    lambda text: "".join(f"%{octet:02X}" for octet in text.encode()),
    lambda text: urllib.parse.quote(urllib.parse.quote(text)),
    json.dumps,
    lambda text: json.dumps({"a": json.dumps({"number": text})}),
    lambda text: repr(text.encode()),
    lambda text: "".join(f"&#{ord(letter)};" for letter in text),
    lambda text: text.replace(" ", "&nbsp;"),
    lambda text: "Basic " + base64.b64encode(text.encode()).decode(),
    lambda text: base64.urlsafe_b64encode(f"sip:{text}@carrier".encode()).decode(),
]


@st.composite
def spelled(draw: st.DrawFn) -> tuple[str, str]:
    """A number, and one of the ways in which people and programs write it."""
    digits = draw(NUMBERS)
    separator = draw(SEPARATORS)
    area, rest = digits[:3], separator.join([digits[3:6], digits[6:]])
    bracketed = draw(st.booleans())
    text = f"({area}) {rest}" if bracketed else f"{area}{separator}{rest}"
    text = draw(st.sampled_from(["", "+1", "1", "001", "+1 "])) + text
    text = draw(st.sampled_from(["", "tel:", "tel", "x", "u", "sip:", "no. "])) + text
    text += draw(st.sampled_from(["", "@carrier", ";phone-context=+1", "x", "."]))
    text = text.translate(str.maketrans("0123456789", draw(SCRIPTS)))
    return digits, draw(st.sampled_from(ENCODINGS))(text)


class Odd:
    """An object that prints what it holds."""

    def __init__(self, text: str) -> None:
        self._text = text

    def __repr__(self) -> str:
        return f"Odd({self._text!r})"


WRAPPED: list[Callable[[str], Any]] = [
    str,
    lambda text: [text, 1],
    lambda text: (("a", text),),
    lambda text: {"inner": {"deep": [text]}},
    lambda text: {text: "key"},
    lambda text: {("key", text): 1},
    lambda text: text.encode(errors="replace"),
    lambda text: {text},
    ValueError,
    lambda text: KeyError("a", [text]),
    lambda text: OSError(2, text, text),
    lambda text: ExceptionGroup(text, [ValueError(text)]),
    Odd,
    lambda text: Gone(text, 404),
]


def assert_hidden(digits: str, line: str) -> None:
    """The number is not there, whatever stands between its digits."""
    if line.startswith("{"):
        line = json.dumps(json.loads(line), ensure_ascii=False)
    for shown in (line, urllib.parse.unquote(line)):
        found = "".join(str(unicodedata.digit(one)) for one in shown if one.isdigit())
        assert digits not in found, shown


@pytest.mark.parametrize("style", STYLES)
@given(number=spelled(), wrap=st.sampled_from(WRAPPED))
def test_no_number_comes_out_in_full_however_it_is_spelled_and_wherever_it_stands(
    style: str, number: tuple[str, str], wrap: Callable[[str], Any]
) -> None:
    digits, text = number
    log = Log(style)
    log.ours.warning(f"call of {text}", field=wrap(text), **{f"key {text}": 1})
    assert_hidden(digits, log.line())


@pytest.mark.parametrize("style", STYLES)
@given(number=spelled(), chained=st.sampled_from(["cause", "context", "group", "note", "local"]))
def test_no_number_comes_out_of_an_exception(
    style: str, number: tuple[str, str], chained: str
) -> None:
    digits, text = number
    log = Log(style)
    try:
        try:
            raise ValueError(text)
        except ValueError as error:
            error.add_note(text)
            if chained == "cause":
                raise Gone(text, 404) from error
            if chained == "group":
                raise ExceptionGroup(text, [error, asyncpg.UniqueViolationError(text)]) from error
            if chained == "context":
                raise KeyError(text)  # noqa: B904
            raise
    except Exception:
        log.ours.exception("call crashed")
    assert "ValueError" in log.line()
    assert "test_no_number_comes_out_of_an_exception" in log.line(), "its place"
    assert_hidden(digits, log.line())


@given(number=spelled(), wrap=st.sampled_from(WRAPPED))
def test_the_net_alone_holds_in_any_structure(
    number: tuple[str, str], wrap: Callable[[str], Any]
) -> None:
    digits, text = number
    caught = mask_numbers(None, "info", {"event": text, text: wrap(text), "inner": [wrap(text)]})
    assert_hidden(digits, json.dumps(caught))


@given(parts=st.lists(st.from_regex(r"[2-9][0-9]{2,3}", fullmatch=True), min_size=3, max_size=5))
def test_a_number_in_the_parts_of_a_list_is_masked(parts: list[str]) -> None:
    log = Log("json")
    log.ours.info("dialled", parts=parts)
    shown = "".join(filter(str.isdigit, json.dumps(log.fields()["parts"])))
    assert len(shown) == 2


@pytest.mark.parametrize("style", STYLES)
@given(
    id=st.uuids(version=4),
    at=st.datetimes(datetime(1970, 1, 1), datetime(2099, 1, 1)),  # noqa: DTZ001
    port=st.integers(1, 65535),
    size=st.integers(0, 9_999_999_999),
)
def test_ids_times_ports_and_counts_stay_readable(
    style: str, id: uuid.UUID, at: datetime, port: int, size: int
) -> None:
    log = Log(style)
    time = at.replace(tzinfo=UTC)
    log.ours.info(
        f"seen {id} on port {port}, {time.isoformat()}",
        call_id=str(id),
        event_id=id,
        channels=[str(id), str(id)],
        at=time,
        until=time.isoformat().replace("+00:00", "Z"),
        port=port,
        size=size,
        seconds=size / 8,
        channel=f"{1_700_000_000 + port}.{port}",
        host="192.168.100.200",
        prompt="123456789012",
        inner={str(id): time.isoformat()},
    )
    line = log.line()
    assert "*" not in line
    assert line.count(str(id)) >= 6
    assert f"{size}" in line


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (f"caller {ALICE.e164}", "caller +*********23"),
        ("14155550123", "*********23"),
        ("sip:14155550123@carrier", "sip:*********23@carrier"),
        ("+1 (415) 555-0123", "+* (***) ***-**23"),
        ("x14155550123y", "x*********23y"),
        ("00014155550123000000", "******************00"),
        ("/?first_party=%2B14155550123&limit=1", "/?first_party=%2B*********23&limit=1"),
        ("%2B1%20415%20555%200123", "+* *** *** **23"),
        ("port 5060, 2026-11-24T09:12:28.123456Z", "port 5060, 2026-11-24T09:12:28.123456Z"),
        ("on 2026-11-24", "on 2026-11-24"),
        ("1fe6c2a4-0000-4000-8000-123456789012", "1fe6c2a4-0000-4000-8000-123456789012"),
        ("200 of 1000 calls, 8.4 ms", "200 of 1000 calls, 8.4 ms"),
    ],
)
def test_numbers_are_masked_and_ids_are_not(text: str, shown: str) -> None:
    masks = mask_numbers(None, "info", {"event": text, "inner": {"x": text}})
    assert masks == {"event": shown, "inner": {"x": shown}}
    assert masked(shown) == shown


def test_a_whole_number_with_as_many_digits_as_a_phone_number_is_masked() -> None:
    log = Log("json")
    log.ours.info("x", caller=14155550123, at=14155550123.0, count=4155550123, yes=True, no=None)
    fields = log.fields()
    assert fields["caller"] == "*********23"
    assert "14155550" not in fields["at"]
    assert (fields["count"], fields["yes"], fields["no"]) == (4155550123, True, None)


# --- lines ---

ANYTHING = st.text(st.characters(), max_size=40)


@pytest.mark.parametrize("style", STYLES)
@given(text=ANYTHING, key=ANYTHING, wrap=st.sampled_from(WRAPPED[:7]))
def test_an_event_is_one_line_whatever_it_holds(
    style: str, text: str, key: str, wrap: Callable[[str], Any]
) -> None:
    log = Log(style)
    text = f"{text}\n\r\x1b[31m\u2028\u2029\x85\x0b\x7f\ud800{text}"
    log.ours.info(f"a{text}", exception=text, stack=text, **{f"k{key}": wrap(text)})
    assert log.line().isprintable()


@pytest.mark.parametrize("style", STYLES)
def test_what_has_no_end_is_cut(style: str) -> None:
    endless: list[Any] = []
    endless.append(endless)
    log = Log(style)
    log.ours.info("x", endless=endless, deep=json.loads("[" * 900 + "]" * 900), long="x" * 10**6)
    assert len(log.line()) < 10_000


def test_a_field_that_cannot_be_printed_is_named_by_its_type() -> None:
    class Broken:
        def __str__(self) -> str:
            raise RuntimeError("4155550123")

    log = Log("json")
    log.ours.info("x", field=Broken())
    assert log.fields()["field"] == "Broken"


# --- others ---


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize(
    "name",
    ["aiohttp.server", "aiohttp.client", "asyncio", "asyncpg.pool", "aioari", "root", "obstore"],
)
def test_nothing_that_a_library_says_is_told(style: str, name: str) -> None:
    log = Log(style)
    try:
        raise OSError(2, "secret words", "secret file")
    except OSError:
        log.theirs(name).exception("secret %s", "words", extra={"more": "secret"})
    line = log.line()
    assert "secret" not in line
    for part in ("message of a library", name, "error", "FileNotFoundError ENOENT"):
        assert part in line
    assert "test_logs:" in line, "where it was said"


def test_a_library_s_message_that_cannot_be_made_is_no_traceback(
    capsys: pytest.CaptureFixture[str],
) -> None:
    log = Log("json")
    log.theirs("aioari").warning("%d", "4155550123")
    assert log.fields()["event"] == "message of a library"
    assert capsys.readouterr().err == ""


def test_a_line_that_cannot_be_made_is_told_without_what_it_holds(
    capsys: pytest.CaptureFixture[str],
) -> None:
    log = Log("json")

    def broken(*_: Any) -> Any:
        raise ValueError("4155550123")

    log.handler.formatter.processors = [broken]  # type: ignore[union-attr]
    log.ours.info("x")
    assert log.line() == "log line not written: ValueError"
    assert capsys.readouterr().err == ""


def test_a_log_that_is_closed_fails_nobody(capsys: pytest.CaptureFixture[str]) -> None:
    log = Log("json")
    log.handler.stream.close()
    log.ours.info("x")
    assert capsys.readouterr().err == ""


def test_an_exception_of_ours_says_what_it_says_and_a_foreign_one_its_type() -> None:
    assert logs.told(Gone("channels", 404)) == "channels: HTTP 404"
    assert logs.told(PermissionError(13, "secret", "secret")) == "PermissionError EACCES"
    assert logs.told(asyncpg.PostgresError("secret")) == "asyncpg.exceptions._base.PostgresError"


def test_an_exception_of_many_is_told_within_bounds() -> None:
    def deep(left: int) -> None:
        if left == 0:
            raise KeyError("secret")
        deep(left - 1)

    error: Exception = ValueError("secret")
    for _ in range(100):
        try:
            deep(50)
        except KeyError as raised:
            raised.__cause__ = error
            error = ExceptionGroup("secret", [raised, error])
    error.__context__ = error
    text = logs.described(error)
    assert "secret" not in text
    assert len(text) < 5000


PROGRAM = """
import asyncio, gc, logging, sys, threading, warnings
from bridge import logs
logs.set_up(level="INFO", style=sys.argv[1])
SECRET = "secret 4155550123"

def fails(*_):
    raise ValueError(SECRET)

class Unclean:
    __del__ = fails
    __repr__ = lambda _: SECRET

async def main():
    loop = asyncio.get_running_loop()
    lost = loop.create_task(asyncio.to_thread(fails), name=SECRET)
    await asyncio.wait([lost])
    del lost
    gc.collect()
    loop.call_soon(fails, SECRET)
    await asyncio.sleep(0)
    await asyncio.sleep(0)

asyncio.run(main())
thread = threading.Thread(target=fails, name=SECRET)
thread.start()
thread.join()
Unclean()
warnings.warn(SECRET, RuntimeWarning)
logging.getLogger().error(SECRET)
fails()
"""


@pytest.mark.parametrize("style", STYLES)
def test_what_nobody_catches_is_logged_by_type_and_place(style: str) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", PROGRAM, style], capture_output=True, text=True, cwd=ROOT
    )
    assert ended.returncode == 1
    assert ended.stdout == ""
    assert "secret" not in ended.stderr
    assert "Traceback" not in ended.stderr
    told = [
        "Task exception was never retrieved",
        "message of a library",  # a callback
        "thread crashed",
        "clean-up crashed",
        "python warning",
        "message of a library",
        "crashed",
    ]
    lines = ended.stderr.splitlines()
    assert len(lines) == len(told)
    for line, event in zip(lines, told, strict=True):
        assert event in line
    if style == "json":
        assert all(json.loads(line)["timestamp"] for line in lines)
    assert sum("ValueError at" in line for line in lines) == 5


def test_a_fault_of_a_command_is_no_traceback(tmp_path: Path) -> None:
    program = (
        "import bridge.cli.app as app\n"
        "@app.app.command()\n"
        "def fail(number: str) -> None:\n"
        "    raise ValueError(number)\n"
        "app.run()\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program, "fail", ALICE.e164],
        capture_output=True,
        text=True,
        cwd=ROOT,
    )
    assert ended.returncode == 1
    assert "ValueError at" in ended.stderr
    assert "report" in ended.stderr
    assert "4155550123" not in ended.stderr
    assert "Traceback" not in ended.stderr


# --- our own lines ---


def log_calls() -> Iterator[tuple[Path, ast.Call]]:
    for file in (ROOT / "bridge").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and node.func.attr
                in {
                    "debug",
                    "info",
                    "warning",
                    "error",
                    "critical",
                    "exception",
                    "bind_contextvars",
                }
                and isinstance(node.func.value, ast.Name | ast.Attribute)
            ):
                yield file, node


def test_our_own_lines_have_constant_events_and_leave_exceptions_to_the_log() -> None:
    """``error=error`` is told by type; ``str(error)`` would be whatever a library says."""
    seen = 0
    for file, call in log_calls():
        seen += 1
        where = f"{file.relative_to(ROOT)}:{call.lineno}"
        assert all(isinstance(one, ast.Constant | ast.IfExp) for one in call.args), where
        for part in ast.walk(call):
            if isinstance(part, ast.Attribute):
                assert part.attr not in {"strerror", "args", "__notes__", "detail"}, where
            if isinstance(part, ast.Call) and ast.unparse(part.func) in {"str", "repr", "format"}:
                named = {n.id for n in ast.walk(part) if isinstance(n, ast.Name)}
                assert not named & {"error", "errors", "exc", "e", "exception"}, where
    assert seen > 50


def test_a_number_masks_itself_before_the_net_sees_it() -> None:
    log = Log("json")
    log.ours.info("x", caller=ALICE, inner=[PhoneNumber(ALICE.e164)])
    assert log.fields()["caller"] == "+*********23"
