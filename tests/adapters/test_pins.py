"""PINs over a real Postgres: whose they are, whom they lead to, and what guessing costs."""

import asyncio
import dataclasses
import itertools
import uuid
from datetime import UTC, datetime
from typing import Any

import pytest
import structlog
from prometheus_client import REGISTRY

from bridge.domain.numbers import PhoneNumber
from bridge.domain.pins import (
    CALLER_TRIES,
    LONGEST_WAIT,
    ON_NUMBER,
    WITHHELD,
    Guess,
    NotYet,
    Pins,
    Wrong,
    room,
)
from bridge.domain.records import Arrival
from bridge.domain.reports import SessionReport
from bridge.domain.requests import NewSession, Refusal, SessionChange
from bridge.domain.routing import AskPin, Connect, Decision, Lookup, Refuse, route
from bridge.domain.sessions import Side
from bridge.store.accounts import Accounts
from bridge.store.calls import Calls
from bridge.store.journal import Journal
from bridge.store.numbers import Numbers
from bridge.store.orders import Orders
from bridge.store.pool import Database
from bridge.store.sessions import Sessions
from tests.adapters.conftest import BY, sessions_of
from tests.people import ALICE, BOB, CAROL, MALLORY, VIRTUAL

SECOND_VIRTUAL = PhoneNumber("+12025550143")
GIVEN = Pins(first="1111", second="2222")
WRONG = "9999"
OPTIONS = {
    "is_pin_authentication_required": True,
    "pin_prompt_play": "https://x.test/pin.mp3",
    "incorrect_pin_play": "https://x.test/wrong.mp3",
    "pin_retry": 2,
    "pin_retry_wait": 7,
}


def person(number: int) -> PhoneNumber:
    return PhoneNumber(f"+1303555{number:04}")


@dataclasses.dataclass
class Desk:
    """An account's sessions with PINs, and strangers who call."""

    account: str
    database: Database
    sessions: Sessions
    calls: Calls

    async def asked(
        self,
        first: PhoneNumber | None,
        second: PhoneNumber | None,
        pins: Pins | None = GIVEN,
        options: dict[str, Any] | None = None,
        **otherwise: Any,
    ) -> SessionReport | Refusal:
        given = {"first_party_pin": pins.first, "second_party_pin": pins.second} if pins else {}
        new = NewSession(
            account=self.account,
            first_party=first,
            second_party=second,
            expiry=3600,
            ring_timeout=30,
            call_time_limit=600,
            options={**(OPTIONS if pins else {}), **given, **(options or {})},
            pins=pins,
        )
        made = await self.sessions.create(dataclasses.replace(new, **otherwise), BY)
        assert isinstance(made, SessionReport | Refusal)
        return made

    async def session(self, *wanted: Any, **otherwise: Any) -> SessionReport:
        made = await self.asked(*wanted, **otherwise)
        assert isinstance(made, SessionReport), made
        return made

    async def arrives(
        self, caller: PhoneNumber | None, dialled: PhoneNumber = VIRTUAL
    ) -> tuple[Arrival, Lookup]:
        call_id = uuid.uuid4()
        arrival = Arrival(
            call_id=call_id,
            channel_id=f"channel-{call_id}",
            caller=caller,
            dialled=dialled.e164,
            started_at=datetime.now(UTC),
        )
        return arrival, await self.calls.arrived(arrival)

    async def types(
        self,
        pin: str,
        caller: PhoneNumber | None = MALLORY,
        dialled: PhoneNumber = VIRTUAL,
        *,
        retry: int = 0,
    ) -> Decision | None:
        """What becomes of a caller who is asked, and types that; its call is over then."""
        arrival, lookup = await self.arrives(caller, dialled)
        decided: Decision | None = route(lookup)
        if isinstance(decided, AskPin):
            guess = Guess(pin, retry, asked_by=decided.session)
            found = await self.calls.identify(arrival, guess)
            decided = route(found) if isinstance(found, Lookup) else None
        await self.execute(
            "UPDATE call SET ended_at = now(), disposition = 'completed' WHERE id = $1",
            arrival.call_id,
        )
        return decided

    async def reaches(self, pin: str, *caller: Any) -> PhoneNumber | None:
        decided = await self.types(pin, *caller)
        return decided.callee if isinstance(decided, Connect) else None

    async def execute(self, statement: str, *arguments: Any) -> None:
        async with self.database.connection() as connection:
            await connection.execute(statement, *arguments)

    async def passes(self, seconds: int) -> None:
        """Time, for all that was typed wrongly."""
        await self.execute(
            "UPDATE wrong_pin SET typed_at = typed_at - make_interval(secs => $1)", seconds
        )

    async def rows(self, statement: str) -> list[tuple[Any, ...]]:
        async with self.database.connection() as connection:
            return [tuple(row) for row in await connection.fetch(statement)]


