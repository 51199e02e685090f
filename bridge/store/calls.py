"""Calls and their legs in Postgres."""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import structlog

from bridge import metrics
from bridge.domain import events
from bridge.domain.advice import Webhook
from bridge.domain.attestation import Attestation
from bridge.domain.events import PinStatus, Telling
from bridge.domain.numbers import PhoneNumber
from bridge.domain.pins import LONGEST_PAUSE, WINDOW, Guess, NotYet, Tries, Wrong
from bridge.domain.rates import Charge
from bridge.domain.records import Arrival, CallRecord, LegRecord, OpenCall, Origin, Over, Role
from bridge.domain.routing import FORWARDED, Fallback, Lookup
from bridge.domain.sessions import AnswerGuard, Limits, Side
from bridge.store import pins, queries
from bridge.store.pool import Connection, Database, Row
from bridge.store.rates import charges_of
from bridge.store.session_rows import digits, lookup_digits, number, recording_plan, session
from bridge.store.teller import begin_tale, tale_of, tell_of_pin

log = structlog.get_logger(__name__)


class Calls:
    """The calls that one bridge carries.

    Args:
        node: the bridge's name; it alone completes the records that bear it.
        trunk: by whose rates its legs are charged.
        least_attestation: how far its carrier must vouch for a caller's number, whatever sessions
            say.
        over: the calls that it has seen end, whatever their rows still say.
    """

    def __init__(
        self,
        database: Database,
        *,
        node: str,
        trunk: str = "carrier",
        least_attestation: Attestation = Attestation.NONE,
        over: Callable[[], Over] = Over,
    ) -> None:
        self._database = database
        self._node = node
        self._trunk = trunk
        self._least_attestation = least_attestation
        self._over = over
        self._sql = queries.load()

    async def arrived(self, arrival: Arrival) -> Lookup:
        """Write an inbound call down; what is known of its caller and the number it dialled.

        Raises:
            StoreUnavailable: it was not written, or nobody knows.
        """
        async with self._database.connection() as connection:
            over = self._over()
            row = await self._sql.record_arrival(
                connection,
                call_id=arrival.call_id,
                node=self._node,
                channel_id=arrival.channel_id,
                dialled=arrival.dialled,
                caller=digits(arrival.caller),
                known_as=lookup_digits(arrival.caller),
                started_at=arrival.started_at,
                attestation=arrival.attestation.value,
                met=self._met(arrival),
                window=WINDOW,
                **_ids(over),
                latest=LONGEST_PAUSE,
            )
        question = pins.pin_question(row)
        return dataclasses.replace(
            lookup(row, arrival.caller),
            pin_question=question,
            pin_locked=question is not None and pins.tries(row).locked,
            unknown_caller_play=row["unknown_caller_play"],
        )

    async def identify(self, arrival: Arrival, guess: Guess) -> Lookup | Wrong | NotYet:
        """What is known of a caller who typed a PIN, unless it was wrong, which is counted.

        A right one is written down with the call, and the caller's number with the session where
        it is to be remembered.  After too many wrong ones of its caller even a right one is none,
        and after too many of anybody it waits for its turn.  The session that asked, or that it
        led to, is told.

        Raises:
            StoreUnavailable: it was not looked at, or nobody knows.
        """
        call_id, caller = arrival.call_id, arrival.caller
        where = {"virtual_number": arrival.dialled, "known_as": lookup_digits(caller)}
        async with self._database.transaction() as connection:
            await self._sql.lock_guesses(connection, **where)
            row = await self._sql.count_wrong_pins(
                connection, **where, window=WINDOW, latest=LONGEST_PAUSE
            )
            tries, now = pins.tries(row), row["now"]
            failed = events.pin_status(PinStatus.FAILED, now, retry=guess.retry)
            if guess.turn is None and tries.locked:
                await tell_of_pin(connection, call_id, guess.asked_by, failed)
                metrics.PINS_TYPED.labels("locked").inc()
                return Lookup(now=now, number_in_service=True, caller=caller, pin_locked=True)
            if guess.turn is None and tries.wait:
                turn = await self._sql.note_wrong_pin(
                    connection, **where, window=WINDOW, wait=tries.wait
                )
                metrics.PINS_TYPED.labels("early").inc()
                return NotYet(tries.wait, turn)
            found = await self._sql.identify_caller(
                connection, **where, call_id=call_id, pin=guess.pin
            )
            if found is None:
                await tell_of_pin(connection, call_id, guess.asked_by, failed)
                if guess.turn is None:
                    await self._sql.note_wrong_pin(connection, **where, window=WINDOW, wait=0.0)
                    tries = tries.after_a_wrong_one(withheld=caller is None)
                metrics.PINS_TYPED.labels("wrong").inc()
                await self._warn(connection, arrival, tries)
                return Wrong(tries.wait)
            right = events.pin_status(PinStatus.SUCCESS, now, retry=guess.retry)
            await tell_of_pin(connection, call_id, found["session"], right)
            metrics.PINS_TYPED.labels("right").inc()
            if guess.turn is not None:
                await self._sql.forget_turn(connection, id=guess.turn)
            await self._sql.remember_caller(connection, call_id=call_id, known_as=where["known_as"])
            row = await look_up(connection, call_id, self._over(), met=self._met(arrival))
            return dataclasses.replace(lookup(row, caller), identified=True)

    async def _warn(self, connection: Connection, arrival: Arrival, tries: Tries) -> None:
        """Say in the log, the metrics and the account's events that PINs are being guessed."""
        for bound in tries.reached:
            metrics.PIN_GUESSING.labels(bound.value).inc()
            if warned := await self._sql.warn_of_guessing(
                connection,
                virtual_number=arrival.dialled,
                attributes=dict(events.guessing(bound, arrival.dialled)),
            ):
                log.warning("PINs are being guessed", account=warned["account"], bound=bound.value)

    async def look_again(self, arrival: Arrival) -> Lookup | None:
        """What is known of a call whose pair may have a live session by now; ``None``: it has not.

        Raises:
            StoreUnavailable: it was not looked at, or nobody knows.
        """
        async with self._database.transaction() as connection:
            found = await self._sql.look_again(
                connection,
                call_id=arrival.call_id,
                virtual_number=arrival.dialled,
                known_as=lookup_digits(arrival.caller),
            )
            if found is None:
                return None
            row = await look_up(connection, arrival.call_id, self._over(), met=self._met(arrival))
            return lookup(row, arrival.caller)

    def _met(self, arrival: Arrival) -> Sequence[str]:
        """The demands that the carrier's word for the caller's number meets."""
        enough = arrival.attestation.meets(self._least_attestation)
        return arrival.attestation.met if enough else []

    async def open_calls(self) -> Sequence[OpenCall]:
        """Calls of this bridge whose record is not complete, oldest first."""
        async with self._database.connection() as connection:
            rows = [row async for row in self._sql.find_open_calls(connection, node=self._node)]
        return [_open_call(row) for row in rows]

    async def write_answer(
        self,
        connection: Connection,
        call_id: UUID,
        at: datetime | None,
        ringing_at: datetime | None,
    ) -> None:
        row = await self._sql.record_progress(
            connection, call_id=call_id, ringing_at=ringing_at, answered_at=at
        )
        await tale_of(call_id, row, connection).is_answered(at, ringing_at)

    async def write_end(self, connection: Connection, record: CallRecord) -> None:
        """Complete the record of a call and of its legs, in the caller's transaction.

        What a leg costs is written with it, and no rate that changes later changes it.
        """
        arrival, outcome = record.arrival, record.outcome
        row = await self._sql.record_end(
            connection,
            call_id=arrival.call_id,
            node=self._node,
            dialled=arrival.dialled,
            caller=digits(arrival.caller),
            started_at=arrival.started_at,
            ringing_at=record.ringing_at,
            answered_at=record.answered_at,
            ended_at=record.ended_at,
            end_is_estimate=record.end_is_estimate,
            disposition=outcome.disposition.value,
            reason=outcome.reason,
            fault=outcome.fault.value,
            hung_up_by=outcome.hung_up_by.value,
            missed_prompts=[dataclasses.asdict(missed) for missed in record.missed_prompts],
            refusal=dict(events.refusal(record)),
            told_at_most=events.REFUSALS_A_MINUTE,
            shown_number=digits(record.shown_number),
        )
        tale = tale_of(arrival.call_id, row, connection)
        charges = await charges_of(connection, record, self._trunk)
        await self._sql.record_legs(
            connection, [_leg_row(arrival, leg, charges[leg.role]) for leg in record.legs]
        )
        if tale.prolongs:
            await self._sql.prolong_session(connection, call_id=arrival.call_id)
        await tale.ends(record, charges)

    async def write_placed(
        self, connection: Connection, call_id: UUID, role: Role, at: datetime
    ) -> None:
        """The party of a leg is being called."""
        await (await begin_tale(connection, call_id)).is_placed(role, at)

    async def write_ringing(
        self, connection: Connection, call_id: UUID, role: Role, at: datetime
    ) -> None:
        """The phone of a party that is called rings."""
        record = self._sql.record_progress if role is Role.B else self._sql.record_caller_progress
        row = await record(connection, call_id=call_id, ringing_at=at, answered_at=None)
        await tale_of(call_id, row, connection).rings(role, at)

    async def write_caller_answer(
        self, connection: Connection, call_id: UUID, at: datetime
    ) -> None:
        """The caller's leg was answered before the other: for a prompt, or since it was ordered."""
        row = await self._sql.record_caller_progress(
            connection, call_id=call_id, ringing_at=None, answered_at=at
        )
        await tale_of(call_id, row, connection).caller_answers(at)

    async def write_redirection(
        self, connection: Connection, call_id: UUID, number: PhoneNumber, *, in_session: bool
    ) -> None:
        """A call goes to ``number``, and not to the other party."""
        await begin_tale(connection, call_id)
        await self._sql.redirect_call(
            connection, call_id=call_id, number=digits(number), in_session=in_session
        )

    async def write_pin_status(
        self, connection: Connection, call_id: UUID, session: UUID, telling: Telling
    ) -> None:
        """What came of a PIN that was not typed, or not asked for."""
        await tell_of_pin(connection, call_id, session, telling)


