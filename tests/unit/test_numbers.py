"""Numbers: what is one, and that none prints itself."""

import re

import phonenumbers
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.domain.numbers import COUNTRIES, WORLDWIDE, NumberType, PhoneNumber
from bridge.domain.signalling import dialled_number
from bridge.domain.trunk_rules import TrunkRules


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


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("+14155550123", "+14155550123"),
        ("+5215512345678", "+525512345678"),  # the 1 that Mexico gave up
        ("+52155123456789", "+52155123456789"),
        ("+54111523456789", "+5491123456789"),  # Argentina's 15 of home is 9 from abroad
        ("+541123456789", "+541123456789"),  # is a fixed line of that number: no 9 is guessed
        ("+4402079460123", "+442079460123"),
        ("+390669812345", "+390669812345"),  # Italy's 0 belongs to the number
        ("+99912345", "+99912345"),
        ("+12", "+12"),
    ],
)
def test_a_number_has_one_form(text: str, canonical: str) -> None:
    assert PhoneNumber(text).canonical == PhoneNumber(canonical)


def as_it_stands(number: PhoneNumber, code: int) -> phonenumbers.PhoneNumber:
    """The number with nothing taken off, which parsing might do."""
    national = number.e164.removeprefix(f"+{code}")
    zeros = len(national) - len(national.lstrip("0"))
    return phonenumbers.PhoneNumber(
        country_code=code,
        national_number=int(national),
        italian_leading_zero=bool(zeros) or None,
        number_of_leading_zeros=zeros if zeros > 1 else None,
    )


@given(
    code=st.sampled_from(sorted(phonenumbers.COUNTRY_CODE_TO_REGION_CODE)),
    national=st.from_regex(r"[0-9]{5,11}", fullmatch=True),
)
@settings(max_examples=2000)
def test_a_number_that_is_valid_as_it_stands_is_never_changed(code: int, national: str) -> None:
    number = PhoneNumber(f"+{code}{national}")
    assert number.canonical.canonical == number.canonical
    if phonenumbers.is_valid_number(as_it_stands(number, code)):
        assert number.canonical == number
    else:
        assert number.canonical == number or number.canonical.is_valid


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


@given(text=st.text())
def test_what_was_dialled_is_fit_to_be_written_down(text: str) -> None:
    assert re.fullmatch(r"[0-9A-Za-z+*#._?-]{0,32}", dialled_number(text, TrunkRules()))
