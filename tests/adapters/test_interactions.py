"""What the API says of a session's calls, computed once more from the legs in Postgres."""

import dataclasses
import random
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import pytest

from bridge.domain.causes import Cause
from bridge.domain.numbers import PhoneNumber
from bridge.domain.outcomes import (
    CANCELLED,
    CUSTOMER_HUNG_UP,
    LOOPED,
    RING_TIMEOUT,
    TIME_LIMIT,
    HungUpBy,
    Outcome,
    completed,
    refused,
)
from bridge.domain.prompts import MissedPrompt
from bridge.domain.rates import Direction, Rate
from bridge.domain.records import CallRecord, LegRecord, Role
from bridge.domain.verdicts import Evidence, callee_failed, caller_failed
from bridge.store.calls import Calls
from bridge.store.pool import Database
from bridge.store.rates import Rates
from tests.adapters.conftest import Api
from tests.adapters.test_calls import arrival, end
from tests.adapters.test_rates import rate
from tests.fakes.asterisk import EPOCH
from tests.people import ALICE, BOB

RATES = [
    rate("", "0.011", first_seconds=60, next_seconds=6, connection_fee=Decimal("0.005")),
    rate("1415", "0.0333", first_seconds=1, next_seconds=7),
    rate("", "0.0041", direction=Direction.INBOUND, first_seconds=30, next_seconds=30),
]
OUTCOMES = [
    *(completed(who) for who in (HungUpBy.CALLER, HungUpBy.CALLEE)),
    TIME_LIMIT,
    CUSTOMER_HUNG_UP,
    callee_failed(Evidence(sip_code=486))[0],
    RING_TIMEOUT,
    CANCELLED,
    LOOPED,
    refused("session-busy")[0],
]


def some_call(chance: random.Random, outcome: Outcome, begin: datetime) -> CallRecord:
    """A call of either party that ended so, of any length, to the microsecond."""
    caller, callee = chance.choice([(ALICE, BOB), (BOB, ALICE)])
    answered = begin + timedelta(seconds=chance.uniform(0, 40))
    over = answered + timedelta(seconds=chance.choice([0, chance.uniform(0, 400), 60, 66]))
    talked = outcome.disposition == "completed"
    call = dataclasses.replace(arrival(caller), started_at=begin)

    def leg(role: Role, number: PhoneNumber, late: float, cause: int) -> LegRecord:
        return LegRecord(
            role=role,
            channel_id=f"{role}-{call.call_id}",
            party_number=number,
            started_at=begin,
            answered_at=answered if talked else None,
            ended_at=over + timedelta(seconds=late),
            hangup_cause=cause,
        )

    legs = [leg(Role.A, caller, 0, Cause.NORMAL_CLEARING)]
    if outcome.disposition != "refused":
        busy = Cause.USER_BUSY if outcome.disposition == "busy" else Cause.NORMAL_CLEARING
        legs.append(leg(Role.B, callee, chance.uniform(0, 0.9), busy))
    return CallRecord(
        arrival=call,
        outcome=outcome,
        answered_at=answered if talked else None,
        ended_at=max(leg.ended_at for leg in legs if leg.ended_at),
        legs=tuple(legs),
    )


def seconds_begun(row: Any) -> int:
    if row["answered_at"] is None:
        return 0
    whole, rest = divmod(row["ended_at"] - row["answered_at"], timedelta(seconds=1))
    return int(whole) + bool(rest)


def of_rate(row: Any) -> Rate:
    if row["role"] == "a":
        return RATES[2]
    return RATES[1] if row["party_number"].startswith("+1415") else RATES[0]


def billed(row: Any) -> int:
    seconds, tariff = seconds_begun(row), of_rate(row).tariff
    count = tariff.first_seconds if seconds else 0
    while count < seconds:
        count += tariff.next_seconds
    return count


def cost(row: Any) -> Decimal:
    if row["answered_at"] is None:
        return Decimal(0)
    tariff = of_rate(row).tariff
    exact = tariff.connection_fee + tariff.price_per_minute * billed(row) / 60
    return exact.quantize(Decimal("0.000001"), rounding=ROUND_HALF_UP)


def told(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S} +0000 UTC"


@pytest.mark.parametrize("seed", range(3))
async def test_interactions_agree_with_their_legs_to_the_second_and_the_cent(
    api: Api, database: Database, seed: int
) -> None:
    chance = random.Random(seed)  # noqa: S311 - the same calls in every run
    await Rates(database).put(RATES)
    session = (await api.session())["session_uuid"]
    calls = Calls(database, node="here")
    ends = [*OUTCOMES, *chance.choices(OUTCOMES, k=9)]
    chance.shuffle(ends)
    for number, outcome in enumerate(ends):
        one = some_call(chance, outcome, EPOCH + timedelta(hours=number))
        await calls.arrived(one.arrival)
        await end(calls, database, one)
    _, answer = await api("GET", f"Masking/Session/{session}/")
    shown = answer["response"]
    async with database.connection() as connection:
        rows = await connection.fetch("SELECT * FROM call ORDER BY started_at")
        legs = await connection.fetch("SELECT * FROM leg")
    talks = [call for call in rows if call["disposition"] != "refused"]
    assert len(shown["interaction"]) == len(talks) == len(ends) - ends.count(OUTCOMES[-1])
    for one, call in zip(shown["interaction"], talks, strict=True):
        of_call = [leg for leg in legs if leg["call"] == call["id"]]
        assert one["start_time"] == told(call["started_at"])
        assert one["end_time"] == told(max(leg["ended_at"] for leg in of_call))
        assert one["total_call_count"] == len(of_call) == 2
        assert one["duration"] == sum(map(seconds_begun, of_call))
        assert one["call_billed_duration"] == sum(map(billed, of_call))
        assert Decimal(str(one["total_call_amount"])) == sum(map(cost, of_call))
        for leg in of_call:
            party = "first" if leg["party_number"] == ALICE.e164 else "second"
            _, got = await api("GET", one[f"{party}_party_resource_url"])
            assert got["call_uuid"] == str(leg["id"])
            assert got["call_duration"] == seconds_begun(leg)
            assert got["billed_duration"] == billed(leg)
            assert Decimal(got["total_amount"]) == cost(leg)
            assert got["hangup_cause_code"] == one["hangup_cause_code"]
    of_talks = [leg for leg in legs if leg["call"] in {call["id"] for call in talks}]
    assert shown["total_call_count"] == len(of_talks)
    assert shown["total_call_billed_duration"] == sum(map(billed, of_talks))
    assert Decimal(str(shown["total_call_amount"])) == sum(map(cost, of_talks))
    assert shown["last_interaction_time"] == told(max(leg["ended_at"] for leg in of_talks))


