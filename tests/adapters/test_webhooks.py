"""Events: written with what they tell of, and brought to receivers that misbehave."""

import asyncio
import dataclasses
import ipaddress
import json
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import parse_qsl

import asyncpg
import pytest
from aiohttp import web
from plivo.utils import validate_v3_signature

from bridge.domain.delivery import Rules
from bridge.domain.egress import EgressRules
from bridge.domain.events import PinStatus, pin_status
from bridge.domain.recordings import NewRecording, RecordingFailure
from bridge.domain.records import Arrival, CallRecord, Role
from bridge.domain.reports import SessionReport
from bridge.domain.requests import NewSession, Refusal
from bridge.egress.client import Egress
from bridge.store.calls import Calls
from bridge.store.event_log import EventLog
from bridge.store.journal import Journal
from bridge.store.listener import Listener
from bridge.store.numbers import Numbers
from bridge.store.outbox import DELIVERY_CHANNEL, Outbox
from bridge.store.pool import Database
from bridge.store.signing import SigningSecrets
from bridge.webhooks.delivery import Delivery
from tests.adapters.conftest import BY, sessions_of
from tests.adapters.test_calls import arrival, end
from tests.adapters.test_calls import record as record_without_ringing
from tests.fakes.asterisk import EPOCH
from tests.fakes.origin import Origin, hangs, hangs_up, hangs_up_half_way, says, slowly
from tests.people import ALICE, BOB, MALLORY, VIRTUAL

LOOPBACK = EgressRules(networks=(ipaddress.ip_network("127.0.0.1"),))
RULES = Rules(connect_within=30, within=30)
TALK = [
    "SessionSecondPartyRing",
    "SessionSecondPartyAnswer",
    "SessionFirstPartyAnswer",
    "SessionSecondPartyHangup",
    "SessionFirstPartyHangup",
    "SessionPartiesHangup",
]


@pytest.fixture
async def origin() -> AsyncIterator[Origin]:
    async with Origin.serving() as origin:
        yield origin


@pytest.fixture
async def egress() -> AsyncIterator[Egress]:
    async with Egress.opened(LOOPBACK) as egress:
        yield egress


@pytest.fixture
def calls(database: Database) -> Calls:
    return Calls(database, node="here")


def record(call: Arrival) -> CallRecord:
    whole = record_without_ringing(call)
    a_leg, b_leg = whole.legs
    return dataclasses.replace(
        whole, legs=(a_leg, dataclasses.replace(b_leg, ringing_at=whole.ringing_at))
    )


class Sessions:
    """Makes sessions whose events go to a URL."""

    def __init__(self, database: Database, account: str) -> None:
        self._database = database
        self._account = account

    async def __call__(self, url: str | None, **options: Any) -> SessionReport:
        given = {"callback_url": url} if url else {}
        made = await sessions_of(self._database).create(
            NewSession(
                account=self._account,
                first_party=ALICE,
                second_party=BOB,
                expiry=3600,
                ring_timeout=30,
                call_time_limit=600,
                options={**given, **options},
            ),
            BY,
        )
        assert isinstance(made, SessionReport)
        return made


@pytest.fixture
async def session(database: Database, account: str) -> Sessions:
    numbers = [VIRTUAL, *(type(VIRTUAL)(f"+1202555016{n}") for n in range(3))]
    await Numbers(database, trunk="carrier").add(account, numbers)
    return Sessions(database, account)


def delivery_of(database: Database, egress: Egress, **options: Any) -> Delivery:
    return Delivery(Outbox(database), egress, **{"rules": RULES, "now": lambda: EPOCH, **options})


async def a_call(calls: Calls, database: Database, made: SessionReport) -> None:
    """Rung, answered, talked and over."""
    dialled = made.session.virtual_number.e164
    one = arrival(dialled=dialled)
    await calls.arrived(one)
    async with database.transaction() as connection:
        await calls.write_answer(connection, one.call_id, EPOCH, EPOCH)
    await end(calls, database, record(one))


async def sent_all(delivery: Delivery) -> None:
    """Everything that is due now."""
    while await delivery.send_one():
        pass


async def states(database: Database) -> list[tuple[Any, ...]]:
    async with database.connection() as connection:
        rows = await connection.fetch(
            "SELECT sequence, state, attempts, last_error FROM delivery ORDER BY session, sequence"
        )
    return [tuple(row) for row in rows]


