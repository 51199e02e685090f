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
        "cash_credits": "0.00000",
        "city": "",
        "countries": list(one.countries) if one.countries is not None else None,
        "created": timestamp(one.created_at),
        "max_concurrent_calls": one.max_concurrent_calls,
        "name": one.name,
        "resource_uri": f"/v1/Account/{one.auth_id}/",
        "state": "",
        "timezone": "UTC",
    }
