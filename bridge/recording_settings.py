"""Settings of recordings; part of `bridge.config.Settings`, and of `SiteSettings` what Asterisk
must know of them."""

from pathlib import Path
from typing import Annotated

import pydantic
from pydantic_settings import BaseSettings, SettingsConfigDict

from bridge.setting_types import AsteriskPath


class SpoolSettings(BaseSettings):
    """Where Asterisk writes while a call is up."""

    model_config = SettingsConfigDict(env_prefix="BRIDGE_", frozen=True, extra="ignore")

    recording_spool_directory: AsteriskPath = Path("/var/spool/masking-bridge")
    """Asterisk writes recordings here, 115 MB an hour, and the bridge takes them away: both must
    be able to.  Nobody else should be able to read it."""
    recording_spool_asterisk_directory: AsteriskPath | None = None
    """The same directory as Asterisk calls it, if it calls it otherwise."""

    @property
    def spool_as_asterisk_calls_it(self) -> Path:
        return self.recording_spool_asterisk_directory or self.recording_spool_directory


class RecordingSettings(SpoolSettings):
    """Where recordings are kept, and how they are given out."""

    recording_directory: Path = Path("/var/lib/masking-bridge/recordings")
    """Where they are kept; every bridge on the database needs the same one."""
    recording_url_secret: pydantic.SecretStr | None = None
    """With which URLs of recordings are signed, the same for every bridge on the database.
    Unset: a recording is given out to its account's own requests only."""
    recording_url_lifetime: Annotated[int, pydantic.Field(ge=10, le=604_800)] = 3600
    """Seconds for which a signed URL is good."""
    public_url: pydantic.HttpUrl | None = None
    """What the API is called from outside, for URLs of recordings.  Unset: they begin with the
    path."""

    @property
    def api_root(self) -> str:
        """What comes before the path in a URL of the API; may be empty."""
        return str(self.public_url or "").rstrip("/")

    @pydantic.field_validator("recording_url_secret")
    @classmethod
    def _is_a_real_secret(cls, value: pydantic.SecretStr | None) -> pydantic.SecretStr | None:
        if value is not None and len(value.get_secret_value()) < 32:
            raise ValueError("must have 32 characters or more: `openssl rand -hex 32` makes one")
        return value
