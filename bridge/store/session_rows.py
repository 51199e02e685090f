"""Sessions as rows of Postgres and as values of the domain."""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, time
from decimal import Decimal
from typing import Any

from bridge.domain.consent import Consent, PartyConsent
from bridge.domain.numbers import PhoneNumber
from bridge.domain.outcomes import Disposition, Fault, HungUpBy, Outcome
from bridge.domain.prompts import MissedPrompt
from bridge.domain.records import Role
from bridge.domain.reports import Ending, Interaction, SessionReport, SessionStatus
from bridge.domain.requests import NewSession, SessionChange, SessionFilter
from bridge.domain.sessions import (
    AnswerGuard,
    Direction,
    Manner,
    QuietHours,
    RecordingAnnouncement,
    RecordingPlan,
    Session,
    Side,
)
from bridge.store.pool import Row


def digits(number: PhoneNumber | None) -> str | None:
    return number.e164 if number else None


def all_digits(numbers: Iterable[PhoneNumber]) -> list[str]:
    return [number.e164 for number in numbers]


def lookup_digits(number: PhoneNumber | None) -> str | None:
    """Of a caller, or of a party whose calls are to be recognised: as ``route`` has it."""
    return number.lookup_form.e164 if number else None


def new_columns(new: NewSession, virtual_numbers: Mapping[Side, PhoneNumber]) -> Mapping[str, Any]:
    """Of a session that is made, with the number that each party calls."""
    return {
        "account": new.account,
        "first_party": digits(new.first_party),
        "second_party": digits(new.second_party),
        "first_party_alternates": all_digits(new.first_party_alternates),
        "second_party_alternates": all_digits(new.second_party_alternates),
        "virtual_number": digits(virtual_numbers[Side.FIRST]),
        "second_virtual_number": digits(virtual_numbers.get(Side.SECOND)),
        "single_party": new.single_party,
        "subaccount": new.subaccount,
        "direction": new.direction.value,
        "valid_from": new.valid_from,
        "expiry": new.expiry,
        "expiry_after_last_call": new.expiry_after_last_call,
        "ring_timeout": new.ring_timeout,
        "call_time_limit": new.call_time_limit,
        "max_calls": new.max_calls,
        "max_total_duration": new.max_total_duration,
        "client_reference_id": new.client_reference_id,
        "metadata": dict(new.metadata),
        "cooloff": new.cooloff,
        "options": dict(new.options),
    }


def changed_columns(change: SessionChange) -> Mapping[str, Any]:
    """``None``: as it was."""
    return {
        "expiry": change.expiry,
        "ring_timeout": change.ring_timeout,
        "call_time_limit": change.call_time_limit,
        "first_party": digits(change.first_party),
        "second_party": digits(change.second_party),
        "direction": change.direction.value if change.direction else None,
        "expiry_after_last_call": change.expiry_after_last_call,
        "max_calls": change.max_calls,
        "max_total_duration": change.max_total_duration,
        "metadata": None if change.metadata is None else dict(change.metadata),
        "options": dict(change.options),
    }


def filter_columns(wanted: SessionFilter) -> Mapping[str, Any]:
    """What the sessions of a list are to have; ``None``: anything."""
    return {
        "first_party": digits(wanted.first_party),
        "second_party": digits(wanted.second_party),
        "virtual_number": digits(wanted.virtual_number),
        "status": wanted.status.value if wanted.status else None,
        "subaccount": wanted.subaccount,
        "client_reference_id": wanted.client_reference_id,
        "metadata": wanted.metadata,
        "created_from": wanted.created.low,
        "created_to": wanted.created.high,
        "expires_from": wanted.expires.low,
        "expires_to": wanted.expires.high,
        "duration_from": wanted.duration.low,
        "duration_to": wanted.duration.high,
    }


def session(row: Row) -> Session:
    """A session from the columns that are its own."""
    return Session(
        id=row["id"],
        account=row["account"],
        first_party=number(row["first_party"]),
        second_party=number(row["second_party"]),
        first_party_alternates=_numbers(row["first_party_alternates"]),
        second_party_alternates=_numbers(row["second_party_alternates"]),
        virtual_number=PhoneNumber(row["virtual_number"]),
        second_virtual_number=number(row["second_virtual_number"]),
        direction=Direction(row["direction"]),
        created_at=row["created_at"],
        modified_at=row["modified_at"],
        valid_from=row["valid_from"],
        expires_at=row["expires_at"],
        closed_at=row["closed_at"],
        ring_timeout=row["ring_timeout"],
        call_time_limit=row["call_time_limit"],
        max_calls=row["max_calls"],
        max_total_duration=row["max_total_duration"],
        manner=_manner(row["options"]),
        recording=recording_plan(row["options"]),
        tells_all=row["options"].get("callback_events") == "all",
    )


