"""HTTP to addresses that clients name, against servers that mean harm or mean nothing."""

import asyncio
import ipaddress
import socket
import threading
import traceback
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web

from bridge.domain.egress import EgressRules
from bridge.egress.client import Egress
from bridge.egress.errors import EgressError, Forbidden, TimedOut, TooLarge, Unreachable
from bridge.egress.guard import is_ours
from tests.fakes.origin import (
    Origin,
    hangs,
    hangs_up,
    hangs_up_half_way,
    never_ends,
    says,
    trickles,
)

LOOPBACK = EgressRules(networks=(ipaddress.ip_network("127.0.0.1"),))
METADATA = "http://169.254.169.254/latest/meta-data/"


class Names:
    """A name server: whatever it is asked, it gives the next of its answers."""

    def __init__(self, *answers: list[str]) -> None:
        self._answers = list(answers)
        self.asked: list[str] = []

    def __call__(self, host: str, port: int, **_options: Any) -> list[tuple[Any, ...]]:
        self.asked.append(host)
        addresses = self._answers[min(len(self.asked), len(self._answers)) - 1]
        if not addresses:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return [
            (socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in addresses
        ]


@asynccontextmanager
async def raw_server(answer: str) -> AsyncIterator[str]:
    """Says one thing to whoever asks, and no more."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer.encode())
        writer.write_eof()
        await reader.read()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
    server.close()
    await server.wait_closed()


@pytest.fixture
async def origin() -> AsyncIterator[Origin]:
    async with Origin.serving() as origin:
        yield origin


@pytest.fixture
async def egress() -> AsyncIterator[Egress]:
    async with Egress.opened(LOOPBACK) as egress:
        yield egress


async def fetched(egress: Egress, url: str, *, within: float = 5) -> bytes:
    return (await egress.fetch(url, within=within, read=1000)).body


async def test_a_call_carries_what_it_is_given(egress: Egress, origin: Origin) -> None:
    origin.answer = says(202, b"noted", X_Note="yes")
    answer = await egress.call(
        "POST",
        f"{origin.url}/hook?a=b#ct=2000",
        headers={"Content-Type": "application/json"},
        body=b'{"EventName": "x"}',
        within=5,
    )
    assert (answer.status, answer.body, answer.headers["x-note"]) == (202, b"noted", "yes")
    [request] = origin.requests
    assert (request.method, request.path_qs) == ("POST", "/hook?a=b")
    assert request.headers["Content-Type"] == "application/json"
    assert request.headers["User-Agent"] == "masking-bridge"
    assert request.headers["Accept-Encoding"] == "identity"
    assert origin.bodies == [b'{"EventName": "x"}']


async def test_connections_are_used_again(egress: Egress, origin: Origin) -> None:
    for _ in range(3):
        await egress.call("POST", origin.url, body=b"x", within=5)
    peers = {request.transport and request.transport.get_extra_info("peername")
             for request in origin.requests}  # fmt: skip
    assert len(peers) == 1


async def test_loopback_is_forbidden_unless_it_is_named(origin: Origin) -> None:
    async with Egress.opened(EgressRules()) as egress:
        for url in (origin.url, origin.url.replace("127.0.0.1", "localhost")):
            with pytest.raises(Forbidden, match="address-not-allowed"):
                await egress.call("GET", url, within=5)
    assert origin.requests == []


@pytest.mark.parametrize("host", ["2130706433", "0x7f000001", "127.1", "0177.1", "[::ffff:7f00:1]"])
async def test_no_way_of_writing_an_address_leads_to_it(origin: Origin, host: str) -> None:
    async with Egress.opened(EgressRules()) as egress:
        with pytest.raises(Forbidden):
            await egress.call("GET", origin.url.replace("127.0.0.1", host), within=5)
    assert origin.requests == []


async def test_digits_of_another_script_are_digits(origin: Origin) -> None:
    async with Egress.opened(EgressRules()) as egress:
        with pytest.raises(Forbidden, match="address-not-allowed"):
            await egress.call("GET", origin.url.replace("127", "\uff11\uff12\uff17"), within=5)


async def test_a_name_is_looked_up_once_and_that_address_connected_to(origin: Origin) -> None:
    """A second look-up would have been told 169.254.169.254."""
    names = Names(["127.0.0.1"], ["169.254.169.254"])
    async with Egress.opened(LOOPBACK, lookup=names) as egress:
        url = origin.url.replace("127.0.0.1", "rebinding.example")
        assert (await egress.call("GET", url, within=5)).status == 200
    assert names.asked == ["rebinding.example"]
    assert origin.requests[0].headers["Host"].startswith("rebinding.example")


@pytest.mark.parametrize("address", ["169.254.169.254", "10.0.0.1", "127.0.0.2", "0.0.0.0"])
async def test_a_name_with_one_forbidden_address_is_forbidden(origin: Origin, address: str) -> None:
    async with Egress.opened(LOOPBACK, lookup=Names(["127.0.0.1", address])) as egress:
        with pytest.raises(Forbidden, match="address-not-allowed"):
            await egress.call("GET", origin.url.replace("127.0.0.1", "both.example"), within=5)
    assert origin.requests == []


async def test_this_machine_s_own_address_is_forbidden_even_if_it_is_public(
    origin: Origin, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From here, no firewall stands before what listens on it."""
    monkeypatch.setattr("bridge.domain.egress.is_public", lambda _address: True)
    async with Egress.opened(EgressRules(), lookup=Names(["127.0.0.1"])) as egress:
        for host in ("ourselves.example", "127.0.0.1"):
            with pytest.raises(Forbidden, match="address-not-allowed"):
                await egress.call("GET", origin.url.replace("127.0.0.1", host), within=5)
    assert origin.requests == []


def test_which_addresses_are_this_machine_s() -> None:
    assert is_ours(ipaddress.ip_address("127.0.0.1"))
    assert not is_ours(ipaddress.ip_address("192.0.2.1"))


async def test_a_redirect_is_followed_for_a_prompt(egress: Egress, origin: Origin) -> None:
    async def answer(request: web.Request) -> web.Response:
        if request.path == "/old":
            return web.Response(status=302, headers={"Location": "/new"})
        return web.Response(body=b"sound")

    origin.answer = answer
    assert await fetched(egress, f"{origin.url}/old") == b"sound"
    assert [request.path for request in origin.requests] == ["/old", "/new"]


@pytest.mark.parametrize(
    "location",
    [
        METADATA,
        "//169.254.169.254/latest/",
        "http://127.0.0.2:8080/",
        "http://10.0.0.1/",
        "http://[::1]/",
        "http://2852039166/",
        "file:///etc/passwd",
        "http://127.0.0.1:22/",
        "http://[",
    ],
)
async def test_no_redirect_leads_to_a_forbidden_place(
    egress: Egress, origin: Origin, location: str
) -> None:
    origin.answer = says(302, Location=location)
    with pytest.raises(Forbidden):
        await fetched(egress, origin.url)
    assert len(origin.requests) == 1


async def test_a_url_that_was_not_given_may_be_longer(egress: Egress, origin: Origin) -> None:
    """Signed by a file store, or with an event's attributes in it."""
    signed = f"/prompt.mp3?signature={'a' * 2000}"

    async def answer(request: web.Request) -> web.Response:
        if request.path == "/old":
            return web.Response(status=302, headers={"Location": signed})
        return web.Response(body=b"sound")

    origin.answer = answer
    assert await fetched(egress, f"{origin.url}/old") == b"sound"
    assert (await egress.call("GET", origin.url + signed, within=5)).status == 200
    with pytest.raises(Forbidden, match="url-too-long"):
        await egress.call("GET", f"{origin.url}/{'a' * 8000}", within=5)


async def test_redirects_in_a_circle_end(egress: Egress, origin: Origin) -> None:
    origin.answer = says(307, Location="/again")
    with pytest.raises(Forbidden, match="too-many-redirects"):
        await fetched(egress, origin.url)
    assert len(origin.requests) == 4


async def test_a_redirect_is_an_answer_to_a_call(egress: Egress, origin: Origin) -> None:
    origin.answer = says(302, Location=METADATA)
    assert (await egress.call("POST", origin.url, body=b"x", within=5)).status == 302
    assert len(origin.requests) == 1


async def test_credentials_go_to_the_host_of_the_url_and_not_where_it_redirects_to(
    egress: Egress, origin: Origin
) -> None:
    async with Origin.serving() as other:
        origin.answer = says(302, Location=f"{other.url}/prompt.mp3")
        await fetched(egress, origin.url.replace("//", "//user:secret@"))
        assert origin.requests[0].headers["Authorization"].startswith("Basic ")
        assert "Authorization" not in other.requests[0].headers


@pytest.mark.parametrize("behaviour", [hangs, trickles])
async def test_who_does_not_answer_in_time_is_not_waited_for(
    egress: Egress, origin: Origin, behaviour: Any
) -> None:
    origin.answer = behaviour
    with pytest.raises(TimedOut):
        await egress.call("GET", origin.url, within=0.1)
    with pytest.raises(TimedOut):
        await fetched(egress, origin.url, within=0.1)


async def test_a_name_server_that_never_answers_holds_up_nobody(origin: Origin) -> None:
    asked, done = threading.Event(), threading.Event()

    def lookup(*_args: Any, **_options: Any) -> list[tuple[Any, ...]]:
        asked.set()
        done.wait()
        return []

    async with Egress.opened(LOOPBACK, lookup=lookup) as egress:
        with pytest.raises(TimedOut):
            await egress.call("GET", "http://silent.example/", connect_within=0.1, within=3600)
        assert await asyncio.to_thread(asked.wait, 30)  # it may get its turn after that
        assert (await egress.call("GET", origin.url, within=5)).status == 200
        done.set()


async def test_a_name_that_is_never_answered_holds_up_no_other_however_often_it_is_called(
    origin: Origin,
) -> None:
    done = threading.Event()

    def lookup(host: str, port: int, **_options: Any) -> list[tuple[Any, ...]]:
        if host == "silent.example":
            done.wait()
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]

    async with Egress.opened(LOOPBACK, per_host=0, lookup=lookup) as egress:

        async def call_in_vain() -> None:
            with pytest.raises(TimedOut):
                await egress.call("GET", "http://silent.example:8080/", within=0.1)

        async with asyncio.TaskGroup() as callers:
            for _ in range(200):
                callers.create_task(call_in_vain())
        url = origin.url.replace("127.0.0.1", "answered.example")
        assert (await egress.call("GET", url, within=5)).status == 200
        done.set()


