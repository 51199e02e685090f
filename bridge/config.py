"""Settings, from the environment only.  Every mistake is reported at once.

`Settings` is what the bridge needs to run; `SiteSettings` is what differs from site to site in
Asterisk's configuration (see `bridge.asterisk_config`).
"""

import contextlib
import ipaddress
import os
import re
import socket
from typing import Annotated, Any, Literal, TypeVar

import pydantic
from pydantic_settings import BaseSettings, SettingsConfigDict

from bridge import setting_checks
from bridge.domain.trunk_rules import TRUNK_NAME
from bridge.recording_settings import RecordingSettings, SpoolSettings
from bridge.setting_types import Networks, long_secret, strong_secret
from bridge.trunk_settings import TrunkSettings

Seconds = Annotated[float, pydantic.Field(gt=0, allow_inf_nan=False)]
StasisApp = Annotated[str, pydantic.Field(pattern=r"^[a-z][a-z0-9-]{0,31}$")]
Port = Annotated[int, pydantic.Field(ge=1, le=65535)]

_SAFE_WORD = re.compile(r"[A-Za-z0-9_.@+=/-]+")
_S = TypeVar("_S", bound=BaseSettings)


class ConfigError(Exception):
    """The settings hold mistakes; the message names every one with its variable."""


class Settings(TrunkSettings, RecordingSettings):
    """How to reach Postgres and Asterisk, and how to serve."""

    model_config = SettingsConfigDict(env_prefix="BRIDGE_", frozen=True, extra="ignore")

    database_url: pydantic.SecretStr
    """``postgresql://user:password@host:port/name``.  Secret: it holds the password."""

    ari_url: pydantic.HttpUrl = pydantic.HttpUrl("http://127.0.0.1:8088")
    """Asterisk's HTTP server.  Keep it on loopback: ARI can place calls to anywhere."""
    ari_user: str = "bridge"
    ari_password: pydantic.SecretStr
    ari_app: StasisApp = "bridge"
    """Name of the Stasis application, as the dialplan calls it."""

    node: Annotated[str, pydantic.Field(min_length=1, max_length=64)] = socket.gethostname()
    """This bridge and its Asterisk among others on one database; must last across restarts."""
    trunk: Annotated[str, pydantic.Field(pattern=rf"^{TRUNK_NAME}$")] = "carrier"
    """PJSIP endpoint by which the other leg is placed."""

    api_host: str = "127.0.0.1"
    """Address the REST API listens on.  Put a TLS proxy in front before you open it."""
    api_port: Port = 8080
    api_rate_limit: Annotated[int, pydantic.Field(ge=1)] = 300
    """Requests that an account may send in 5 s; what is over gets 429."""

    default_session_expiry: Annotated[int, pydantic.Field(ge=60, le=86400)] = 3600
    """Seconds a session lives when its creator does not say."""
    default_call_time_limit: Annotated[int, pydantic.Field(ge=60, le=86400)] = 3600
    """Seconds two parties may talk in one call when the session's creator does not say."""
    default_ring_timeout: Annotated[int, pydantic.Field(ge=5, le=180)] = 120
    """Seconds a phone may ring when the session's creator does not say."""

    max_calls: Annotated[int, pydantic.Field(ge=1)] = 1000
    """Calls that may be up at once; what is over is refused (503), so that those that are up keep
    their quality and the carrier can try elsewhere."""
    pool_headroom: Annotated[int, pydantic.Field(ge=0)] = 1
    """Warn when fewer virtual numbers than this are left for one more session like the last."""

    drain_timeout: Seconds = 60.0
    """Seconds that live calls get to finish after SIGTERM, before they are ended."""
    ari_timeout: Seconds = 5.0
    """Seconds Asterisk may take to carry out one command before the call is given up."""

    silence_limit: Annotated[float, pydantic.Field(ge=1, le=3600)] = 30.0
    """Seconds for which no audio may come from a phone in a call before it is asked whether it is
    still there, by a re-INVITE.  One that does not answer either is hung up 32 s later."""

    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    log_format: Literal["json", "console"] = "json"

    @pydantic.field_validator("database_url")
    @classmethod
    def _is_a_postgres_url(cls, value: pydantic.SecretStr) -> pydantic.SecretStr:
        setting_checks.postgres_url(value.get_secret_value())
        return value

    @pydantic.field_validator("ari_url")
    @classmethod
    def _is_a_server_alone(cls, value: pydantic.HttpUrl) -> pydantic.HttpUrl:
        if value.path != "/" or value.query or value.fragment or value.username or value.password:
            raise ValueError("must be http://host:port and no more: its paths are ours to know")
        return value

    @pydantic.field_validator("log_level", mode="before")
    @classmethod
    def _is_in_capitals(cls, value: Any) -> Any:
        return value.upper() if isinstance(value, str) else value

    @pydantic.model_validator(mode="after")
    def _have_ports_of_their_own(self) -> "Settings":
        here = {"127.0.0.1", "localhost", "0.0.0.0", "::"}  # noqa: S104 - compared, not listened on
        if {self.ari_url.host, self.api_host} <= here and self.ari_url.port == self.api_port:
            raise ValueError("BRIDGE_API_PORT must differ from the port in BRIDGE_ARI_URL")
        return self

    @pydantic.field_validator("ari_password")
    @classmethod
    def _is_a_real_password(cls, value: pydantic.SecretStr) -> pydantic.SecretStr:
        return strong_secret(value, at_least=16)


