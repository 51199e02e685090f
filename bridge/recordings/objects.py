"""Recordings in an S3-compatible object store."""

import re
import uuid
from collections.abc import AsyncIterator, Collection
from pathlib import Path
from typing import TYPE_CHECKING

import obstore
from obstore.exceptions import BaseError
from obstore.store import S3Store

from bridge.domain.sessions import RecordingFormat
from bridge.recordings.files import ArchiveUnavailable, Workroom

if TYPE_CHECKING:
    from obstore import GetResult
    from obstore.store import S3Credential

_PIECE = 256 * 1024  # bytes passed on at once
_STATUS = re.compile(r"status code: (\d{3})\b", re.ASCII)


class ObjectArchive(Workroom):
    """Objects in a bucket, each called by its recording's id and format.

    The directory holds nothing but what is being made.
    """

    def __init__(self, store: S3Store, directory: Path) -> None:
        super().__init__(directory)
        self._store = store

    async def keep(self, recording_id: uuid.UUID, format: RecordingFormat) -> None:
        # Its SHA-256 is signed with each piece: what arrives is what was sent, or is refused.
        try:
            await obstore.put_async(
                self._store, _key(recording_id, format), self.room_for(recording_id, format)
            )
        except BaseError as error:
            raise _away(error) from None

    async def read(
        self, recording_id: uuid.UUID, format: RecordingFormat, part: range
    ) -> AsyncIterator[bytes] | None:
        try:
            found = await obstore.get_async(
                self._store,
                _key(recording_id, format),
                options={"range": (part.start, part.stop)},
            )
        except FileNotFoundError:
            return None
        except BaseError as error:
            raise _away(error) from None
        return _pieces(found)

    async def erase(self, recording_id: uuid.UUID, format: RecordingFormat) -> None:
        try:
            await obstore.delete_async(self._store, _key(recording_id, format))
        except FileNotFoundError:
            pass
        except BaseError as error:
            raise _away(error) from None

    async def ids(self) -> Collection[tuple[uuid.UUID, RecordingFormat]]:
        """Nothing: a bucket may be shared with others, whose recordings we do not know."""
        return []


def object_store(
    url: str,
    bucket: str,
    *,
    region: str,
    access_key: str,
    secret_key: str,
    read_timeout: float = 30.0,
    retries: int = 2,
) -> S3Store:
    """A bucket of an S3-compatible store, of which nothing is asked yet.

    What the environment says for programs of Amazon's (``AWS_…``) does not count.

    Args:
        url: where the store is; the bucket comes in the path, which every kind of store takes.
        read_timeout: seconds in which something must come of a request.
        retries: how often one that fails is made again at once.
    """

    def credentials() -> "S3Credential":
        return {
            "access_key_id": access_key,
            "secret_access_key": secret_key,
            "expires_at": None,
        }

    return S3Store(
        bucket,
        endpoint=url,
        region=region,
        virtual_hosted_style_request=False,
        skip_signature=False,
        credential_provider=credentials,
        client_options={
            "allow_http": url.startswith("http:"),
            "connect_timeout": "5s",
            "read_timeout": f"{round(read_timeout * 1000)}ms",
            "timeout": "1h",  # a listener may be slow
        },
        retry_config={"max_retries": retries},
    )


def _key(recording_id: uuid.UUID, format: RecordingFormat) -> str:
    return f"{recording_id}.{format}"


async def _pieces(found: "GetResult") -> AsyncIterator[bytes]:
    try:
        async for piece in found.stream(min_chunk_size=_PIECE):
            yield bytes(piece)
    except BaseError as error:
        raise _away(error) from None


def _away(error: BaseError) -> ArchiveUnavailable:
    """What obstore says holds the URL and what the store answered: neither is told."""
    status = _STATUS.search(str(error))
    return ArchiveUnavailable(
        f"the object store answered with status code {status[1]}"
        if status
        else f"the object store cannot be used ({type(error).__name__})"
    )
