"""Masking sessions: create, list, get, update, expire, and what became of one."""

import dataclasses
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

from aiohttp import web

from bridge.api import requests
from bridge.api.ports import Prompts, Sessions
from bridge.api.problems import not_found, of_refusal
from bridge.api.render import sessions as render
from bridge.api.render.forms import page
from bridge.api.schemas.fields import any_bare, numbers_named
from bridge.api.schemas.sessions import (
    CreateSession,
    ExpireSession,
    ListSessions,
    UpdateSession,
    party_texts,
    subaccount_named,
)
from bridge.domain.egress import EgressRules
from bridge.domain.numbers import PhoneNumber
from bridge.domain.reports import DryRun, SessionReport
from bridge.domain.requests import Facts, Once, Refusal


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class SessionDefaults:
    """Seconds, where a session's creator does not say."""

    expiry: int
    ring_timeout: int
    call_time_limit: int


SESSIONS = web.AppKey("sessions", Sessions)
DEFAULTS = web.AppKey("defaults", SessionDefaults)
EGRESS_RULES = web.AppKey("egress_rules", EgressRules)
PROMPTS = web.AppKey("prompts", Prompts)


async def create(request: web.Request) -> web.Response:
    sent = await requests.json_object(request)
    made = await make(request, sent, await requests.once(request))
    if isinstance(made, DryRun):
        return requests.answer(request, HTTPStatus.OK, render.would_be(made))
    return requests.answer(request, HTTPStatus.CREATED, render.created(made))


async def make(
    request: web.Request, sent: dict[str, Any], once: Once | None
) -> SessionReport | DryRun:
    """Make the session that ``sent`` asks for.

    Raises:
        Problem: it cannot be made.
    """
    facts = await _facts(request, sent)
    asked = requests.validated(CreateSession, sent, facts=facts)
    defaults = dataclasses.asdict(request.app[DEFAULTS])
    new = asked.to_domain(requests.account(request), **defaults)
    made = await request.app[SESSIONS].create(
        dataclasses.replace(new, once=once), requests.by(request, asked.reason)
    )
    if isinstance(made, Refusal):
        raise of_refusal(made)
    request.app[PROMPTS].prefetch(asked.prompts)
    return made


async def list_all(request: web.Request) -> web.Response:
    asked = requests.query(request, ListSessions)
    found = await request.app[SESSIONS].list(
        requests.account(request), asked.to_domain(), asked.window
    )
    shown = page(found, render.listed_session, asked.window, request.url)
    shown["meta"]["next_cursor"] = render.next_cursor(found)
    return requests.answer(request, HTTPStatus.OK, {"response": shown})


async def get(request: web.Request) -> web.Response:
    found = await request.app[SESSIONS].get(requests.account(request), requests.session_id(request))
    if found is None:
        raise not_found()
    return requests.answer(request, HTTPStatus.OK, {"response": render.session(found)})


async def history(request: web.Request) -> web.Response:
    account, session_id = requests.account(request), requests.session_id(request)
    steps = await request.app[SESSIONS].history(account, session_id)
    if steps is None:
        raise not_found()
    return requests.answer(request, HTTPStatus.OK, {"objects": [*map(render.step, steps)]})


async def update(request: web.Request) -> web.Response:
    sent = await requests.json_object(request)
    asked = requests.validated(UpdateSession, sent, facts=await _facts(request, sent))
    changed = await request.app[SESSIONS].update(
        requests.account(request),
        requests.session_id(request),
        asked.to_domain(),
        requests.by(request, asked.reason),
    )
    if isinstance(changed, Refusal):
        raise of_refusal(changed)
    request.app[PROMPTS].prefetch(asked.prompts)
    return requests.answer(request, HTTPStatus.OK, render.updated(changed))


async def expire(request: web.Request) -> web.Response:
    asked = requests.query(request, ExpireSession)
    refusal = await request.app[SESSIONS].expire(
        requests.account(request),
        requests.session_id(request),
        requests.by(request, asked.reason),
        hang_up=asked.hangup,
    )
    if refusal:
        raise of_refusal(refusal)
    return requests.answer(request, HTTPStatus.OK, {"message": "Session expired"})


async def facts_about(
    request: web.Request,
    numbers: Sequence[PhoneNumber],
    subaccount: str | None = None,
    *,
    at_home: bool,
) -> Facts:
    """What must be known to judge a request of an account that names these.

    ``at_home``: where the account is at home, too, for there are numbers without their plus.
    """
    facts = await request.app[SESSIONS].facts(
        requests.account(request), numbers, subaccount, at_home=at_home
    )
    return dataclasses.replace(facts, egress=request.app[EGRESS_RULES])


async def _facts(request: web.Request, sent: dict[str, Any]) -> Facts:
    texts = party_texts(sent)
    return await facts_about(
        request, numbers_named(texts), subaccount_named(sent), at_home=any_bare(texts)
    )