class SiteSettings(SpoolSettings, BaseSettings):
    """What Asterisk's configuration must know of this site."""

    model_config = SettingsConfigDict(env_prefix="BRIDGE_", frozen=True, extra="ignore")

    ari_user: Annotated[str, pydantic.Field(pattern=r"^[A-Za-z0-9_-]{1,32}$")] = "bridge"
    ari_password: pydantic.SecretStr
    ari_app: StasisApp = "bridge"
    """Name of the Stasis application, which the dialplan gives calls to."""
    ari_port: Port = 8088
    """Port of Asterisk's HTTP server, always on 127.0.0.1."""

    sip_host: pydantic.IPvAnyAddress = ipaddress.IPv4Address("127.0.0.1")
    """Address Asterisk takes SIP on."""
    sip_port: Port = 5060
    sip_external_address: str | None = None
    """Public address behind a NAT, written into SIP and SDP for peers outside ``sip_local_net``."""
    sip_local_net: pydantic.IPvAnyNetwork | None = None
    rtp_port_start: Port = 10000
    rtp_port_end: Port = 20000

    trunk_host: str = "127.0.0.2:5080"
    """Where calls go out to: the carrier's address, or host:port."""
    trunk_match: Networks = [ipaddress.IPv4Network("127.0.0.2/32")]
    """Comma-separated addresses or networks that calls come in from; nobody else is heard."""
    trunk_host_match: Networks = []
    """Comma-separated addresses or networks that ``trunk_host`` stands for where it is a name, as
    far as they are not in ``trunk_match``.  From there come requests in calls that go out, and no
    call."""
    trunk_media_match: Networks = []
    """Comma-separated addresses or networks that the carrier's audio comes from; `bridge.firewall`
    keeps all other audio out."""
    trunk_rtp_symmetric: bool = False
    """Whether audio is sent to where audio came from, and not to where SDP says (RFC 4961): for a
    carrier, or phones, behind a NAT.  A stranger who sends first then hears the call, so it wants
    the firewall."""
    trunk_user: str | None = None
    trunk_password: pydantic.SecretStr | None = None
    """Credentials with which the carrier lets us place calls, if it asks for any."""
    trunk_codecs: Annotated[str, pydantic.AfterValidator(setting_checks.codecs)] = "ulaw,alaw"
    """Comma-separated, of `bridge.setting_checks.CODECS`; the first is offered first."""

    @pydantic.field_validator("trunk_match")
    @classmethod
    def _is_somebody(cls, value: list[Any]) -> list[Any]:
        if not value:
            raise ValueError("names no address")
        return value

    @pydantic.field_validator("trunk_host", "sip_external_address")
    @classmethod
    def _is_a_host(cls, value: str | None, info: pydantic.ValidationInfo) -> str | None:
        with_port = info.field_name == "trunk_host"
        return None if value is None else setting_checks.host(value, with_port=with_port)

    @pydantic.field_validator("sip_host")
    @classmethod
    def _is_where_audio_can_be(cls, value: Any) -> Any:
        if value.version != 4:
            raise ValueError("must be an IPv4 address: audio is IPv4 only")
        return value

    @property
    def trunk_host_name(self) -> str:
        """``trunk_host`` without its port, and without the brackets of an IPv6 address."""
        return re.sub(r":\d+$", "", self.trunk_host).strip("[]")

    @property
    def trunk_sip_networks(self) -> list[ipaddress.IPv4Network | ipaddress.IPv6Network]:
        """Where SIP of the trunk comes from: its calls, and requests in calls that are up."""
        networks = [*self.trunk_match, *self.trunk_host_match]
        with contextlib.suppress(ValueError):  # a name; its addresses are in the settings
            networks.append(ipaddress.ip_network(self.trunk_host_name))
        return list(dict.fromkeys(networks))

    @pydantic.field_validator("trunk_user")
    @classmethod
    def _is_one_word(cls, value: str | None) -> str | None:
        if value is not None and not _SAFE_WORD.fullmatch(value):
            raise ValueError("may hold letters, digits and _.@+=/- only")
        return value

    @pydantic.field_validator("ari_password", "trunk_password")
    @classmethod
    def _is_safe_in_a_file(cls, value: pydantic.SecretStr | None, info: Any) -> Any:
        if value is None:
            return None
        if not _SAFE_WORD.fullmatch(value.get_secret_value()):
            raise ValueError("may hold letters, digits and _.@+=/- only")
        if info.field_name == "ari_password":  # one that can be guessed the bridge refuses
            return long_secret(value, at_least=16)
        return value

    @pydantic.model_validator(mode="after")
    def _fits_together(self) -> "SiteSettings":
        setting_checks.rtp_ports(self.rtp_port_start, self.rtp_port_end)
        if self.rtp_port_start <= self.sip_port <= self.rtp_port_end:
            raise ValueError(
                "BRIDGE_SIP_PORT must not be from BRIDGE_RTP_PORT_START to BRIDGE_RTP_PORT_END"
            )
        if self.sip_local_net and not self.sip_external_address:
            raise ValueError(
                "BRIDGE_SIP_LOCAL_NET does nothing without BRIDGE_SIP_EXTERNAL_ADDRESS"
            )
        if (self.trunk_user is None) != (self.trunk_password is None):
            raise ValueError("BRIDGE_TRUNK_USER and BRIDGE_TRUNK_PASSWORD go together")
        return self


