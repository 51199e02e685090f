"""The pool of virtual numbers."""

from collections.abc import Sequence

from bridge.api.cursors import make_cursor
from bridge.api.problems import of_refusal
from bridge.api.render.forms import Json, digits
from bridge.domain.numbers import PhoneNumber
from bridge.domain.pool import NumberState, VirtualNumber
from bridge.domain.replacement import Replacement


def added(numbers: Sequence[PhoneNumber]) -> Json:
    """Numbers as they were understood: what came without its plus may have been meant otherwise."""
    return {
        "message": "created",
        "numbers": [digits(number) for number in numbers],
        "objects": [{"number": digits(one), "country": one.country} for one in numbers],
    }


def virtual_number(account: str, one: VirtualNumber) -> Json:
    """A number of the pool; what has no meaning here is null or false."""
    number = digits(one.number)
    return {
        "added_on": one.added_at.date().isoformat(),
        "active": one.state is NumberState.ACTIVE,
        "alias": one.alias or None,
        "application": None,
        "carrier": one.trunk,
        "city": None,
        "cnam_lookup": None,
        "compliance_application_id": None,
        "compliance_status": None,
        "country": one.country,
        "mms_enabled": False,
        "mms_rate": None,
        "monthly_rental_rate": None,
        "number": number,
        "number_type": one.number_type.value,
        "region": one.region or None,
        "renewal_date": None,
        "resource_uri": f"/v1/Account/{account}/Number/{number}/",
        "sms_enabled": False,
        "sms_rate": None,
        "sub_account": one.subaccount,
        "tendlc_campaign_id": None,
        "tendlc_registration_status": None,
        "toll_free_sms_verification": None,
        "voice_enabled": one.state.takes_calls,
        "voice_rate": None,
        "state": one.state.value,
        "reserved": one.reserved,
        "max_concurrent_calls": one.max_concurrent_calls,
        "fallback_number": digits(one.fallback_number) if one.fallback_number else None,
        "fallback_play_url": one.fallback_play_url,
        "live_sessions": one.live_sessions,
        "blocked_calls": one.blocked_calls,
    }


def replacement(found: Replacement) -> Json:
    return {
        "replaced": [
            {
                "session_uuid": str(one.session),
                "virtual_number": digits(one.virtual_number),
                "second_virtual_number": one.second_virtual_number
                and digits(one.second_virtual_number),
            }
            for one in found.replaced
        ],
        "not_replaced": [
            {"session_uuid": str(one.session), **of_refusal(one.refusal).content}
            for one in found.not_replaced
        ],
        "next_cursor": make_cursor(*found.next) if found.next else None,
    }
