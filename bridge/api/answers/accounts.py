"""The account."""

from bridge.api.answers.fields import Identified, Time


class Account(Identified):
    account_type: str
    auth_id: str
    cash_credits: str
    created: Time
    name: str
    resource_uri: str
    timezone: str