@pytest.fixture
async def desk(account: str, database: Database) -> Desk:
    await Numbers(database, trunk="carrier").add(account, [VIRTUAL])
    return Desk(account, database, sessions_of(database), Calls(database, node="here"))


# --- whom a PIN leads to ---


async def test_a_stranger_is_asked_as_the_newest_session_says_and_its_pin_decides(
    desk: Desk,
) -> None:
    await desk.session(ALICE, BOB)
    newest = await desk.session(
        CAROL, person(1), Pins(first="333333", second="4444"), {"pin_retry": 0}, cooloff=60
    )
    _, lookup = await desk.arrives(MALLORY)
    assert route(lookup) == AskPin(
        session=newest.session.id,
        prompt="https://x.test/pin.mp3",
        incorrect="https://x.test/wrong.mp3",
        retries=0,
        wait=7,
        length=6,
    )
    assert await desk.reaches("1111") == BOB
    assert await desk.reaches("2222") == ALICE
    assert await desk.reaches("333333") == person(1)
    assert await desk.reaches("4444", None) == CAROL
    assert await desk.reaches(WRONG) is None


async def test_a_right_pin_is_written_down_with_the_call_and_is_only_seen_by_its_customer(
    desk: Desk,
) -> None:
    made = await desk.session(ALICE, BOB)
    with structlog.testing.capture_logs() as lines:
        await desk.types("1111")
        await desk.types(WRONG)
    assert await desk.rows("SELECT session, caller_side FROM call ORDER BY started_at") == [
        (made.session.id, "first"),
        (None, None),
    ]
    history = await desk.rows("SELECT session_history::text FROM session_history")
    events = await desk.rows("SELECT event::text FROM event")
    tries = await desk.rows("SELECT virtual_number, caller FROM wrong_pin")
    assert tries == [(VIRTUAL.e164, MALLORY.e164)]
    for pin in ("1111", "2222", WRONG):
        assert pin not in str(lines).replace(MALLORY.e164, "")
        assert f",{pin}," not in str([*history, *events])


async def test_a_party_that_calls_from_its_own_number_is_not_asked(desk: Desk) -> None:
    await desk.session(ALICE, BOB)
    _, lookup = await desk.arrives(ALICE)
    assert isinstance(route(lookup), Connect)
    assert lookup.pin_question is None


async def test_a_party_that_must_type_its_pin_is_asked_even_so(desk: Desk) -> None:
    await desk.session(ALICE, BOB, GIVEN, {"force_pin_authentication": True, "pin_retry": 5})
    await desk.session(CAROL, person(1), Pins(first="3333", second="4444"))
    _, lookup = await desk.arrives(ALICE)
    asked = route(lookup)
    assert isinstance(asked, AskPin)
    assert asked.retries == 5  # as its own session says, not the newest
    await desk.execute("UPDATE call SET ended_at = now(), disposition = 'cancelled'")
    assert await desk.reaches("1111", ALICE) == BOB


