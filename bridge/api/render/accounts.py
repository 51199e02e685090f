"""The account."""

from bridge.api.render.forms import Json, timestamp
from bridge.domain.reports import Account


def account(one: Account) -> Json:
    """The account, with those of Plivo's fields that have a meaning here."""
    return {
        "account_type": "standard",
        "auth_id": one.auth_id,
        "cash_credits": "0.00000",
        "created": timestamp(one.created_at),
        "name": one.name,
        "resource_uri": f"/v1/Account/{one.auth_id}/",
        "timezone": "UTC",
    }