async def pass_time(database: Database) -> None:
    """Whatever waits is due."""
    async with database.connection() as connection:
        await connection.execute("UPDATE delivery SET next_attempt_at = now()")


def received(origin: Origin) -> list[str]:
    return [dict(parse_qsl(body.decode()))["EventName"] for body in origin.bodies]


async def test_the_end_of_a_call_and_its_events_are_one_transaction(
    calls: Calls, database: Database, session: Sessions
) -> None:
    made = await session(None)
    one = arrival()
    await calls.arrived(one)
    async with database.connection() as connection:
        dying = connection.transaction()
        await dying.start()
        await calls.write_end(connection, record(one))
        await dying.rollback()
    async with database.connection() as connection:
        assert await connection.fetchval("SELECT count(*) FROM event") == 0
    await end(calls, database, record(one))
    async with database.connection() as connection:
        rows = await connection.fetch("SELECT sequence, name, session FROM event ORDER BY sequence")
    assert [(row["sequence"], row["name"]) for row in rows] == list(enumerate(TALK, start=1))
    assert {row["session"] for row in rows} == {made.session.id}


async def test_each_thing_is_told_once_however_often_it_is_said(
    calls: Calls, database: Database, session: Sessions
) -> None:
    made = await session(None)
    one = arrival()
    await calls.arrived(one)
    async with database.transaction() as connection:
        await calls.write_ringing(connection, one.call_id, Role.B, EPOCH)
        await calls.write_answer(connection, one.call_id, EPOCH, EPOCH)
        await calls.write_caller_answer(connection, one.call_id, EPOCH)
        for retry in (0, 1):
            pin = pin_status(PinStatus.FAILED, EPOCH, retry=retry)
            await calls.write_pin_status(connection, one.call_id, made.session.id, pin)
    for _ in range(2):
        await end(calls, database, record(one))
    async with database.connection() as connection:
        rows = await connection.fetch("SELECT sequence, name FROM event ORDER BY sequence")
    pins = ["SessionPinAuthenticationStatus"] * 2
    assert [row["name"] for row in rows] == [*TALK[:3], *pins, *TALK[3:]]
    assert [row["sequence"] for row in rows] == list(range(1, 9))


async def test_the_journal_tells_in_the_order_in_which_it_is_told(
    calls: Calls, database: Database, session: Sessions
) -> None:
    await session(None)
    journal, one = Journal(database, calls), arrival()
    await journal.arrived(one)
    async with asyncio.TaskGroup() as group:
        run = group.create_task(journal.run())
        journal.caller_answered(one.call_id, EPOCH)
        journal.recording(
            NewRecording(
                id=uuid.uuid4(),
                call_id=one.call_id,
                format="mp3",
                started_at=EPOCH,
                failure=RecordingFailure.NOT_POSSIBLE,
            )
        )
        journal.ringing(one.call_id, Role.B, EPOCH)
        journal.answered(one.call_id, EPOCH, ringing_at=EPOCH)
        journal.ended(record(one))
        await journal.written()
        run.cancel()
    async with database.connection() as connection:
        rows = await connection.fetch("SELECT name FROM event ORDER BY sequence")
    first = ["SessionFirstPartyAnswer", "SessionRecordingFailed", "SessionSecondPartyRing"]
    assert [row["name"] for row in rows] == [*first, "SessionSecondPartyAnswer", *TALK[3:]]


ALL = [
    "SessionVirtualNumberAnswer",
    "SessionSecondPartyInitiated",
    *TALK[:4],
    "SessionSecondPartyComplete",
    "SessionFirstPartyHangup",
    "SessionFirstPartyComplete",
    "SessionPartiesHangup",
]


@pytest.mark.parametrize("live", [True, False], ids=["as it happens", "all at the end"])
async def test_whoever_asks_for_all_is_told_all_in_order_and_without_gaps(
    calls: Calls,
    database: Database,
    session: Sessions,
    egress: Egress,
    origin: Origin,
    live: bool,
) -> None:
    await session(origin.url, callback_events="all", callback_format="json")
    one = arrival()
    await calls.arrived(one)
    if live:
        async with database.transaction() as connection:
            await calls.write_placed(connection, one.call_id, Role.B, EPOCH)
        async with database.transaction() as connection:
            await calls.write_ringing(connection, one.call_id, Role.B, EPOCH)
        async with database.transaction() as connection:
            await calls.write_answer(connection, one.call_id, EPOCH, EPOCH)
    await end(calls, database, record(one))
    await sent_all(delivery_of(database, egress))
    told = [json.loads(body) for body in origin.bodies]
    assert [event["EventName"] for event in told] == ALL
    assert [event["SequenceNumber"] for event in told] == list(range(1, len(ALL) + 1))
    for event in told:
        assert event["FirstParty"] == event["From"] == ALICE.e164[1:]
        assert event["SecondParty"] == event["To"] == BOB.e164[1:]


