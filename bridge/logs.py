"""Structured logs: one line an event, the call's id on each, and no phone number in any.

What is logged is ours: a constant event, and fields that we chose.  Texts of others (libraries,
Postgres, the system) quote what they were given, and that may be a number or a secret.  So an
exception is logged by its type and its place, and a library's message by where in its code it is.
"""

import contextlib
import errno
import logging
import re
import sys
import threading
import traceback
import warnings
from pathlib import Path
from types import TracebackType
from typing import Any, TextIO

import structlog
from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError
from structlog.typing import EventDict, Processor

from bridge.domain.masking import masked

log = structlog.get_logger(__name__)

_OURS = "bridge"
_FRAMES = 12
"""Places of an exception that are told; of a longer way the innermost."""
_EXCEPTIONS = 8
"""Exceptions that are told of those behind one."""
_DEPTH = 8
"""Levels of lists and objects in a field that are told."""
_LONGEST = 4000
"""Characters of a field that are told."""
_LARGEST = 10**10
"""A whole number from here on may be a phone number; nothing of ours counts so far."""

_CHANNEL_ID = re.compile(r"1\d{9}\.\d{1,9}", re.ASCII)
"""Asterisk's own id of a channel: the Unix time, and a count."""
_PROMPT_KEY = re.compile(r"[0-9a-f]{12}")
_ADDRESS = re.compile(r"(?:[0-9]{1,3}\.){3}[0-9]{1,3}|[0-9a-fA-F]*:[0-9a-fA-F:.]+")

# The whole text of these is a constant of asyncio's or aiohttp's.
_CONSTANT = frozenset(
    {
        "Task exception was never retrieved",
        "Future exception was never retrieved",
        "Task was destroyed but it is pending!",
        "Unclosed client session",
        "Unclosed connection",
        "Unclosed response",
    }
)


def set_up(*, level: str, style: str) -> None:
    """Send every log line to standard error, and what nobody catches to the log.

    Args:
        level: ``DEBUG``, ``INFO``, ``WARNING`` or ``ERROR``.
        style: ``json``, or ``console`` for people.
    """
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.stdlib.add_logger_name,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    logging.basicConfig(level=level, handlers=[Handler(sys.stderr, style=style)], force=True)
    # Their debug lines hold addresses and parameters of requests, which hold numbers.
    for talkative in ("aioari", "aioswagger11", "asyncio", "aiohttp.access"):
        logging.getLogger(talkative).setLevel(logging.WARNING)
    logging.getLogger("aiohttp.server").addFilter(_unquoted)
    sys.excepthook = _uncaught
    threading.excepthook = lambda fault: log.error("thread crashed", exc_info=fault.exc_value)
    sys.unraisablehook = lambda fault: log.error("clean-up crashed", exc_info=fault.exc_value)
    warnings.showwarning = _warned


class Handler(logging.StreamHandler[TextIO]):
    """Writes each record as one line.

    Args:
        style: as of `set_up`.
    """

    def __init__(self, stream: TextIO, *, style: str) -> None:
        super().__init__(stream)
        renderer: Processor = (
            structlog.processors.JSONRenderer()
            if style == "json"
            else structlog.dev.ConsoleRenderer(colors=stream.isatty())
        )
        self.setFormatter(
            structlog.stdlib.ProcessorFormatter(
                foreign_pre_chain=[
                    structlog.contextvars.merge_contextvars,
                    structlog.stdlib.add_log_level,
                    structlog.stdlib.add_logger_name,
                    structlog.processors.TimeStamper(fmt="iso", utc=True),
                    _placed,
                ],
                processors=[
                    structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                    explain_exceptions,
                    mask_numbers,
                    one_line,
                    renderer,
                ],
            )
        )

    def format(self, record: logging.LogRecord) -> str:
        line = super().format(record if hasattr(record, "_logger") else _reduced(record))
        return " ".join(line.splitlines())

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's name
        """Logging's own prints the record's message and arguments."""
        error = type(sys.exc_info()[1]).__name__
        with contextlib.suppress(OSError, ValueError):  # nobody takes what is written any more
            self.stream.write(f"log line not written: {error}{self.terminator}")


def explain_exceptions(_logger: Any, _method: str, event: EventDict) -> EventDict:
    """Put ``raised``, the exception by type and place, for ``exc_info``."""
    event.pop("stack_info", None)
    raised = _exception(event.pop("exc_info", None))
    return event if raised is None else {**event, "raised": described(raised)}


def mask_numbers(_logger: Any, _method: str, event: EventDict) -> EventDict:
    """The second net: `PhoneNumber` masks itself; this masks digits that slipped into a text.

    Every value comes back as a text, a number, a truth value, ``None``, or a list or an object of
    these: nothing is left that would become a text afterwards.
    """
    return {
        masked(str(key)): value if _is_ours(key, value) else _masked(_simple(value))
        for key, value in event.items()
    }


def one_line(_logger: Any, _method: str, event: EventDict) -> EventDict:
    """Escape what would begin a line, colour it, or change the order of what is read."""
    return {_on_one_line(key): _escaped(value) for key, value in event.items()}


def described(error: BaseException) -> str:
    """An exception by type and place, with those that it came of: nothing of what they say.

    ``KeyError at bridge.calls.switchboard:108 Switchboard._carry > …``, the outermost place first.
    An exception of ours also says what it says.
    """
    found: dict[int, BaseException] = {}
    _collect(error, found)
    return _on_one_line(masked("; ".join(map(_description, found.values()))))


