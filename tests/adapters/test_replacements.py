"""A virtual number is replaced in its live sessions, over a real Postgres."""

import asyncio
from typing import Any

import pytest

from bridge.domain.numbers import PhoneNumber
from bridge.domain.pins import Guess
from bridge.domain.pool import NumberSettings, NumberState
from bridge.domain.replacement import Replaced, Replacement
from bridge.domain.reports import SessionReport
from bridge.domain.requests import By, NewSession, Refusal, SessionChange
from bridge.domain.routing import Connect, route
from bridge.store.accounts import Accounts
from bridge.store.numbers import Numbers
from bridge.store.pool import Database
from bridge.store.replacements import Replacements
from tests.adapters.conftest import BY, Api
from tests.adapters.test_command_line import Terminal, masking_bridge
from tests.adapters.test_pins import Desk, desk
from tests.adapters.test_routes import SECOND_VIRTUAL, Exchange, exchange
from tests.people import ALICE, BOB, CAROL, MALLORY, VIRTUAL

__all__ = ["desk", "exchange", "masking_bridge"]  # fixtures

THIRD_VIRTUAL = PhoneNumber("+12025550144")
LONDON_VIRTUAL = PhoneNumber("+442079460999")
BECAUSE = By("an operator", "calls from one carrier fail")
ONE_PARTY: dict[str, Any] = {"single_party": True, "takes_anybody": True}


async def replaced(
    office: Exchange | Desk,
    bad: PhoneNumber = VIRTUAL,
    instead: PhoneNumber | None = None,
    **paging: Any,
) -> Replacement:
    found = await Replacements(office.database).replace(
        office.account, bad, BECAUSE, instead=instead, **{"limit": 100, **paging}
    )
    assert found is not None
    return found


async def add(office: Exchange | Desk, *numbers: PhoneNumber, **settings: Any) -> None:
    await Numbers(office.database, trunk="carrier").add(
        office.account, numbers, NumberSettings(**settings)
    )


async def set_state(office: Exchange | Desk, number: PhoneNumber, state: NumberState) -> None:
    numbers = Numbers(office.database, trunk="carrier")
    assert await numbers.update(office.account, number, NumberSettings(state=state)) is None


async def told(office: Exchange | Desk, session: SessionReport) -> list[dict[str, Any]]:
    """What its application was told of its numbers, in order."""
    async with office.database.connection() as connection:
        rows = await connection.fetch(
            "SELECT attributes, row_number() OVER (ORDER BY sequence) = sequence AS in_order"
            "  FROM event WHERE session = $1 AND name = 'SessionVirtualNumberReplaced'"
            " ORDER BY sequence",
            session.session.id,
        )
    assert all(row["in_order"] for row in rows)
    return [row["attributes"] for row in rows]


# --- who reaches whom ---


async def test_both_numbers_lead_to_the_session_and_phones_show_the_new_one(
    exchange: Exchange,
) -> None:
    made = await exchange.session(ALICE, BOB)
    found = await replaced(exchange)
    assert found.replaced == [Replaced(made.session.id, SECOND_VIRTUAL, None)]
    for number in (VIRTUAL, SECOND_VIRTUAL):
        assert await exchange.reaches(ALICE, number) == (BOB, SECOND_VIRTUAL)
        assert await exchange.reaches(BOB, number) == (ALICE, SECOND_VIRTUAL)
        assert await exchange.reaches(MALLORY, number) == "unknown-caller"


async def test_a_number_out_of_service_leads_nobody_anywhere_any_more(exchange: Exchange) -> None:
    await exchange.session(ALICE, BOB)
    await set_state(exchange, VIRTUAL, NumberState.QUARANTINED)
    await replaced(exchange)
    assert await exchange.reaches(ALICE, VIRTUAL) == "number-not-in-service"
    assert await exchange.reaches(ALICE, SECOND_VIRTUAL) == (BOB, SECOND_VIRTUAL)


