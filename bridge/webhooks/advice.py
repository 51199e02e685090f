"""Asking an application about a call that waits for the answer."""

from collections.abc import Callable, Sequence
from datetime import datetime
from http import HTTPStatus
from typing import Any, Protocol

import structlog

from bridge import metrics
from bridge.domain.access import SigningSecret
from bridge.domain.advice import Advice, NoAdvice, Question, Redirect, Webhook, read_advice
from bridge.domain.errors import Unavailable
from bridge.domain.events import timestamp
from bridge.domain.json_text import BadJson, read_json
from bridge.domain.numbers import PhoneNumber
from bridge.domain.privacy import OPEN
from bridge.domain.requests import Facts
from bridge.egress.client import Egress
from bridge.egress.errors import EgressError
from bridge.webhooks.request import json_request

log = structlog.get_logger(__name__)

_READ = 16 * 1024  # bytes of an answer


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
            secrets = [one.secret for one in await self._secrets(webhook.account)]
            for url in filter(None, (webhook.url, webhook.backup_url)):
                try:
                    advice = await self._answer(url, question, secrets)
                    await self._check(advice, question, webhook.account)
                except (EgressError, NoAdvice) as error:
                    log.warning("application gave no advice", reason=error.reason)
                    metrics.ADVICE.labels("none").inc()
                    continue
                given = type(advice).__name__.lower()
                log.info("application gave advice", advice=given)
                metrics.ADVICE.labels(given).inc()
                return advice
        except Unavailable:
            log.warning("application not asked", reason="postgres-away")
        return None

    async def _answer(self, url: str, question: Question, secrets: Sequence[str]) -> Advice:
        """Raises: EgressError: there is no answer.  NoAdvice: it is none that can be followed."""
        if fault := self._egress.rules.fault_of_question(url):
            raise NoAdvice(fault)  # it was taken before http was refused
        now = self._now()
        content = asked(question, now)
        request = json_request(
            url,
            content,
            # Of one call two may be asked; a receiver takes one with the same id for a repeat.
            message_id=f"{question.call_id}-{content['EventName']}",
            signed_with=secrets,
            at=now,
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
        if answer.status != HTTPStatus.OK:
            raise NoAdvice(f"http-{answer.status}")
        return read_advice(_parsed(answer.body))

    async def _check(self, advice: Advice, question: Question, account: str) -> None:
        """Raises: NoAdvice: nobody may be connected to the number that it names."""
        if not isinstance(advice, Redirect):
            return
        facts = await self._facts(account, [advice.number], None)
        if advice.number == question.caller or facts.fault_of_party(advice.number):
            raise NoAdvice("number-not-allowed")


def asked(question: Question, at: datetime) -> dict[str, Any]:
    """The question as it is sent, in the names that events have."""
    return {
        "EventName": "SessionRouting" if question.session else "OutOfSessionCall",
        "EventTimestamp": timestamp(at),
        "SessionUUID": str(question.session) if question.session else None,
        "CallerParty": question.caller_side.value if question.caller_side else None,
        "From": OPEN.shown(question.caller) if question.caller else None,
        "To": OPEN.shown(question.callee) if question.callee else None,
        "VirtualNumber": question.virtual_number.removeprefix("+"),
    }


def _parsed(body: bytes) -> Any:
    try:
        return read_json(body)
    except BadJson as bad:
        raise NoAdvice(bad.reason) from None
