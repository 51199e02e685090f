"""Settings about events on their way to applications."""

from typing import Annotated, Self

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

    @pydantic.model_validator(mode="after")
    def _do_not_contradict_each_other(self) -> Self:
        """Only what was set: defaults give way to it."""
        given = self.model_fields_set
        for name, limit, largest in (
            ("webhook_connect_timeout", "webhook_timeout", self.webhook_timeout),
            ("webhook_workers_per_host", "webhook_workers", self.webhook_workers),
            ("webhook_max_age", "event_retention_days", self.event_retention_days * 86400),
        ):
            if name in given and getattr(self, name) > largest:
                raise ValueError(
                    f"BRIDGE_{name.upper()} must not be more than BRIDGE_{limit.upper()} says"
                )
        return self

    @property
    def webhook_rules(self) -> Rules:
        return Rules(
            connect_within=min(self.webhook_connect_timeout, self.webhook_timeout),
            within=self.webhook_timeout,
            max_age=self.webhook_max_age,
        )