async def test_a_retired_number_s_sessions_are_not_lost(exchange: Exchange) -> None:
    await exchange.session(ALICE, BOB)
    await set_state(exchange, VIRTUAL, NumberState.RETIRED)
    assert len((await replaced(exchange)).replaced) == 1
    assert await exchange.reaches(ALICE, SECOND_VIRTUAL) == (BOB, SECOND_VIRTUAL)


async def test_of_a_number_each_only_the_bad_one_is_replaced(exchange: Exchange) -> None:
    await add(exchange, THIRD_VIRTUAL)
    made = await exchange.session(
        ALICE, BOB, per_party=True, virtual_number=VIRTUAL, second_virtual_number=SECOND_VIRTUAL
    )
    found = await replaced(exchange, SECOND_VIRTUAL, THIRD_VIRTUAL)
    assert found.replaced == [Replaced(made.session.id, VIRTUAL, THIRD_VIRTUAL)]
    assert await exchange.reaches(ALICE, VIRTUAL) == (BOB, THIRD_VIRTUAL)
    assert await exchange.reaches(BOB, THIRD_VIRTUAL) == (ALICE, VIRTUAL)
    assert await exchange.reaches(BOB, SECOND_VIRTUAL) == (ALICE, VIRTUAL)
    assert await exchange.reaches(ALICE, THIRD_VIRTUAL) == "unknown-caller"
    assert await told(exchange, made) == [
        {"VirtualNumber": "12025550144", "ReplacedVirtualNumber": "12025550143"}
    ]


async def test_two_who_have_the_same_number_each_for_itself_both_get_another(
    exchange: Exchange,
) -> None:
    made = await exchange.session(
        ALICE, BOB, per_party=True, virtual_number=VIRTUAL, second_virtual_number=VIRTUAL
    )
    found = await replaced(exchange)
    assert found.replaced == [Replaced(made.session.id, SECOND_VIRTUAL, SECOND_VIRTUAL)]
    assert len(await told(exchange, made)) == 2


async def test_whoever_calls_reaches_the_one_party_on_both_numbers(exchange: Exchange) -> None:
    await exchange.session(ALICE, None, **ONE_PARTY)
    await replaced(exchange)
    assert await exchange.reaches(MALLORY, SECOND_VIRTUAL) == (ALICE, SECOND_VIRTUAL)
    assert await exchange.reaches(MALLORY, VIRTUAL) == (ALICE, SECOND_VIRTUAL)
    assert await exchange.reaches(ALICE, SECOND_VIRTUAL) == (MALLORY, SECOND_VIRTUAL)


async def test_the_missing_party_is_named_after_the_number_was_replaced(
    exchange: Exchange,
) -> None:
    made = await exchange.session(ALICE, None, **ONE_PARTY)
    await replaced(exchange)
    change = SessionChange(second_party=BOB)
    changed = await exchange.sessions.update(exchange.account, made.session.id, change, BY)
    assert isinstance(changed, SessionReport)
    assert await exchange.reaches(BOB, SECOND_VIRTUAL) == (ALICE, SECOND_VIRTUAL)
    for number in (VIRTUAL, SECOND_VIRTUAL):
        assert await exchange.reaches(MALLORY, number) == "unknown-caller"


async def test_who_is_no_party_any_more_gets_through_on_neither_number(
    exchange: Exchange,
) -> None:
    made = await exchange.session(ALICE, BOB, single_party=True)
    await replaced(exchange)
    change = SessionChange(second_party=CAROL)
    changed = await exchange.sessions.update(exchange.account, made.session.id, change, BY)
    assert isinstance(changed, SessionReport)
    assert await exchange.reaches(CAROL, SECOND_VIRTUAL) == (ALICE, SECOND_VIRTUAL)
    for number in (VIRTUAL, SECOND_VIRTUAL):
        assert await exchange.reaches(BOB, number) == "unknown-caller"
        assert await exchange.reaches(ALICE, number) == (CAROL, SECOND_VIRTUAL)


async def test_pins_stay_as_they_are(desk: Desk) -> None:
    await add(desk, SECOND_VIRTUAL)
    made = await desk.session(ALICE, BOB, virtual_number=VIRTUAL)
    await replaced(desk)
    assert await desk.reaches("1111", MALLORY, SECOND_VIRTUAL) == BOB
    assert await desk.reaches("2222", MALLORY, SECOND_VIRTUAL) == ALICE
    report = await desk.sessions.get(desk.account, made.session.id)
    assert report
    assert report.pins == made.pins