async def test_a_party_who_is_called_first_need_not_type_anything(desk: Desk) -> None:
    made = await desk.session(ALICE, BOB, GIVEN, {"force_pin_authentication": True})
    orders = Orders(desk.database, node="here")
    assert isinstance(await orders.order(desk.account, made.session.id, Side.FIRST), uuid.UUID)
    order = await orders.take()
    assert order
    assert isinstance(route(order.lookup), Connect)


async def test_nobody_is_led_to_itself(desk: Desk) -> None:
    await desk.session(ALICE, BOB, GIVEN, {"force_pin_authentication": True})
    assert await desk.types("2222", ALICE) is None


async def test_on_a_number_each_a_pin_counts_on_its_party_s_own(desk: Desk) -> None:
    await Numbers(desk.database, trunk="carrier").add(desk.account, [SECOND_VIRTUAL])
    await desk.session(
        ALICE, BOB, per_party=True, virtual_number=VIRTUAL, second_virtual_number=SECOND_VIRTUAL
    )
    assert await desk.reaches("1111", MALLORY, VIRTUAL) == BOB
    assert await desk.reaches("2222", MALLORY, VIRTUAL) is None
    assert await desk.reaches("2222", MALLORY, SECOND_VIRTUAL) == ALICE
    assert await desk.types("2222", BOB, VIRTUAL) is None
    swapped = Pins(first="2222", second="1111")
    await desk.session(
        CAROL,
        person(1),
        swapped,
        per_party=True,
        virtual_number=VIRTUAL,
        second_virtual_number=SECOND_VIRTUAL,
    )


async def test_the_missing_party_s_pin_leads_to_the_one_who_is_there(desk: Desk) -> None:
    await desk.session(ALICE, None, single_party=True)
    assert await desk.reaches("2222", CAROL) == ALICE
    assert await desk.reaches("1111", ALICE) == CAROL  # not asked: whom it talked to last
    assert await desk.reaches("1111", MALLORY) == CAROL


async def test_without_pins_strangers_hear_what_the_newest_session_plays(desk: Desk) -> None:
    await desk.session(ALICE, BOB, None, {"unknown_caller_play": "https://x.test/1.mp3"})
    await desk.session(CAROL, person(1), None, {"unknown_caller_play": "https://x.test/2.mp3"})
    await desk.session(person(2), person(3), None, {"unknown_caller_play": None})
    assert await desk.types("", MALLORY) == Refuse("unknown-caller", "https://x.test/2.mp3")
    await desk.session(person(4), person(5))
    assert isinstance(route((await desk.arrives(MALLORY))[1]), AskPin)


async def test_a_session_that_is_over_asks_for_nothing_and_its_pins_are_free(desk: Desk) -> None:
    made = await desk.session(ALICE, BOB)
    await desk.sessions.expire(desk.account, made.session.id, BY, hang_up=False)
    assert await desk.types("1111") == Refuse("unknown-caller")
    await desk.session(ALICE, CAROL)
    assert await desk.reaches("1111") == CAROL


# --- whose a PIN is ---


async def test_a_pin_is_held_as_long_as_a_pair_is(desk: Desk) -> None:
    """While its session lives, cools off, or has a call up; longer if it is prolonged."""
    made = await desk.session(ALICE, BOB, cooloff=60)
    held = "SELECT DISTINCT pin.held_until = route.held_until FROM pin JOIN route USING (session)"
    assert await desk.rows(held) == [(True,)]
    change = SessionChange(expiry=7200, expiry_after_last_call=9000)
    changed = await desk.sessions.update(desk.account, made.session.id, change, BY)
    assert isinstance(changed, SessionReport)
    assert await desk.rows(held) == [(True,)]
    arrival, _ = await desk.arrives(ALICE)
    await desk.execute("UPDATE call SET ended_at = now(), disposition = 'completed'")
    async with desk.database.connection() as connection:
        await desk.sessions._sql.prolong_session(connection, call_id=arrival.call_id)
    assert await desk.rows(held) == [(True,)]
    await desk.execute("UPDATE call SET ended_at = NULL, disposition = NULL")
    await desk.sessions.expire(desk.account, made.session.id, BY, hang_up=False)
    assert await desk.rows(held) == [(True,)]
    assert await desk.asked(CAROL, MALLORY) is Refusal.PIN_TAKEN  # it cools off
    await desk.execute("UPDATE pin SET held_until = now()")
    assert await desk.asked(CAROL, MALLORY) is Refusal.PIN_TAKEN  # its call is up
    await desk.execute("UPDATE call SET ended_at = now(), disposition = 'completed'")
    await desk.session(CAROL, MALLORY)


