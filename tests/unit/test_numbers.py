"""Numbers: what is one, and that none prints itself."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.domain.numbers import COUNTRIES, WORLDWIDE, NumberType, PhoneNumber, from_carrier
from bridge.domain.signalling import caller_number, dialled_number
from tests.people import ALICE, BOB


@given(digits=st.from_regex(r"[1-9][0-9]{6,14}", fullmatch=True))
def test_a_number_shows_its_last_two_digits_only(digits: str) -> None:
    number = PhoneNumber(f"+{digits}")
    for shown in (str(number), repr(number), f"{number}", str([number]), str({"x": number})):
        assert digits[:-2] not in shown
        assert digits[-2:] in shown


@pytest.mark.parametrize(
    "text", ["", "+", "14155550123", "+0123456789", "+1415555012345678", "+1 415", "+1415555012x"]
)
def test_what_is_not_e164_is_an_error_that_does_not_repeat_it(text: str) -> None:
    with pytest.raises(ValueError, match=r"^not an E\.164 number$"):
        PhoneNumber(text)


@pytest.mark.parametrize("text", ["+14155550123", "14155550123", "0014155550123"])
def test_a_carrier_s_forms_of_a_number_are_one(text: str) -> None:
    assert from_carrier(text) == ALICE


@pytest.mark.parametrize("text", ["anonymous", "", "0", "00", "unavailable", "1;2", "4155550123x"])
def test_a_carrier_s_other_words_are_no_number(text: str) -> None:
    assert from_carrier(text) is None


@given(text=st.text())
def test_whatever_a_carrier_sends_is_a_number_or_none(text: str) -> None:
    number = from_carrier(text)
    assert number is None or re.fullmatch(r"\+[1-9][0-9]{1,14}", number.e164)


def test_a_number_s_country_is_the_one_it_is_of() -> None:
    assert PhoneNumber("+442079460123").country == "GB"
    assert PhoneNumber("+80012345678").country == WORLDWIDE


@pytest.mark.parametrize(
    ("e164", "number_type"),
    [
        ("+12025550142", NumberType.LOCAL),
        ("+442079460123", NumberType.LOCAL),
        ("+447400123456", NumberType.MOBILE),
        ("+18005550100", NumberType.TOLLFREE),
        ("+80012345678", NumberType.TOLLFREE),
        ("+4918500123456", NumberType.NATIONAL),
        ("+11115550123", NumberType.LOCAL),  # of no numbering plan
    ],
)
def test_a_number_s_type_is_what_its_country_s_numbering_plan_says(
    e164: str, number_type: NumberType
) -> None:
    assert PhoneNumber(e164).number_type is number_type


def test_countries_are_those_that_have_numbers() -> None:
    assert {"US", "CA", "GB", "DE", "IN"} <= COUNTRIES
    assert not {"XX", "us", "001", ""} & COUNTRIES


@pytest.mark.parametrize(
    ("from_header", "asserted", "caller"),
    [
        (f"<sip:{ALICE.e164}@carrier>;tag=1", "", ALICE),
        (f'"Alice" <sip:{ALICE.e164};phone-context=x@carrier;user=phone>;tag=1', "", ALICE),
        (f"<tel:{ALICE.e164}>;tag=1", "", ALICE),
        ("<sip:anonymous@anonymous.invalid>;tag=1", f"<sip:{ALICE.e164}@carrier>", ALICE),
        ("<sip:anonymous@anonymous.invalid>;tag=1", f"<tel:{ALICE.e164}>", ALICE),
        ("<sip:anonymous@anonymous.invalid>;tag=1", "", None),
        (f'"<sip:{ALICE.e164}@x>" <sip:anonymous@anonymous.invalid>;tag=1', "", None),
        (f'"\\"<sip:{ALICE.e164}@x>" <sip:{BOB.e164}@carrier>;tag=1', "", BOB),
        (f"<sip:{BOB.e164}@carrier>;tag=1", f"<sip:{ALICE.e164}@carrier>", BOB),
        ("", "", None),
    ],
)
def test_the_caller_is_who_the_trunk_says_and_never_who_a_display_name_says(
    from_header: str, asserted: str, caller: PhoneNumber | None
) -> None:
    assert caller_number(from_header, asserted) == caller


@given(text=st.text())
def test_what_was_dialled_is_fit_to_be_written_down(text: str) -> None:
    assert re.fullmatch(r"[0-9A-Za-z+*#._-]{0,32}", dialled_number(text))
