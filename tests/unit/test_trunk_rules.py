"""A carrier's way of writing numbers: what each rule does, and what none of them can do."""

import re
from typing import Any

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.domain.numbers import PhoneNumber
from bridge.domain.signalling import CallerHeaders, caller, dialled_number
from bridge.domain.trunk_rules import BareDigits, OutboundFormat, TrunkRules, read
from tests.people import ALICE, VIRTUAL

GERMANY = TrunkRules(region="DE")
AMERICA = TrunkRules(region="US", bare_digits=BareDigits.NATIONAL)
BERLIN = "+4930123456"

REGIONS = sorted(phonenumbers.SUPPORTED_REGIONS)


@st.composite
def numbers(draw: st.DrawFn) -> PhoneNumber:
    """Valid numbers of all countries."""
    kinds = phonenumbers.PhoneNumberType.values()
    example = phonenumbers.example_number_for_type(
        draw(st.sampled_from(REGIONS)), draw(st.sampled_from(sorted(kinds)))
    )
    if example is None:
        return ALICE
    text = phonenumbers.format_number(example, phonenumbers.PhoneNumberFormat.E164)
    last = draw(st.integers(0, 999))
    other = PhoneNumber(f"{text[:-3]}{last:03}")
    return other if other.is_valid else PhoneNumber(text)


PREFIXES = st.sampled_from(["0", "01", "011"]) | st.from_regex(
    r"(?!00)[0-9*#]{1,4}", fullmatch=True
)
RULES = st.builds(
    TrunkRules,
    region=st.none() | st.sampled_from(REGIONS),
    bare_digits=st.sampled_from(BareDigits),
    strip_prefixes=st.lists(PREFIXES, max_size=3).map(tuple),
    prepend=st.from_regex(r"(\+?[0-9]{1,4})?", fullmatch=True),
    outbound_format=st.sampled_from(OutboundFormat),
)


def number_of(text: str, rules: TrunkRules) -> str | None:
    number = read(text, rules).number
    return number.e164 if number else None


@pytest.mark.parametrize(
    "text",
    [
        "+14155550123",
        "14155550123",
        "0014155550123",
        "+1-415-555-0123",
        "+1.415.555.0123",
        "+1 (415) 555-0123",
        "%2B14155550123",
        "+14155550123;ext=22",
        "+14155550123x22",
        "+14155550123;phone-context=carrier.example;user=phone",
        "14155550123;phone-context=carrier.example",
    ],
)
def test_without_rules_a_number_comes_with_its_country_code(text: str) -> None:
    assert read(text, TrunkRules()).number == ALICE


@pytest.mark.parametrize(
    "text",
    [
        *("anonymous", "", "+", "0", "00", "unavailable", "1;2", "4155550123x", "+1415555a123"),
        *(
            "++14155550123",
            "+014155550123",
            "1" * 16,
            "٤١٥٥٥٥٠١٢٣",
            "+1415\x00",
            "*31#",
            "+1%00415",
        ),
        *("0415550123", "sip:+14155550123@carrier", "alice:14155550123"),
    ],
)
def test_without_rules_everything_else_is_no_number(text: str) -> None:
    assert read(text, TrunkRules()).number is None


