"""What can be done now, and what stands in the way: a value for each part that was looked at."""

import dataclasses
import enum
from collections.abc import Iterable, Mapping


class Need(enum.StrEnum):
    """What a part is needed for."""

    CALLS = "calls"
    """Without it no call can be carried, or none may be."""
    API = "api"
    """Without it no request can be answered."""


@dataclasses.dataclass(frozen=True, slots=True)
class Trouble:
    """What is wrong with a part.  Its texts are ours: they hold no secret and no phone number."""

    word: str
    """Kebab-case, such as ``wrong-password``: for metrics and alarms."""
    wrong: str
    """What is wrong: a sentence without its full stop."""
    cure: str
    """What to do about it: a sentence without its full stop."""

    def __str__(self) -> str:
        return f"{self.wrong}. {self.cure}."


@dataclasses.dataclass(frozen=True, slots=True)
class Part:
    """One part, as it was found."""

    name: str
    needs: frozenset[Need]
    """What needs it.  Empty: calls and requests go on without it, and something else does not."""
    trouble: Trouble | None = None

    @property
    def is_well(self) -> bool:
        return self.trouble is None


Parts = Mapping[str, Part]


def by_name(parts: Iterable[Part]) -> Parts:
    return {part.name: part for part in parts}
