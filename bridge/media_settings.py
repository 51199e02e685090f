"""Settings about URLs that clients name: where requests may go, and what is kept of prompts."""

import re
from pathlib import Path
from typing import Annotated, Any

import pydantic
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from bridge.config import Seconds
from bridge.domain.egress import WEB_PORTS, EgressRules
from bridge.setting_types import AsteriskPath, Networks


class MediaSettings(BaseSettings):
    """Where requests to URLs that clients name may go, and what is kept of the prompts there."""

    model_config = SettingsConfigDict(env_prefix="BRIDGE_", frozen=True, extra="ignore")

    egress_allow_networks: Networks = []
    """Comma-separated networks that are called although they are not public.  An API client may
    then send requests to whatever listens there, so name no more than the hosts that are meant."""
    egress_ports: Annotated[list[range], NoDecode] = list(WEB_PORTS)
    """Comma-separated ports and ranges of ports, such as ``80,443,1024-65535``."""

    routing_allow_http: bool = False
    """Whether questions about calls, which hold full numbers, may go to ``http://`` URLs.  Without
    it they go by TLS, or to an address of loopback."""

    prompt_directory: AsteriskPath = Path("/var/lib/masking-bridge/prompts")
    """Where prompts are kept.  Asterisk must be able to read it."""
    prompt_asterisk_directory: AsteriskPath | None = None
    """The same directory as Asterisk calls it, if it calls it otherwise."""
    prompt_cache_size: Annotated[int, pydantic.Field(ge=16_000_000)] = 256_000_000
    """Bytes that prompts may take on disk; the one not used for longest makes room."""
    prompt_max_size: Annotated[int, pydantic.Field(ge=10_000, le=50_000_000)] = 5_000_000
    """Bytes that a prompt's file may have."""
    prompt_max_duration: Annotated[float, pydantic.Field(ge=1, le=600)] = 300.0
    """Seconds that a prompt may last."""
    prompt_max_age: Seconds = 300.0
    """Seconds for which a prompt is played before its server is asked for a newer one."""

    @pydantic.field_validator("egress_ports", mode="before")
    @classmethod
    def _are_ports(cls, value: Any) -> Any:
        return [_ports(part) for part in value.split(",")] if isinstance(value, str) else value

    @property
    def egress_rules(self) -> EgressRules:
        return EgressRules(
            networks=tuple(self.egress_allow_networks),
            ports=tuple(self.egress_ports),
            numbers_over_http=self.routing_allow_http,
        )


def _ports(text: str) -> range:
    match = re.fullmatch(r"([0-9]{1,5})(?:-([0-9]{1,5}))?", text.strip())
    first, last = (int(match[1]), int(match[2] or match[1])) if match else (0, 0)
    if not 0 < first <= last < 65536:
        raise ValueError("must be ports, such as 80,443,1024-65535")
    return range(first, last + 1)
