"""How a carrier writes numbers: reading what it signals, and writing what it wants.

What an address says is a stranger's text, so a rule may complete a number that came without its
country, and nothing else: one that came whole, with ``+`` or an international prefix, stays the
number that it is, whatever the rules.  What can be two numbers is none, and its caller a stranger.
"""

import dataclasses
import enum
import re
from collections.abc import Callable, Iterable
from typing import Final
from urllib.parse import unquote

import phonenumbers
from phonenumbers import CountryCodeSource, PhoneMetadata

from bridge.domain.numbers import WORLDWIDE, PhoneNumber

TRUNK_NAME: Final = "[A-Za-z0-9][A-Za-z0-9_-]{0,31}"
"""A trunk's name, as a pattern: its PJSIP endpoint's.  Nothing in it says more in a dial string."""

_SEPARATORS = re.compile(r"[-.() ]")  # RFC 3966's, and the space of people
_EXTENSION = re.compile(r"(?:x|ext\.?)[0-9]{1,7}$", re.IGNORECASE)
_NUMBER = re.compile(r"\+?[0-9]{1,24}")
_ITU_PREFIX = "00"  # what ITU-T E.164 recommends, and carriers send whatever phones there dial


class BareDigits(enum.StrEnum):
    """What digits are that come with no ``+``, no international prefix and no 0 in front."""

    INTERNATIONAL = "international"
    """A country code and a number, always."""
    NATIONAL = "national"
    """A number of the trunk's region, always."""
    EITHER = "either"
    """Whichever of the two is a valid number; if both are and differ, nobody knows."""


class OutboundFormat(enum.StrEnum):
    """How the carrier wants a number that we send: the callee's, and the caller ID."""

    E164 = "e164"
    """``+14155550123``."""
    DIGITS = "digits"
    """``14155550123``."""
    NATIONAL = "national"
    """As phones of the trunk's region dial it: ``030123456`` at home, ``0014155550123`` abroad."""


class CallerHeader(enum.StrEnum):
    """Which header says who is calling."""

    FROM = "from"
    """From; P-Asserted-Identity where the caller withholds his number there."""
    ASSERTED = "asserted"
    """P-Asserted-Identity wherever there is one: From is the caller's own word in many networks."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class TrunkRules:
    """The rules of one trunk, in the order in which they are applied.

    As they are here, they take ``+``, ``00`` or nothing before the country code.
    """

    strip_prefixes: tuple[str, ...] = ()
    """Digits, ``*`` and ``#`` that the carrier puts in front; of those that fit the longest is
    taken off, once, and never off a number with ``+`` or an international prefix."""
    prepend: str = ""
    """Put before what has neither ``+`` nor an international prefix then: a country code or an area
    code that is left out."""
    region: str | None = None
    """ISO 3166 code of the country whose international prefixes and national numbers are
    understood; ``None``: no country's."""
    bare_digits: BareDigits = BareDigits.INTERNATIONAL
    outbound_format: OutboundFormat = OutboundFormat.E164
    caller_header: CallerHeader = CallerHeader.FROM
    ranges: tuple[str, ...] = ()
    """Beginnings of numbers, E.164, that count as valid, known to libphonenumber or not."""

    def outbound(self, number: PhoneNumber) -> str:
        """A number as the carrier wants it."""
        match self.outbound_format:
            case OutboundFormat.E164:
                return number.e164
            case OutboundFormat.DIGITS:
                return number.e164.removeprefix("+")
            case OutboundFormat.NATIONAL:
                return _as_dialled(number, self.region) if self.region else number.e164


@dataclasses.dataclass(frozen=True, slots=True)
class Step:
    """One step of a reading, for people.  ``text`` may hold all digits of a number."""

    rule: str
    text: str = dataclasses.field(repr=False)


@dataclasses.dataclass(frozen=True, slots=True)
class Reading:
    """What a signalled number is, and how that was found."""

    number: PhoneNumber | None
    """``None``: withheld, no number, or more than one."""
    steps: tuple[Step, ...]


def read(signalled: str, rules: TrunkRules) -> Reading:
    """The number that the user part of a SIP address (RFC 3261) or a tel URI (RFC 3966) signals."""
    steps: list[Step] = []

    def note(rule: str, text: str) -> None:
        steps.append(Step(rule, text))

    note("as signalled", signalled)
    number = _read(signalled, rules, note)
    return Reading(number, tuple(steps))


def _read(
    signalled: str, rules: TrunkRules, note: Callable[[str, str], None]
) -> PhoneNumber | None:
    subscriber, *parameters = signalled.split(";")
    digits = _SEPARATORS.sub("", _EXTENSION.sub("", unquote(subscriber)))
    if digits != signalled:
        note("without separators, extension and parameters", digits)
    contexts = {context for context in map(_global_context, parameters) if context}
    if contexts and not digits.startswith("+"):
        note("valid in the context", ", ".join(sorted(contexts)))
        readings = _in_context(digits, contexts, rules.ranges)
    else:
        readings = _readings(_completed(digits, rules, note), rules)
    for rule, number in readings.items():
        note(rule, number.e164)
    return _the_only(readings.values(), rules.ranges, note)


