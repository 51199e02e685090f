"""Whoever is hung up on calls back in that very moment."""

import pytest

from bridge.embedded.processes import until
from tests.e2e.conftest import Site
from tests.e2e.quick import QuickPhones

ROUNDS = 10


@pytest.mark.parametrize("session", [{}, {"max_calls": ROUNDS + 1}], ids=["plain", "counted"])
def test_a_call_that_has_ended_is_not_up_whatever_is_written_down(
    site: Site, session: dict[str, int]
) -> None:
    """Its record may be on its way still; the numbers of calls made count all the same."""
    site.create_session(**session)
    with QuickPhones(site.stack.place.trunk_host, site.stack.place.sip) as phones:
        caller, other = site.alice, site.bob
        invite = phones.calls(site.virtual, number=caller)
        for _ in range(ROUNDS):
            called = phones.receives("INVITE")
            phones.answers(called)
            assert phones.final(invite) == 200
            phones.hangs_up(invite)
            bye = phones.receives("BYE")
            caller, other = other, caller
            invite = phones.calls(site.virtual, number=caller)  # before it even says 200
            phones.accepts(bye)
        phones.answers(phones.receives("INVITE"))
        assert phones.final(invite) == 200
        phones.hangs_up(invite)
        phones.accepts(phones.receives("BYE"))
        if session:
            assert phones.final(phones.calls(site.virtual, number=site.alice)) == 403
    open_calls = "SELECT FROM call WHERE virtual_number = $1 AND ended_at IS NULL"
    assert until(lambda: not site.stack.rows(open_calls, site.virtual))
    calls = site.stack.rows("SELECT * FROM call WHERE virtual_number = $1", site.virtual)
    reasons = sorted(call["reason"] for call in calls)
    assert reasons == ["calls-used-up"] * bool(session) + ["hung-up"] * (ROUNDS + 1)


def test_who_declines_and_calls_at_once_is_connected(site: Site) -> None:
    site.create_session()
    with QuickPhones(site.stack.place.trunk_host, site.stack.place.sip) as phones:
        first = phones.calls(site.virtual, number=site.alice)
        called = phones.receives("INVITE")
        phones.refuses(called, "486 Busy Here")
        back = phones.calls(site.virtual, number=site.bob)
        assert phones.final(first) == 486
        phones.answers(phones.receives("INVITE"))
        assert phones.final(back) == 200
        phones.hangs_up(back)
        phones.accepts(phones.receives("BYE"))
