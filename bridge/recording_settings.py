"""Settings of recordings; part of `bridge.config.Settings`, and of `SiteSettings` what Asterisk
must know of them."""

import dataclasses
from pathlib import Path
from typing import Annotated, Self

import pydantic
from pydantic_settings import BaseSettings, SettingsConfigDict

from bridge.setting_types import AsteriskPath, strong_secret

_BUCKET = r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$"


@dataclasses.dataclass(frozen=True, slots=True)
class Bucket:
    """Where in an object store recordings are kept, and with which key."""

    url: str
    name: str
    region: str
    access_key: str
    secret_key: pydantic.SecretStr


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
    """Where they are kept; every bridge on the database needs the same one.  With an object store
    they are only made here."""
    recording_s3_url: pydantic.HttpUrl | None = None
    """An S3-compatible object store to keep recordings in, instead of the directory; the next four
    go with it."""
    recording_s3_bucket: Annotated[str, pydantic.Field(pattern=_BUCKET)] | None = None
    recording_s3_region: Annotated[str, pydantic.Field(pattern=r"^[a-z0-9-]{1,63}$")] = "us-east-1"
    recording_s3_access_key: Annotated[str, pydantic.Field(min_length=1)] | None = None
    recording_s3_secret_key: pydantic.SecretStr | None = None
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

    @property
    def recording_bucket(self) -> Bucket | None:
        """``None``: they are kept in the directory."""
        url, name = self.recording_s3_url, self.recording_s3_bucket
        access_key, secret_key = self.recording_s3_access_key, self.recording_s3_secret_key
        if not (url and name and access_key and secret_key):
            return None
        return Bucket(str(url).rstrip("/"), name, self.recording_s3_region, access_key, secret_key)

    @pydantic.field_validator("recording_s3_url")
    @classmethod
    def _is_a_place_alone(cls, value: pydantic.HttpUrl | None) -> pydantic.HttpUrl | None:
        if value is not None and (
            value.path != "/" or value.query or value.fragment or value.username or value.password
        ):
            raise ValueError("must be https://host or https://host:port, and no more")
        return value

    @pydantic.field_validator("public_url")
    @classmethod
    def _is_a_beginning(cls, value: pydantic.HttpUrl | None) -> pydantic.HttpUrl | None:
        if value is not None and (
            value.query or value.fragment or value.username or value.password
        ):
            raise ValueError("must be https://host/path and no more: paths of the API are added")
        return value

    @pydantic.model_validator(mode="after")
    def _store_is_whole(self) -> Self:
        parts = ("url", "bucket", "access_key", "secret_key")
        missing = [part for part in parts if not getattr(self, f"recording_s3_{part}")]
        if missing and len(missing) < len(parts):
            names = ", ".join(f"BRIDGE_RECORDING_S3_{part.upper()}" for part in missing)
            raise ValueError(f"{names} must be set too, for recordings in an object store")
        return self

    @pydantic.field_validator("recording_url_secret")
    @classmethod
    def _is_a_real_secret(cls, value: pydantic.SecretStr | None) -> pydantic.SecretStr | None:
        return value and strong_secret(value, at_least=32)