async def test_a_clash_is_refused_only_where_no_number_is_free_of_it(desk: Desk) -> None:
    await desk.session(ALICE, BOB)
    assert await desk.asked(CAROL, MALLORY, Pins(first="5555", second="1111")) is Refusal.PIN_TAKEN
    assert await desk.asked(CAROL, MALLORY, Pins(first="2222", second="5555")) is Refusal.PIN_TAKEN
    await Numbers(desk.database, trunk="carrier").add(desk.account, [SECOND_VIRTUAL])
    made = await desk.session(CAROL, MALLORY, Pins(first="5555", second="1111"))
    assert made.session.virtual_number == SECOND_VIRTUAL
    named = await desk.asked(person(1), person(2), virtual_number=VIRTUAL)
    assert named is Refusal.PIN_TAKEN
    assert await desk.rows("SELECT count(*) FROM session") == [(2,)]
    warned = await desk.rows("SELECT FROM event WHERE name = 'NumberPoolExhausted'")
    assert warned == []  # for numbers are left


async def test_strangers_are_asked_or_taken_but_not_both_on_one_number(desk: Desk) -> None:
    alone: dict[str, Any] = {"single_party": True, "takes_anybody": True}
    await desk.session(ALICE, BOB)
    assert await desk.asked(CAROL, None, None, **alone) is Refusal.POOL_IN_USE
    await Numbers(desk.database, trunk="carrier").add(desk.account, [SECOND_VIRTUAL])
    made = await desk.session(CAROL, None, None, **alone)
    assert made.session.virtual_number == SECOND_VIRTUAL
    named = await desk.asked(MALLORY, person(1), virtual_number=SECOND_VIRTUAL)
    assert named is Refusal.NAMED_NUMBER_IN_USE


async def test_a_drawn_pin_that_is_taken_is_drawn_anew(desk: Desk) -> None:
    some = itertools.cycle(["1111", "2222", "3333", "4444"])
    desk.sessions = Sessions(
        desk.database, Orders(desk.database, node="here"), draw_pin=lambda _: next(some)
    )
    await desk.session(ALICE, BOB)
    made = await desk.session(CAROL, MALLORY, Pins(second="5555"))
    assert made.options["second_party_pin"] == "5555"
    assert made.options["first_party_pin"] in {"3333", "4444"}


async def test_of_a_hundred_who_create_at_once_no_two_have_the_same_pin(desk: Desk) -> None:
    """From a hundred PINs more than they need, so that they clash all the time."""
    some = itertools.cycle(f"{number:04}" for number in range(300))
    desk.sessions = Sessions(
        desk.database, Orders(desk.database, node="here"), draw_pin=lambda _: next(some)
    )
    slots = asyncio.Semaphore(20)

    async def create(one: int) -> SessionReport:
        async with slots:
            return await desk.session(person(2 * one), person(2 * one + 1), Pins(length=4))

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(create(one)) for one in range(100)]
    shown = [task.result().options[f"{side}_party_pin"] for task in tasks for side in Side]
    assert len(set(shown)) == 200
    held = await desk.rows("SELECT pin FROM pin")
    assert sorted(shown) == sorted(pin for (pin,) in held)


