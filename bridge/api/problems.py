"""Everything that can be wrong with a request: one table, and one form of answer.

Texts and statuses are Plivo's where it has one (Number Masking API, error codes).
"""

from collections.abc import Collection, Sequence
from http import HTTPStatus
from typing import Any

import pydantic

from bridge.domain.numbers import PhoneNumber
from bridge.domain.pool import NotAdded
from bridge.domain.requests import Refusal


class Problem(Exception):
    """An answer that is an error; ``faults`` are sentences for the developer.

    ``reason`` is one stable word for programs, where the status does not say enough.
    They never repeat what was sent, for that may be a phone number or a secret.
    """

    def __init__(
        self,
        status: HTTPStatus,
        *faults: str,
        headers: dict[str, str] | None = None,
        reason: str | None = None,
    ) -> None:
        super().__init__(status)
        self.reason = reason
        self.status = status
        self.faults = faults
        self.headers = headers or {}

    @property
    def content(self) -> dict[str, str]:
        """The error as it is answered."""
        reason = {"reason": self.reason} if self.reason else {}
        return {"error": " ".join(self.faults), **reason}


_MOST_FAULTS = 50  # a body may have ten thousand names, and an error is for somebody to read
_POOL = "Number pool exhausted or not available."

_REFUSALS = {
    **dict.fromkeys(
        (
            Refusal.POOL_EMPTY,
            Refusal.POOL_INACTIVE,
            Refusal.POOL_WITHOUT_COUNTRY,
            Refusal.POOL_IN_USE,
            Refusal.POOL_COOLING_OFF,
            Refusal.NAMED_NUMBER_UNKNOWN,
            Refusal.NAMED_NUMBER_INACTIVE,
            Refusal.NAMED_NUMBER_IN_USE,
        ),
        (HTTPStatus.BAD_REQUEST, _POOL),
    ),
    Refusal.PIN_TAKEN: (
        HTTPStatus.CONFLICT,
        "A PIN of this request is not to be had: choose others, or generate_pin.",
    ),
    Refusal.ALREADY_EXPIRED: (HTTPStatus.BAD_REQUEST, "Session already expired."),
    Refusal.NOT_FOUND: (HTTPStatus.NOT_FOUND, "Not found."),
    Refusal.KEY_REUSED: (
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "This Idempotency-Key was used with another request.",
    ),
    Refusal.PARTY_IS_VIRTUAL: (HTTPStatus.BAD_REQUEST, "A party is a virtual number by now."),
    Refusal.SUBACCOUNT_UNKNOWN: (
        HTTPStatus.BAD_REQUEST,
        "Invalid parameter. subaccount is not one of this account.",
    ),
    Refusal.REFERENCE_TAKEN: (
        HTTPStatus.CONFLICT,
        "Another session of this account has this client_reference_id.",
    ),
    Refusal.NOT_SINGLE_PARTY: (
        HTTPStatus.BAD_REQUEST,
        "Invalid parameter. first_party and second_party can be updated only in a session that was "
        "created with create_session_with_single_party.",
    ),
    Refusal.PARTY_BUSY_ELSEWHERE: (
        HTTPStatus.CONFLICT,
        "This party has another session on the same virtual number.",
    ),
    Refusal.SESSION_BUSY: (HTTPStatus.CONFLICT, "A call of this session is up."),
    Refusal.NUMBER_BUSY: (
        HTTPStatus.CONFLICT,
        "The virtual number of this session has as many calls as it may.",
    ),
    Refusal.ACCOUNT_BUSY: (HTTPStatus.CONFLICT, "This account has as many calls as it may."),
    Refusal.LOOP_DETECTED: (HTTPStatus.CONFLICT, "A party of this session is a virtual number."),
    Refusal.SESSION_NOT_BEGUN: (HTTPStatus.CONFLICT, "This session has not begun."),
    Refusal.QUIET_HOURS: (HTTPStatus.CONFLICT, "It is one of this session's quiet hours."),
    Refusal.ONE_WAY_SESSION: (
        HTTPStatus.CONFLICT,
        "The second party of this session calls nobody.",
    ),
    Refusal.CALLS_USED_UP: (HTTPStatus.CONFLICT, "This session has had all its calls."),
    Refusal.TIME_USED_UP: (HTTPStatus.CONFLICT, "The time of this session is used up."),
    Refusal.NOBODY_TO_CALL: (HTTPStatus.CONFLICT, "A party of this session is missing."),
    Refusal.NUMBER_NOT_IN_SERVICE: (
        HTTPStatus.CONFLICT,
        "The virtual number of this session takes no calls.",
    ),
    Refusal.SAME_PARTY: (
        HTTPStatus.BAD_REQUEST,
        "Invalid parameter. first_party and second_party must be different.",
    ),
    Refusal.EVENT_NOT_SENT: (
        HTTPStatus.CONFLICT,
        "This event is still on its way, or its session has no URL for it.",
    ),
    Refusal.SUBACCOUNT_IN_USE: (HTTPStatus.CONFLICT, "This subaccount has live sessions."),
}


def of_refusal(refusal: Refusal) -> Problem:
    status, text = _REFUSALS[refusal]
    return Problem(status, text, reason=refusal.value)


def of_numbers(refused: NotAdded, asked: Sequence[PhoneNumber]) -> Problem:
    """Numbers are named by their places: whoever sent them knows which they are."""
    reasons = refused.reasons(asked)
    # Not 403: of that status Plivo's Node SDK does not show the text.
    if refused.unavailable:
        return Problem(HTTPStatus.BAD_REQUEST, *reasons, reason="numbers-not-available")
    if refused.most is not None:
        return Problem(HTTPStatus.BAD_REQUEST, *reasons, reason="too-many-numbers")
    return Problem(HTTPStatus.CONFLICT if refused.parties else HTTPStatus.BAD_REQUEST, *reasons)


def not_found() -> Problem:
    """Also for what is another account's: it is not to be told that it exists."""
    return of_refusal(Refusal.NOT_FOUND)


def of_validation(
    error: pydantic.ValidationError, *, fixed: Collection[str] = frozenset()
) -> Problem:
    """Every fault of a request at once; ``fixed`` are names that belong to another request."""
    return of_faults([_sentence(fault, fixed) for fault in error.errors(include_input=False)])


def of_faults(sentences: Sequence[str]) -> Problem:
    """What is wrong with a request, each thing once; of very many the first ones."""
    different = [*dict.fromkeys(sentences)]
    rest = len(different) - _MOST_FAULTS
    more = [f"There are {rest} more faults."] if rest > 0 else []
    return Problem(HTTPStatus.BAD_REQUEST, *different[:_MOST_FAULTS], *more)


def shown(name: str) -> str:
    """A parameter's name as an error may repeat it: what is no name may be somebody's number."""
    return name if name.isidentifier() and len(name) <= 64 else "one"


def _sentence(fault: Any, fixed: Collection[str]) -> str:
    name = str(fault["loc"][0]) if fault["loc"] else "body"
    kind: str = fault["type"]
    if kind == "faults":  # whole sentences of our own
        return str(fault["msg"])
    if kind == "missing":
        return f"Mandatory parameter missing. {name} must be present."
    if kind == "extra_forbidden" and name in fixed:
        return f"Invalid parameter. {name} cannot be updated."
    if kind == "extra_forbidden":
        return f"Invalid parameter. {shown(name)} is not a parameter of this request."
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
