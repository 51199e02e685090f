"""The account."""

from bridge.api.answers.fields import Identified, Time


class Account(Identified):
    """Plivo's fields; those about invoices are empty here.  Beyond Plivo's: created, countries,
    max_concurrent_calls.
    """

    account_type: str
    address: str
    auth_id: str
    auto_recharge: bool
    billing_mode: None
    cash_credits: str
    city: str
    countries: list[str] | None
    """ISO 3166: where its parties may be; null for anywhere.  The operator's to say."""
    created: Time
    max_concurrent_calls: int | None
    """Null: any number.  The operator's to say."""
    name: str
    resource_uri: str
    state: str
    timezone: str
