"""The child process: does one thing to one file, within its limits, and says how it went."""

import json
import os
import resource
import sys
from pathlib import Path

from bridge.audio.errors import Unusable

_MEMORY = 512 * 1024 * 1024


def main(job: str, cpu_s: str, largest: str, *paths: str) -> None:
    """Print ``{"seconds": …}``, or ``{"reason": …}`` if there is nothing to be made of it.

    Args:
        job: JSON, ``{"to": "g711", "kind": …, "longest": …}``; or to ``mp3`` or ``wav``, alone.
        cpu_s: seconds of CPU after which the kernel ends this process.
        largest: bytes that a file may have that is written.
        paths: what to read, and what to write.
    """
    # Live calls come first.  Not 19: that gets a hundredth of a busy machine, on which not even the
    # import of the decoder would be over in the time that a conversion has.
    os.nice(10)
    for limit, value in (
        (resource.RLIMIT_CPU, int(cpu_s)),
        (resource.RLIMIT_FSIZE, int(largest)),
        (resource.RLIMIT_AS, _MEMORY),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(limit, (value, value))

    from bridge.audio import convert  # after the limits, and never in the bridge itself

    source, *targets = map(Path, paths)
    asked = json.loads(job)
    try:
        if asked["to"] == "g711":
            ulaw, alaw = targets
            seconds = convert.to_g711(
                source, asked["kind"], ulaw, alaw, longest=float(asked["longest"])
            )
        else:
            [target] = targets
            make = convert.to_wav if asked["to"] == "wav" else convert.to_mp3
            seconds = make(source, target)
    except Unusable as error:
        print(json.dumps({"reason": error.reason}))  # noqa: T201
    else:
        print(json.dumps({"seconds": seconds}))  # noqa: T201


if __name__ == "__main__":
    main(*sys.argv[1:])
