"""What was recorded of calls: list, get."""

from http import HTTPStatus

from aiohttp import web

from bridge.api import requests
from bridge.api.ports import Recordings
from bridge.api.problems import not_found
from bridge.api.render import recordings as render
from bridge.api.render.forms import page
from bridge.api.schemas.recordings import ListRecordings

RECORDINGS = web.AppKey("recordings", Recordings)


async def list_all(request: web.Request) -> web.Response:
    account = requests.account(request)
    asked = requests.query(request, ListRecordings)
    found = await request.app[RECORDINGS].list(
        account, asked.to_domain(), limit=asked.limit, offset=asked.offset
    )
    shown = page(
        [render.recording(account, one) for one in found.items],
        found,
        url=request.url,
        limit=asked.limit,
        offset=asked.offset,
    )
    return requests.answer(request, HTTPStatus.OK, shown)


async def get(request: web.Request) -> web.Response:
    account = requests.account(request)
    found = await request.app[RECORDINGS].get(
        account, requests.uuid_in_path(request, "recording_id")
    )
    if found is None:
        raise not_found()
    return requests.answer(request, HTTPStatus.OK, render.recording(account, found))