async def test_any_number_of_names_that_are_never_answered_hold_up_none_that_was(
    origin: Origin,
) -> None:
    """Whoever has a domain has them without end, each for as long as the resolver is patient."""
    done = threading.Event()

    def lookup(host: str, port: int, **_options: Any) -> list[tuple[Any, ...]]:
        if host.startswith("silent"):
            done.wait()
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]

    url = origin.url.replace("127.0.0.1", "answered.example")
    async with Egress.opened(LOOPBACK, lookup=lookup) as egress:
        await egress.call("GET", url, headers={"Connection": "close"}, within=5)

        async def call_in_vain(number: int) -> None:
            with pytest.raises(EgressError):
                await egress.call("GET", f"http://silent-{number}.example:8080/", within=0.1)

        async with asyncio.TaskGroup() as callers:
            for number in range(200):
                callers.create_task(call_in_vain(number))
        try:
            assert (await egress.call("GET", url, within=5)).status == 200
        finally:
            done.set()


async def test_whoever_has_a_bound_of_its_own_waits_for_no_connection(origin: Origin) -> None:
    """As those who ask about calls: fifty wait for their answers at once."""
    all_are_there = asyncio.Barrier(50)

    async def answer(_request: web.Request) -> web.Response:
        await all_are_there.wait()
        return web.Response()

    origin.answer = answer
    async with Egress.opened(LOOPBACK, per_host=0) as egress, asyncio.TaskGroup() as callers:
        for _ in range(50):
            callers.create_task(egress.call("POST", origin.url, body=b"x", within=5))


