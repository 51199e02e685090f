"""An S3-compatible object store on loopback: a bucket in memory that checks every signature."""

import asyncio
import hashlib
import hmac
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from urllib.parse import quote

from aiohttp import web
from aiohttp.test_utils import TestServer

_CREDENTIAL = re.compile(
    r"AWS4-HMAC-SHA256 Credential=([^/]+)/(\d{8})/([^/]+)/s3/aws4_request,"
    r" ?SignedHeaders=([a-z0-9;-]+), ?Signature=([0-9a-f]{64})"
)
_MULTIPART = "<InitiateMultipartUploadResult><UploadId>1</UploadId></InitiateMultipartUploadResult>"
_COMPLETE = '<CompleteMultipartUploadResult><ETag>"1"</ETag></CompleteMultipartUploadResult>'


def signature(
    method: str,
    path: str,
    query: Mapping[str, str],
    headers: Mapping[str, str],
    *,
    signed: str,
    secret: str,
    region: str,
) -> str:
    """AWS Signature Version 4, as Amazon's documentation has it: "Authenticating Requests".

    Args:
        headers: with names in lower case.
        signed: names of those that are signed, separated by semicolons.
    """
    canonical = "\n".join(
        [
            method,
            _quoted(path, safe="/"),
            "&".join(f"{_quoted(name)}={_quoted(query[name])}" for name in sorted(query)),
            *(f"{name}:{headers[name].strip()}" for name in signed.split(";")),
            "",
            signed,
            headers["x-amz-content-sha256"],
        ]
    )
    time = headers["x-amz-date"]
    scope = f"{time[:8]}/{region}/s3/aws4_request"
    key = f"AWS4{secret}".encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    hashed = hashlib.sha256(canonical.encode()).hexdigest()
    text = f"AWS4-HMAC-SHA256\n{time}\n{scope}\n{hashed}"
    return hmac.digest(key, text.encode(), "sha256").hex()


def _quoted(text: str, *, safe: str = "") -> str:
    return quote(text, safe=f"{safe}~")


class ObjectStore:
    """One bucket, which may be told to misbehave."""

    def __init__(self, *, access_key: str, secret_key: str, region: str) -> None:
        self.bucket = "recordings"
        self.objects: dict[str, bytes] = {}
        self.asked: list[tuple[str, str | None]] = []
        """Method and Range of each request."""
        self.refuses = self.hangs = self.breaks = False
        self.url = ""
        self._keys = {access_key: secret_key}
        self._region = region
        self._parts: dict[int, bytes] = {}

    @asynccontextmanager
    async def serving(self) -> AsyncIterator["ObjectStore"]:
        app = web.Application(client_max_size=2**26)
        app.router.add_route("*", "/{bucket}", self._serve)
        app.router.add_route("*", "/{bucket}/{key}", self._serve)
        async with TestServer(app) as server:
            self.url = str(server.make_url("")).rstrip("/")
            yield self

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        self.asked.append((request.method, request.headers.get("Range")))
        if self.hangs:
            await asyncio.Event().wait()
        if self.refuses or not self._is_signed(request, body):
            return web.Response(status=403, text="<Error><Code>AccessDenied</Code></Error>")
        if request.match_info["bucket"] != self.bucket:
            return web.Response(status=404, text="<Error><Code>NoSuchBucket</Code></Error>")
        return await self._answer(request, request.match_info.get("key", ""), body)

    async def _answer(self, request: web.Request, key: str, body: bytes) -> web.StreamResponse:
        match request.method, sorted(request.query):
            case "PUT", []:
                self.objects[key] = body
                return web.Response(headers={"ETag": '"1"'})
            case "POST", ["uploads"]:
                return web.Response(text=_MULTIPART)
            case "PUT", ["partNumber", "uploadId"]:
                self._parts[int(request.query["partNumber"])] = body
                return web.Response(headers={"ETag": '"1"'})
            case "POST", ["uploadId"]:
                self.objects[key] = b"".join(part for _, part in sorted(self._parts.items()))
                return web.Response(text=_COMPLETE)
            case "POST", ["delete"]:
                named = re.findall(r"<Key>([^<]+)</Key>", body.decode())
                for one in named:  # one that is not there is deleted, too
                    self.objects.pop(one, None)
                deleted = "".join(f"<Deleted><Key>{one}</Key></Deleted>" for one in named)
                return web.Response(text=f"<DeleteResult>{deleted}</DeleteResult>")
            case "GET", [] if key in self.objects:
                return await self._part(request, self.objects[key])
        return web.Response(status=404, text="<Error><Code>NoSuchKey</Code></Error>")

    async def _part(self, request: web.Request, content: bytes) -> web.StreamResponse:
        start, stop, _ = request.http_range.indices(len(content))
        response = web.StreamResponse(
            status=206,
            headers={
                "Content-Range": f"bytes {start}-{stop - 1}/{len(content)}",
                "Content-Length": str(stop - start),
                "Last-Modified": "Thu, 01 Jan 2026 12:00:00 GMT",
                "ETag": '"1"',
            },
        )
        await response.prepare(request)
        if self.breaks:
            await response.write(content[start:stop][:-1])
            assert request.transport
            request.transport.close()
            return response
        await response.write(content[start:stop])
        return response

    def _is_signed(self, request: web.Request, body: bytes) -> bool:
        found = _CREDENTIAL.fullmatch(request.headers.get("Authorization", ""))
        headers = {name.lower(): value for name, value in request.headers.items()}
        if not found or hashlib.sha256(body).hexdigest() != headers["x-amz-content-sha256"]:
            return False
        access_key, day, region, signed, given = found.groups()
        if access_key not in self._keys or region != self._region:
            return False
        if not headers["x-amz-date"].startswith(day) or not {"host", "x-amz-date"} <= {
            *signed.split(";")
        }:
            return False
        expected = signature(
            request.method,
            request.path,
            request.query,
            headers,
            signed=signed,
            secret=self._keys[access_key],
            region=region,
        )
        return given == expected
