"""Asking an application about a call that waits for the answer."""

import json
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, Protocol

import structlog

from bridge import metrics
from bridge.domain.access import SigningSecret
from bridge.domain.advice import Advice, Question, Redirect, Webhook, read_advice
from bridge.domain.errors import Unavailable
from bridge.domain.numbers import PhoneNumber
from bridge.domain.requests import Facts
from bridge.egress.client import Egress
from bridge.egress.errors import EgressError
from bridge.webhooks.request import json_request

log = structlog.get_logger(__name__)

_READ = 16 * 1024  # bytes of an answer
_OK = 200


class FindFacts(Protocol):
    """What must be known of an account to connect its calls to numbers.

    Raises:
        Unavailable: Postgres is away.
    """

    async def __call__(
        self, account: str, numbers: Sequence[PhoneNumber], subaccount: str | None
    ) -> Facts: ...


class FindSecrets(Protocol):
    """What an account's requests are signed with.

    Raises:
        Unavailable: Postgres is away.
    """

    async def __call__(self, account: str) -> Sequence[SigningSecret]: ...


class Applications:
    """What customers run to be asked about their calls.

    Args:
        within: seconds that each URL has to answer.
    """

    def __init__(
        self,
        egress: Egress,
        *,
        facts: FindFacts,
        secrets: FindSecrets,
        now: Callable[[], datetime],
        within: float,
    ) -> None:
        self._egress = egress
        self._facts = facts
        self._secrets = secrets
        self._now = now
        self._within = within

    async def advice(self, webhook: Webhook, question: Question) -> Advice | None:
        """What an application says; ``None``: neither URL says anything that can be done."""
        try:
            secrets = [one.secret for one in await self._secrets(question.account)]
            for url in filter(None, (webhook.url, webhook.backup_url)):
                if advice := await self._ask(url, question, secrets):
                    return advice
        except Unavailable:
            log.warning("application not asked", reason="postgres-away")
        return None

    async def _ask(self, url: str, question: Question, secrets: Sequence[str]) -> Advice | None:
        try:
            advice = await self._answer(url, question, secrets)
        except (EgressError, ValueError) as error:
            reason = error.reason if isinstance(error, EgressError) else str(error)
            log.warning("application gave no advice", reason=reason)
            metrics.ADVICE.labels("none").inc()
            return None
        log.info("application gave advice", advice=type(advice).__name__.lower())
        metrics.ADVICE.labels(type(advice).__name__.lower()).inc()
        return advice

    async def _answer(self, url: str, question: Question, secrets: Sequence[str]) -> Advice:
        """Raises: EgressError: there is no answer.  ValueError: it is none that can be followed."""
        request = json_request(
            url,
            asked(question, self._now()),
            message_id=str(question.call_id),
            signed_with=secrets,
            at=self._now(),
        )
        answer = await self._egress.call(
            request.method,
            request.url,
            headers=request.headers,
            body=request.body,
            connect_within=self._within,
            within=self._within,
            read=_READ,
        )
        if answer.status != _OK:
            raise ValueError(f"http-{answer.status}")
        advice = read_advice(_parsed(answer.body))
        if isinstance(advice, Redirect):
            await self._check(advice.number, question)
        return advice

    async def _check(self, number: PhoneNumber, question: Question) -> None:
        """Raises: ValueError: nobody may be connected to that number."""
        facts = await self._facts(question.account, [number], None)
        if number == question.caller or facts.fault_of_party(number):
            raise ValueError("number-not-allowed")


def asked(question: Question, at: datetime) -> dict[str, Any]:
    """The question as it is sent, in the names that events have."""
    return {
        "EventName": "SessionRouting" if question.session else "OutOfSessionCall",
        "EventTimestamp": f"{at:%Y-%m-%d %H:%M:%S.%f} +0000 UTC",
        "SessionUUID": str(question.session) if question.session else None,
        "CallerParty": question.caller_side.value if question.caller_side else None,
        "From": question.caller.e164.removeprefix("+") if question.caller else None,
        "To": question.callee.e164.removeprefix("+") if question.callee else None,
        "VirtualNumber": question.virtual_number.removeprefix("+"),
    }


def _parsed(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        raise ValueError("not-json") from None