async def test_that_a_call_comes_in_is_told_before_what_came_of_its_pin(
    calls: Calls, database: Database, session: Sessions
) -> None:
    made = await session(None, callback_events="all")
    one = arrival()
    await calls.arrived(one)
    known = pin_status(PinStatus.AUTHORIZED_CALLER, EPOCH)
    for _ in range(2):
        async with database.transaction() as connection:
            await calls.write_pin_status(connection, one.call_id, made.session.id, known)
    async with database.transaction() as connection:
        await calls.write_placed(connection, one.call_id, Role.B, EPOCH)
        rows = await connection.fetch("SELECT sequence, name FROM event ORDER BY sequence")
    assert [tuple(row) for row in rows] == [
        (1, "SessionVirtualNumberAnswer"),
        (2, "SessionPinAuthenticationStatus"),
        (3, "SessionSecondPartyInitiated"),
    ]


async def test_each_party_is_at_the_number_at_which_it_is_in_the_call(
    calls: Calls, database: Database, session: Sessions, egress: Egress, origin: Origin
) -> None:
    await session(origin.url, callback_events="all", callback_format="json")
    one = arrival(BOB)
    await calls.arrived(one)
    async with database.transaction() as connection:
        await calls.write_placed(connection, one.call_id, Role.B, EPOCH)
    await sent_all(delivery_of(database, egress))
    landed, placed = [json.loads(body) for body in origin.bodies]
    assert placed["EventName"] == "SessionFirstPartyInitiated"
    for event in (landed, placed):
        assert event["FirstParty"] == event["To"] == ALICE.e164[1:]
        assert event["SecondParty"] == event["From"] == BOB.e164[1:]


async def test_whoever_is_called_in_place_of_a_party_is_told_of_while_its_phone_rings(
    calls: Calls, database: Database, session: Sessions, egress: Egress, origin: Origin
) -> None:
    await session(origin.url, callback_format="json")
    one = arrival()
    await calls.arrived(one)
    async with database.transaction() as connection:
        await connection.execute("UPDATE call SET redirected_to = $1", MALLORY.e164)
        await calls.write_ringing(connection, one.call_id, Role.B, EPOCH)
    await sent_all(delivery_of(database, egress))
    [event] = [json.loads(body) for body in origin.bodies]
    assert (event["From"], event["To"]) == (ALICE.e164[1:], MALLORY.e164[1:])


async def test_whoever_asks_in_the_middle_of_a_call_is_told_the_rest_and_no_number_is_missing(
    calls: Calls, database: Database, session: Sessions
) -> None:
    await session(None)
    one = arrival()
    await calls.arrived(one)
    async with database.transaction() as connection:
        await calls.write_placed(connection, one.call_id, Role.B, EPOCH)
    async with database.transaction() as connection:
        await calls.write_answer(connection, one.call_id, EPOCH, EPOCH)
        assert await connection.fetchval("SELECT count(*) FROM event") == 3
        await connection.execute(
            """UPDATE session SET options = options || '{"callback_events": "all"}'"""
        )
    await end(calls, database, record(one))
    async with database.connection() as connection:
        rows = await connection.fetch("SELECT sequence, name FROM event ORDER BY sequence")
    assert sorted(row["name"] for row in rows) == sorted(ALL)
    assert [row["sequence"] for row in rows] == list(range(1, len(ALL) + 1))


async def test_a_stranger_s_call_tells_nobody_anything(
    calls: Calls, database: Database, session: Sessions
) -> None:
    await session(None)
    one = arrival(MALLORY)
    await calls.arrived(one)
    await end(calls, database, record(one))
    async with database.connection() as connection:
        assert await connection.fetchval("SELECT count(*) FROM event") == 0