def session_report(row: Row) -> SessionReport:
    return SessionReport(
        session=session(row),
        options=row["options"],
        single_party=row["single_party"],
        subaccount=row["subaccount"],
        expiry_after_last_call=row["expiry_after_last_call"],
        client_reference_id=row["client_reference_id"],
        metadata=row["metadata"],
        cooloff=row["cooloff"],
        status=SessionStatus(row["status"]),
        leg_count=row["leg_count"],
        billed_seconds=row["billed_seconds"],
        amount=row["amount"],
        calls_amount=row["calls_amount"],
        last_interaction_at=row["last_interaction_at"],
        interactions=[_interaction(item) for item in row["interactions"] or []],
    )


def _manner(options: Mapping[str, Any]) -> Manner:
    return Manner(
        first_prompt=options.get("first_party_play_url"),
        second_prompt=options.get("second_party_play_url"),
        quiet_hours=_quiet_hours(options.get("quiet_hours")),
        answer_guard=AnswerGuard(options.get("answer_guard", AnswerGuard.NONE)),
        time_limit_warning=options.get("time_limit_warning") or Manner.time_limit_warning,
        asks_pin=options.get("is_pin_authentication_required", False),
        forces_pin=options.get("force_pin_authentication", False),
    )


def _quiet_hours(option: Mapping[str, str] | None) -> QuietHours | None:
    if option is None:
        return None
    start, end = time.fromisoformat(option["start"]), time.fromisoformat(option["end"])
    return QuietHours(start, end, option["timezone"])


def number(text: str | None) -> PhoneNumber | None:
    return PhoneNumber(text) if text else None


def _numbers(texts: Sequence[str]) -> tuple[PhoneNumber, ...]:
    return tuple(PhoneNumber(text) for text in texts)


def recording_plan(options: Mapping[str, Any]) -> RecordingPlan | None:
    """From the options, whose defaults are those of the contract."""
    if not options.get("record", False):
        return None
    return RecordingPlan(
        options.get("record_file_format", "mp3"),
        RecordingAnnouncement(options.get("recording_announcement", RecordingAnnouncement.NONE)),
    )


def consent_json(given: Iterable[Consent], caller: Side | None) -> Sequence[Mapping[str, Any]]:
    """What is kept of what the two said; ``caller``: which party has the leg that came in."""
    if caller is None:
        return []
    return [
        {
            "party": (caller if one.role is Role.A else caller.other).value,
            "announcement": one.announcement.value,
            "sounds": [sound.removeprefix("sound:") for sound in one.sounds],
            "given": one.given,
            "digit": one.digit,
            "at": one.at.isoformat(),
        }
        for one in given
    ]


def consents(kept: Iterable[Mapping[str, Any]]) -> tuple[PartyConsent, ...]:
    """As `consent_json` made them."""
    return tuple(
        PartyConsent(
            party=Side(one["party"]),
            announcement=one["announcement"],
            sounds=tuple(one["sounds"]),
            given=one["given"],
            digit=one["digit"],
            at=datetime.fromisoformat(one["at"]),
        )
        for one in kept
    )


def _interaction(item: dict[str, Any]) -> Interaction:
    return Interaction(
        started_at=datetime.fromisoformat(item["started_at"]),
        ended_at=datetime.fromisoformat(item["ended_at"]) if item["ended_at"] else None,
        first_leg=uuid.UUID(item["first_leg"]) if item["first_leg"] else None,
        second_leg=uuid.UUID(item["second_leg"]) if item["second_leg"] else None,
        leg_count=item["leg_count"],
        seconds=int(item["seconds"]),
        billed_seconds=int(item["billed_seconds"]),
        amount=Decimal(item["amount"]),
        recording=uuid.UUID(item["recording"]) if item["recording"] else None,
        ending=ending(item),
        first_answered=bool(item["first_answered"]),
        second_answered=bool(item["second_answered"]),
        missed_prompts=[MissedPrompt(**one) for one in item["missed_prompts"]],
        recording_consent=consents(item["recording_consent"] or ()),
    )


def ending(item: Mapping[str, Any]) -> Ending | None:
    """How a call ended, from its columns; ``None``: it has not."""
    if item["disposition"] is None:
        return None
    return Ending(
        outcome=Outcome(
            Disposition(item["disposition"]),
            item["reason"] or "unknown",
            Fault(item["fault"] or Fault.UNKNOWN),
            HungUpBy(item["hung_up_by"] or HungUpBy.UNKNOWN),
        )
    )
