"""URLs of recordings that prove themselves: who has one may hear it, until it is over."""

import base64
import dataclasses
import enum
import hashlib
import hmac
import uuid


class Verdict(enum.Enum):
    GOOD = enum.auto()
    FORGED = enum.auto()
    OVER = enum.auto()


@dataclasses.dataclass(frozen=True, slots=True)
class UrlSigner:
    """Signs a recording's id together with the end of its URL (HMAC-SHA256, RFC 2104)."""

    secret: bytes = dataclasses.field(repr=False)
    lifetime: int
    """Seconds."""

    def sign(self, recording_id: uuid.UUID, *, now: float) -> tuple[int, str]:
        """Until when (Unix time) a URL is good, and its signature."""
        expires = int(now) + self.lifetime
        return expires, self._signature(recording_id, expires)

    def judge(
        self, recording_id: uuid.UUID, expires: int, signature: str, *, now: float
    ) -> Verdict:
        """Whether it is over is told only of what we signed."""
        expected = self._signature(recording_id, expires)
        if not hmac.compare_digest(expected.encode(), signature.encode()):
            return Verdict.FORGED
        return Verdict.GOOD if now < expires else Verdict.OVER

    def _signature(self, recording_id: uuid.UUID, expires: int) -> str:
        text = f"recording {recording_id} {expires}"
        digest = hmac.digest(self.secret, text.encode(), hashlib.sha256)
        return base64.urlsafe_b64encode(digest).decode().rstrip("=")
