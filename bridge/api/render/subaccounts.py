"""Parts of an account."""

from bridge.api.render.forms import Json
from bridge.domain.pool import Subaccount


def subaccount(one: Subaccount) -> Json:
    """A subaccount, in the fixtures' order.  It has no tokens."""
    account = f"/v1/Account/{one.account}/"
    modified = one.modified_at.date().isoformat()
    return {
        "account": account,
        "auth_id": one.auth_id,
        "auth_token": None,
        "created": one.created_at.date().isoformat(),
        "enabled": one.enabled,
        "modified": modified if one.modified_at > one.created_at else None,
        "name": one.name,
        "new_auth_token": None,
        "resource_uri": f"{account}Subaccount/{one.auth_id}/",
    }