@pytest.mark.parametrize(
    ("rules", "text", "number"),
    [
        # a region: its trunk prefix and its international prefix
        (GERMANY, "030123456", BERLIN),
        (GERMANY, "0049 (0)30 123456", BERLIN),
        (GERMANY, "4930123456", BERLIN),
        (GERMANY, "14155550123", ALICE.e164),
        (GERMANY, "0110", None),
        (TrunkRules(region="US"), "011442079460123", "+442079460123"),
        (TrunkRules(region="US"), "00442079460123", "+442079460123"),
        (TrunkRules(region="JP"), "010442079460123", "+442079460123"),
        (TrunkRules(region="AU"), "0011442079460123", "+442079460123"),  # not +1 144 …
        (TrunkRules(region="RU"), "810442079460123", "+442079460123"),
        (TrunkRules(region="IT"), "0669812345", "+390669812345"),
        (TrunkRules(region="AR"), "011 15-2345-6789", "+5491123456789"),
        # digits that come bare
        (AMERICA, "4155550123", ALICE.e164),
        (AMERICA, "14155550123", ALICE.e164),
        (AMERICA, "5550123", None),
        (AMERICA, "442079460123", None),
        (TrunkRules(region="DE", bare_digits=BareDigits.NATIONAL), "30123456", BERLIN),
        (TrunkRules(region="DE", bare_digits=BareDigits.NATIONAL), "4930123456", None),
        (TrunkRules(region="RU", bare_digits=BareDigits.NATIONAL), "84951234567", "+74951234567"),
        (TrunkRules(region="US", bare_digits=BareDigits.EITHER), "4155550123", ALICE.e164),
        (TrunkRules(region="US", bare_digits=BareDigits.EITHER), "442079460123", "+442079460123"),
        # prefixes and what is left out
        (TrunkRules(strip_prefixes=("9",)), "914155550123", ALICE.e164),
        (TrunkRules(strip_prefixes=("9", "9901")), "990114155550123", ALICE.e164),
        (TrunkRules(strip_prefixes=("9",)), "9+14155550123", ALICE.e164),
        (TrunkRules(strip_prefixes=("*31#",)), "*31#14155550123", ALICE.e164),
        (TrunkRules(strip_prefixes=("9",), region="DE"), "9030123456", BERLIN),
        (TrunkRules(prepend="+49"), "30123456", BERLIN),
        (TrunkRules(prepend="+49"), "030123456", BERLIN),
        (TrunkRules(prepend="1"), "4155550123", ALICE.e164),
        (TrunkRules(prepend="+1415"), "5550123", ALICE.e164),
        (TrunkRules(prepend="+1", strip_prefixes=("1",)), "14155550123", ALICE.e164),
        (TrunkRules(prepend="+1", strip_prefixes=("9",)), "900442079460123", "+442079460123"),
        # nothing is taken off a number that came whole
        (TrunkRules(prepend="+49", strip_prefixes=("0",)), "00442079460123", "+442079460123"),
        (TrunkRules(region="US", strip_prefixes=("011",)), "011442079460123", "+442079460123"),
        (TrunkRules(region="US", strip_prefixes=("0",)), "011442079460123", "+442079460123"),
    ],
)
def test_a_rule_completes_a_number_that_came_without_its_country(
    rules: TrunkRules, text: str, number: str | None
) -> None:
    assert number_of(text, rules) == number


def test_digits_that_are_two_people_s_numbers_are_nobody_s() -> None:
    """+1 475 555 0123 is in Connecticut, +47 55 55 01 23 in Bergen."""
    text = "4755550123"
    assert PhoneNumber("+14755550123").is_valid
    assert PhoneNumber("+4755550123").is_valid
    assert number_of(text, TrunkRules(region="US", bare_digits=BareDigits.EITHER)) is None
    assert number_of(text, TrunkRules(region="US")) == "+4755550123"
    assert number_of(text, AMERICA) == "+14755550123"


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("4155550123;phone-context=+1", ALICE.e164),
        ("14155550123;phone-context=%2B1", ALICE.e164),
        ("020-7946-0123;ext=5;Phone-Context=+44", "+442079460123"),
        ("555-0123;phone-context=+1-415", None),  # RFC 3966: the two need not make a number
        ("7042;phone-context=+14155550100", None),
        ("4155550123;phone-context=+1;phone-context=+44", None),
        ("4155550123;phone-context=+999", None),
        ("12345678;phone-context=+800", None),
        ("1800FLOWERS;phone-context=+1", None),  # libphonenumber would dial it
        ("+14155550123;phone-context=+49", ALICE.e164),  # is global, whatever is said behind it
    ],
)
def test_a_context_says_of_which_country_a_local_number_is(text: str, number: str | None) -> None:
    for rules in (TrunkRules(), GERMANY, TrunkRules(prepend="+49")):
        assert number_of(text, rules) == number


@given(number=numbers(), rules=RULES)
def test_a_number_that_comes_whole_is_itself_under_any_rules(
    number: PhoneNumber, rules: TrunkRules
) -> None:
    assert read(number.e164, rules).number == number
    assert read(f"<{number.e164}>", rules).number is None
    # Singapore dials "006" where others dial "00 6…": then nobody can tell, and nobody is told.
    assert read(f"00{number.e164[1:]}", rules).number in {number, None}


