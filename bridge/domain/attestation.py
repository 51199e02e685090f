"""How far a carrier vouches for a caller's number (STIR/SHAKEN: RFC 8224, ATIS-1000074)."""

import enum
from collections.abc import Iterable


class Attestation(enum.StrEnum):
    """What the carrier says of the number, or the least that is wanted of it."""

    FAILED = "failed"
    """The carrier checked the signature, and it does not hold."""
    NONE = "none"
    """The carrier says nothing, or that it did not check."""
    C = "C"
    """Gateway attestation: the signature holds, and says only where the call entered."""
    B = "B"
    """Partial attestation: the carrier knows its customer, and not the customer's numbers."""
    A = "A"
    """Full attestation: the customer may use this number."""

    def meets(self, least: "Attestation") -> bool:
        """Whether this is at least ``least``."""
        return _ORDER.index(self) >= _ORDER.index(least)

    @property
    def met(self) -> list[str]:
        """Every demand that this meets, by its name: nothing at all if the check failed."""
        return [least for least in _ORDER[1:] if self.meets(least)]


_ORDER = list(Attestation)

_FAILED = "tn-validation-failed"
_PASSED = "tn-validation-passed"
_LEVELS = {level.value.lower(): level for level in (Attestation.A, Attestation.B, Attestation.C)}


def attestation(verstats: Iterable[str], indicators: Iterable[str]) -> Attestation:
    """The least that the carrier's signs agree on; one failed check outweighs all of them.

    Args:
        verstats: values of ``verstat`` (3GPP TS 24.229, 7.2A.20), such as
            ``TN-Validation-Passed``; many carriers append the level, ``-A``.  Without a level a
            check that passed counts as C.
        indicators: texts of Attestation-Info or P-Attestation-Indicator, such as ``A``.
    """
    found = [*map(_of_verstat, verstats), *map(_of_indicator, indicators)]
    levels = [level for level in found if level is not None]
    return min(levels, key=_ORDER.index, default=Attestation.NONE)


def _of_verstat(value: str) -> Attestation:
    text = value.strip().lower()
    if text.startswith(_FAILED):
        return Attestation.FAILED
    status, _, level = text.partition(_PASSED)
    if status or not text.startswith(_PASSED):
        return Attestation.NONE  # No-TN-Validation, and what no standard knows
    return _LEVELS.get(level.removeprefix("-"), Attestation.C if not level else Attestation.NONE)


def _of_indicator(text: str) -> Attestation | None:
    """``None`` for an empty header, which says nothing."""
    level = text.partition(";")[0].strip().strip('"').lower()
    return _LEVELS.get(level, Attestation.NONE) if level else None
