"""Settings about events on their way to applications."""

from typing import Annotated

import pydantic
from pydantic_settings import BaseSettings, SettingsConfigDict

from bridge.domain.delivery import Rules

_Duration = Annotated[float, pydantic.Field(gt=0, allow_inf_nan=False)]


class WebhookSettings(BaseSettings):
    """How hard events are brought to applications, and how long they are kept."""

    model_config = SettingsConfigDict(env_prefix="BRIDGE_", frozen=True, extra="ignore")

    webhook_connect_timeout: Annotated[float, pydantic.Field(ge=0.1, le=10)] = 5.0
    """Seconds to connect to a receiver; the URL's fragment may say otherwise, also for the next."""
    webhook_timeout: Annotated[float, pydantic.Field(ge=0.1, le=60)] = 15.0
    """Seconds a receiver has to answer, in all."""
    webhook_max_age: _Duration = 86400.0
    """Seconds for which an event is tried again before it is dead; those after it wait so long."""
    webhook_workers: Annotated[int, pydantic.Field(ge=1, le=200)] = 20
    """Requests at once.  Each holds a connection to Postgres."""
    webhook_workers_per_host: Annotated[int, pydantic.Field(ge=1, le=200)] = 5
    """Of them, to one host that is quick; one that is slow gets one, and all of these half.  A
    quarter is for quick ones alone."""
    routing_webhook_timeout: Annotated[float, pydantic.Field(ge=0.1, le=10)] = 2.5
    """Seconds that an application has, at each of its URLs, which is asked about a call."""
    event_retention_days: Annotated[int, pydantic.Field(ge=1, le=3650)] = 30
    """Days that events are kept, the dead ones too; what is on its way for longer is given up."""

    @property
    def webhook_rules(self) -> Rules:
        return Rules(
            connect_within=min(self.webhook_connect_timeout, self.webhook_timeout),
            within=self.webhook_timeout,
            max_age=self.webhook_max_age,
        )
