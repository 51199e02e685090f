"""Settings about URLs that clients name: every mistake is told, and nothing is let in by one."""

import ipaddress

import pytest

from bridge.config import ConfigError, load
from bridge.domain.egress import EgressRules
from bridge.media_settings import MediaSettings


def test_by_default_only_public_addresses_and_web_ports() -> None:
    assert load(MediaSettings).egress_rules == EgressRules()


def test_what_is_named_is_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BRIDGE_EGRESS_ALLOW_NETWORKS", "10.1.0.0/16, 127.0.0.1,fd00::/8")
    monkeypatch.setenv("BRIDGE_EGRESS_PORTS", "443, 8000-8999")
    rules = load(MediaSettings).egress_rules
    assert rules.allow(ipaddress.ip_address("10.1.2.3"))
    assert rules.allow(ipaddress.ip_address("127.0.0.1"))
    assert not rules.allow(ipaddress.ip_address("127.0.0.2"))
    assert rules.fault("https://[fd00::1]/") is None
    assert rules.fault("http://127.0.0.1:8999/") is None
    assert rules.fault("http://127.0.0.1/") == "port-not-allowed"


def test_nothing_is_allowed_by_an_empty_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BRIDGE_EGRESS_ALLOW_NETWORKS", "")
    assert load(MediaSettings).egress_rules == EgressRules()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("BRIDGE_EGRESS_ALLOW_NETWORKS", "0.0.0.0/0"),
        ("BRIDGE_EGRESS_ALLOW_NETWORKS", "10.0.0.0/8,::/0"),
        ("BRIDGE_EGRESS_ALLOW_NETWORKS", "10.0.0.1/8"),
        ("BRIDGE_EGRESS_ALLOW_NETWORKS", "our-pbx"),
        ("BRIDGE_EGRESS_PORTS", ""),
        ("BRIDGE_EGRESS_PORTS", "http"),
        ("BRIDGE_EGRESS_PORTS", "0-65535"),
        ("BRIDGE_EGRESS_PORTS", "443-80"),
        ("BRIDGE_EGRESS_PORTS", "70000"),
        ("BRIDGE_PROMPT_DIRECTORY", "prompts"),
        ("BRIDGE_PROMPT_DIRECTORY", "/var/a,sound:b"),
        ("BRIDGE_PROMPT_ASTERISK_DIRECTORY", "/var/${SHELL(id)}"),
        ("BRIDGE_PROMPT_CACHE_SIZE", "1000"),
        ("BRIDGE_PROMPT_MAX_SIZE", "0"),
        ("BRIDGE_PROMPT_MAX_DURATION", "3600"),
        ("BRIDGE_PROMPT_MAX_AGE", "0"),
    ],
)
def test_mistakes_are_named_by_their_variable(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ConfigError) as error:
        load(MediaSettings)
    assert str(error.value).startswith(name)
