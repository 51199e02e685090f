"""How the parties' numbers are shown in an account's events."""

import dataclasses
import enum
import hashlib
import hmac
import uuid
from datetime import datetime

from bridge.domain.numbers import PhoneNumber


class NumberForm(enum.StrEnum):
    """One for a whole account; a virtual number is always shown."""

    FULL = "full"
    LAST2 = "last2"
    """The last two digits.  How long the number is, is not told."""
    TOKEN = "token"  # noqa: S105 - no password
    """A word that stands for it: always the same in this account, another in every other."""


@dataclasses.dataclass(frozen=True, slots=True)
class Privacy:
    """What an account's events show of a number."""

    form: NumberForm
    key: bytes = dataclasses.field(default=b"", repr=False)
    """The account's own, of which its tokens are made."""

    def shown(self, number: PhoneNumber) -> str:
        match self.form:
            case NumberForm.FULL:
                return number.e164.removeprefix("+")
            case NumberForm.LAST2:
                return f"***{number.e164[-2:]}"
            case NumberForm.TOKEN:
                digest = hmac.digest(self.key, number.e164.encode(), hashlib.sha256)
                return f"tok_{digest[:16].hex()}"


OPEN = Privacy(NumberForm.FULL)
"""For whoever may see them."""
LAST2 = Privacy(NumberForm.LAST2)
"""For a terminal, whose lines are kept and copied."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Reveal:
    """That somebody was shown the numbers of an event."""

    id: uuid.UUID
    event: uuid.UUID
    event_name: str
    session: uuid.UUID | None
    actor: str
    reason: str
    revealed_at: datetime
