"""Settings of recordings, and the line of Asterisk's configuration that is made of them."""

import secrets
from pathlib import Path

import pydantic
import pytest

from bridge import asterisk_config
from bridge.config import SiteSettings
from bridge.recording_settings import RecordingSettings


@pytest.mark.parametrize("path", ["relative", "/with,comma", "/with space", "/${EPOCH}", "/a\nb"])
def test_asterisk_is_told_of_plain_paths_only(path: str) -> None:
    with pytest.raises(pydantic.ValidationError, match="must begin with /"):
        RecordingSettings(recording_spool_directory=Path(path))


def test_a_secret_that_can_be_guessed_is_refused() -> None:
    with pytest.raises(pydantic.ValidationError, match="32 characters or more"):
        RecordingSettings(recording_url_secret=pydantic.SecretStr("short"))


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({}, "/var/spool/masking-bridge"),
        ({"recording_spool_directory": "/a"}, "/a"),
        ({"recording_spool_directory": "/a", "recording_spool_asterisk_directory": "/b"}, "/b"),
    ],
)
def test_asterisk_is_told_where_to_write_as_it_calls_it(given: dict[str, str], told: str) -> None:
    site = SiteSettings.model_validate({"ari_password": secrets.token_hex(16), **given})
    told_globals = f"BRIDGE_RECORDINGS={told}\nBRIDGE_APP=bridge\n"
    assert asterisk_config.render(site)["extensions.conf"] == told_globals


STORE = {
    "recording_s3_url": "https://objects.example:9000",
    "recording_s3_bucket": "recordings",
    "recording_s3_access_key": "key",
    "recording_s3_secret_key": "very secret",
}


def test_recordings_are_kept_in_a_directory_unless_there_is_a_store() -> None:
    assert RecordingSettings().recording_bucket is None
    settings = RecordingSettings.model_validate(STORE)
    assert settings.recording_bucket
    assert settings.recording_bucket.url == "https://objects.example:9000"
    assert "very secret" not in f"{settings!r} {settings.recording_bucket!r}"


def test_every_part_of_a_store_that_is_missing_is_named() -> None:
    given = {"recording_s3_url": STORE["recording_s3_url"], "recording_s3_bucket": "recordings"}
    with pytest.raises(
        pydantic.ValidationError,
        match="BRIDGE_RECORDING_S3_ACCESS_KEY, BRIDGE_RECORDING_S3_SECRET_KEY must be set too",
    ):
        RecordingSettings.model_validate(given)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("recording_s3_url", "https://objects.example/a/path"),
        ("recording_s3_url", "https://user:word@objects.example"),
        ("recording_s3_url", "ftp://objects.example"),
        ("recording_s3_bucket", "a/b"),
        ("recording_s3_region", "?"),
    ],
)
def test_a_store_is_a_plain_place(name: str, value: str) -> None:
    with pytest.raises(pydantic.ValidationError, match=name):
        RecordingSettings.model_validate({**STORE, name: value})
