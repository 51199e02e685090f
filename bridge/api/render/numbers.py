"""The pool of virtual numbers."""

from bridge.api.render.forms import Json, digits
from bridge.domain.reports import VirtualNumber


def virtual_number(account: str, one: VirtualNumber) -> Json:
    """A number of the pool, with those of Plivo's fields that have a meaning here."""
    number = digits(one.number)
    return {
        "added_on": one.added_at.date().isoformat(),
        "active": True,
        "alias": one.alias or None,
        "carrier": one.trunk,
        "country": one.country,
        "number": number,
        "number_type": "local",
        "voice_enabled": True,
        "sms_enabled": False,
        "mms_enabled": False,
        "sub_account": None,
        "resource_uri": f"/v1/Account/{account}/Number/{number}/",
    }