async def test_a_number_where_a_pin_is_another_s_is_not_taken(desk: Desk) -> None:
    await add(desk, SECOND_VIRTUAL)
    await desk.session(ALICE, BOB, virtual_number=VIRTUAL)
    await desk.session(CAROL, MALLORY, virtual_number=SECOND_VIRTUAL)
    [kept] = (await replaced(desk)).not_replaced
    assert kept.refusal is Refusal.PIN_TAKEN
    await add(desk, THIRD_VIRTUAL)
    assert len((await replaced(desk)).replaced) == 1
    assert await desk.reaches("1111", None, THIRD_VIRTUAL) == BOB
    assert await desk.reaches("1111", None, SECOND_VIRTUAL) == MALLORY


async def test_a_party_that_must_show_its_pin_is_asked_on_both_numbers(desk: Desk) -> None:
    await add(desk, SECOND_VIRTUAL)
    forced = {"force_pin_authentication": True}
    await desk.session(ALICE, BOB, options=forced, virtual_number=VIRTUAL)
    await replaced(desk)
    for number in (VIRTUAL, SECOND_VIRTUAL):
        assert await desk.reaches("9999", ALICE, number) is None
        assert await desk.reaches("1111", ALICE, number) == BOB


async def test_a_caller_is_remembered_on_the_number_that_the_session_has(desk: Desk) -> None:
    await add(desk, SECOND_VIRTUAL)
    made = await desk.session(ALICE, BOB, options={"remember_caller": True}, virtual_number=VIRTUAL)
    arrival, _ = await desk.arrives(MALLORY)
    await replaced(desk)
    guess = Guess("1111", 0, asked_by=made.session.id)
    assert await desk.calls.identify(arrival, guess)
    await desk.execute("UPDATE call SET ended_at = now(), disposition = 'completed'")
    found = route((await desk.arrives(MALLORY, SECOND_VIRTUAL))[1])
    assert isinstance(found, Connect)
    assert found.callee == BOB
    change = SessionChange(expiry=7200)
    changed = await desk.sessions.update(desk.account, made.session.id, change, BY)
    assert isinstance(changed, SessionReport)


# --- which number, and which sessions ---


async def test_a_session_goes_where_its_parties_are_free_or_stays(exchange: Exchange) -> None:
    stays = await exchange.session(ALICE, BOB, virtual_number=VIRTUAL)
    goes = await exchange.session(CAROL, MALLORY, virtual_number=VIRTUAL)
    await exchange.session(ALICE, CAROL, virtual_number=SECOND_VIRTUAL)
    await add(exchange, THIRD_VIRTUAL, reserved=True)
    found = await replaced(exchange)
    assert {one.session: one.refusal for one in found.not_replaced} == {
        stays.session.id: Refusal.POOL_IN_USE,
        goes.session.id: Refusal.POOL_IN_USE,
    }
    assert await exchange.reaches(ALICE, VIRTUAL) == (BOB, VIRTUAL)
    named = await replaced(exchange, instead=THIRD_VIRTUAL)
    assert [one.virtual_number for one in named.replaced] == [THIRD_VIRTUAL] * 2
    assert await exchange.reaches(ALICE, THIRD_VIRTUAL) == (BOB, THIRD_VIRTUAL)
    assert await exchange.reaches(ALICE, SECOND_VIRTUAL) == (CAROL, SECOND_VIRTUAL)
    assert (await replaced(exchange)).replaced == []


async def test_the_new_number_is_of_the_same_country_unless_it_is_named(
    exchange: Exchange,
) -> None:
    await exchange.session(ALICE, BOB)
    await set_state(exchange, SECOND_VIRTUAL, NumberState.QUARANTINED)
    await add(exchange, LONDON_VIRTUAL)
    [kept] = (await replaced(exchange)).not_replaced
    assert kept.refusal is Refusal.POOL_WITHOUT_COUNTRY
    [moved] = (await replaced(exchange, instead=LONDON_VIRTUAL)).replaced
    assert moved.virtual_number == LONDON_VIRTUAL


