"""How a number is shown in an account's events."""

from bridge.domain.numbers import PhoneNumber
from bridge.domain.privacy import OPEN, NumberForm, Privacy
from tests.people import ALICE, BOB

LAST2 = Privacy(NumberForm.LAST2)
TOKEN = Privacy(NumberForm.TOKEN, b"a key")


def test_whoever_may_see_it_sees_all_of_it() -> None:
    assert OPEN.shown(ALICE) == "14155550123"


def test_of_the_last_two_digits_nobody_learns_how_long_a_number_is() -> None:
    assert LAST2.shown(ALICE) == "***23"
    assert LAST2.shown(PhoneNumber("+4923")) == "***23"


def test_a_token_is_the_same_for_a_number_and_another_for_every_other() -> None:
    assert TOKEN.shown(ALICE) == TOKEN.shown(PhoneNumber(ALICE.e164))
    assert TOKEN.shown(ALICE) != TOKEN.shown(BOB)
    assert TOKEN.shown(ALICE) != Privacy(NumberForm.TOKEN, b"another's").shown(ALICE)
    assert len(TOKEN.shown(PhoneNumber("+4923"))) == len(TOKEN.shown(ALICE)) == len("tok_") + 32


def test_the_key_is_not_printed() -> None:
    assert "a key" not in repr(TOKEN)
