"""What tests of every kind share."""

import asyncio
import signal

from hypothesis import HealthCheck, settings

# A busy machine is no fault of what is tested.  The examples are the same in every run, so that who
# changes something else is not told of what another's chance has found; whoever wants to look for
# more says `--hypothesis-profile=default`.
settings.register_profile(
    "the same every time",
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("the same every time")

# looptime asks for an event loop in plain tests too, and would make one that nobody closes.
asyncio.set_event_loop(None)

# A shell that runs us in the background has SIGINT ignored, and so would the programs that tests
# start, Ctrl-C and all.
signal.signal(signal.SIGINT, signal.default_int_handler)