async def look_up(
    connection: Connection, call_id: UUID, over: Over, *, met: Sequence[str] = Attestation.A.met
) -> Row:
    """What is known of a call that is written down, and of the session that it belongs to.

    Args:
        met: the demands that the carrier's word for the caller's number meets.
    """
    row: Row = await queries.load().look_up_order(
        connection, call_id=call_id, met=met, **_ids(over)
    )
    return row


def _ids(over: Over) -> Mapping[str, Sequence[str]]:
    """As text: of an array of another type asyncpg asks Postgres first what it is."""
    return {"over": [*map(str, over.calls)], "made": [*map(str, over.made)]}


def lookup(row: Row, caller: PhoneNumber | None) -> Lookup:
    """What was found for a call of ``caller``."""
    account, of_account = row["number_account"], row["webhooks"] or {}
    return Lookup(
        now=row["now"],
        number_in_service=row["number_in_service"],
        number_is_full=row["number_is_full"],
        account_is_full=row["account_is_full"],
        unattested=row["unattested"],
        caller_is_ours=row["caller_is_ours"],
        callee_is_ours=row["callee_is_ours"],
        caller=caller,
        session=session(row) if row["id"] else None,
        caller_side=Side(row["caller_side"]) if row["caller_side"] else None,
        calls_up=row["calls_up"],
        calls_made=row["calls_made"],
        seconds_talked=row["seconds_talked"],
        last_counterpart=number(row["last_counterpart"]),
        about_parties=_webhook(account, "routing", row["options"] or {}, of_account),
        about_strangers=_webhook(account, "out_of_session", of_account),
        fallback=_fallback(row),
    )


