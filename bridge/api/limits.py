"""How many requests an account may send."""

import dataclasses
from collections.abc import Callable

WINDOW = 5.0  # seconds; Plivo's own limit is counted over as many


@dataclasses.dataclass(slots=True)
class _Bucket:
    tokens: float
    filled_at: float


class RateLimit:
    """A bucket of tokens per account, full at first, refilled at an even rate.

    Counts what this process serves.  Only accounts that proved who they are get a bucket, so there
    are no more buckets than accounts.

    Args:
        requests: how many an account may send in `WINDOW` seconds.
        now: seconds of a clock that never goes back.
    """

    def __init__(self, requests: int, *, now: Callable[[], float]) -> None:
        self._requests = requests
        self._now = now
        self._buckets: dict[str, _Bucket] = {}

    def wait(self, account: str) -> float:
        """Take a token; 0 if there was one, else the seconds until there is one."""
        now = self._now()
        bucket = self._buckets.setdefault(account, _Bucket(self._requests, now))
        rate = self._requests / WINDOW
        bucket.tokens = min(self._requests, bucket.tokens + (now - bucket.filled_at) * rate)
        bucket.filled_at = now
        if bucket.tokens < 1:
            return (1 - bucket.tokens) / rate
        bucket.tokens -= 1
        return 0.0
