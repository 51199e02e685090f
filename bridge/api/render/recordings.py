"""What was recorded of calls."""

import math
from datetime import UTC, datetime, timedelta

from bridge.api.render.forms import Json, digits, timestamp
from bridge.domain.consent import PartyConsent
from bridge.domain.recordings import Recording

_MINUTE = 60


def recording(account: str, one: Recording, *, url: str | None) -> Json:
    """A recording, in the fixtures' order."""
    ended, length = one.ended_at, one.length
    return {
        "add_time": _time(ended) if ended else None,
        "call_uuid": str(one.leg),
        "conference_name": None,
        "from_number": digits(one.caller) if one.caller else None,
        "monthly_recording_storage_amount": 0,
        "recording_duration_ms": None if length is None else _milliseconds(length),
        "recording_end_ms": _since_1970(ended) if ended else None,
        "recording_format": one.format,
        "recording_id": str(one.id),
        "recording_start_ms": _since_1970(one.started_at),
        "recording_storage_duration": one.days_kept,
        "recording_storage_rate": 0,
        "recording_type": "normal",
        "recording_url": url,
        "resource_uri": f"/v1/Account/{account}/Recording/{one.id}/",
        "rounded_recording_duration": None if length is None else _rounded(length),
        "to_number": digits(one.virtual_number),
        "status": one.state.value,
        "paused": one.paused,
        "failure": one.failure.value if one.failure else None,
        "session_uuid": str(one.session),
        "size": one.size,
        "sha256": one.sha256.hex() if one.sha256 else None,
        "consent": [*map(consent, one.consent)],
    }


def consent(one: PartyConsent) -> Json:
    """What a party was told or asked, and what it answered."""
    return {
        "party": one.party.value,
        "announcement": one.announcement,
        "sounds": [*one.sounds],
        "given": one.given,
        "digit": one.digit,
        "at": timestamp(one.at),
    }


def _time(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f+00:00")


def _since_1970(at: datetime) -> str:
    return _milliseconds(at - datetime(1970, 1, 1, tzinfo=UTC))


def _milliseconds(length: timedelta) -> str:
    return f"{length / timedelta(milliseconds=1):.5f}"


def _rounded(length: timedelta) -> int:
    """To the nearest minute, in seconds; one at least."""
    return max(1, math.floor(length.total_seconds() / _MINUTE + 0.5)) * _MINUTE
