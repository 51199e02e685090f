"""What was recorded of calls: list, get, remove."""

from http import HTTPStatus

from aiohttp import web

from bridge.api import media, requests
from bridge.api.media import MEDIA, RECORDINGS
from bridge.api.problems import Problem, not_found
from bridge.api.render import recordings as render
from bridge.api.render.forms import Json, page
from bridge.api.schemas.recordings import ListRecordings
from bridge.domain.recordings import Recording


async def list_all(request: web.Request) -> web.Response:
    account = requests.account(request)
    asked = requests.query(request, ListRecordings)
    found = await request.app[RECORDINGS].list(
        account, asked.to_domain(), limit=asked.limit, offset=asked.offset
    )

    def show(one: Recording) -> Json:
        return render.recording(account, one, url=_url(request, one))

    return requests.answer(request, HTTPStatus.OK, page(found, show, asked.window, request.url))


async def get(request: web.Request) -> web.Response:
    account = requests.account(request)
    found = await request.app[RECORDINGS].get(
        account, requests.uuid_in_path(request, "recording_id")
    )
    if found is None:
        raise not_found()
    return requests.answer(
        request, HTTPStatus.OK, render.recording(account, found, url=_url(request, found))
    )


async def remove(request: web.Request) -> web.Response:
    account = requests.account(request)
    recording_id = requests.uuid_in_path(request, "recording_id")
    recordings = request.app[RECORDINGS]
    if not await recordings.remove(account, recording_id):
        if await recordings.get(account, recording_id) is None:
            raise not_found()
        raise Problem(HTTPStatus.CONFLICT, "This recording is not finished.")
    return web.Response(status=HTTPStatus.NO_CONTENT)


async def pause(request: web.Request) -> web.Response:
    return await _pause(request, paused=True)


async def resume(request: web.Request) -> web.Response:
    return await _pause(request, paused=False)


async def _pause(request: web.Request, *, paused: bool) -> web.Response:
    """Ask the bridge that carries the call; the recording tells, a moment later, that it is so."""
    account = requests.account(request)
    recording_id = requests.uuid_in_path(request, "recording_id")
    asked = await request.app[RECORDINGS].pause(account, recording_id, paused=paused)
    found = await request.app[RECORDINGS].get(account, recording_id)
    if found is None:
        raise not_found()
    if not asked:
        raise Problem(HTTPStatus.CONFLICT, "This call is not being recorded any more.")
    shown = render.recording(account, found, url=_url(request, found))
    return requests.answer(request, HTTPStatus.ACCEPTED, shown)


def _url(request: web.Request, one: Recording) -> str | None:
    return media.url(request.app[MEDIA], requests.account(request), one)
