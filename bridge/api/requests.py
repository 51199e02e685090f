"""Reading requests and writing answers."""

import json
import uuid
from http import HTTPStatus
from typing import Any, TypeVar

import pydantic
from aiohttp import web

from bridge.api.problems import Problem, not_found, of_validation
from bridge.domain.numbers import PhoneNumber

API_ID = web.RequestKey("api_id", str)
"""Id of the request; in its answer and on every log line of it."""

_Model = TypeVar("_Model", bound=pydantic.BaseModel)


async def body(request: web.Request, model: type[_Model]) -> _Model:
    """The JSON body.

    Raises:
        Problem: naming everything that is wrong with it.
    """
    text = await request.read()
    try:
        sent = json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise Problem(HTTPStatus.BAD_REQUEST, "The body is not valid JSON.") from None
    if not isinstance(sent, dict):
        raise Problem(HTTPStatus.BAD_REQUEST, "The body must be a JSON object.")
    return _validated(model, sent)


def query(request: web.Request, model: type[_Model]) -> _Model:
    """The query string.  Raises: Problem: naming everything that is wrong with it."""
    return _validated(model, {name: value for name, value in request.query.items() if value})


def account(request: web.Request) -> str:
    return request.match_info["auth_id"]


def session_id(request: web.Request) -> uuid.UUID:
    """Raises: Problem: 404, for what is no id is nobody's session."""
    try:
        return uuid.UUID(request.match_info["session_uuid"])
    except ValueError:
        raise not_found() from None


def number(request: web.Request) -> PhoneNumber:
    """Raises: Problem: 404, for what is no number is not in the pool."""
    try:
        return PhoneNumber("+" + request.match_info["number"].removeprefix("+"))
    except ValueError:
        raise not_found() from None


def answer(request: web.Request, status: HTTPStatus, content: dict[str, Any]) -> web.Response:
    """JSON, with the request's id first."""
    return web.json_response({"api_id": request[API_ID], **content}, status=status)


def _validated(model: type[_Model], sent: dict[str, Any]) -> _Model:
    try:
        return model.model_validate(sent)
    except pydantic.ValidationError as error:
        raise of_validation(error) from None


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")
