"""One of several processes that create sessions at once: ``python -m tests.adapters.creators``.

Arguments: the account, and which fifty people want to talk to Alice.  Prints how many could.
"""

import asyncio
import os
import sys

from bridge import logs
from bridge.domain.errors import Unavailable
from bridge.domain.numbers import PhoneNumber
from bridge.domain.reports import SessionReport
from bridge.domain.requests import By, NewSession
from bridge.store.pool import Database
from tests.adapters.conftest import sessions_of
from tests.people import ALICE

PEOPLE = 50


async def main(account: str, group: int) -> int:
    url = os.environ["BRIDGE_DATABASE_URL"]
    async with Database.opened(url) as database, asyncio.TaskGroup() as tasks:
        made = [
            tasks.create_task(talks_to_alice(database, account, f"+130355{group:02}{one:03}"))
            for one in range(PEOPLE)
        ]
        return sum([await one for one in made])


async def talks_to_alice(database: Database, account: str, person: str) -> bool:
    new = NewSession(
        account=account,
        first_party=ALICE,
        second_party=PhoneNumber(person),
        expiry=3600,
        ring_timeout=120,
        call_time_limit=3600,
        options={},
    )
    while True:
        try:
            made = await sessions_of(database).create(new, By("a creator"))
        except Unavailable:  # too many wait for Alice: the API says 503 and "try again"
            continue
        return isinstance(made, SessionReport)


if __name__ == "__main__":
    logs.set_up(level="ERROR", style="json")
    print(asyncio.run(main(sys.argv[1], int(sys.argv[2]))))  # noqa: T201
