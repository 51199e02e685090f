"""What tests of every kind share."""

import asyncio

# looptime asks for an event loop in plain tests too, and would make one that nobody closes.
asyncio.set_event_loop(None)
