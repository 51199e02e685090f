"""Parts of an account."""

from bridge.api.answers.fields import Answer, Identified, Message, Meta


class Subaccount(Answer):
    """Plivo's fields.  Its tokens are null: they would open nothing in this API."""

    account: str
    auth_id: str
    auth_token: None
    created: str
    enabled: bool
    modified: str | None
    name: str
    new_auth_token: None
    resource_uri: str


class SubaccountFound(Subaccount, Identified):
    pass


class SubaccountCreated(Message):
    auth_id: str
    auth_token: None


class SubaccountList(Identified):
    meta: Meta
    objects: list[Subaccount]