def _leg_row(arrival: Arrival, leg: LegRecord, charge: Charge) -> Mapping[str, Any]:
    return {
        "call_id": arrival.call_id,
        "role": leg.role.value,
        "channel_id": leg.channel_id,
        "party_number": digits(leg.party_number),
        "started_at": leg.started_at,
        "ringing_at": leg.ringing_at,
        "answered_at": leg.answered_at,
        "ended_at": leg.ended_at,
        "hangup_cause": leg.hangup_cause,
        "sip_code": leg.sip_code,
        "billed_seconds": charge.billed_seconds,
        "rate": charge.price_per_minute,
        "amount": charge.amount,
    }


def _webhook(account: str, name: str, *settings: Mapping[str, Any]) -> Webhook | None:
    """The one of the first settings that have any."""
    for one in settings:
        if url := one.get(f"{name}_url"):
            return Webhook(
                account,
                url,
                one.get(f"{name}_backup_url"),
                allows_by_default=one.get(f"{name}_default") == "allow",
            )
    return None


def _fallback(row: Row) -> Fallback | None:
    fallback = Fallback(number(row["fallback_number"]), row["fallback_play_url"])
    return fallback if fallback != Fallback() else None


def _limits(row: Row) -> Limits | None:
    if row["forwarded"]:
        return FORWARDED
    if row["ring_timeout"] is None:
        return None
    return Limits(row["ring_timeout"], row["call_time_limit"])


def _open_call(row: Row) -> OpenCall:
    return OpenCall(
        arrival=Arrival(
            call_id=row["id"],
            channel_id=row["channel_id"],
            caller=number(row["caller"]),
            dialled=row["virtual_number"],
            started_at=row["started_at"],
            origin=Origin(row["origin"]),
        ),
        callee=number(row["callee"]),
        limits=_limits(row),
        guard=AnswerGuard(row["answer_guard"]),
        recording=recording_plan(row["options"]),
        ringing_at=row["ringing_at"],
        answered_at=row["answered_at"],
        caller_ringing_at=row["caller_ringing_at"],
        caller_answered_at=row["caller_answered_at"],
        crossed=row["crossed"],
    )
