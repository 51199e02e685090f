"""Reading requests and writing answers."""

import hashlib
import re
import uuid
from http import HTTPStatus
from typing import Any, TypeVar

import pydantic
from aiohttp import web

from bridge.api.auth import BEARER
from bridge.api.problems import Problem, not_found, of_faults, of_validation, shown
from bridge.domain.json_text import BadJson, is_fit, read_json
from bridge.domain.numbers import PhoneNumber
from bridge.domain.requests import By, Facts, Once

API_ID = web.RequestKey("api_id", str)
"""Id of the request; in its answer and on every log line of it."""

_KEY = re.compile(r"[\x21-\x7e]{1,255}")
_SUBACCOUNT = re.compile(r"SA[A-Z0-9]{18}")
_KEY_SECONDS = 24 * 3600
_REPEAT_SECONDS = 30  # an SDK gives up on its third attempt, at 5 s each

_Model = TypeVar("_Model", bound=pydantic.BaseModel)


async def body(request: web.Request, model: type[_Model]) -> _Model:
    """The JSON body.

    Raises:
        Problem: naming everything that is wrong with it.
    """
    return validated(model, await json_object(request))


async def json_object(request: web.Request) -> dict[str, Any]:
    """The JSON body as it was sent.

    What it is counts, and not what its ``Content-Type`` says: `curl -d` calls all a form.

    Raises:
        Problem: it is no JSON object, or one that is not taken; and what is wrong with it.
    """
    try:
        sent = read_json(await request.read())
    except BadJson as bad:
        faults = [f"The body {bad.what}"]
        if bad.name is not None and shown(bad.name) == bad.name:
            faults = [f"The body has {bad.name} twice in one object."]
        if bad.reason == "not-json" and not _says_json(request):
            faults.append("Send JSON, with Content-Type: application/json.")
        raise Problem(HTTPStatus.BAD_REQUEST, *faults) from None
    if not isinstance(sent, dict):
        raise Problem(HTTPStatus.BAD_REQUEST, "The body must be a JSON object.")
    _check_texts(sent)
    return sent


def query(request: web.Request, model: type[_Model]) -> _Model:
    """The query string.

    Raises:
        Problem: naming everything that is wrong with it.
    """
    return validated(model, _given(request, model))


async def arguments(request: web.Request, model: type[_Model]) -> _Model:
    """The query string and the JSON body: SDKs send the arguments of a DELETE in either.

    Raises:
        Problem: naming everything that is wrong with them.
    """
    sent = await json_object(request) if await request.read() else {}
    return validated(model, {**sent, **_given(request, model)})


def validated(model: type[_Model], sent: Any, *, facts: Facts | None = None) -> _Model:
    """What was sent, understood, with what must be known to judge it.

    Raises:
        Problem: naming everything that is wrong with it.
    """
    try:
        return model.model_validate(sent, context=facts)
    except pydantic.ValidationError as error:
        raise of_validation(error, fixed=getattr(model, "FIXED", ())) from None


def by(request: web.Request, reason: str = "") -> By:
    """Whose doing the request is, for a session's history."""
    return By(actor=str(request[BEARER]), reason=reason)


async def once(request: web.Request) -> Once | None:
    """What tells that a create request was sent before: its key, or that an SDK sends it again.

    Plivo's SDKs repeat a request up to twice after a timeout or an answer of 500 and above, with no
    key; the body is then the same to the byte.

    Raises:
        Problem: the key is none.
    """
    fingerprint = hashlib.sha256(await request.read()).digest()
    key = request.headers.get("Idempotency-Key")
    if key is not None:
        if not _KEY.fullmatch(key):
            raise Problem(
                HTTPStatus.BAD_REQUEST,
                "Invalid parameter. Idempotency-Key must be 1 to 255 printable ASCII characters.",
            )
        return Once(key=f"key:{key}", fingerprint=fingerprint, seconds=_KEY_SECONDS)
    if request.headers.get("User-Agent", "").startswith("plivo-"):
        repeat = f"repeat:{fingerprint.hex()}"
        return Once(key=repeat, fingerprint=fingerprint, seconds=_REPEAT_SECONDS)
    return None


def account(request: web.Request) -> str:
    return request.match_info["auth_id"]


def session_id(request: web.Request) -> uuid.UUID:
    """Raises: Problem: as `uuid_in_path`."""
    return uuid_in_path(request, "session_uuid")


def uuid_in_path(request: web.Request, name: str) -> uuid.UUID:
    """Raises: Problem: 404, for what is no id is nobody's."""
    try:
        return uuid.UUID(request.match_info[name])
    except ValueError:
        raise not_found() from None


def subaccount(request: web.Request) -> str:
    """Raises: Problem: 404, for what is no id is nobody's."""
    auth_id = request.match_info["subauth_id"]
    if not _SUBACCOUNT.fullmatch(auth_id):
        raise not_found()
    return auth_id


def number(request: web.Request) -> PhoneNumber:
    """The number that a path names, in the form in which the pool has it.

    Raises:
        Problem: 404, for what is no number is not in the pool.
    """
    try:
        return PhoneNumber("+" + request.match_info["number"].removeprefix("+")).canonical
    except ValueError:
        raise not_found() from None


def answer(request: web.Request, status: HTTPStatus, content: dict[str, Any]) -> web.Response:
    """JSON, with the request's id first."""
    return web.json_response({"api_id": request[API_ID], **content}, status=status)


def _check_texts(sent: dict[str, Any]) -> None:
    """Raises: Problem: a text in a parameter, however deep, is one that Postgres does not take."""
    unfit = [name for name, value in sent.items() if not (is_fit(name) and is_fit(value))]
    if unfit:
        rule = "must hold neither NUL nor half a surrogate pair."
        raise of_faults([f"Invalid parameter. {shown(name)} {rule}" for name in unfit])


def _says_json(request: web.Request) -> bool:
    """RFC 6838, 4.2.8: also ``application/problem+json`` and such are JSON."""
    return request.content_type.endswith(("/json", "+json"))


def _given(request: web.Request, model: type[_Model]) -> dict[str, Any]:
    """What the query string gives a value to; a name that we do not know is there all the same.

    Raises:
        Problem: a name is there twice, or a text is not taken.
    """
    twice = [name for name in {**request.query} if len(request.query.getall(name)) > 1]
    if twice:
        raise of_faults([f"Invalid parameter. {shown(name)} must be given once." for name in twice])
    sent = {
        name: value
        for name, value in request.query.items()
        if value or name not in model.model_fields
    }
    _check_texts(sent)
    return sent