def _the_only(
    readings: Iterable[PhoneNumber], ranges: tuple[str, ...], note: Callable[[str, str], None]
) -> PhoneNumber | None:
    numbers = set(readings)
    if len(numbers) > 1:
        numbers = {number for number in numbers if number.is_valid_with(ranges)}
        note("of these, valid", ", ".join(sorted(number.e164 for number in numbers)) or "none")
    return numbers.pop() if len(numbers) == 1 else None


def _completed(digits: str, rules: TrunkRules, note: Callable[[str, str], None]) -> str:
    """The digits without what the carrier put in front, and with what it left out."""
    if _is_whole(digits, rules):
        return digits
    fitting = [prefix for prefix in rules.strip_prefixes if digits.startswith(prefix)]
    if fitting:
        prefix = max(fitting, key=len)
        digits = digits.removeprefix(prefix)
        note(f"{prefix} taken off", digits)
    if rules.prepend and not _is_whole(digits, rules):
        digits = f"{rules.prepend}{digits}"
        note(f"{rules.prepend} put in front", digits)
    return digits


def _is_whole(digits: str, rules: TrunkRules) -> bool:
    return digits.startswith(("+", _ITU_PREFIX)) or bool(_after_prefix(digits, rules.region))


def _readings(digits: str, rules: TrunkRules) -> dict[str, PhoneNumber]:
    """Every number that the digits can be, by the rule that makes it so."""
    if not _NUMBER.fullmatch(digits):
        return {}
    region, bare = rules.region, rules.bare_digits
    found: dict[str, PhoneNumber | None] = {}
    if digits.startswith("+"):
        return _known({"international": _international(digits[1:])})
    if digits.startswith(_ITU_PREFIX):
        found["international, after 00"] = _international(digits.removeprefix(_ITU_PREFIX))
    if rest := _after_prefix(digits, region):
        found[f"international, after the prefix of {region}"] = _international(rest)
    if not digits.startswith("0") and bare is not BareDigits.NATIONAL:
        found["international, bare"] = _international(digits)
    if region and (digits.startswith("0") or bare is not BareDigits.INTERNATIONAL):
        found[f"national number of {region}"] = national_number(digits, region, rules.ranges)
    return _known(found)


def _known(readings: dict[str, PhoneNumber | None]) -> dict[str, PhoneNumber]:
    return {rule: number for rule, number in readings.items() if number}


def _in_context(digits: str, contexts: set[str], ranges: tuple[str, ...]) -> dict[str, PhoneNumber]:
    """The number that is local to one whole country; of a part of one, nobody can tell its number.

    RFC 3966, 5.1.5: the digits of a context and a local number need not make a global one.
    """
    code = contexts.pop()
    region = phonenumbers.region_code_for_country_code(int(code[1:]))
    is_a_country = region not in (phonenumbers.UNKNOWN_REGION, WORLDWIDE)
    if contexts or not is_a_country or not _NUMBER.fullmatch(digits):
        return {}
    return _known({f"national number of {region}": national_number(digits, region, ranges)})


def _global_context(parameter: str) -> str | None:
    """The ``+`` and digits of a phone-context; a carrier's domain leaves all to its rules."""
    name, _, value = parameter.partition("=")
    digits = _SEPARATORS.sub("", unquote(value))
    is_context = name.strip().lower() == "phone-context"
    return digits if is_context and re.fullmatch(r"\+[0-9]{1,15}", digits) else None


def _international(digits: str) -> PhoneNumber | None:
    """The number of a country code and what follows."""
    try:
        return PhoneNumber(f"+{digits}").canonical
    except ValueError:
        return None


def national_number(digits: str, region: str, ranges: tuple[str, ...] = ()) -> PhoneNumber | None:
    """The number that phones of the region's country dial with the digits, if it is valid."""
    try:
        parsed = phonenumbers.parse(digits, region, keep_raw_input=True)
    except phonenumbers.NumberParseException:
        return None
    code = phonenumbers.country_code_for_region(region)
    # Not "49 30 …" for Germany's "030 …", which libphonenumber takes too; but "1 415 …" for
    # America's "415 …", where the trunk prefix happens to be the country code.
    is_national = (
        parsed.country_code_source == CountryCodeSource.FROM_DEFAULT_COUNTRY
        or phonenumbers.ndd_prefix_for_region(region, True) == str(code)
    )
    if parsed.country_code != code or not is_national:
        return None
    number = _international(_e164(parsed).removeprefix("+"))
    return number if number and number.is_valid_with(ranges) else None


def _after_prefix(digits: str, region: str | None) -> str:
    """What follows the international prefix of the region; empty if there is none in front."""
    metadata = PhoneMetadata.metadata_for_region(region) if region else None
    prefix = metadata.international_prefix if metadata else None
    match = re.match(prefix, digits) if prefix else None
    return digits[match.end() :] if match else ""


def _as_dialled(number: PhoneNumber, region: str) -> str:
    """The number as phones of the region dial it; in E.164 where that cannot be told for sure."""
    try:
        parsed = phonenumbers.parse(number.e164)
        text = phonenumbers.format_out_of_country_calling_number(parsed, region)
        dialled = re.sub(r"[^+0-9]", "", text)
        back = phonenumbers.parse(dialled, region)
    except phonenumbers.NumberParseException:
        return number.e164
    # What rings must be this phone and no other, so the way back was tried.
    return dialled if back == parsed else number.e164


def _e164(parsed: phonenumbers.PhoneNumber) -> str:
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
