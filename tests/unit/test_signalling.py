"""Who calls, by what a carrier's headers say."""

import random
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.domain.attestation import Attestation
from bridge.domain.numbers import PhoneNumber
from bridge.domain.signalling import Caller, CallerHeaders, addresses, caller
from bridge.domain.trunk_rules import CallerHeader, TrunkRules
from tests.headers import headers
from tests.people import ALICE, BOB, MALLORY

RULES = TrunkRules()


def number_of(
    said: Sequence[str], asserted: Sequence[str] = (), rules: TrunkRules = RULES
) -> PhoneNumber | None:
    return caller(CallerHeaders(said=said, asserted=asserted), rules).number


@given(rng=st.randoms(use_true_random=False))
def test_a_valid_header_names_the_number_of_its_own_address_and_no_other_in_its_text(
    rng: random.Random,
) -> None:
    made = headers(rng)
    found = caller(CallerHeaders(said=made.said, asserted=made.asserted), RULES)
    assert found.number == made.caller, made


@given(rng=st.randoms(use_true_random=False), data=st.data())
def test_a_header_that_was_cut_anywhere_names_nobody_but_its_own_addresses(
    rng: random.Random, data: st.DataObject
) -> None:
    made = headers(rng)
    line = made.said[0]
    cut = line[: data.draw(st.integers(0, len(line)))]
    said = PhoneNumber(made.numbers_said[0]) if made.numbers_said else None
    assert number_of([cut]) in {said, None}, cut


@given(text=st.text())
def test_any_text_can_be_read(text: str) -> None:
    assert caller(CallerHeaders(said=[text], asserted=[text, text], attested=[text]), RULES)


@pytest.mark.parametrize(
    ("said", "asserted", "number"),
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
        ("<sip:anonymous@x>;tag=1", f"<sip:nobody@x>, <tel:{ALICE.e164}>", ALICE),
        (f"<sip:anonymous@x>;tag=1;x=<sip:{ALICE.e164}@x>", "", None),
        (f"<sip:anonymous@x>;x=sip:{ALICE.e164}@x", "", None),
        (f"<sip:anonymous@x>;x=1,<sip:{ALICE.e164}@x>", "", None),
        (f'"unclosed <sip:{ALICE.e164}@x>" " <sip:{BOB.e164}@carrier>', "", None),
        (f"<sip:{ALICE.e164}>", "", None),  # a host, and no user
        (f"sip:{ALICE.e164}@carrier;tag=1", "", ALICE),
        (f"sips:{ALICE.e164[1:]}@carrier", "", ALICE),
        ("", "", None),
    ],
)
def test_the_caller_is_who_the_trunk_says_and_never_who_a_display_name_says(
    said: str, asserted: str, number: PhoneNumber | None
) -> None:
    assert number_of([said], [asserted] if asserted else []) == number


@pytest.mark.parametrize(
    ("said", "asserted", "number"),
    [
        (f"<sip:{ALICE.e164}@carrier>", f"<sip:{BOB.e164}@carrier>", BOB),
        (f"<sip:{ALICE.e164}@carrier>", "<sip:anonymous@anonymous.invalid>", None),
        (f"<sip:{ALICE.e164}@carrier>", "nonsense", None),
        (f"<sip:{ALICE.e164}@carrier>", "", ALICE),
    ],
)
def test_where_from_is_the_caller_s_own_word_the_network_s_identity_decides(
    said: str, asserted: str, number: PhoneNumber | None
) -> None:
    rules = TrunkRules(caller_header=CallerHeader.ASSERTED)
    assert number_of([said], [asserted] if asserted else [], rules) == number


@pytest.mark.parametrize(
    ("said", "asserted", "number"),
    [
        (["<sip:anonymous@x>"], ['"A" <sip:alice@x>', f"<tel:{ALICE.e164}>"], ALICE),
        (["<sip:anonymous@x>"], [f"<sip:{ALICE.e164}@x>", f"<tel:{ALICE.e164}>"], ALICE),
        (["<sip:anonymous@x>"], ["", f"<tel:{ALICE.e164}>"], ALICE),
        (["<sip:anonymous@x>"], [f"<tel:{ALICE.e164}>", f"<tel:{BOB.e164}>"], None),
        (["<sip:anonymous@x>"], [f"<tel:{ALICE.e164}>, <tel:{BOB.e164}>"], None),
        (["<sip:anonymous@x>"], [f"<tel:{ALICE.e164}>", '"'], None),
        ([f"<sip:{ALICE.e164}@x>", f"<sip:{BOB.e164}@x>"], [], None),
        ([f"<sip:{ALICE.e164}@x>", f"<sip:{ALICE.e164}@x>"], [], None),
        ([f"<sip:{ALICE.e164}@x>, <sip:{BOB.e164}@x>"], [f"<tel:{BOB.e164}>"], BOB),
        (["?"], [f"<tel:{BOB.e164}>"], BOB),  # what the dialplan could not pass on
        ([], [], None),
    ],
)
def test_all_lines_of_a_header_count_and_two_numbers_are_nobody_s(
    said: Sequence[str], asserted: Sequence[str], number: PhoneNumber | None
) -> None:
    assert number_of(said, asserted) == number