async def test_a_body_without_an_end_is_read_to_the_limit(egress: Egress, origin: Origin) -> None:
    origin.answer = never_ends
    with pytest.raises(TooLarge):
        await fetched(egress, origin.url)
    answer = await egress.call("POST", origin.url, within=5, read=100)
    assert (answer.status, answer.body) == (200, b"a" * 100)


async def test_a_body_of_just_the_limit_is_not_too_large(egress: Egress, origin: Origin) -> None:
    origin.answer = says(200, b"a" * 1000)
    assert await fetched(egress, origin.url) == b"a" * 1000
    origin.answer = says(200, b"a" * 1001)
    with pytest.raises(TooLarge):
        await fetched(egress, origin.url)


async def test_a_compressed_body_is_not_blown_up(egress: Egress, origin: Origin) -> None:
    """200 bytes that would become 200,000."""

    async def bomb(_request: web.Request) -> web.Response:
        response = web.Response(body=b"\0" * 200_000, headers={"X-Kind": "bomb"})
        response.enable_compression(web.ContentCoding.gzip)
        # The server compresses for those who ask; this one does not wait to be asked.
        return response

    origin.answer = bomb
    body = await fetched(egress, origin.url)
    assert body[:2] == b"\x1f\x8b"
    assert len(body) < 1000


