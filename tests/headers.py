"""Headers that say who calls, as strange as RFC 3261 allows: for the parser, and for Asterisk."""

import dataclasses
import random
from collections.abc import Sequence

from bridge.domain.numbers import PhoneNumber

_DECOYS = ("+13035550181", "+13035550182", "+13035550183")
"""Numbers that stand in names and parameters, and are nobody's here."""

_FOLD = "\r\n "
_TEXTS = (
    *"()<>@,;:/[]?={} \t!$%&'*+-_.~|^#a9",
    '"',
    "\\",
    _FOLD,
    "${HANGUPCAUSE}",
    "${EVAL(x)}",
    "$[1+1]",
    "%2B",
    "%28",
    ":4",
    "ü",
    *(f"<tel:{decoy}>" for decoy in _DECOYS),
    *(f'" <sip:{decoy}@x>' for decoy in _DECOYS),
    *(f"), <sip:{decoy}@x>" for decoy in _DECOYS),
    *(f";verstat=x;phone-context={decoy}" for decoy in _DECOYS),
)
_WORDS = ("Alice", "A.B.", "o'Neill", "x-1", "50%", "a+b", "`q~")
_PARAMETERS = (
    "user=phone",
    "transport=udp",
    "lr",
    "x=%3Ctel:+13035550181%3E",
    "isub=+13035550182",
    "maddr=127.0.0.9",
)
_HEADER_PARAMETERS = (
    "x=1",
    "y",
    'z="<tel:+13035550181>"',
    'z="\\", <sip:+13035550182@x>;a"',
    "isub=13035550183",
)


@dataclasses.dataclass(frozen=True)
class Headers:
    """A message's lines of From and P-Asserted-Identity, and whom they name."""

    said: Sequence[str]
    asserted: Sequence[str]
    numbers_said: Sequence[str]
    """Those of From's own address: one, or none."""
    numbers_asserted: Sequence[str]

    @property
    def named(self) -> set[PhoneNumber]:
        """The numbers of all addresses: none of those that stand in names and parameters."""
        return {PhoneNumber(number) for number in [*self.numbers_said, *self.numbers_asserted]}

    @property
    def caller(self) -> PhoneNumber | None:
        if self.numbers_said:
            return PhoneNumber(self.numbers_said[0])
        numbers = set(self.numbers_asserted)
        return PhoneNumber(numbers.pop()) if len(numbers) == 1 else None


def headers(rng: random.Random) -> Headers:
    """What one message says of its caller.  From is without its tag."""
    number_said = _number(rng) if rng.random() < 0.6 else None
    said = _address(rng, number_said) + _header_parameters(rng)
    said = said.replace("\r\n", "")  # Asterisk drops a message whose From is folded within a name
    number = _number(rng)
    lines, numbers = [], []
    for _ in range(rng.randrange(3)):
        parts = []
        for _ in range(rng.choice([1, 1, 2])):
            asserted = rng.choice([number, number, None, _number(rng)])
            parts.append(_address(rng, asserted) + _header_parameters(rng))
            numbers += [asserted] if asserted else []
        lines.append((rng.choice([",", ", ", " ,\r\n "])).join(parts))
    return Headers([said], lines, [number_said] if number_said else [], numbers)


def _number(rng: random.Random) -> str:
    return f"+1202555{rng.randrange(100, 200):04}"


def _address(rng: random.Random, number: str | None) -> str:
    uri = _uri(rng, number)
    form = rng.randrange(4)
    if form == 0 and not set(uri) & set(",;?"):
        return uri
    if form == 1:
        return f"<{uri}>"
    if form == 2:
        words = rng.choice([" ", "  ", "\t"]).join(rng.choices(_WORDS, k=rng.randrange(1, 4)))
        return f"{words} <{uri}>"
    return f"{_quoted(rng)}{rng.choice(['', ' ', chr(9), chr(13) + chr(10) + ' '])}<{uri}>"


def _quoted(rng: random.Random) -> str:
    texts = rng.choices(_TEXTS, k=rng.randrange(8))
    return '"' + "".join(one if one == _FOLD else _escaped(rng, one) for one in texts) + '"'


def _escaped(rng: random.Random, text: str) -> str:
    return "".join(
        f"\\{one}"
        if one in '"\\' or (one.isprintable() and one.isascii() and rng.random() < 0.2)
        else one
        for one in text
    )


def _uri(rng: random.Random, number: str | None) -> str:
    if number is None:
        return rng.choice(
            [
                "sip:anonymous@anonymous.invalid",
                "sip:alice@carrier.example",
                f"sip:{_DECOYS[0][1:]}.example",  # a host
                "sip:carrier.example",
            ]
        )
    kind = rng.randrange(4)
    if kind == 0:
        return f"tel:{number}{rng.choice(['', ';x=1', ';phone-context=carrier.example'])}"
    user = number.replace("+", "%2B") if kind == 1 else number
    user += rng.choice(["", "", ";x=1", ";cic=+1"])
    host = rng.choice(["carrier.example", "127.0.0.9", "[::1]", "x"])
    port = rng.choice(["", ":5062"])
    parameters = "".join(f";{one}" for one in rng.sample(_PARAMETERS, rng.randrange(3)))
    return f"{rng.choice(['sip', 'SIP', 'sips'])}:{user}@{host}{port}{parameters}"


def _header_parameters(rng: random.Random) -> str:
    between = rng.choice(["", " "])
    return "".join(
        f"{between};{one}" for one in rng.sample(_HEADER_PARAMETERS, rng.choice([0, 0, 1, 2]))
    )