@pytest.mark.parametrize(
    "header",
    [
        f'"\\)\\"<tel:{ALICE.e164}>\\"" <sip:{MALLORY.e164}@carrier>',  # a quoted quote
        f"(a <tel:{ALICE.e164}>) <sip:{MALLORY.e164}@x>",
        f"<<tel:{ALICE.e164}>> <sip:{MALLORY.e164}@x>",
        f"<tel:{ALICE.e164}> <sip:{MALLORY.e164}@x>",
        f"sip:{MALLORY.e164}@x <tel:{ALICE.e164}>",
        f"sip:{MALLORY.e164}@x, tel:{ALICE.e164} <sip:{MALLORY.e164}@x>",
        f'<sip:{MALLORY.e164}@x>;a="<tel:{ALICE.e164}>"',
        f"<sip:{MALLORY.e164}@x>;a=,<tel:{ALICE.e164}>",
        f"<sip:{MALLORY.e164}@x>,",
        f",<tel:{ALICE.e164}>",
        f"<sip:x@{ALICE.e164}@y>",
        f"<sip:{MALLORY.e164}:pw@x?tel:{ALICE.e164}@y>",
    ],
)
def test_a_number_elsewhere_in_the_text_is_not_the_caller_s(header: str) -> None:
    assert number_of([header]) in {MALLORY, None}


@pytest.mark.parametrize(
    ("said", "asserted", "attested", "level"),
    [
        ("<sip:{0};verstat=TN-Validation-Passed-A@x;user=phone>", "", [], "A"),
        ("<tel:{0};verstat=TN-Validation-Passed-B>", "", [], "B"),
        ("<sip:{0}@x;VerStat=tn-validation-passed-c>", "", [], "C"),
        ("<sip:{0}@x>;verstat=TN-Validation-Passed", "", [], "C"),
        ('<sip:{0}@x>;verstat="TN-Validation-Passed-A"', "", [], "A"),
        ("<sip:{0}@x>", "<tel:{0};verstat=TN-Validation-Passed-A>", [], "A"),
        ("<sip:{0}@x>", "", ["A"], "A"),
        ("<sip:{0}@x>", "", [" b ; x=1"], "B"),
        ("<sip:{0}@x>", "", ["A", "C"], "C"),
        ("<sip:{0}@x>", "", [""], "none"),
        ("<sip:{0}@x>", "", ["X"], "none"),
        ("<sip:{0}@x>", "", [], "none"),
        ("<sip:{0};verstat=No-TN-Validation@x>", "", ["A"], "none"),
        ("<sip:{0};verstat=TN-Validation-Passed-A@x>", "<tel:{0};verstat=x>", [], "none"),
        ("<sip:{0};verstat=TN-Validation-Passed-Z@x>", "", [], "none"),
        ("<sip:{0};verstat=@x>", "", [], "none"),
    ],
)
def test_the_least_that_the_carrier_s_signs_agree_on_counts(
    said: str, asserted: str, attested: Sequence[str], level: str
) -> None:
    lines = [asserted.format(ALICE.e164)] if asserted else []
    found = caller(
        CallerHeaders(said=[said.format(ALICE.e164)], asserted=lines, attested=attested), RULES
    )
    assert found == Caller(ALICE, Attestation(level))


@pytest.mark.parametrize(
    ("said", "asserted"),
    [
        ("<sip:{0};verstat=TN-Validation-Failed@x;user=phone>", ""),
        ("<sip:{0}@x;verstat=TN-Validation-Failed-A>", ""),
        ("<sip:{0}@x>;verstat = tn-validation-failed", ""),
        ("<tel:{0};verstat=TN-Validation-Failed>", ""),
        ("<sip:{0}@x>", "<tel:{0};verstat=TN-Validation-Failed>"),
        ("<sip:anonymous@x>", "<sip:alice@x>, <tel:{0};verstat=TN-Validation-Failed>"),
        ("<sip:{0};verstat=TN-Validation-Passed-A@x>;verstat=TN-Validation-Failed", ""),
    ],
)
def test_a_number_whose_check_failed_counts_as_withheld(said: str, asserted: str) -> None:
    lines = [asserted.format(ALICE.e164)] if asserted else []
    headers = CallerHeaders(said=[said.format(ALICE.e164)], asserted=lines, attested=["A"])
    for header in CallerHeader:
        found = caller(headers, TrunkRules(caller_header=header))
        assert found == Caller(None, Attestation.FAILED)


def test_a_demand_is_met_by_itself_and_by_what_is_better() -> None:
    assert Attestation.A.met == ["none", "C", "B", "A"]
    assert Attestation.B.met == ["none", "C", "B"]
    assert Attestation.NONE.met == ["none"]
    assert Attestation.FAILED.met == []


def test_headers_and_addresses_do_not_print_what_they_hold() -> None:
    texts = (CallerHeaders(said=[ALICE.e164]), addresses(f"<tel:{ALICE.e164}>"))
    assert not [text for text in texts if ALICE.e164[1:] in repr(text)]


def test_a_generated_header_is_as_strange_as_the_standard_allows() -> None:
    texts = "".join(
        "".join([*made.said, *made.asserted])
        for made in (headers(random.Random(seed)) for seed in range(300))  # noqa: S311
    )
    for strange in ('\\"', "\\)", "<tel:", "\r\n ", "${", "%2B", ", <", "sips:", ";x="):
        assert strange in texts, strange
