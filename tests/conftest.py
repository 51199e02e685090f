"""What tests of every kind share."""

import asyncio

from hypothesis import settings

# A busy machine is no fault of what is tested.
settings.register_profile("without a deadline", deadline=None)
settings.load_profile("without a deadline")

# looptime asks for an event loop in plain tests too, and would make one that nobody closes.
asyncio.set_event_loop(None)
