"""Requests that are not HTTP, or end half-way: whose mistake it is, and what the log says of it."""

import subprocess
import sys

import pytest

from tests.people import ALICE

DIGITS = ALICE.e164[1:]
CREDENTIALS = "c2VjcmV0OnNlY3JldA"

SERVER = """
import asyncio, sys
from aiohttp import web
from aiohttp.test_utils import TestServer
from bridge import logs

async def main(sent):
    async with TestServer(web.Application()) as server:
        reader, writer = await asyncio.open_connection(server.host, server.port)
        writer.write(sent)
        print((await reader.readline()).decode())
        writer.close()

logs.set_up(level="DEBUG", style="json")
asyncio.run(main(sys.stdin.buffer.read()))
"""
"""In a process of its own, for logs are set up once in each."""


@pytest.mark.parametrize(
    "sent",
    [
        f"GET /?first_party=%2B{DIGITS}&created_time=2026-11-29 10:00 HTTP/1.1\r\n\r\n",
        f"GET http://[{DIGITS}/ HTTP/1.1\r\nHost: a\r\n\r\n",
        f"GET / HTTP/1.1\r\nHost: a\r\nAuthorization: Basic {CREDENTIALS}\0\r\n\r\n",
    ],
    ids=["blank-in-url", "no-url", "nul-in-header"],
)
def test_what_is_not_http_is_refused_and_not_quoted_in_the_log(sent: str) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", SERVER], input=sent.encode(), capture_output=True, check=True
    )
    assert ended.stdout.startswith(b"HTTP/1.0 400 ")
    logged = ended.stderr.decode()
    assert "request is not http" in logged
    assert "Traceback" not in logged
    assert DIGITS[:-2] not in logged
    assert CREDENTIALS not in logged