async def test_of_many_who_give_the_same_two_pins_crosswise_one_has_them(desk: Desk) -> None:
    people = map(person, itertools.count())
    for one, other in (("1111", "2222"), ("3333", "4444"), ("5555", "6666")):
        crosswise = itertools.cycle([Pins(first=one, second=other), Pins(first=other, second=one)])
        async with asyncio.TaskGroup() as group:
            tasks = [
                group.create_task(desk.asked(next(people), next(people), next(crosswise)))
                for _ in range(20)
            ]
        made = [task.result() for task in tasks]
        assert [answer for answer in made if isinstance(answer, Refusal)] == [
            Refusal.PIN_TAKEN
        ] * 19


async def test_where_no_pin_of_a_length_is_left_a_longer_one_is_drawn(desk: Desk) -> None:
    made = await desk.session(ALICE, BOB)
    await desk.execute(
        "INSERT INTO pin (virtual_number, pin, session, side, held_until)"
        " SELECT $1, lpad(number::text, 4, '0'), $2, 'first', now() + interval '1 hour'"
        "   FROM generate_series(0, 9999) AS number ON CONFLICT DO NOTHING",
        VIRTUAL.e164,
        made.session.id,
    )
    longer = await desk.session(CAROL, MALLORY, Pins(length=4))
    assert len(longer.options["first_party_pin"]) == 5