async def test_no_number_is_replaced_by_itself_nor_by_a_stranger_s(
    exchange: Exchange, database: Database
) -> None:
    await exchange.session(ALICE, BOB)
    other = await Accounts(database).create("Other", token="8" * 64)
    await Numbers(database, trunk="carrier").add(other, [THIRD_VIRTUAL])
    for instead, why in [
        (VIRTUAL, Refusal.NAMED_NUMBER_INACTIVE),
        (THIRD_VIRTUAL, Refusal.NAMED_NUMBER_UNKNOWN),
    ]:
        [kept] = (await replaced(exchange, instead=instead)).not_replaced
        assert kept.refusal is why
    replacements = Replacements(database)
    assert await replacements.replace(other, VIRTUAL, BY, instead=None, limit=9) is None
    assert await exchange.reaches(ALICE, VIRTUAL) == (BOB, VIRTUAL)


async def test_a_session_comes_back_to_a_number_that_it_had(desk: Desk) -> None:
    await add(desk, SECOND_VIRTUAL)
    await desk.session(ALICE, BOB, virtual_number=VIRTUAL)
    for bad, good in [(VIRTUAL, SECOND_VIRTUAL), (SECOND_VIRTUAL, VIRTUAL)] * 2:
        await set_state(desk, good, NumberState.ACTIVE)
        [moved] = (await replaced(desk, bad)).replaced
        assert moved.virtual_number == good
        assert await desk.reaches("1111", MALLORY, good) == BOB


async def test_sessions_that_are_over_keep_their_number(exchange: Exchange) -> None:
    over = await exchange.session(ALICE, BOB)
    await exchange.sessions.expire(exchange.account, over.session.id, BY, hang_up=False)
    assert await replaced(exchange) == Replacement(replaced=[], not_replaced=[], next=None)
    report = await exchange.sessions.get(exchange.account, over.session.id)
    assert report
    assert report.session.virtual_number == VIRTUAL


async def test_the_number_is_given_to_no_new_session_and_counts_none(exchange: Exchange) -> None:
    numbers = Numbers(exchange.database, trunk="carrier")
    await exchange.session(ALICE, BOB)
    await replaced(exchange)
    old = await numbers.get(exchange.account, VIRTUAL)
    new = await numbers.get(exchange.account, SECOND_VIRTUAL)
    assert old
    assert new
    assert (old.state, old.live_sessions) == (NumberState.DRAINING, 0)
    assert (new.state, new.live_sessions) == (NumberState.ACTIVE, 1)
    assert (await exchange.session(CAROL, MALLORY)).session.virtual_number == SECOND_VIRTUAL


async def test_pages_reach_every_session_also_behind_those_that_stay(exchange: Exchange) -> None:
    await add(exchange, THIRD_VIRTUAL)
    made = [
        await exchange.session(first, second, virtual_number=VIRTUAL)
        for first, second in [(ALICE, BOB), (CAROL, MALLORY)]
    ]
    await exchange.session(ALICE, BOB, virtual_number=SECOND_VIRTUAL)
    await exchange.session(ALICE, BOB, virtual_number=THIRD_VIRTUAL)
    first = await replaced(exchange, limit=1)
    assert [one.session for one in first.not_replaced] == [made[0].session.id]
    second = await replaced(exchange, limit=1, after=first.next)
    assert [one.session for one in second.replaced] == [made[1].session.id]
    assert second.next is None


# --- nothing lost ---


async def test_it_is_told_and_noted_by_whom_and_why(exchange: Exchange) -> None:
    made = await exchange.session(ALICE, BOB)
    await add(exchange, THIRD_VIRTUAL)
    await replaced(exchange, VIRTUAL, SECOND_VIRTUAL)
    await replaced(exchange, SECOND_VIRTUAL, THIRD_VIRTUAL)
    assert await told(exchange, made) == [
        {"VirtualNumber": "12025550143", "ReplacedVirtualNumber": "12025550142"},
        {"VirtualNumber": "12025550144", "ReplacedVirtualNumber": "12025550143"},
    ]
    steps = await exchange.sessions.history(exchange.account, made.session.id)
    assert steps
    assert [(one.what, one.actor, one.reason, one.changed) for one in steps[1:]] == [
        ("updated", BECAUSE.actor, BECAUSE.reason, ["virtual_number"])
    ] * 2


