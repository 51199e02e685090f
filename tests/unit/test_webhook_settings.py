"""Settings about events on their way."""

import pytest

from bridge.config import ConfigError, load
from bridge.domain.delivery import Rules
from bridge.webhook_settings import WebhookSettings


def test_nothing_has_to_be_set() -> None:
    assert load(WebhookSettings).webhook_rules == Rules()


def test_they_are_the_rules_by_which_events_are_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BRIDGE_WEBHOOK_TIMEOUT", "3")
    monkeypatch.setenv("BRIDGE_WEBHOOK_MAX_AGE", "60")
    rules = load(WebhookSettings).webhook_rules
    assert (rules.connect_within, rules.within, rules.max_age) == (3, 3, 60)


def test_every_mistake_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    mistakes = {
        "BRIDGE_WEBHOOK_TIMEOUT": "61",
        "BRIDGE_WEBHOOK_CONNECT_TIMEOUT": "0",
        "BRIDGE_WEBHOOK_MAX_AGE": "inf",
        "BRIDGE_WEBHOOK_WORKERS": "0",
        "BRIDGE_WEBHOOK_WORKERS_PER_HOST": "many",
        "BRIDGE_EVENT_RETENTION_DAYS": "-1",
    }
    for name, value in mistakes.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ConfigError) as error:
        load(WebhookSettings)
    assert all(name in str(error.value) for name in mistakes)
