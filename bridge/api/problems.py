"""Everything that can be wrong with a request: one table, and one form of answer.

Texts and statuses are Plivo's where it has one (Number Masking API, error codes).
"""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

import pydantic

from bridge.domain.numbers import PhoneNumber
from bridge.domain.pool import NotAdded
from bridge.domain.reports import Refusal


class Problem(Exception):
    """An answer that is an error; ``faults`` are sentences for the developer.

    They never repeat what was sent, for that may be a phone number or a secret.
    """

    def __init__(
        self, status: HTTPStatus, *faults: str, headers: dict[str, str] | None = None
    ) -> None:
        super().__init__(status)
        self.status = status
        self.faults = faults
        self.headers = headers or {}


_REFUSALS = {
    Refusal.POOL_EXHAUSTED: (
        HTTPStatus.BAD_REQUEST,
        "Number pool exhausted or not available.",
    ),
    Refusal.FIRST_PARTY_IS_OURS: (
        HTTPStatus.BAD_REQUEST,
        "Invalid parameter. first_party is a virtual number.",
    ),
    Refusal.SECOND_PARTY_IS_OURS: (
        HTTPStatus.BAD_REQUEST,
        "Invalid parameter. second_party is a virtual number.",
    ),
    Refusal.ALREADY_EXPIRED: (HTTPStatus.BAD_REQUEST, "Session already expired."),
    Refusal.NOT_FOUND: (HTTPStatus.NOT_FOUND, "Not found."),
    Refusal.KEY_REUSED: (
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "This Idempotency-Key was used with another request.",
    ),
    Refusal.SUBACCOUNT_UNKNOWN: (
        HTTPStatus.BAD_REQUEST,
        "Invalid parameter. subaccount is not one of this account.",
    ),
    Refusal.SUBACCOUNT_IN_USE: (HTTPStatus.CONFLICT, "This subaccount has live sessions."),
}


def of_refusal(refusal: Refusal) -> Problem:
    status, text = _REFUSALS[refusal]
    return Problem(status, text)


def of_numbers(refused: NotAdded, asked: Sequence[PhoneNumber]) -> Problem:
    """Numbers are named by their places: whoever sent them knows which they are."""
    in_conflict = refused.taken or refused.parties
    status = HTTPStatus.CONFLICT if in_conflict else HTTPStatus.BAD_REQUEST
    return Problem(status, *refused.reasons(asked))


def not_found() -> Problem:
    """Also for what is another account's: it is not to be told that it exists."""
    return of_refusal(Refusal.NOT_FOUND)


def of_validation(error: pydantic.ValidationError) -> Problem:
    """Every fault of a request at once."""
    sentences = [_sentence(fault) for fault in error.errors(include_input=False)]
    return Problem(HTTPStatus.BAD_REQUEST, *dict.fromkeys(sentences))


def _sentence(fault: Any) -> str:
    name = str(fault["loc"][0]) if fault["loc"] else "body"
    kind: str = fault["type"]
    if kind == "faults":  # whole sentences of our own
        return str(fault["msg"])
    if kind == "missing":
        return f"Mandatory parameter missing. {name} must be present."
    if kind == "extra_forbidden":
        shown = name if name.isidentifier() and len(name) <= 64 else "one"
        return f"Invalid parameter. {shown} is not a parameter of this request."
    if kind.startswith("bool"):
        return f"Invalid parameter. {name} allowed values are true or false."
    if kind in {"greater_than_equal", "less_than_equal", "int_parsing_size"}:
        return f"Invalid parameter. {name} is outside the allowed range."
    if kind.startswith(("int", "float", "finite")):
        return f"Invalid parameter. {name} must be a whole number."
    if kind in {"literal_error", "enum"}:
        return f"Invalid parameter. {name} allowed values are {_choices(fault)}."
    if kind == "value_error":
        return f"Invalid parameter. {fault['msg'].removeprefix('Value error, ')}"
    if kind == "string_too_long":
        limit = fault["ctx"]["max_length"] + 1
        return f"Invalid parameter. {name} should be under {limit} characters."
    return f"Invalid parameter. {name} is not valid."


def _choices(fault: Any) -> str:
    return str(fault["ctx"]["expected"]).replace("'", "")