async def test_no_real_number_is_stored_in_an_event(
    calls: Calls, database: Database, session: Sessions
) -> None:
    await a_call(calls, database, await session("http://127.0.0.1/"))
    async with database.connection() as connection:
        rows = await connection.fetch("SELECT event::text FROM event")
        rows += await connection.fetch("SELECT delivery::text FROM delivery")
    text = " ".join(row[0] for row in rows)
    assert ALICE.e164[1:] not in text
    assert BOB.e164[1:] not in text


@pytest.mark.parametrize(
    ("method", "format"), [("GET", "form"), ("POST", "form"), ("POST", "json")]
)
async def test_a_receiver_gets_every_event_signed_and_in_order(
    calls: Calls,
    database: Database,
    session: Sessions,
    egress: Egress,
    origin: Origin,
    method: str,
    format: str,
) -> None:
    made = await session(
        f"{origin.url}/hook?tag=b&tag=a#ct=1000&rc=1",
        callback_method=method,
        callback_format=format,
    )
    await a_call(calls, database, made)
    await sent_all(delivery_of(database, egress))
    assert [state for _, state, *_ in await states(database)] == ["delivered"] * 6
    async with database.connection() as connection:
        secret = await connection.fetchval("SELECT secret FROM signing_secret")
    sequence = []
    for request, body in zip(origin.requests, origin.bodies, strict=True):
        assert request.method == method
        assert "ct=" not in str(request.url)
        form = dict(parse_qsl(body.decode())) if format == "form" else {}
        given = form if method == "POST" else dict(request.query)
        if format == "json":
            given = json.loads(body)
            assert isinstance(given["SequenceNumber"], int)
        assert (given["From"], given["To"]) == (ALICE.e164[1:], BOB.e164[1:])
        assert given["SessionUUID"] == str(made.session.id)
        sequence.append(int(given["SequenceNumber"]))
        assert validate_v3_signature(
            method,
            str(request.url),
            request.headers["X-Plivo-Signature-V3-Nonce"],
            secret,
            request.headers["X-Plivo-Signature-V3"],
            form,
        )
        assert ("webhook-signature" in request.headers) == (method == "POST")
    assert sequence == [1, 2, 3, 4, 5, 6]
    nonces = {request.headers["X-Plivo-Signature-V3-Nonce"] for request in origin.requests}
    assert len(nonces) == 6


@pytest.mark.parametrize(
    ("behaviour", "error"),
    [
        (says(500), "http-500"),
        (says(404), "http-404"),
        (says(302, Location="http://169.254.169.254/latest/meta-data/"), "http-302"),
        (hangs, "timed-out"),
        (hangs_up, "broken-answer"),
        (hangs_up_half_way, "broken-answer"),
    ],
)
async def test_what_did_not_arrive_is_sent_again_and_those_after_it_wait(
    calls: Calls,
    database: Database,
    session: Sessions,
    egress: Egress,
    origin: Origin,
    behaviour: Callable[[web.Request], Awaitable[web.StreamResponse]],
    error: str,
) -> None:
    await a_call(calls, database, await session(origin.url))
    origin.answer = behaviour
    within = 0.3 if behaviour is hangs else 30
    rules = dataclasses.replace(RULES, within=within)
    await sent_all(delivery_of(database, egress, rules=rules))
    assert await states(database) == [
        (1, "pending", 1, error),
        *((sequence, "pending", 0, None) for sequence in range(2, 7)),
    ]
    origin.answer = says(200)
    await pass_time(database)
    await sent_all(delivery_of(database, egress))
    assert received(origin) == [TALK[0], *TALK]
    assert [state for _, state, *_ in await states(database)] == ["delivered"] * 6


async def test_a_receiver_that_is_away_gets_everything_when_it_is_back(
    calls: Calls, database: Database, session: Sessions, egress: Egress, origin: Origin
) -> None:
    async with Origin.serving() as gone:
        url = gone.url
    await a_call(calls, database, await session(url))
    delivery = delivery_of(database, egress)
    await sent_all(delivery)
    assert (await states(database))[0] == (1, "pending", 1, "no-connection")
    async with database.connection() as connection:
        await connection.execute(
            "UPDATE session SET options = options || jsonb_build_object('callback_url', $1::text)",
            origin.url,
        )
    await pass_time(database)
    await sent_all(delivery)
    assert received(origin) == TALK


