"""Requests that are not HTTP, or end half-way: whose mistake it is, and what the log says of it."""

import asyncio
import subprocess
import sys

import pytest
import structlog

from tests.adapters.conftest import Api
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


async def test_a_body_that_is_not_as_its_headers_say_is_the_client_s_mistake(api: Api) -> None:
    headers = {**api.auth, "Content-Encoding": "gzip"}
    status, answer = await api("POST", "Masking/Session/", "{}", headers=headers)
    assert (status, answer["error"]) == (400, "The body is not what the request's headers say.")


async def test_a_client_that_goes_away_half_way_is_no_crash_of_ours(
    api: Api, caplog: pytest.LogCaptureFixture
) -> None:
    request = (
        f"POST /v1/Account/{api.account}/Masking/Session/ HTTP/1.1\r\nHost: a\r\n"
        f"Authorization: {api.auth['Authorization']}\r\nContent-Length: 100\r\n"
        "Expect: 100-continue\r\n\r\n{"
    )
    # As in the service, and not as in aiohttp's tests.
    api.client.server.handler.handler_cancellation = False
    with structlog.testing.capture_logs() as lines:
        reader, writer = await asyncio.open_connection(api.client.host, api.client.port)
        writer.write(request.encode())
        assert await reader.readline() == b"HTTP/1.1 100 Continue\r\n"
        writer.write_eof()
        await reader.read()
        writer.close()
        await api("GET", "Number/")  # and what was going on meanwhile is over
    assert [(line["event"], line.get("status")) for line in lines] == [
        ("request", 400),
        ("request", 200),
    ]
    assert caplog.records == [], "neither does aiohttp take it for one"
