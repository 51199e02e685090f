"""Prompts that are at hand, or not."""

import dataclasses
from collections.abc import Iterable

from bridge.domain.prompts import NoPrompt, Prompt


@dataclasses.dataclass
class FakePrompts:
    """Has the sounds of ``known`` URLs; whatever else is asked for is not to be had."""

    known: dict[str, str] = dataclasses.field(default_factory=dict)
    prefetched: list[str] = dataclasses.field(default_factory=list)

    async def get(self, url: str, *, within: float) -> Prompt | NoPrompt:
        assert within < 5, "a call does not wait for long"
        return Prompt(self.known[url], 1.0) if url in self.known else NoPrompt("http-404")

    def prefetch(self, urls: Iterable[str]) -> None:
        self.prefetched += urls