async def test_a_receiver_that_refuses_and_comes_back_where_it_was_gets_everything(
    calls: Calls, database: Database, session: Sessions
) -> None:
    everywhere = EgressRules(networks=(ipaddress.ip_network("127.0.0.0/8"),))
    async with Origin.serving("127.77.7.7") as origin, Egress.opened(everywhere) as egress:
        await a_call(calls, database, await session(origin.url))
        delivery = delivery_of(database, egress)
        assert await delivery.send_one()
        await origin.goes_away()
        await sent_all(delivery)
        assert (await states(database))[1] == (2, "pending", 1, "no-connection")
        await origin.comes_back()
        await pass_time(database)
        await sent_all(delivery)
    assert received(origin) == TALK


@pytest.mark.parametrize(
    ("seconds", "state"),
    [(0.1, ("delivered", 1, None)), (60.0, ("pending", 1, "timed-out"))],
    ids=["in-time", "too-late"],
)
async def test_a_slow_receiver_has_its_time_and_no_more(
    calls: Calls,
    database: Database,
    session: Sessions,
    egress: Egress,
    origin: Origin,
    seconds: float,
    state: tuple[str, int, str | None],
) -> None:
    await a_call(calls, database, await session(origin.url))
    origin.answer = slowly(seconds, says(200))
    within = 10.0 if seconds < 1 else 0.3
    delivery = delivery_of(database, egress, rules=dataclasses.replace(RULES, within=within))
    assert await delivery.send_one()
    assert (await states(database))[0] == (1, *state)


async def test_an_address_that_is_not_allowed_is_not_called(
    calls: Calls, database: Database, session: Sessions, origin: Origin
) -> None:
    await a_call(calls, database, await session(origin.url))
    async with Egress.opened(EgressRules()) as egress:
        await sent_all(delivery_of(database, egress))
    assert (await states(database))[0] == (1, "pending", 1, "address-not-allowed")
    assert origin.requests == []


async def test_what_is_too_old_is_dead_and_lets_the_next_pass(
    calls: Calls, database: Database, session: Sessions, egress: Egress, origin: Origin
) -> None:
    made = await session(origin.url)
    await a_call(calls, database, made)
    origin.answer = says(500)
    delivery = delivery_of(database, egress, rules=dataclasses.replace(RULES, max_age=0.1))
    assert await delivery.send_one()
    origin.answer = says(200)
    await sent_all(delivery)
    assert [state for _, state, *_ in await states(database)] == ["dead", *["delivered"] * 5]
    async with database.connection() as connection:
        dead = await connection.fetchval("SELECT event FROM delivery WHERE state = 'dead'")
    log, ours = EventLog(database), made.session.account
    assert await log.replay("MA" + "X" * 18, dead) is Refusal.NOT_FOUND
    assert await log.replay(ours, uuid.uuid4()) is Refusal.NOT_FOUND
    assert await log.replay(ours, dead) is None
    assert await log.replay(ours, dead) is Refusal.EVENT_NOT_SENT, "it is on its way"
    await sent_all(delivery)
    assert received(origin)[-1] == TALK[0]
    assert [state for _, state, *_ in await states(database)] == ["delivered"] * 6


async def test_a_worker_that_dies_in_the_middle_has_done_nothing(
    calls: Calls,
    database: Database,
    database_url: str,
    session: Sessions,
    egress: Egress,
    origin: Origin,
) -> None:
    await a_call(calls, database, await session(origin.url))
    origin.answer = hangs
    async with Database.opened(database_url) as its_own, asyncio.TaskGroup() as group:
        dying = group.create_task(delivery_of(its_own, egress, rules=Rules(within=60)).send_one())
        await origin.asked.wait()
        assert not await delivery_of(database, egress).send_one(), "it is the other's"
        dying.cancel()
    origin.answer = says(200)
    await sent_all(delivery_of(database, egress))
    assert received(origin) == [TALK[0], *TALK]


