"""Phone numbers that do not print themselves."""

import dataclasses
import enum
import re

import phonenumbers

_E164 = re.compile(r"\+[1-9][0-9]{1,14}")

_PREMIUM = {
    phonenumbers.PhoneNumberType.PREMIUM_RATE,
    phonenumbers.PhoneNumberType.SHARED_COST,
}

WORLDWIDE = "001"
"""Country of a number that belongs to none, such as +800 (UN M.49, as libphonenumber has it)."""

COUNTRIES = frozenset(phonenumbers.SUPPORTED_REGIONS)
"""ISO 3166 codes of the countries that have numbers (libphonenumber)."""


@dataclasses.dataclass(frozen=True, slots=True)
class OtherForm:
    """A second way to write the numbers of a country's phones."""

    written: re.Pattern[str]
    instead: str
    """What stands in front of the rest in the form that we keep."""
    is_dialled: bool
    """Whether the form that we keep is the one to dial, too."""
    source: str


OTHER_FORMS = (
    OtherForm(
        re.compile(r"\+521(?=[0-9]{10}$)"),
        "+52",
        is_dialled=True,
        source="Mexico, IFT: since 2019-08-03 no 1 for mobiles; some networks still send it",
    ),
    OtherForm(
        re.compile(r"\+549(?=[0-9]{10}$)"),
        "+54",
        is_dialled=False,
        source="Argentina, ITU-T E.129: calls from abroad to mobiles need the 9, networks there "
        "show callers without it; no landline has the same ten digits",
    ),
)
"""To know one more country's callers is one more row here."""


class NumberType(enum.StrEnum):
    """What a number is to who calls it, in Plivo's words."""

    LOCAL = "local"
    FIXED = "fixed"
    MOBILE = "mobile"
    NATIONAL = "national"
    """Of a country, and of no place in it."""
    TOLLFREE = "tollfree"


_TYPES = {
    phonenumbers.PhoneNumberType.MOBILE: NumberType.MOBILE,
    phonenumbers.PhoneNumberType.TOLL_FREE: NumberType.TOLLFREE,
    phonenumbers.PhoneNumberType.UAN: NumberType.NATIONAL,
    phonenumbers.PhoneNumberType.VOIP: NumberType.NATIONAL,
    phonenumbers.PhoneNumberType.PERSONAL_NUMBER: NumberType.NATIONAL,
    **dict.fromkeys(_PREMIUM, NumberType.NATIONAL),
}


@dataclasses.dataclass(frozen=True, slots=True, repr=False)
class PhoneNumber:
    """A number in E.164.  ``str()`` is masked; write ``.e164`` where the digits must go out.

    Logs, f-strings, tracebacks and test reports are then safe by default, and the places where
    digits leave can be listed (``tests/unit/test_numbers_stay_masked.py`` holds that list).

    Raises:
        ValueError: the text is not ``+`` and 2 to 15 digits, the first not 0 (ITU-T E.164).
    """

    e164: str

    def __post_init__(self) -> None:
        if not _E164.fullmatch(self.e164):
            raise ValueError("not an E.164 number")  # the text itself may be somebody's number

    def __str__(self) -> str:
        return f"+{'*' * (len(self.e164) - 3)}{self.e164[-2:]}"

    __repr__ = __str__

    @property
    def canonical(self) -> "PhoneNumber":
        """The form that everybody gives the number, where it came in another (libphonenumber).

        Without a trunk prefix behind the country code (``+44 0…``), with Argentina's mobile 9 for
        the 15 of home, without the 1 that Mexico gave up in 2019.  Where no other form of it is a
        valid number, the number itself.
        """
        try:
            parsed = phonenumbers.parse(_kept_form(self.e164, to_dial=True))
        except phonenumbers.NumberParseException:
            return self
        if not phonenumbers.is_valid_number(parsed):
            return self
        return PhoneNumber(phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164))

    @property
    def lookup_form(self) -> "PhoneNumber":
        """One form for every way in which networks write the number of one phone.

        Callers are recognised by it.  It is never dialled, and never shown.
        """
        return PhoneNumber(_kept_form(self.e164, to_dial=False))

    @property
    def country(self) -> str:
        """ISO 3166 code of the number's country, or `WORLDWIDE`.

        Of a range that libphonenumber does not know, the main country of its country code.
        """
        parsed = phonenumbers.parse(self.e164)
        known = phonenumbers.region_code_for_number(parsed)
        main = phonenumbers.region_code_for_country_code(parsed.country_code or 0)
        return known or (WORLDWIDE if main == phonenumbers.UNKNOWN_REGION else main)

    @property
    def number_type(self) -> NumberType:
        """Its type by its country's numbering plan; where that does not tell, local."""
        kind = phonenumbers.number_type(phonenumbers.parse(self.e164))
        return _TYPES.get(kind, NumberType.LOCAL)

    @property
    def is_possible(self) -> bool:
        """Whether the number has a country code and a length in use there (libphonenumber)."""
        try:
            return phonenumbers.is_possible_number(phonenumbers.parse(self.e164))
        except phonenumbers.NumberParseException:
            return False

    @property
    def is_valid(self) -> bool:
        """Whether its country's numbering plan has such a number (libphonenumber)."""
        try:
            return phonenumbers.is_valid_number(phonenumbers.parse(self.e164))
        except phonenumbers.NumberParseException:
            return False

    def is_valid_with(self, ranges: tuple[str, ...]) -> bool:
        """Whether it is valid, or begins with one of the ranges that an operator knows of."""
        return self.is_valid or self.e164.startswith(ranges)

    @property
    def is_premium(self) -> bool:
        """Whether a call to it costs more than a call (libphonenumber)."""
        return phonenumbers.number_type(phonenumbers.parse(self.e164)) in _PREMIUM


def _kept_form(e164: str, *, to_dial: bool) -> str:
    for form in OTHER_FORMS:
        if form.is_dialled or not to_dial:
            e164 = form.written.sub(form.instead, e164)
    return e164
