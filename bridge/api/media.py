"""The audio of recordings: to its account, and to whoever has a signed URL."""

import dataclasses
import uuid
from collections.abc import Callable, Mapping
from http import HTTPStatus
from pathlib import Path

from aiohttp import hdrs, web
from aiohttp.abc import AbstractStreamWriter

from bridge.api import requests
from bridge.api.ports import Archive, Recordings
from bridge.api.problems import Problem, not_found
from bridge.api.schemas.recordings import SignedMedia
from bridge.domain.recordings import Recording, RecordingState
from bridge.domain.sessions import RecordingFormat
from bridge.domain.signed_urls import UrlSigner, Verdict


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
    return _file(request, found.id, found.format)


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
    return _file(request, found.id, found.format)


def url(access: MediaAccess, account: str, one: Recording) -> str | None:
    """Where its audio is, once there is any."""
    if one.state is not RecordingState.READY:
        return None
    if access.signer is None:
        return f"{access.public_url}/v1/Account/{account}/Recording/{one.id}/Media/"
    expires, signature = access.signer.sign(one.id, now=access.now())
    path = f"/v1/Recording/{one.id}/Media/?expires={expires}&signature={signature}"
    return access.public_url + path


def _file(
    request: web.Request, recording_id: uuid.UUID, format: RecordingFormat
) -> web.StreamResponse:
    path = request.app[MEDIA].archive.locate(recording_id, format)
    if path is None:
        raise not_found()
    return _Audio(
        path,
        headers={
            hdrs.CONTENT_TYPE: _TYPES[format],
            hdrs.CONTENT_DISPOSITION: f'inline; filename="{recording_id}.{format}"',
            hdrs.CACHE_CONTROL: "private, no-store",
            "X-Content-Type-Options": "nosniff",
        },
    )


class _Audio(web.FileResponse):
    """aiohttp does ranges (RFC 9110, 14), but of If-Range it knows the dates only, not the tags."""

    def __init__(self, path: Path, *, headers: Mapping[str, str]) -> None:
        super().__init__(path, headers=headers)
        self._file_path = path

    async def prepare(self, request: web.BaseRequest) -> AbstractStreamWriter | None:
        condition = request.headers.get(hdrs.IF_RANGE, "")
        if condition.startswith(('"', "W/")) and condition != self._tag():
            headers = request.headers.copy()
            headers.popall(hdrs.RANGE, None)
            request = request.clone(headers=headers)
        return await super().prepare(request)

    def _tag(self) -> str:
        """The ETag that aiohttp gives the file."""
        found = self._file_path.stat()
        return f'"{found.st_mtime_ns:x}-{found.st_size:x}"'