async def test_a_session_that_lives_longer_keeps_the_pairs_on_both_numbers(
    exchange: Exchange,
) -> None:
    made = await exchange.session(ALICE, BOB)
    await replaced(exchange)
    change = SessionChange(expiry=7200)
    changed = await exchange.sessions.update(exchange.account, made.session.id, change, BY)
    assert isinstance(changed, SessionReport)
    async with exchange.database.connection() as connection:
        held = await connection.fetchval(
            "SELECT count(*) FROM route WHERE held_until > now() + interval '6000 s'"
        )
    assert held == 4
    await exchange.sessions.expire(exchange.account, made.session.id, BY, hang_up=False)
    for number in (VIRTUAL, SECOND_VIRTUAL):
        assert await exchange.reaches(ALICE, number) == "session-expired"


async def test_a_session_that_lost_a_pair_of_its_number_is_not_prolonged(
    exchange: Exchange,
) -> None:
    """As if it had ended for a moment; what it still holds of the old number does not count."""
    made = await exchange.session(ALICE, BOB)
    await replaced(exchange)
    async with exchange.database.connection() as connection:
        await connection.execute(
            "DELETE FROM route WHERE (virtual_number, party_number) = ($1, $2)",
            SECOND_VIRTUAL.e164,
            BOB.e164,
        )
    change = SessionChange(expiry=7200)
    refused = await exchange.sessions.update(exchange.account, made.session.id, change, BY)
    assert refused is Refusal.ALREADY_EXPIRED


async def test_who_makes_sessions_meanwhile_takes_no_pair_of_one_that_moves(
    exchange: Exchange,
) -> None:
    people = [PhoneNumber(f"+1303555{last:04}") for last in range(40)]
    pairs = list(zip(people[::2], people[1::2], strict=True))
    moving = [await exchange.session(*pair, virtual_number=VIRTUAL) for pair in pairs]

    async def move() -> Replacement:
        return await replaced(exchange)

    async def make(pair: tuple[PhoneNumber, PhoneNumber]) -> None:
        new = NewSession(
            account=exchange.account,
            first_party=pair[0],
            second_party=pair[1],
            expiry=3600,
            ring_timeout=30,
            call_time_limit=600,
            options={},
        )
        await exchange.sessions.create(new, BY)

    async with asyncio.TaskGroup() as group:
        replacing = group.create_task(move())
        for pair in pairs:
            group.create_task(make(pair))
    found = replacing.result()
    assert len(found.replaced) + len(found.not_replaced) == len(moving)
    for report, (first, second) in zip(moving, pairs, strict=True):
        now = await exchange.sessions.get(exchange.account, report.session.id)
        assert now
        number = now.session.virtual_number
        assert await exchange.reaches(first, number) == (second, number)
    async with exchange.database.connection() as connection:
        lost = await connection.fetchval(
            "SELECT count(*) FROM session CROSS JOIN LATERAL"
            " (VALUES (first_party), (second_party)) AS one (party)"
            " WHERE NOT EXISTS (SELECT FROM route"
            "  WHERE route.session = session.id"
            "    AND route.virtual_number = session.virtual_number"
            "    AND route.party_number = one.party)"
        )
    assert lost == 0


# --- over the API and by the command ---


