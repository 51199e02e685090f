"""A bridge is killed at any step of a call: what the next one writes down and tells agrees.

With what was told before, with what Asterisk knows, and with what the phones did.
"""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.calls.restarts import KINDS, Fate, Kind, live_through

_SOMEBODY = st.sampled_from(["a", "b"])
FATES = st.builds(
    Fate,
    killed_at=st.integers(0, 42),
    store_is_away=st.booleans(),
    leaves=st.sampled_from(["", "a", "b"]),
    leaves_after=st.sampled_from([0.2, 5.0]),
    next_after=st.sampled_from([0.7, 10.0]),
    leaves_at=st.none() | st.tuples(st.integers(0, 32), _SOMEBODY),
    killed_again_at=st.none() | st.integers(0, 40),
)
of_every_kind = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)


@of_every_kind
def test_whose_bridge_is_not_killed_all_is_well(kind: Kind) -> None:
    world = live_through(kind)
    assert world.faults == []
    assert {row["disposition"] for row in world.rows.calls.values()} == {"completed"}


@of_every_kind
def test_at_whatever_step_it_is_killed_and_the_caller_leaves_before_the_next_is_up(
    kind: Kind,
) -> None:
    """Asterisk takes the bridge for alive then, and keeps no word."""
    steps = live_through(kind).bridges[0].steps
    for killed_at, step in enumerate(steps):
        assert live_through(kind, Fate(killed_at, leaves="a")).faults == [], step


@of_every_kind
@given(fate=FATES)
@settings(derandomize=True, database=None, deadline=None, max_examples=80)
def test_whatever_happens_meanwhile(kind: Kind, fate: Fate) -> None:
    assert live_through(kind, fate).faults == []


def step_of(kind: Kind, what: str, *, store_is_away: bool = False) -> int:
    """The first of that name, if nobody is killed."""
    untouched = Fate(killed_at=1000, store_is_away=store_is_away)
    steps = live_through(kind, untouched).bridges[0].steps
    return next(number for number, step in enumerate(steps) if step.startswith(what))


def of_name(name: str) -> Kind:
    return next(kind for kind in KINDS if kind.name == name)


@pytest.mark.parametrize("leaves_after", [0.2, 5.0], ids=["at once", "later"])
@pytest.mark.parametrize("name", ["plain", "ordered", "crossing"])
def test_two_who_were_joined_have_talked_though_both_are_gone_and_nobody_wrote_it_down(
    name: str, leaves_after: float
) -> None:
    """Their bridge is still there, and named after them."""
    kind = of_name(name)
    killed_at = step_of(kind, "after bridges.createWithId", store_is_away=True)
    fate = Fate(killed_at, store_is_away=True, leaves="a", leaves_after=leaves_after)
    world = live_through(kind, fate)
    assert world.faults == []
    assert {row["disposition"] for row in world.rows.calls.values()} == {"completed"}


@pytest.mark.parametrize("again_at", range(10, 26))
def test_a_bridge_that_is_killed_as_it_takes_up_a_call_leaves_the_next_all_that_it_found(
    again_at: int,
) -> None:
    kind = of_name("plain")
    fate = Fate(
        step_of(kind, "phone: talks", store_is_away=True),
        store_is_away=True,
        leaves="a",
        leaves_after=5,
        next_after=10,
        killed_again_at=again_at,
    )
    world = live_through(kind, fate)
    assert world.faults == []
    [call] = world.rows.calls.values()
    assert call["ended_at"] == world.asterisk.gone[world.b].ended_at
    assert call["answered_at"] == world.rows.legs[world.call_id, "b"]["answered_at"]


def test_two_who_called_each_other_go_on_talking() -> None:
    """Though neither has a second leg of its own, by which the next bridge would know the other."""
    kind = of_name("crossing")
    world = live_through(kind, Fate(step_of(kind, "phone: talks on"), next_after=60.0))
    for call in world.rows.calls.values():
        assert call["disposition"] == "completed"
        assert (call["ended_at"] - call["answered_at"]).total_seconds() > 60


def test_and_whoever_was_rung_in_vain_was_not_answered() -> None:
    """Also where only one of the two records is still to be written: it would be paid for."""
    kind = of_name("crossing")
    steps = live_through(kind).bridges[0].steps
    for killed_at in range(steps.index("phone: talks"), len(steps)):
        world = live_through(kind, Fate(killed_at))
        for call_id in world.rows.calls:
            assert not world.rows.legs.get((call_id, "b"), {}).get("answered_at")


def test_a_caller_who_was_answered_for_a_prompt_was_answered_whenever_the_bridge_is_killed() -> (
    None
):
    kind = of_name("prompted")
    fate = Fate(step_of(kind, "phone: answers"), leaves="a")
    world = live_through(kind, fate)
    a_leg = world.rows.legs[world.call_id, "a"]
    assert (a_leg["answered_at"] - a_leg["started_at"]).total_seconds() < 0.1
    assert "SessionFirstPartyAnswer" in {event["name"] for _, event in world.rows.events}