async def test_pins_are_longer_the_more_sessions_a_number_has(desk: Desk) -> None:
    """However many there are, a guesser has the same small chance (`GUESS_CHANCE`)."""
    people = map(person, itertools.count())
    for _ in range(room(4) // 2 + room(5) // 2 + 1):
        made = await desk.session(next(people), next(people), Pins(length=4))
        pins = [made.options[f"{side}_party_pin"] for side in Side]
        assert {len(pin) for pin in pins} == {made.options["generate_pin_length"]}
    held = await desk.rows("SELECT length(pin), count(*) FROM pin GROUP BY 1 ORDER BY 1")
    assert held == [(4, 2), (5, 24), (6, 2)]
    asked = await desk.session(next(people), next(people), Pins(length=8))
    assert asked.options["generate_pin_length"] == 8


async def test_of_sessions_that_are_made_at_once_no_two_have_the_room_of_one(desk: Desk) -> None:
    async with asyncio.TaskGroup() as group:
        for one in range(8):
            group.create_task(desk.session(person(2 * one), person(2 * one + 1), Pins(length=4)))
    held = await desk.rows("SELECT length(pin), count(*) FROM pin GROUP BY 1 ORDER BY 1")
    assert held == [(4, 2), (5, 14)]


async def test_a_given_pin_is_as_it_was_given(desk: Desk) -> None:
    await desk.session(ALICE, BOB)
    made = await desk.session(CAROL, person(1), Pins(first="3333"))
    assert (made.options["first_party_pin"], len(made.options["second_party_pin"])) == ("3333", 5)
    assert made.options["generate_pin_length"] == 5


# --- guessing ---


async def test_a_caller_who_guessed_too_often_is_not_asked_and_no_pin_is_right(
    desk: Desk,
) -> None:
    asking = (await desk.session(ALICE, BOB)).session.id
    arrival, _ = await desk.arrives(MALLORY)  # asked before it was enough
    for _ in range(CALLER_TRIES):
        assert await desk.types(WRONG) is None
    assert await desk.types("1111") == Refuse("pin-locked")
    late = await desk.calls.identify(arrival, Guess("1111", 0, asked_by=asking))
    assert isinstance(late, Lookup)
    assert route(late) == Refuse("pin-locked")
    assert await desk.reaches("1111", CAROL) == BOB
    await desk.passes(16 * 60)
    assert await desk.reaches("1111") == BOB


async def test_a_caller_has_the_same_few_tries_on_all_numbers_of_all_accounts(desk: Desk) -> None:
    await desk.session(ALICE, BOB)
    numbers = [VIRTUAL]
    for place in range(3):
        account = await Accounts(desk.database).create("Other", token=str(place) * 64)
        numbers.append(PhoneNumber(f"+1202555015{place}"))
        await Numbers(desk.database, trunk="carrier").add(account, numbers[-1:])
        other = Desk(account, desk.database, desk.sessions, desk.calls)
        await other.session(ALICE, BOB)
    tried = [await desk.types(WRONG, MALLORY, number) for number in numbers * 5]
    assert tried == [None] * CALLER_TRIES + [Refuse("pin-locked")] * (20 - CALLER_TRIES)
    assert await desk.rows("SELECT count(*) FROM wrong_pin") == [(CALLER_TRIES,)]


async def test_who_withhold_their_number_count_as_one_in_an_account_and_wait_for_each_other(
    desk: Desk,
) -> None:
    await desk.session(ALICE, BOB)
    await Numbers(desk.database, trunk="carrier").add(desk.account, [SECOND_VIRTUAL])
    await desk.session(CAROL, person(1), virtual_number=SECOND_VIRTUAL)
    for place in range(WITHHELD.free):
        assert await desk.types(WRONG, None, [VIRTUAL, SECOND_VIRTUAL][place % 2]) is None
    assert await desk.rows("SELECT count(*) FROM wrong_pin") == [(WITHHELD.free,)]
    for number in (VIRTUAL, SECOND_VIRTUAL):
        asked = route((await desk.arrives(None, number))[1])
        assert isinstance(asked, AskPin)
        assert 0 < asked.pause <= 1
    known = route((await desk.arrives(MALLORY))[1])
    assert isinstance(known, AskPin)
    assert known.pause == 0
    await desk.passes(1)
    assert await desk.reaches("1111", None) == BOB


async def test_strangers_who_guess_with_many_numbers_slow_a_number_down_and_nobody_is_kept_out(
    desk: Desk,
) -> None:
    """And no party of a live session waits."""
    made = await desk.session(ALICE, BOB, GIVEN, {"force_pin_authentication": True})
    for one in range(ON_NUMBER.free):
        assert await desk.types(WRONG, person(one)) is None
    arrival, lookup = await desk.arrives(MALLORY)
    asked = route(lookup)
    assert isinstance(asked, AskPin)
    assert 0 < asked.pause <= 1
    guess = Guess("1111", 0, asked_by=made.session.id)
    early = await desk.calls.identify(arrival, guess)
    assert isinstance(early, NotYet)
    assert 0 < early.wait <= 1
    next_one = await desk.calls.identify((await desk.arrives(CAROL))[0], guess)
    assert isinstance(next_one, NotYet)
    assert next_one.wait - early.wait > 1, "its turn is after the other's"
    assert await desk.reaches("1111", ALICE) == BOB
    right = dataclasses.replace(guess, turn=early.turn)
    await desk.execute(
        "UPDATE call SET ended_at = now(), disposition = 'completed' WHERE session IS NOT NULL"
    )
    found = await desk.calls.identify(arrival, right)
    assert isinstance(found, Lookup)
    assert found.identified
    counted = await desk.rows("SELECT count(*) FROM wrong_pin WHERE caller = '+13035550166'")
    assert counted == [(0,)], "it was not wrong"


async def test_a_number_is_as_slow_as_it_gets_and_no_slower(desk: Desk) -> None:
    await desk.session(ALICE, BOB)
    for one in range(52):
        await desk.execute(
            "INSERT INTO wrong_pin (virtual_number, account, caller) VALUES ($1, $2, $3)",
            VIRTUAL.e164,
            desk.account,
            person(one).e164,
        )
    asked = route((await desk.arrives(MALLORY))[1])
    assert isinstance(asked, AskPin)
    assert ON_NUMBER.longest - 5 < asked.pause <= ON_NUMBER.longest
    await desk.passes(round(asked.pause) + 1)
    assert await desk.reaches("1111") == BOB


async def test_where_too_many_wait_for_their_turn_the_next_is_refused(desk: Desk) -> None:
    asking = (await desk.session(ALICE, BOB)).session.id
    for one in range(ON_NUMBER.free):
        await desk.types(WRONG, person(one))
    guess = Guess("1111", 0, asked_by=asking)
    arrivals = [(await desk.arrives(person(100 + one)))[0] for one in range(20)]
    answers = [await desk.calls.identify(arrival, guess) for arrival in arrivals]
    waits = [one.wait for one in answers if isinstance(one, NotYet)]
    assert waits == sorted(waits)
    assert 4 <= len(waits) < 10
    assert waits[-1] <= LONGEST_WAIT
    refused = [route(one) for one in answers if isinstance(one, Lookup)]
    assert refused == [Refuse("pin-locked")] * (20 - len(waits))


async def test_guessing_in_many_calls_at_once_tries_no_more(desk: Desk) -> None:
    asking = (await desk.session(ALICE, BOB)).session.id
    for callers, most in (([MALLORY] * 12, CALLER_TRIES), (map(person, range(20)), ON_NUMBER.free)):
        calls = [(await desk.arrives(caller))[0] for caller in callers]
        async with asyncio.TaskGroup() as group:
            tasks = [
                group.create_task(desk.calls.identify(call, Guess(WRONG, 0, asked_by=asking)))
                for call in calls
            ]
        assert sum(isinstance(task.result(), Wrong) for task in tasks) == most
        await desk.passes(16 * 60)


async def test_that_pins_are_guessed_is_told_once_an_hour_and_counted(desk: Desk) -> None:
    def counted(bound: str) -> float:
        return REGISTRY.get_sample_value("masking_pin_guessing_total", {"bound": bound}) or 0.0

    await desk.session(ALICE, BOB)
    before = {bound: counted(bound) for bound in ("caller", "number", "withheld")}
    told = (
        "SELECT attributes ->> 'bound', attributes ->> 'VirtualNumber' FROM event"
        " WHERE name = 'PinGuessing' ORDER BY 1"
    )
    with structlog.testing.capture_logs() as lines:
        for _ in range(CALLER_TRIES):
            assert await desk.rows(told) == []
            await desk.types(WRONG)
        assert await desk.rows(told) == [("caller", VIRTUAL.e164[1:])]
        for one in range(ON_NUMBER.free - CALLER_TRIES):
            await desk.types(WRONG, person(one))
    assert await desk.rows(told) == [("caller", VIRTUAL.e164[1:]), ("number", VIRTUAL.e164[1:])]
    warned = [line["bound"] for line in lines if line["event"] == "PINs are being guessed"]
    assert warned == ["caller", "number"]
    assert {bound: counted(bound) - before[bound] for bound in before} == {
        "caller": 1.0,
        "number": 1.0,
        "withheld": 0.0,
    }
    seen = await desk.rows("SELECT event::text FROM event WHERE name = 'PinGuessing'")
    assert MALLORY.e164 not in str(seen)


async def test_what_does_not_count_any_more_is_deleted(desk: Desk) -> None:
    await desk.session(ALICE, BOB)
    await desk.types(WRONG)
    await desk.execute("UPDATE wrong_pin SET typed_at = now() - interval '16 minutes'")
    await desk.types(WRONG, CAROL)
    assert await desk.rows("SELECT caller FROM wrong_pin") == [(CAROL.e164,)]


# --- remembering ---


async def test_a_remembered_caller_is_a_party_s_from_then_on(desk: Desk) -> None:
    made = await desk.session(ALICE, BOB, GIVEN, {"remember_caller": True})
    assert await desk.reaches("1111", CAROL) == BOB
    _, lookup = await desk.arrives(CAROL)
    assert isinstance(route(lookup), Connect)
    found = await desk.sessions.get(desk.account, made.session.id)
    assert found
    assert found.session.first_party_alternates == (CAROL,)
    history = await desk.sessions.history(desk.account, made.session.id)
    assert history
    assert (history[-1].what, history[-1].changed) == ("updated", ["first_party_alternates"])
    changed = await desk.sessions.update(
        desk.account, made.session.id, SessionChange(expiry=7200), BY
    )
    assert isinstance(changed, SessionReport)


async def test_nobody_is_remembered_where_it_is_not_agreed(desk: Desk) -> None:
    await desk.session(ALICE, BOB)
    assert await desk.reaches("1111", CAROL) == BOB
    assert isinstance(route((await desk.arrives(CAROL))[1]), AskPin)


async def test_a_caller_who_is_another_session_s_on_that_number_is_not_remembered(
    desk: Desk,
) -> None:
    made = await desk.session(ALICE, BOB, GIVEN, {"remember_caller": True})
    other = Pins(first="3333", second="4444")
    await desk.session(CAROL, MALLORY, other, {"force_pin_authentication": True})
    assert await desk.reaches("1111", CAROL) == BOB
    found = await desk.sessions.get(desk.account, made.session.id)
    assert found
    assert found.session.first_party_alternates == ()
    assert isinstance(route((await desk.arrives(CAROL))[1]), AskPin)


async def test_who_was_remembered_may_become_the_missing_party(desk: Desk) -> None:
    made = await desk.session(ALICE, None, GIVEN, {"remember_caller": True}, single_party=True)
    assert await desk.reaches("2222", CAROL) == ALICE
    changed = await desk.sessions.update(
        desk.account, made.session.id, SessionChange(second_party=CAROL), BY
    )
    assert isinstance(changed, SessionReport)
    assert changed.session.second_party == CAROL


# --- what is told of them ---

TOLD = """
SELECT session, sequence, attributes ->> 'PinAuthenticationStatus',
       (attributes ->> 'PinRetryCounter')::integer
  FROM event
 WHERE name = 'SessionPinAuthenticationStatus'
 ORDER BY session, sequence
"""


async def test_a_wrong_pin_is_told_to_the_session_that_asked_and_a_right_one_to_its_own(
    desk: Desk,
) -> None:
    older = (await desk.session(ALICE, BOB)).session.id
    newest = (await desk.session(CAROL, person(1), Pins(first="3333", second="4444"))).session.id
    arrival, _ = await desk.arrives(MALLORY)
    for retry, pin in enumerate([WRONG, WRONG, "1111"]):
        await desk.calls.identify(arrival, Guess(pin, retry, asked_by=newest))
    told = [(newest, 1, "failed", 0), (newest, 2, "failed", 1), (older, 1, "success", 2)]
    assert sorted(await desk.rows(TOLD)) == sorted(told)


async def test_no_pin_and_none_needed_are_told_once_however_often_they_are_written(
    desk: Desk, database: Database
) -> None:
    """Postgres may take what is written and die before it says so."""
    session = (await desk.session(ALICE, BOB)).session.id
    stranger, _ = await desk.arrives(MALLORY)
    party, _ = await desk.arrives(ALICE)
    for _ in range(2):
        journal = Journal(database, desk.calls)
        journal.no_pin(stranger.call_id, session, retry=0)
        journal.needs_no_pin(party.call_id, session, party.started_at)
        async with asyncio.TaskGroup() as group:
            writing = group.create_task(journal.run())
            await journal.written()
            writing.cancel()
    told = await desk.rows(TOLD)
    assert [(owner, sequence) for owner, sequence, *_ in told] == [(session, 1), (session, 2)]
    # Of two calls, which are written in any order.
    assert {(status, retry) for *_, status, retry in told} == {
        ("failed", 0),
        ("AuthorizedCaller", None),
    }


async def test_a_locked_caller_s_pin_failed_whatever_it_was(desk: Desk) -> None:
    session = (await desk.session(ALICE, BOB)).session.id
    arrival, _ = await desk.arrives(MALLORY)
    for _ in range(CALLER_TRIES):
        await desk.types(WRONG)
    assert await desk.calls.identify(arrival, Guess("1111", 3, asked_by=session))
    assert (session, CALLER_TRIES + 1, "failed", 3) in await desk.rows(TOLD)
