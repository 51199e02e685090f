"""Structured logs: one line an event, the call's id on each, and no phone number in any."""

import logging
import re
import sys
from typing import Any

import structlog
from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError
from structlog.typing import EventDict, Processor

log = structlog.get_logger(__name__)

_DIGITS = re.compile(r"(?:(?<![\w.-])|(?<=%2B)|(?<=%2b))\+?\d{7,15}(?![\w-])")


def set_up(*, level: str, style: str) -> None:
    """Send every log line to standard error.

    Args:
        level: ``DEBUG``, ``INFO``, ``WARNING`` or ``ERROR``.
        style: ``json``, or ``console`` for people.
    """
    renderer: Processor = (
        structlog.processors.JSONRenderer(default=str)
        if style == "json"
        else structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
    )
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        mask_numbers,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    logging.basicConfig(level=level, handlers=[handler], force=True)
    # Their debug lines hold addresses and parameters of requests, which hold numbers.
    for talkative in ("aioari", "aioswagger11", "asyncio", "aiohttp.access"):
        logging.getLogger(talkative).setLevel(logging.WARNING)
    logging.getLogger("aiohttp.server").addFilter(_unquoted)


def mask_numbers(_logger: Any, _method: str, event: EventDict) -> EventDict:
    """The second net: `PhoneNumber` masks itself; this masks digits that slipped into a text."""
    return {key: _masked(value) for key, value in event.items()}


def _unquoted(record: logging.LogRecord) -> bool:
    """Of a request that is not HTTP aiohttp's error quotes a line: a number, or credentials."""
    error = record.exc_info[1] if record.exc_info else None
    if not isinstance(error, HttpProcessingError | web.RequestPayloadError):
        return True
    log.info("request is not http", error=type(error).__name__)
    return False


def _masked(value: Any) -> Any:
    if isinstance(value, str):
        return _DIGITS.sub(lambda match: f"{'*' * (len(match[0]) - 2)}{match[0][-2:]}", value)
    if isinstance(value, dict):
        return {key: _masked(item) for key, item in value.items()}
    return value