async def test_many_workers_of_two_processes_keep_the_order_of_each_session(
    calls: Calls,
    database: Database,
    database_url: str,
    session: Sessions,
    egress: Egress,
    origin: Origin,
) -> None:
    made = [await session(origin.url) for _ in range(3)]
    for one in made * 3:
        await a_call(calls, database, one)
    turns = iter(range(1000))

    async def moody(_request: web.Request) -> web.StreamResponse:
        turn = next(turns)
        for _ in range(turn % 7):
            await asyncio.sleep(0)
        return web.Response(status=500 if turn % 5 == 0 else 200)

    origin.answer = moody
    async with Database.opened(database_url, size=20) as another:
        deliveries = [delivery_of(one, egress, chance=lambda: 1.0) for one in (database, another)]
        while any(state == "pending" for _, state, *_ in await states(database)):
            await pass_time(database)
            async with asyncio.TaskGroup() as group:
                for delivery in deliveries * 4:
                    group.create_task(sent_all(delivery))
    for one in made:
        sequences = [
            int(form["SequenceNumber"])
            for form in (dict(parse_qsl(body.decode())) for body in origin.bodies)
            if form["SessionUUID"] == str(one.session.id)
        ]
        assert sequences == sorted(sequences)
        assert set(sequences) == set(range(1, 19))


async def test_a_slow_receiver_holds_up_nobody_else(
    calls: Calls, database: Database, session: Sessions, egress: Egress, origin: Origin
) -> None:
    async with (
        Origin.serving() as slow,
        _running(
            delivery_of(database, egress, workers=3, per_host=2, rules=Rules(within=60)), database
        ),
    ):
        slow.answer = hangs
        for _ in range(3):
            await a_call(calls, database, await session(slow.url))
        await slow.asked.wait()
        await a_call(calls, database, await session(origin.url))
        async with asyncio.timeout(30):
            while len(origin.bodies) < 6:
                origin.asked.clear()
                await origin.asked.wait()
        assert len(slow.requests) == 1, "it has yet to show that it is quick"


@asynccontextmanager
async def _running(delivery: Delivery, database: Database) -> AsyncIterator[None]:
    """As in the service: woken by Postgres."""
    listener = Listener(database, [DELIVERY_CHANNEL], delivery.look)
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(delivery.run()), group.create_task(listener.run())]
        yield
        for task in tasks:
            task.cancel()


async def test_events_are_forgotten_when_they_are_old_but_not_on_their_way(
    calls: Calls, database: Database, session: Sessions, egress: Egress, origin: Origin
) -> None:
    await a_call(calls, database, await session(origin.url))
    delivery = delivery_of(database, egress)
    for _ in range(4):
        await delivery.send_one()
    async with database.connection() as connection:
        await connection.execute("UPDATE event SET happened_at = now() - interval '8 days'")
    outbox = Outbox(database)
    assert await outbox.remove_old(days=9, at_most=10) == 0
    assert await outbox.remove_old(days=7, at_most=3) == 3
    assert await outbox.remove_old(days=7, at_most=3) == 1
    assert [sequence for sequence, *_ in await states(database)] == [5, 6]


async def test_what_is_on_its_way_for_too_long_is_given_up(
    calls: Calls, database: Database, session: Sessions, egress: Egress, origin: Origin
) -> None:
    """A receiver that is away has events die before any worker comes to try them."""
    await a_call(calls, database, await session(origin.url))
    async with database.connection() as connection:
        await connection.execute("UPDATE event SET happened_at = now() - interval '8 days'")
        await connection.execute(
            "UPDATE delivery SET due_since = now() - interval '8 days' WHERE sequence < 5"
        )
    outbox = Outbox(database)
    assert await outbox.remove_old(days=9, at_most=10) == 0
    assert [state for _, state, *_ in await states(database)] == ["pending"] * 6
    assert await outbox.remove_old(days=7, at_most=3) == 3
    assert await outbox.remove_old(days=7, at_most=3) == 1
    assert [sequence for sequence, *_ in await states(database)] == [5, 6], "sent again of late"
    await sent_all(delivery_of(database, egress))
    assert received(origin) == TALK[4:]


async def test_every_account_has_one_current_signing_secret(
    database: Database, account: str
) -> None:
    async with database.connection() as connection:
        secret = await connection.fetchval("SELECT secret FROM signing_secret")
        assert len(secret) == len("whsec_") + 44
        with pytest.raises(asyncpg.UniqueViolationError):
            await connection.execute("INSERT INTO signing_secret (account) VALUES ($1)", account)


async def test_who_change_a_secret_at_the_same_moment_do_it_in_turn(
    database: Database, account: str
) -> None:
    secrets = SigningSecrets(database)
    async with asyncio.TaskGroup() as group:
        for _ in range(5):
            group.create_task(secrets.rotate(account, overlap=60))
    assert [one.retires_at is None for one in await secrets.list(account)] == [True, False]
