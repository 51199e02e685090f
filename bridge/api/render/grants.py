"""Numbers that the operator grants to an account."""

from bridge.api.render.forms import Json, digits, timestamp
from bridge.domain.grants import Grant


def grant(one: Grant) -> Json:
    return {
        "grant_id": str(one.id),
        "first": digits(one.numbers.first),
        "last": digits(one.numbers.last),
        "country": one.country,
        "granted_at": timestamp(one.granted_at),
        "granted_by": one.granted_by,
    }
