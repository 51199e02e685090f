"""Settings of the carrier's way of writing numbers; part of `bridge.config.Settings`."""

import re
from typing import Annotated, Any, Literal

import phonenumbers
import pydantic
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from bridge.domain.attestation import Attestation
from bridge.domain.trunk_rules import BareDigits, CallerHeader, OutboundFormat, TrunkRules

_PREFIX = re.compile(r"[0-9*#]{1,16}")
_RANGE = re.compile(r"\+[1-9][0-9]{2,14}")


class TrunkSettings(BaseSettings):
    """How the trunk writes numbers, in From, P-Asserted-Identity and the number dialled.

    As they are here: ``+``, ``00`` or nothing before the country code.  See
    `bridge.domain.trunk_rules`, and ``masking-bridge trunk test-number`` for what they do.
    """

    model_config = SettingsConfigDict(env_prefix="BRIDGE_", frozen=True, extra="ignore")

    trunk_region: str | None = None
    """ISO 3166 code of the country, such as ``DE``, whose national numbers (``030 …``) and
    international prefix (America's ``011``) are understood.  Unset: no country's."""
    trunk_bare_digits: BareDigits = BareDigits.INTERNATIONAL
    """What digits are that come with no ``+``, no prefix and no 0 in front: ``international``,
    ``national`` (of ``trunk_region``), or ``either``, whichever is a valid number; a caller whose
    digits are valid as both stays unknown."""
    trunk_strip_prefixes: Annotated[tuple[str, ...], NoDecode] = ()
    """Comma-separated digits, ``*`` and ``#`` that the carrier puts before numbers, to be taken
    off.  They come off everything that begins with them, other than ``+`` and ``00``."""
    trunk_prepend: Annotated[str, pydantic.Field(pattern=r"^(\+?[0-9]{1,12})?$")] = ""
    """What the carrier leaves out in front of every number that has neither ``+`` nor an
    international prefix: a country code (``+49``), or one with an area code."""
    trunk_outbound_format: OutboundFormat = OutboundFormat.E164
    """How the carrier wants numbers: ``e164`` (``+14155550123``), ``digits`` (``14155550123``), or
    ``national``, as phones of ``trunk_region`` dial them."""

    number_ranges: Annotated[tuple[str, ...], NoDecode] = ()
    """Comma-separated beginnings of numbers in E.164, such as ``+4915199``, that count as valid
    although the installed libphonenumber does not know them: ranges that are newer than it."""

    trunk_caller: CallerHeader = CallerHeader.FROM
    """Who is calling by the trunk: ``from``, or ``asserted`` (P-Asserted-Identity), where the
    carrier sets it for every call and passes on a From that callers choose themselves."""

    trunk_min_attestation: Literal[
        Attestation.NONE, Attestation.C, Attestation.B, Attestation.A
    ] = Attestation.NONE
    """How far the carrier must vouch for a caller's number (STIR/SHAKEN), whatever accounts and
    sessions say: ``none``, ``C``, ``B`` or ``A``.  A caller below it counts as a stranger.  Only
    for a carrier that takes off what callers themselves write into ``verstat``,
    ``Attestation-Info`` and ``P-Attestation-Indicator``."""

    @property
    def trunk_rules(self) -> TrunkRules:
        return TrunkRules(
            region=self.trunk_region,
            bare_digits=self.trunk_bare_digits,
            strip_prefixes=self.trunk_strip_prefixes,
            prepend=self.trunk_prepend,
            outbound_format=self.trunk_outbound_format,
            caller_header=self.trunk_caller,
            ranges=self.number_ranges,
        )

    @pydantic.field_validator("trunk_region", mode="before")
    @classmethod
    def _is_a_country(cls, value: Any) -> str | None:
        region = str(value or "").strip().upper()
        if region and region not in phonenumbers.SUPPORTED_REGIONS:
            raise ValueError("must be the two letters of a country, such as DE")
        return region or None

    @pydantic.field_validator("trunk_strip_prefixes", mode="before")
    @classmethod
    def _are_prefixes(cls, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        prefixes = tuple(part.strip() for part in value.split(",")) if value.strip() else ()
        if not all(map(_PREFIX.fullmatch, prefixes)):
            raise ValueError("must be up to 16 digits, * or # each, separated by commas")
        if any(prefix.startswith("00") for prefix in prefixes):
            raise ValueError("must not begin with 00: nothing is taken off an international number")
        return prefixes

    @pydantic.field_validator("number_ranges", mode="before")
    @classmethod
    def _are_ranges(cls, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        ranges = tuple(part.strip() for part in value.split(",")) if value.strip() else ()
        if not all(map(_RANGE.fullmatch, ranges)):
            raise ValueError(
                "must be beginnings of numbers, + and 3 to 15 digits each, separated by commas"
            )
        return ranges

    @pydantic.model_validator(mode="after")
    def _has_a_region_where_one_is_needed(self) -> "TrunkSettings":
        needed_by = {
            "BRIDGE_TRUNK_BARE_DIGITS": self.trunk_bare_digits is not BareDigits.INTERNATIONAL,
            "BRIDGE_TRUNK_OUTBOUND_FORMAT": self.trunk_outbound_format is OutboundFormat.NATIONAL,
        }
        if self.trunk_region is None and any(needed_by.values()):
            names = " and ".join(name for name, needs in needed_by.items() if needs)
            raise ValueError(f"BRIDGE_TRUNK_REGION is needed by {names}")
        return self
