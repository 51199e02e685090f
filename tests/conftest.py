"""What tests of every kind share."""

import asyncio
import signal

from hypothesis import settings

# A busy machine is no fault of what is tested.
settings.register_profile("without a deadline", deadline=None)
settings.load_profile("without a deadline")

# looptime asks for an event loop in plain tests too, and would make one that nobody closes.
asyncio.set_event_loop(None)

# A shell that runs us in the background has SIGINT ignored, and so would the programs that tests
# start, Ctrl-C and all.
signal.signal(signal.SIGINT, signal.default_int_handler)
