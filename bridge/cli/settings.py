"""All settings together: names that are none, and values that do not fit each other."""

import os
from collections.abc import Mapping
from urllib.parse import urlsplit

from pydantic_settings import BaseSettings

from bridge import setting_checks
from bridge.config import Settings, SiteSettings, variables
from bridge.media_settings import MediaSettings
from bridge.webhook_settings import WebhookSettings

KINDS: tuple[type[BaseSettings], ...] = (Settings, SiteSettings, MediaSettings, WebhookSettings)
"""Every kind of settings that there is."""

_PORTS_OF_A_CALL = 4  # audio and its control, for two legs


def unknown_settings() -> list[str]:
    """A line for each variable that looks like a setting and is none; what was meant, if close."""
    return setting_checks.unknown(os.environ, {name for kind in KINDS for name in variables(kind)})


def together(loaded: Mapping[type[BaseSettings], BaseSettings]) -> list[str]:
    """Mistakes that only settings of two kinds show: one is for the bridge, one for Asterisk.

    What was not set is not compared: an Asterisk of your own may have its own way.
    """
    bridge, site = loaded.get(Settings), loaded.get(SiteSettings)
    if not isinstance(bridge, Settings) or not isinstance(site, SiteSettings):
        return []
    mistakes = []
    url = urlsplit(str(bridge.ari_url))
    if "ari_port" in site.model_fields_set and url.port != site.ari_port:
        mistakes.append("BRIDGE_ARI_URL must have the port that BRIDGE_ARI_PORT says")
    if {"rtp_port_start", "rtp_port_end"} & site.model_fields_set:
        calls = (site.rtp_port_end - site.rtp_port_start + 1) // _PORTS_OF_A_CALL
        if calls < bridge.max_calls:
            mistakes.append(
                f"BRIDGE_RTP_PORT_START and BRIDGE_RTP_PORT_END leave audio for {calls} calls:"
                " widen them, or lower BRIDGE_MAX_CALLS"
            )
    return mistakes
