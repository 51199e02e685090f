"""Masking sessions and their interactions."""

import dataclasses
from decimal import Decimal
from uuid import UUID

from bridge.api.cursors import make_cursor
from bridge.api.render.forms import Json, digits, hangup, timestamp
from bridge.api.render.recordings import consent
from bridge.domain.numbers import PhoneNumber
from bridge.domain.reports import DryRun, Interaction, Page, SessionReport, SessionStep
from bridge.domain.sessions import Side

_PIN_FIELDS = (
    "generate_pin",
    "generate_pin_length",
    "first_party_pin",
    "second_party_pin",
    "pin_prompt_play",
    "pin_retry",
    "pin_retry_wait",
    "incorrect_pin_play",
)


def created(report: SessionReport) -> Json:
    """The answer to a create request: Plivo's nested form, and its guide's flat one beside it."""
    body = session(report)
    nested = {
        "session_uuid": body["session_uuid"],
        "virtual_number": report.session.virtual_number.e164,
        "message": "Session created",
        "session": body,
    }
    return {**body, "session_expiry": _lifetime(report), **nested}


def would_be(run: DryRun) -> Json:
    """The answer to a create request that was only tried."""
    second = run.second_virtual_number
    return {
        "message": "Dry run: no session was created",
        "virtual_number": run.virtual_number.e164,
        "second_virtual_number": second.e164 if second else None,
    }


def updated(report: SessionReport) -> Json:
    return {"message": "Session updated", "session": session(report)}


def session(report: SessionReport) -> Json:
    """A session, in the fixtures' order and types; what Plivo lacks comes after."""
    one, options = report.session, report.options
    with_pin = options["is_pin_authentication_required"]
    return {
        "first_party": _party(one.first_party),
        "second_party": _party(one.second_party),
        "virtual_number": digits(one.virtual_number),
        "status": report.status.value,
        "initiate_call_to_first_party": options["initiate_call_to_first_party"],
        "session_uuid": str(one.id),
        "callback_url": options["callback_url"] or "",
        "callback_method": options["callback_method"],
        "created_time": timestamp(one.created_at),
        "modified_time": timestamp(one.modified_at),
        "expiry_time": timestamp(one.closed_at or one.expires_at),
        "duration": _lifetime(report),
        "amount": _money(report.amount),
        "call_time_limit": one.call_time_limit,
        "ring_timeout": one.ring_timeout,
        "first_party_play_url": options["first_party_play_url"] or "",
        "second_party_play_url": options["second_party_play_url"] or "",
        "record": options["record"],
        "record_file_format": options["record_file_format"],
        "recording_callback_url": options["recording_callback_url"] or "",
        "recording_callback_method": options["recording_callback_method"],
        "interaction": [_interaction(one.account, item) for item in report.interactions] or None,
        "total_call_amount": _money(report.calls_amount),
        "total_call_count": report.leg_count,
        "total_call_billed_duration": report.billed_seconds,
        "total_session_amount": _money(report.amount + report.calls_amount),
        "last_interaction_time": timestamp(report.last_interaction_at),
        "unknown_caller_play": options["unknown_caller_play"] or "",
        "is_pin_authentication_required": with_pin,
        **{name: options[name] if with_pin else None for name in _PIN_FIELDS},
        "create_session_with_single_party": report.single_party or None,
        "virtual_number_cooloff_period": report.cooloff,
        "force_pin_authentication": options["force_pin_authentication"],
        **_extensions(report),
    }


def _extensions(report: SessionReport) -> Json:
    one, options = report.session, report.options
    return {
        "subaccount": report.subaccount,
        "virtual_number_mode": "per_party" if one.second_virtual_number else "shared",
        "second_virtual_number": _party(one.second_virtual_number) or None,
        "first_party_alternates": [*map(digits, one.first_party_alternates)],
        "second_party_alternates": [*map(digits, one.second_party_alternates)],
        "callback_format": options.get("callback_format", "form"),
        "callback_events": options.get("callback_events", "standard"),
        "recording_announcement": options.get("recording_announcement", "none"),
        "min_attestation": options.get("min_attestation"),
        "answer_guard": one.manner.answer_guard.value,
        "time_limit_warning": one.manner.time_limit_warning,
        "quiet_hours": options.get("quiet_hours"),
        "direction": one.direction.value,
        "valid_from": timestamp(one.valid_from),
        "expiry_after_last_call": report.expiry_after_last_call,
        "max_calls": one.max_calls,
        "max_total_duration": one.max_total_duration,
        "client_reference_id": report.client_reference_id,
        "metadata": dict(report.metadata),
        "routing_url": options.get("routing_url"),
        "routing_backup_url": options.get("routing_backup_url"),
        "routing_default": options.get("routing_default", "refuse"),
        "remember_caller": report.options.get("remember_caller", False),
    }


def step(one: SessionStep) -> Json:
    """Something that became of a session."""
    return {
        "time": timestamp(one.at),
        "what": one.what,
        "actor": one.actor,
        "reason": one.reason,
        "changed": list(one.changed),
    }


def next_cursor(found: Page[SessionReport]) -> str | None:
    """Where the next page begins, whatever comes or goes meanwhile."""
    if not found.more:
        return None
    last = found.items[-1].session
    return make_cursor(last.created_at, last.id)


def _party(number: PhoneNumber | None) -> str:
    """Without the plus; empty where there is none, which is also how SDKs send it."""
    return digits(number) if number else ""


def listed_session(report: SessionReport) -> Json:
    one = report.session
    uri = f"/v1/Account/{one.account}/Masking/Session/{one.id}/"
    return {**session(report), "resource_uri": uri}


def _lifetime(report: SessionReport) -> int:
    one = report.session
    return round(((one.closed_at or one.expires_at) - one.created_at).total_seconds())


def _interaction(account: str, item: Interaction) -> Json:
    """One call.  What there is not is left out, as Plivo does."""
    fields = {
        "start_time": timestamp(item.started_at),
        "end_time": timestamp(item.ended_at) or None,
        "first_party_resource_url": _call_url(account, item.first_leg),
        "second_party_resource_url": _call_url(account, item.second_leg),
        "type": "call",
        "recording_resource_url": _recording_url(account, item.recording),
        "total_call_amount": _money(item.amount),
        "call_billed_duration": item.billed_seconds,
        "total_call_count": item.leg_count,
        "duration": item.seconds,
        "first_party_status": item.status(Side.FIRST),
        "second_party_status": item.status(Side.SECOND),
        **hangup(item.ending),
        "missed_prompts": [dataclasses.asdict(one) for one in item.missed_prompts] or None,
        "recording_consent": [*map(consent, item.recording_consent)] or None,
    }
    return {name: value for name, value in fields.items() if value is not None}


def _money(amount: Decimal) -> int | float:
    """A whole amount as a whole number: Plivo's Go SDK reads ``amount`` as one."""
    return int(amount) if amount == int(amount) else float(amount)


def _recording_url(account: str, recording: UUID | None) -> str | None:
    return f"/v1/Account/{account}/Recording/{recording}/" if recording else None


def _call_url(account: str, leg: UUID | None) -> str | None:
    return f"/v1/Account/{account}/Call/{leg}" if leg else None