@pytest.mark.parametrize(
    ("outcome", "first", "second", "cause", "source"),
    [
        (completed(HungUpBy.CALLER), "completed", "completed", "Normal Hangup", "Caller"),
        (completed(HungUpBy.CALLEE), "completed", "completed", "Normal Hangup", "Callee"),
        (TIME_LIMIT, "completed", "completed", "Scheduled Hangup", "Plivo"),
        (CUSTOMER_HUNG_UP, "completed", "completed", "Normal Hangup", "API Request"),
        (callee_failed(Evidence(sip_code=486))[0], "busy", "busy", "Busy Line", "Callee"),
        (callee_failed(Evidence(sip_code=503))[0], "failed", "failed", "Network Error", "Carrier"),
        (RING_TIMEOUT, "no-answer", "no-answer", "Ring Timeout Reached", "Plivo"),
        (CANCELLED, "cancel", "cancel", "Cancelled", "Caller"),
        (LOOPED, "failed", "failed", "Loop Detected", "Callee"),
    ],
)
async def test_an_interaction_says_how_it_ended_and_whose_doing_that_was(
    api: Api,
    database: Database,
    outcome: Outcome,
    first: str,
    second: str,
    cause: str,
    source: str,
) -> None:
    session = (await api.session())["session_uuid"]
    calls = Calls(database, node="here")
    one = some_call(random.Random(0), outcome, EPOCH)  # noqa: S311
    await calls.arrived(one.arrival)
    _, answer = await api("GET", f"Masking/Session/{session}/")
    [before] = answer["response"]["interaction"]
    assert "in-progress" in {before.get("first_party_status"), before.get("second_party_status")}
    assert "hangup_cause_name" not in before
    await end(calls, database, one)
    _, answer = await api("GET", f"Masking/Session/{session}/")
    [after] = answer["response"]["interaction"]
    assert (after["first_party_status"], after["second_party_status"]) == (first, second)
    assert (after["hangup_cause_name"], after["hangup_source"]) == (cause, source)


async def test_an_interaction_names_the_prompts_that_it_had_to_do_without(
    api: Api, database: Database
) -> None:
    session = (await api.session())["session_uuid"]
    calls = Calls(database, node="here")
    url = "https://x.test/hello.mp3"
    one = dataclasses.replace(
        some_call(random.Random(0), OUTCOMES[0], EPOCH),  # noqa: S311
        missed_prompts=(MissedPrompt(url, "http-404"),),
    )
    await calls.arrived(one.arrival)
    await end(calls, database, one)
    _, answer = await api("GET", f"Masking/Session/{session}/")
    [shown] = answer["response"]["interaction"]
    assert shown["missed_prompts"] == [{"url": url, "reason": "http-404"}]


@pytest.mark.parametrize(
    ("made", "blocked"),
    [
        (callee_failed(Evidence(sip_code=603, network_blocked=True))[0], True),
        (callee_failed(Evidence(sip_code=607))[0], True),
        (caller_failed(Evidence(sip_code=608)), True),
        (callee_failed(Evidence(sip_code=603))[0], False),
        (completed(HungUpBy.CALLER), False),
    ],
)
async def test_a_number_counts_the_calls_that_a_network_blocked_for_it(
    api: Api, database: Database, made: Outcome, blocked: bool
) -> None:
    """The number that was shown counts, where each party has its own; and not for ever."""
    await api.session()
    shown, dialled = PhoneNumber("+12025550150"), PhoneNumber("+12025550142")
    await api("POST", "Number/", {"numbers": [shown.e164]})
    calls = Calls(database, node="here")
    for number, days_ago in ((shown, 1), (shown, 2), (None, 1), (shown, 31), (None, 31)):
        at = datetime.now(UTC) - timedelta(days=days_ago)
        one = dataclasses.replace(arrival(dialled=dialled.e164), started_at=at)
        async with database.connection() as connection:
            await calls.write_end(
                connection,
                CallRecord(arrival=one, outcome=made, ended_at=at, legs=(), shown_number=number),
            )
    counted = {
        one["number"]: one["blocked_calls"]
        for one in (await api("GET", "Number/"))[1]["objects"]
        if one["blocked_calls"]
    }
    expected = {shown.e164[1:]: 2, dialled.e164[1:]: 1} if blocked else {}
    assert counted == expected
    found = (await api("GET", f"Number/{shown.e164}/"))[1]
    assert found["blocked_calls"] == expected.get(shown.e164[1:], 0)
