"""Settings of recordings, and the line of Asterisk's configuration that is made of them."""

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
    site = SiteSettings.model_validate({"ari_password": "x" * 32, **given})
    assert asterisk_config.render(site)["extensions.conf"] == f"BRIDGE_RECORDINGS={told}\n"