@given(number=numbers(), region=st.sampled_from(REGIONS))
def test_what_phones_of_a_region_dial_is_read_as_that_number_or_not_at_all(
    number: PhoneNumber, region: str
) -> None:
    national = TrunkRules(
        region=region,
        bare_digits=BareDigits.NATIONAL,
        outbound_format=OutboundFormat.NATIONAL,
    )
    assert read(national.outbound(number), national).number in {number, None}


@given(text=st.text() | st.from_regex(r"\+?[0-9*#;. -]{0,20}", fullmatch=True), rules=RULES)
def test_whatever_is_signalled_is_a_number_or_none_and_the_same_when_read_again(
    text: str, rules: TrunkRules
) -> None:
    number = read(text, rules).number
    if number:
        assert number.canonical == number
        assert read(number.e164, rules).number == number
    dialled = dialled_number(text, rules)
    assert re.fullmatch(r"[0-9A-Za-z+*#._?-]{0,32}", dialled)
    assert (number is not None) == bool(re.fullmatch(r"\+[1-9][0-9]{1,14}", dialled))


def test_no_number_is_what_is_left_of_a_text_that_is_none() -> None:
    assert dialled_number("+1202555014,2", TrunkRules()) == "+1202555014?2"


@given(number=numbers(), rules=RULES)
def test_what_we_send_out_is_the_same_number_to_the_carrier(
    number: PhoneNumber, rules: TrunkRules
) -> None:
    sent = rules.outbound(number)
    assert re.fullmatch(r"\+?[0-9]+", sent)
    if rules.outbound_format is OutboundFormat.DIGITS:
        sent = f"+{sent}"
    back = phonenumbers.parse(sent, rules.region)
    assert phonenumbers.format_number(back, phonenumbers.PhoneNumberFormat.E164) == number.e164


@pytest.mark.parametrize(
    ("style", "region", "number", "sent"),
    [
        (OutboundFormat.E164, "DE", BERLIN, BERLIN),
        (OutboundFormat.DIGITS, "DE", BERLIN, "4930123456"),
        (OutboundFormat.NATIONAL, "DE", BERLIN, "030123456"),
        (OutboundFormat.NATIONAL, "DE", ALICE.e164, "0014155550123"),
        (OutboundFormat.NATIONAL, "US", ALICE.e164, "14155550123"),
        (OutboundFormat.NATIONAL, "US", BERLIN, "0114930123456"),
        (OutboundFormat.NATIONAL, "AR", "+5491123456789", "0111523456789"),
        (OutboundFormat.NATIONAL, "BR", BERLIN, BERLIN),  # which carrier to take is not ours to say
        (OutboundFormat.NATIONAL, "HK", "+85526379781", "+85526379781"),  # 008 is a carrier there
        (OutboundFormat.NATIONAL, "PK", "+92005855", "+92005855"),  # would be dialled as +58 55
        (OutboundFormat.NATIONAL, "US", "+12", "+12"),
        (OutboundFormat.NATIONAL, "US", "+99912345", "+99912345"),
    ],
)
def test_a_number_is_sent_as_the_carrier_wants_it(
    style: OutboundFormat, region: str, number: str, sent: str
) -> None:
    rules = TrunkRules(region=region, outbound_format=style)
    assert rules.outbound(PhoneNumber(number)) == sent


def test_the_rules_read_both_the_caller_and_the_number_dialled() -> None:
    header = '"Alice" <sip:4155550123@carrier;user=phone>;tag=1'
    assert caller(CallerHeaders(said=[header]), AMERICA).number == ALICE
    asserted = CallerHeaders(said=["<sip:anonymous@x>"], asserted=["<tel:(415)-555-0123>"])
    assert caller(asserted, AMERICA).number == ALICE
    assert dialled_number("2025550142", AMERICA) == VIRTUAL.e164
    assert dialled_number("2025550142;ext=1", TrunkRules(region="US")) != VIRTUAL.e164


def test_a_reading_does_not_print_what_was_signalled() -> None:
    reading: Any = read("030 123456", GERMANY)
    assert "123456" not in re.sub(r"\D", "", f"{reading} {reading.steps}")