def load(kind: type[_S]) -> _S:
    """Settings of that kind from the environment.

    Raises:
        ConfigError: naming every mistake by its variable, and never a value that may be secret.
    """
    mistakes = _empty(kind)
    try:
        settings = kind(_env_ignore_empty=True)  # an optional one that is empty is not set
    except pydantic.ValidationError as error:
        raise ConfigError("\n".join([*mistakes, *_mistakes(error)])) from None
    if mistakes:
        raise ConfigError("\n".join(mistakes))
    return settings


def variables(kind: type[BaseSettings]) -> list[str]:
    """Names of the environment variables of that kind of settings."""
    return [f"BRIDGE_{name.upper()}" for name in kind.model_fields]


def _empty(kind: type[BaseSettings]) -> list[str]:
    """Mistakes about variables that are empty although their settings have a default.

    Compose passes such for a line `NAME=`, and nobody can tell what was meant.
    """
    return [
        f"BRIDGE_{name.upper()} is empty: leave it out for its default"
        for name, field in kind.model_fields.items()
        if os.environ.get(f"BRIDGE_{name.upper()}") == ""
        and not (field.is_required() or field.default in (None, "", (), []))
    ]


def _mistakes(error: pydantic.ValidationError) -> list[str]:
    mistakes = []
    for fault in error.errors(include_input=False, include_url=False):
        message = fault["msg"].removeprefix("Value error, ")
        if fault["type"] == "missing":
            message = "is not set"
        name = f"BRIDGE_{fault['loc'][0]}".upper() if fault["loc"] else ""
        mistakes.append(f"{name} {message}".strip())
    return mistakes
