"""An application that is asked about calls."""

import asyncio
import dataclasses

from bridge.domain.advice import Advice, Question, Webhook


@dataclasses.dataclass
class FakeApplication:
    """Says ``says`` to everything; or nothing, ever, while it ``thinks``."""

    says: Advice | None = None
    thinks: bool = False
    asked: list[tuple[Webhook, Question]] = dataclasses.field(default_factory=list)

    async def advice(self, webhook: Webhook, question: Question) -> Advice | None:
        self.asked.append((webhook, question))
        if self.thinks:
            await asyncio.Event().wait()
        return self.says