def told(error: BaseException) -> str:
    """What may be said of an exception: what one of ours says, and another's type.

    An error of the system has its symbol too, such as ``ENOSPC``.
    """
    said = _said(error)
    return _on_one_line(masked(said or _kind(error)))


def _uncaught(_kind: type[BaseException], error: BaseException, _at: TracebackType | None) -> None:
    log.critical("crashed", exc_info=error)


def _warned(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,
) -> None:
    """What Python's `warnings` has to say; its texts are those of libraries."""
    log.warning(
        "python warning", category=category.__name__, place=f"{Path(filename).stem}:{lineno}"
    )


def _unquoted(record: logging.LogRecord) -> bool:
    """What is not HTTP is a stranger's mistake, and aiohttp calls it an error."""
    error = record.exc_info[1] if record.exc_info else None
    if not isinstance(error, HttpProcessingError | web.RequestPayloadError):
        return True
    log.info("request is not http", error=error)
    return False


def _reduced(record: logging.LogRecord) -> logging.LogRecord:
    """A library's record without its text: not even a template is one, where f-strings are used."""
    first = str(record.msg).partition("\n")[0] if record.name == "asyncio" else ""
    return logging.LogRecord(
        record.name,
        record.levelno,
        record.pathname,
        record.lineno,
        first if first in _CONSTANT else "message of a library",
        (),
        record.exc_info,
        record.funcName,
    )


def _placed(_logger: Any, _method: str, event: EventDict) -> EventDict:
    """Where in its code a library logs: that tells which message it was."""
    record: logging.LogRecord = event["_record"]
    return {**event, "place": f"{record.module}:{record.lineno} {record.funcName}"}


def _exception(exc_info: Any) -> BaseException | None:
    """The exception that is meant by what `logging` takes for one."""
    match exc_info:
        case BaseException():
            return exc_info
        case (_, error, _):
            return error if isinstance(error, BaseException) else None
        case _:
            return sys.exc_info()[1] if exc_info else None


def _collect(error: BaseException, found: dict[int, BaseException]) -> None:
    """An exception, the parts of a group, and what each came of."""
    if id(error) in found or len(found) >= _EXCEPTIONS:
        return
    found[id(error)] = error
    parts = error.exceptions if isinstance(error, BaseExceptionGroup) else ()
    cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    for other in (*parts, cause):
        if other is not None:
            _collect(other, found)


def _description(error: BaseException) -> str:
    said = _said(error)
    frames = list(traceback.walk_tb(error.__traceback__))
    places = [
        f"{frame.f_globals.get('__name__', '?')}:{line} {frame.f_code.co_qualname}"
        for frame, line in frames[-_FRAMES:]
    ]
    if len(frames) > _FRAMES:
        places.insert(0, "…")
    return f"{_kind(error)}{f' ({said})' if said else ''} at {' > '.join(places) or '?'}"


def _said(error: BaseException) -> str:
    """What one of ours says, ``""`` for those of others."""
    return _text(error) if f"{type(error).__module__}.".startswith(f"{_OURS}.") else ""


def _kind(error: BaseException) -> str:
    kind = type(error)
    name = kind.__name__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__name__}"
    symbol = errno.errorcode.get(error.errno or 0) if isinstance(error, OSError) else None
    return f"{name} {symbol}" if symbol else name


def _simple(value: Any, depth: int = _DEPTH) -> Any:
    """The value as texts, numbers, lists and objects of these."""
    match value:
        case None | bool():
            return value
        case int() | float():
            return value if abs(value) < _LARGEST else str(value)
        case BaseException():
            return told(value)
        case bytes() | bytearray():
            return value.decode(errors="backslashreplace")
        case dict() | list() | tuple() | set() | frozenset() if depth == 0:
            return "…"
        case dict():
            return {str(_simple(key)): _simple(item, depth - 1) for key, item in value.items()}
        case list() | tuple() | set() | frozenset():
            return [_simple(item, depth - 1) for item in value]
        case _:
            return _text(value)


def _text(value: object) -> str:
    try:
        return str(value)
    except Exception:
        return type(value).__name__


def _masked(value: Any) -> Any:
    match value:
        case str():
            return masked(value)
        case dict():
            return {masked(key): _masked(item) for key, item in value.items()}
        case list():
            items = [_masked(item) for item in value]
            together = " ".join(item for item in items if isinstance(item, str))
            safe = masked(together)  # a number may stand in parts
            return items if safe == together else [safe]
        case _:
            return value


def _is_ours(key: str, value: Any) -> bool:
    """Whether a field that holds digits is known to hold no number."""
    if not isinstance(value, str):
        return False
    match key:
        case "channel":
            return bool(_CHANNEL_ID.fullmatch(value))
        case "prompt":
            return bool(_PROMPT_KEY.fullmatch(value))
        case "host":
            return bool(_ADDRESS.fullmatch(value))
        case _:
            return False


def _escaped(value: Any) -> Any:
    match value:
        case str():
            return _on_one_line(value)
        case dict():
            return {_on_one_line(key): _escaped(item) for key, item in value.items()}
        case list():
            return [_escaped(item) for item in value]
        case _:
            return value


def _on_one_line(text: str) -> str:
    text = text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
    if text.isprintable():
        return text
    return "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape").decode()
        for letter in text
    )
