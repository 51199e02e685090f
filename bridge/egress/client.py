"""HTTP to addresses that clients name."""

import asyncio
import dataclasses
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Literal

import aiohttp
from yarl import URL

from bridge.domain.egress import EgressRules, Fault
from bridge.egress.errors import Forbidden, TimedOut, TooLarge, Unreachable
from bridge.egress.guard import Guard, Lookup

_CONNECTIONS_PER_HOST = 10  # at once, where whoever asks has no bound of its own
_KEEP_ALIVE = 4.0  # seconds; Node closes an idle connection after 5: do not be writing to it then
_HEADERS = 64  # lines of 8 KiB at most
_REDIRECTS = 3
_REDIRECTED = {301, 302, 303, 307, 308}


@dataclasses.dataclass(frozen=True, slots=True)
class Answer:
    """What came back.  Names of headers are found in any case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Egress:
    """Sends requests where `EgressRules` let them go, with every length and time bounded.

    Credentials in a URL are sent to its host (HTTP Basic), and nowhere else.  There are no cookies,
    no proxy out of the environment, and no compressed bodies, which would be small until they are
    read: what comes compressed all the same stays so.
    """

    def __init__(self, session: aiohttp.ClientSession, rules: EgressRules) -> None:
        self._session = session
        self.rules = rules

    @classmethod
    @asynccontextmanager
    async def opened(
        cls,
        rules: EgressRules,
        *,
        per_host: int = _CONNECTIONS_PER_HOST,
        lookup: Lookup = socket.getaddrinfo,
    ) -> AsyncIterator["Egress"]:
        """One for the length of the block.

        Args:
            per_host: connections at once; who asks for another waits for it.  0: any number.
        """
        guard = Guard(rules, lookup)
        connector = aiohttp.TCPConnector(
            resolver=guard,
            socket_factory=guard.open_socket,
            use_dns_cache=False,
            limit=0,
            limit_per_host=per_host,
            keepalive_timeout=_KEEP_ALIVE,
        )
        try:
            async with aiohttp.ClientSession(
                connector=connector,
                cookie_jar=aiohttp.DummyCookieJar(),
                headers={"User-Agent": "masking-bridge", "Accept-Encoding": "identity"},
                auto_decompress=False,
                trust_env=False,
                max_headers=_HEADERS,
            ) as session:
                yield cls(session, rules)
        finally:
            await guard.close()

    async def call(
        self,
        method: Literal["GET", "POST"],
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        connect_within: float = 5.0,
        within: float,
        read: int = 64 * 1024,
    ) -> Answer:
        """One request, for the sake of its status.  A redirect is an answer like any other.

        Args:
            connect_within: seconds until there is a connection, waiting for a free one included.
            within: seconds in all.
            read: bytes of the answer's body that are read; the rest is not.

        Raises:
            Forbidden: the URL leads where it may not.
            TimedOut: the answer was not there in time.
            Unreachable: there was none, or none that is HTTP.
        """
        async with _bounded(within):
            answer, _ = await self._exchange(
                method, parse(url), headers, body, connect_within, read
            )
        return answer

    async def fetch(
        self, url: str, *, headers: Mapping[str, str] | None = None, within: float, read: int
    ) -> Answer:
        """GET something, following a few redirects, each checked as the first URL was.

        Args:
            within: seconds in all.
            read: bytes that the body may have.

        Raises:
            Forbidden: the URL, or one that it redirects to, leads where it may not.
            TimedOut: it was not there in time.
            TooLarge: it is longer than ``read``.
            Unreachable: there was no answer, or none that is HTTP.
        """
        target = parse(url)
        async with _bounded(within):
            for _ in range(_REDIRECTS + 1):
                answer, whole = await self._exchange("GET", target, headers, None, within, read)
                if answer.status in _REDIRECTED and "Location" in answer.headers:
                    target = target.join(parse(answer.headers["Location"]))
                elif not whole:
                    raise TooLarge("too-large")
                else:
                    return answer
        raise Forbidden("too-many-redirects")

    async def _exchange(
        self,
        method: str,
        url: URL,
        headers: Mapping[str, str] | None,
        body: bytes | None,
        connect_within: float,
        read: int,
    ) -> tuple[Answer, bool]:
        """An answer, and whether its body is whole."""
        # What is checked is what aiohttp gets, after all escapes and encodings of the text.
        if fault := self.rules.fault(str(url)):
            raise Forbidden(fault)
        async with self._session.request(
            method,
            url.with_user(None),
            headers={**(headers or {}), **_credentials(url)},
            data=body,
            allow_redirects=False,
            timeout=aiohttp.ClientTimeout(total=None, connect=connect_within),
        ) as response:
            content, whole = await _read(response.content, read)
            return Answer(response.status, response.headers, content), whole


def parse(url: str) -> URL:
    """A URL as aiohttp means it.

    Raises:
        Forbidden: it is none; without the error's cause, whose text holds a part of it.
    """
    try:
        return URL(url)
    except ValueError:
        raise Forbidden(Fault.MALFORMED) from None


def _credentials(url: URL) -> dict[str, str]:
    """Those in a URL as a header, in UTF-8 (RFC 7617); aiohttp would take Latin-1 alone.

    Raises: Forbidden: a user's name cannot have a colon there.
    """
    if url.user is None and url.password is None:
        return {}
    if ":" in (user := url.user or ""):
        raise Forbidden(Fault.MALFORMED)
    return {"Authorization": aiohttp.encode_basic_auth(user, url.password or "")}


async def _read(stream: aiohttp.StreamReader, limit: int) -> tuple[bytes, bool]:
    body = bytearray()
    async for chunk in stream.iter_any():
        body += chunk
        if len(body) > limit:
            return bytes(body[:limit]), False
    return bytes(body), True


@asynccontextmanager
async def _bounded(within: float) -> AsyncIterator[None]:
    """Bound the block in time, and translate what aiohttp raises.

    ``from None``, because the texts of aiohttp's errors hold hosts and URLs.
    """
    try:
        async with asyncio.timeout(within):
            yield
    except TimeoutError:
        raise TimedOut("timed-out") from None
    except aiohttp.InvalidURL:
        raise Forbidden(Fault.MALFORMED) from None
    except aiohttp.ClientSSLError:
        raise Unreachable("tls") from None
    except aiohttp.ClientConnectorDNSError:
        raise Unreachable("no-such-host") from None
    except aiohttp.ClientConnectorError as error:
        if isinstance(error.os_error, PermissionError):
            raise Forbidden(Fault.ADDRESS) from None
        raise Unreachable("no-connection") from None
    except aiohttp.ClientError:
        raise Unreachable("broken-answer") from None
