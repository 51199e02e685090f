"""Events on their way out, to applications and to whoever looks on: the parts of it, run as one."""

import asyncio
import functools
from datetime import UTC, datetime

from bridge.egress.client import Egress
from bridge.store.event_feed import EventFeed
from bridge.store.listener import Listener
from bridge.store.outbox import DELIVERY_CHANNEL, EVENT_CHANNEL, Outbox
from bridge.store.pool import Database
from bridge.store.upkeep import keep_up
from bridge.webhook_settings import WebhookSettings
from bridge.webhooks.delivery import Delivery


async def deliver_events(
    database: Database, egress: Egress, feed: EventFeed, settings: WebhookSettings
) -> None:
    """Send events, tell the feed when there are new ones, and forget the old; until cancelled.

    Args:
        database: of its own, with connections for each worker of webhooks and three more.
    """
    async with asyncio.TaskGroup() as parts:
        outbox = Outbox(database)
        delivery = Delivery(
            outbox,
            egress,
            rules=settings.webhook_rules,
            now=lambda: datetime.now(UTC),
            workers=settings.webhook_workers,
            per_host=settings.webhook_workers_per_host,
        )
        event_listener = Listener(database, [EVENT_CHANNEL], feed.look)
        delivery_listener = Listener(database, [DELIVERY_CHANNEL], delivery.look)
        forget = functools.partial(outbox.remove_old, days=settings.event_retention_days)
        parts.create_task(delivery.run(), name="webhooks")
        parts.create_task(event_listener.run(), name="event listener")
        parts.create_task(delivery_listener.run(), name="delivery listener")
        parts.create_task(keep_up(forget, every=600.0), name="retention")
