"""One of several processes that create sessions at once: ``python -m tests.adapters.creators``.

Arguments: the account, and which fifty people want to talk to Alice.  Prints how many could.
"""

import asyncio
import os
import sys

from bridge import logs
from bridge.domain.numbers import PhoneNumber
from bridge.domain.reports import SessionReport
from bridge.domain.requests import By, NewSession
from bridge.store.pool import Database
from bridge.store.sessions import Sessions
from tests.people import ALICE

PEOPLE = 50


async def main(account: str, group: int) -> int:
    async with Database.opened(os.environ["BRIDGE_DATABASE_URL"]) as database:
        sessions = Sessions(database)
        async with asyncio.TaskGroup() as tasks:
            made = [
                tasks.create_task(
                    sessions.create(
                        NewSession(
                            account=account,
                            first_party=ALICE,
                            second_party=PhoneNumber(f"+130355{group:02}{person:03}"),
                            expiry=3600,
                            ring_timeout=120,
                            call_time_limit=3600,
                            options={},
                        ),
                        By("a creator"),
                    )
                )
                for person in range(PEOPLE)
            ]
    return sum(isinstance(one.result(), SessionReport) for one in made)


if __name__ == "__main__":
    logs.set_up(level="ERROR", style="json")
    print(asyncio.run(main(sys.argv[1], int(sys.argv[2]))))  # noqa: T201