@pytest.mark.parametrize(
    "headers",
    [
        [f"X-Long: {'a' * 20_000}"],
        [f"X-{number}: {'a' * 1000}" for number in range(1000)],
    ],
    ids=["one long line", "a thousand lines"],
)
async def test_headers_are_bounded(egress: Egress, headers: list[str]) -> None:
    async with raw_server("HTTP/1.1 200 OK\r\n" + "\r\n".join(headers) + "\r\n\r\n") as url:
        with pytest.raises(Unreachable, match="broken-answer"):
            await egress.call("GET", url, within=5)


@pytest.mark.parametrize(
    "answer", ["SSH-2.0-OpenSSH_9.2\r\n", "\0\1\2\3" * 100, "HTTP/1.1 two\r\n\r\n"]
)
async def test_who_does_not_speak_http_is_not_understood(egress: Egress, answer: str) -> None:
    async with raw_server(answer) as url:
        with pytest.raises(Unreachable, match="broken-answer"):
            await egress.call("GET", url, within=5)


async def test_what_is_not_there(egress: Egress, origin: Origin) -> None:
    origin.answer = hangs_up
    with pytest.raises(Unreachable, match="broken-answer"):
        await egress.call("POST", origin.url, within=5)
    origin.answer = hangs_up_half_way
    with pytest.raises(Unreachable, match="broken-answer"):
        await fetched(egress, origin.url)
    with pytest.raises(Unreachable, match="tls"):
        await egress.call("POST", origin.url.replace("http:", "https:"), within=5)
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        with pytest.raises(Unreachable, match="no-connection"):
            await egress.call("POST", f"http://127.0.0.1:{nobody.getsockname()[1]}/", within=5)
    async with Egress.opened(LOOPBACK, lookup=Names([])) as nameless:
        for url in ("http://nobody.example/", f"http://{'a' * 70}.example/", "http://a..b/"):
            with pytest.raises(Unreachable, match="no-such-host"):
                await nameless.call("GET", url, within=5)


async def test_cookies_are_not_kept(origin: Origin) -> None:
    origin.answer = says(200, Set_Cookie="who=me; Path=/")
    async with Egress.opened(LOOPBACK, lookup=Names(["127.0.0.1"])) as egress:
        for _ in range(2):
            url = origin.url.replace("127.0.0.1", "sweet.example")
            await egress.call("GET", url, within=5)
    assert "Cookie" not in origin.requests[1].headers


async def test_a_proxy_out_of_the_environment_is_not_used(
    egress: Egress, origin: Origin, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.9:1")
    assert (await egress.call("GET", origin.url, within=5)).status == 200


async def test_no_error_tells_what_the_url_held(origin: Origin) -> None:
    """Nor does its traceback, which is what a log would hold."""
    origin.answer = hangs_up
    place = origin.url.removeprefix("http://")
    async with Egress.opened(LOOPBACK, lookup=Names([])) as egress:
        for url in (
            f"http://user:secret@{place}/?number=14155550123",
            f"https://user:secret@{place}/?number=14155550123",
            "http://user:secret@127.0.0.1:1/?number=14155550123",
            "http://user:secret@n14155550123.example/",
            "http://user:secret@169.254.169.254/?number=14155550123",
            "http://user:secret@[/?number=14155550123",
            "http://user:secret@é..n14155550123.example/",
            "http://user%3A14155550123:secret@example.com/",
            "ftp://user:secret@example.com/?number=14155550123",
        ):
            with pytest.raises(EgressError) as raised:
                await egress.call("GET", url, within=5)
            told = "".join(traceback.format_exception(raised.value))
            assert not [secret for secret in ("secret", "14155550123", place) if secret in told]
