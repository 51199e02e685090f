"""The table of operations: what the router is made of, and what documents it."""

import dataclasses
from collections.abc import Awaitable, Callable
from http import HTTPStatus

import pydantic
from aiohttp import web

from bridge.api import accounts, calls, health, numbers, sessions
from bridge.api.schemas import (
    AddNumbers,
    CreateSession,
    ListNumbers,
    ListSessions,
    UpdateSession,
)

Handler = Callable[[web.Request], Awaitable[web.Response]]

_ACCOUNT = "/v1/Account/{auth_id}"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One method on one path.  Paths are served with and without the slash at their end."""

    method: str
    path: str
    handler: Handler
    summary: str
    success: HTTPStatus = HTTPStatus.OK
    body: type[pydantic.BaseModel] | None = None
    query: type[pydantic.BaseModel] | None = None
    public: bool = False
    """No credentials needed."""


OPERATIONS = (
    Operation(
        method="POST",
        path=f"{_ACCOUNT}/Masking/Session",
        handler=sessions.create,
        summary="Create a session",
        success=HTTPStatus.CREATED,
        body=CreateSession,
    ),
    Operation(
        method="GET",
        path=f"{_ACCOUNT}/Masking/Session",
        handler=sessions.list_all,
        summary="List sessions",
        query=ListSessions,
    ),
    Operation(
        method="GET",
        path=f"{_ACCOUNT}/Masking/Session/{{session_uuid}}",
        handler=sessions.get,
        summary="Get a session",
    ),
    Operation(
        method="POST",
        path=f"{_ACCOUNT}/Masking/Session/{{session_uuid}}",
        handler=sessions.update,
        summary="Change a live session; its lifetime counts from now",
        body=UpdateSession,
    ),
    Operation(
        method="DELETE",
        path=f"{_ACCOUNT}/Masking/Session/{{session_uuid}}",
        handler=sessions.expire,
        summary="Expire a session",
    ),
    Operation(
        method="GET",
        path=f"{_ACCOUNT}/Call/{{call_uuid}}",
        handler=calls.get,
        summary="Get one leg of a call, as an interaction names it",
    ),
    Operation(
        method="GET",
        path=_ACCOUNT,
        handler=accounts.get,
        summary="Get the account",
    ),
    Operation(
        method="POST",
        path=f"{_ACCOUNT}/Number",
        handler=numbers.add,
        summary="Add virtual numbers to the pool",
        success=HTTPStatus.CREATED,
        body=AddNumbers,
    ),
    Operation(
        method="GET",
        path=f"{_ACCOUNT}/Number",
        handler=numbers.list_all,
        summary="List virtual numbers",
        query=ListNumbers,
    ),
    Operation(
        method="GET",
        path=f"{_ACCOUNT}/Number/{{number}}",
        handler=numbers.get,
        summary="Get a virtual number",
    ),
    Operation(
        method="DELETE",
        path=f"{_ACCOUNT}/Number/{{number}}",
        handler=numbers.remove,
        summary="Take a virtual number out of the pool",
        success=HTTPStatus.NO_CONTENT,
    ),
    Operation(
        method="GET",
        path="/healthz",
        handler=health.alive,
        summary="Whether the process is alive",
        public=True,
    ),
    Operation(
        method="GET",
        path="/readyz",
        handler=health.ready,
        summary="Whether calls can be carried, and if not, for want of what",
        public=True,
    ),
)
