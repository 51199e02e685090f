"""HTTP to Asterisk, under aioari's operation table."""

import dataclasses
from typing import Any
from urllib.parse import urlsplit

import aiohttp
from aioswagger11.http_client import HttpClient

from bridge.ari.errors import AsteriskUnreachable, Gone, RequestRefused

_CONNECTIONS = 32  # Asterisk counts every one towards its sessionlimit and drops what is over
_KEEP_ALIVE = 8.0  # Asterisk closes an idle one after 15 s; never be the one who writes to it then
_GONE = {404, 409, 412, 422}


@dataclasses.dataclass(frozen=True, slots=True)
class Reply:
    """The part of an HTTP response that aioari looks at."""

    status: int
    body: str

    async def text(self) -> str:
        return self.body


class Transport(HttpClient):  # type: ignore[misc]  # aioswagger11 has no types
    """Requests with the password in a header, bounded in time, and errors of our own.

    Args:
        base_url: Asterisk's HTTP server, such as ``http://127.0.0.1:8088``.  Asterisk names its
            own address in its API documents, always with http; this one is used instead.
        command_timeout: seconds a request may take.
    """

    def __init__(self, base_url: str, user: str, password: str, *, command_timeout: float) -> None:
        self._base_url = base_url.rstrip("/")
        self._session = aiohttp.ClientSession(
            headers={"Authorization": aiohttp.encode_basic_auth(user, password)},
            timeout=aiohttp.ClientTimeout(total=command_timeout, connect=2.0),
            connector=aiohttp.TCPConnector(limit=_CONNECTIONS, keepalive_timeout=_KEEP_ALIVE),
        )

    async def close(self) -> None:
        await self._session.close()

    async def request(
        self,
        method: str,
        url: str,
        params: dict[str, Any] | None = None,
        headers: dict[str, str] | None = None,
        data: str | None = None,
    ) -> Reply:
        """Carry out one request.

        Raises:
            Gone: what the request is about is no more.
            RequestRefused: any other refusal.
            AsteriskUnreachable: no answer in time, or Asterisk is still starting.
        """
        path = urlsplit(url).path
        try:
            # aiohttp repeats GET, PUT and DELETE once when the idle connection that it took was
            # just being closed; that does no harm, for every id in a path is of our choosing.
            async with self._session.request(
                method,
                self._base_url + path,
                params={name: _text(value) for name, value in (params or {}).items()},
                headers=headers,
                data=data,
            ) as response:
                reply = Reply(response.status, await response.text())
        except (aiohttp.ClientError, TimeoutError) as error:
            raise AsteriskUnreachable(f"{method}: no answer") from error
        _raise_for(reply, f"{method} {_kind(path)}")
        return reply

    async def events(self, app: str) -> aiohttp.ClientWebSocketResponse:
        """The websocket on which ``app`` hears its events; registering the app is part of it.

        Raises:
            AsteriskUnreachable: Asterisk is away or still starting.
            RequestRefused: it does not let us in.
        """
        try:
            return await self._session.ws_connect(
                f"{self._base_url}/ari/events",
                params={"app": app},
                heartbeat=10.0,
                max_msg_size=4 * 1024 * 1024,
            )
        except aiohttp.WSServerHandshakeError as error:
            _raise_for(Reply(error.status, ""), "GET events")
            raise AsteriskUnreachable("GET events: no websocket") from error
        except (aiohttp.ClientError, TimeoutError) as error:
            raise AsteriskUnreachable("GET events: no connection") from error


def _text(value: Any) -> str:
    """Booleans as Asterisk reads them; yarl refuses Python's."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _kind(path: str) -> str:
    """A path without ids, fit for an error message."""
    return path.removeprefix("/ari/").partition("/")[0]


def _raise_for(reply: Reply, operation: str) -> None:
    if reply.status in _GONE:
        raise Gone(operation, reply.status)
    if reply.status == 503:
        raise AsteriskUnreachable(f"{operation}: Asterisk is starting")
    if reply.status >= 400:
        raise RequestRefused(operation, reply.status)