async def test_a_developer_replaces_a_number_page_by_page(api: Api) -> None:
    await api("POST", "Number/", {"numbers": SECOND_VIRTUAL.e164})
    made = [
        await api.session(virtual_number=VIRTUAL.e164),
        await api.session(
            first_party=CAROL.e164, second_party=MALLORY.e164, virtual_number=VIRTUAL.e164
        ),
    ]
    path = f"Number/{VIRTUAL.e164[1:]}/Replace/"
    status, first = await api("POST", path, {"limit": 1, "reason": "flagged as spam"})
    assert status == 200
    status, second = await api("POST", path, {"limit": 1, "cursor": first["next_cursor"]})
    assert status == 200
    assert second["next_cursor"] is None
    assert [one for page in (first, second) for one in page["replaced"]] == [
        {
            "session_uuid": one["session_uuid"],
            "virtual_number": SECOND_VIRTUAL.e164[1:],
            "second_virtual_number": None,
        }
        for one in made
    ]
    uuid_ = made[0]["session_uuid"]
    _, found = await api("GET", f"Masking/Session/{uuid_}/")
    assert found["response"]["virtual_number"] == SECOND_VIRTUAL.e164[1:]
    _, history = await api("GET", f"Masking/Session/{uuid_}/History/")
    assert history["objects"][-1]["reason"] == "flagged as spam"
    _, events = await api("GET", f"Masking/Session/{uuid_}/Event/")
    [event] = events["objects"]
    assert event["event_name"] == "SessionVirtualNumberReplaced"
    assert event["attributes"]["VirtualNumber"] == SECOND_VIRTUAL.e164[1:]
    assert event["attributes"]["ReplacedVirtualNumber"] == VIRTUAL.e164[1:]


async def test_why_a_session_keeps_its_number_is_said_in_the_answer(api: Api) -> None:
    made = await api.session()
    status, answer = await api("POST", f"Number/{VIRTUAL.e164[1:]}/Replace/", {})
    assert status == 200
    assert answer["replaced"] == []
    assert answer["not_replaced"] == [
        {
            "session_uuid": made["session_uuid"],
            "error": "Number pool exhausted or not available.",
            "reason": "no-active-number",
        }
    ]


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("Number/12025550199/Replace/", {}, 404),
        (f"Number/{VIRTUAL.e164[1:]}/Replace/", {"limit": 101}, 400),
        (f"Number/{VIRTUAL.e164[1:]}/Replace/", {"limit": 0}, 400),
        (f"Number/{VIRTUAL.e164[1:]}/Replace/", {"virtual_number": "none"}, 400),
        (f"Number/{VIRTUAL.e164[1:]}/Replace/", {"cursor": "none"}, 400),
        (f"Number/{VIRTUAL.e164[1:]}/Replace/", {"cursor": {}}, 400),
        (f"Number/{VIRTUAL.e164[1:]}/Replace/", {"with": "+12025550143"}, 400),
    ],
)
async def test_what_cannot_be_replaced_is_a_clear_error(
    api: Api, path: str, body: dict[str, Any], status: int
) -> None:
    assert (await api("POST", path, body))[0] == status
    _, number = await api("GET", f"Number/{VIRTUAL.e164[1:]}/")
    assert number["state"] == "active"


async def test_an_operator_replaces_a_number_and_is_told_what_is_left(
    masking_bridge: Terminal, exchange: Exchange
) -> None:
    made = await exchange.session(ALICE, BOB, virtual_number=VIRTUAL)
    await exchange.session(ALICE, BOB, virtual_number=SECOND_VIRTUAL)
    replace = ("number", "replace", exchange.account, VIRTUAL.e164)
    refused = masking_bridge(*replace)
    assert refused.returncode == 1
    assert refused.stdout == "replaced: 0\n"
    assert refused.stderr.splitlines()[-1] == (
        "masking-bridge: sessions that keep the number: 1 (all-numbers-in-use: 1)"
    )
    await add(exchange, THIRD_VIRTUAL, reserved=True)
    done = masking_bridge(*replace, "--with", THIRD_VIRTUAL.e164, "--reason", "flagged as spam")
    assert (done.returncode, done.stdout, done.stderr) == (0, "replaced: 1\n", "")
    steps = await exchange.sessions.history(exchange.account, made.session.id)
    assert steps
    assert (steps[-1].actor, steps[-1].reason) == ("operator", "flagged as spam")
    unknown = masking_bridge("number", "replace", exchange.account, "+12025550199")
    assert unknown.returncode == 1
    assert "no such number" in unknown.stderr
