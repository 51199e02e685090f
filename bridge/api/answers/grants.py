"""Numbers that the operator grants to an account."""

from bridge.api.answers.fields import Answer, Digits, Identified, Time, Uuid


class Grant(Answer):
    """Every number from the first to the last."""

    grant_id: Uuid
    first: Digits
    last: Digits
    country: str
    """ISO 3166, of the first number; 001 is no country's."""
    granted_at: Time
    granted_by: str
    """``operator`` for the command line, or which token."""


class GrantList(Identified):
    objects: list[Grant]
