"""The audio of recordings: to its account, and to whoever has a signed URL."""

import dataclasses
from collections.abc import AsyncIterator, Callable, Mapping
from http import HTTPStatus

import structlog
from aiohttp import hdrs, web

from bridge.api import requests
from bridge.api.ports import Archive, Recordings
from bridge.api.problems import Problem, not_found
from bridge.api.schemas.recordings import SignedMedia
from bridge.domain.errors import Unavailable
from bridge.domain.recordings import Media, Recording, RecordingState
from bridge.domain.sessions import RecordingFormat
from bridge.domain.signed_urls import UrlSigner, Verdict

log = structlog.get_logger(__name__)


@dataclasses.dataclass(frozen=True, slots=True)
class MediaAccess:
    """Where the audio is, and how its URLs are made."""

    archive: Archive
    signer: UrlSigner | None
    """``None``: it is given out to its account's own requests only."""
    public_url: str
    """What comes before the path in a URL; may be empty."""
    now: Callable[[], float]
    """Unix time."""


MEDIA = web.AppKey("media", MediaAccess)
RECORDINGS = web.AppKey("recordings", Recordings)

_TYPES: Mapping[RecordingFormat, str] = {"mp3": "audio/mpeg", "wav": "audio/wav"}


async def get(request: web.Request) -> web.StreamResponse:
    """As the account that it is of."""
    recording_id = requests.uuid_in_path(request, "recording_id")
    found = await request.app[RECORDINGS].get(requests.account(request), recording_id)
    if found is None or found.state is not RecordingState.READY:
        raise not_found()
    return await _audio(request, found)


async def get_signed(request: web.Request) -> web.StreamResponse:
    """By a URL that proves itself."""
    recording_id = requests.uuid_in_path(request, "recording_id")
    asked = requests.query(request, SignedMedia)
    access = request.app[MEDIA]
    if access.signer is None:
        raise not_found()
    verdict = access.signer.judge(recording_id, asked.expires, asked.signature, now=access.now())
    if verdict is Verdict.FORGED:
        raise Problem(HTTPStatus.FORBIDDEN, "This URL is not one of ours.")
    if verdict is Verdict.OVER:
        raise Problem(HTTPStatus.GONE, "This URL is over.")
    found = await request.app[RECORDINGS].find(recording_id)
    if found is None or found.state is not RecordingState.READY:
        raise Problem(HTTPStatus.GONE, "This recording is no more.")
    return await _audio(request, found)


def url(access: MediaAccess, account: str, one: Recording) -> str | None:
    """Where its audio is, once there is any."""
    if one.state is not RecordingState.READY:
        return None
    if access.signer is None:
        return f"{access.public_url}/v1/Account/{account}/Recording/{one.id}/Media/"
    expires, signature = access.signer.sign(one.id, now=access.now())
    path = f"/v1/Recording/{one.id}/Media/?expires={expires}&signature={signature}"
    return access.public_url + path


async def _audio(request: web.Request, one: Media | Recording) -> web.StreamResponse:
    """All of it, or the range that is asked for (RFC 9110, 14)."""
    size, tag = one.size or 0, f'"{(one.sha256 or b"").hex()}"'
    headers = {
        hdrs.CONTENT_TYPE: _TYPES[one.format],
        hdrs.CONTENT_DISPOSITION: f'inline; filename="{one.id}.{one.format}"',
        hdrs.CACHE_CONTROL: "private, no-store",
        hdrs.ACCEPT_RANGES: "bytes",
        hdrs.ETAG: tag,
        "X-Content-Type-Options": "nosniff",
    }
    part = _asked_range(request, size, tag)
    status = HTTPStatus.OK
    if part is not None:
        status = HTTPStatus.PARTIAL_CONTENT
        headers[hdrs.CONTENT_RANGE] = f"bytes {part.start}-{part.stop - 1}/{size}"
    if part is not None and not part:
        raise Problem(
            HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE,
            "There are no such bytes.",
            headers={hdrs.CONTENT_RANGE: f"bytes */{size}"},
        )
    part = range(size) if part is None else part
    pieces = await request.app[MEDIA].archive.read(one.id, one.format, part)
    if pieces is None:
        raise not_found()
    response = web.StreamResponse(status=status, headers=headers)
    response.content_length = len(part)
    await response.prepare(request)
    await _send(request, response, pieces, left=len(part))
    return response


def _asked_range(request: web.Request, size: int, tag: str) -> range | None:
    """``None``: the whole, also for what cannot be understood or is of something else."""
    if hdrs.RANGE not in request.headers or request.headers.get(hdrs.IF_RANGE, tag) != tag:
        return None
    try:
        return range(*request.http_range.indices(size))
    except ValueError:
        return None


async def _send(
    request: web.Request, response: web.StreamResponse, pieces: AsyncIterator[bytes], *, left: int
) -> None:
    try:
        async for piece in pieces:
            await response.write(piece)
            left -= len(piece)
    except ConnectionError:  # nobody listens any more
        return
    except (Unavailable, OSError) as error:
        log.warning("recording not sent to its end", error=error)
    if left and request.transport:
        request.transport.abort()  # what was sent is not the whole, and must not look like it
