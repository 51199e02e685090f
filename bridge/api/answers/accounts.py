"""The account."""

from typing import Literal

from bridge.api.answers.fields import Identified, Time


class Account(Identified):
    """Plivo's fields; those about invoices are empty here.

    Beyond Plivo's: created, countries, event_privacy, max_concurrent_calls, max_numbers,
    min_attestation, and who is asked about calls.
    """

    account_type: str
    address: str
    auth_id: str
    auto_recharge: bool
    billing_mode: None
    call_refused_url: str | None
    """Told of calls that are refused."""
    cash_credits: str
    city: str
    countries: list[str] | None
    """ISO 3166: where its parties may be; null for anywhere.  The operator's to say."""
    created: Time
    event_privacy: Literal["full", "last2", "token"]
    """How its events show the parties' numbers.  The operator's to say."""
    max_concurrent_calls: int | None
    """Null: any number.  The operator's to say."""
    max_numbers: int | None
    """In its pool at once.  Null: as many as are granted to it.  The operator's to say."""
    min_attestation: Literal["none", "C", "B", "A"]
    """How far a carrier must vouch for a caller's number.  The operator's to say."""
    name: str
    out_of_session_backup_url: str | None
    out_of_session_url: str | None
    """Asked about callers who have no live session."""
    resource_uri: str
    routing_backup_url: str | None
    routing_default: Literal["refuse", "allow"]
    routing_url: str | None
    """Asked before parties are connected."""
    state: str
    timezone: str
