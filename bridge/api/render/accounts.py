"""The account."""

from bridge.api.render.forms import Json, timestamp
from bridge.domain.reports import Account


def account(one: Account) -> Json:
    """The account; what has no meaning here is empty."""
    return {
        "account_type": "standard",
        "address": "",
        "auth_id": one.auth_id,
        "auto_recharge": False,
        "billing_mode": None,
        "call_refused_url": one.webhooks.get("call_refused_url"),
        "cash_credits": "0.00000",
        "city": "",
        "countries": list(one.countries) if one.countries is not None else None,
        "created": timestamp(one.created_at),
        "event_privacy": one.event_privacy.value,
        "max_concurrent_calls": one.max_concurrent_calls,
        "max_numbers": one.max_numbers,
        "min_attestation": one.min_attestation.value,
        "name": one.name,
        "out_of_session_backup_url": one.webhooks.get("out_of_session_backup_url"),
        "out_of_session_url": one.webhooks.get("out_of_session_url"),
        "resource_uri": f"/v1/Account/{one.auth_id}/",
        "routing_backup_url": one.webhooks.get("routing_backup_url"),
        "routing_default": one.webhooks.get("routing_default", "refuse"),
        "routing_url": one.webhooks.get("routing_url"),
        "state": "",
        "timezone": "UTC",
    }
