"""What a process has used, as Linux tells it (proc(5))."""

import dataclasses
import os
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")


@dataclasses.dataclass(frozen=True, slots=True)
class Usage:
    """CPU time so far, of all threads, and memory held now."""

    cpu_seconds: float
    megabytes: float


def usage(pid: int | None) -> Usage:
    """Of one running process."""
    process = Path("/proc") / str(pid)
    # After the command in parentheses, which may hold anything: state is field 3.
    fields = (process / "stat").read_text().rpartition(")")[2].split()
    user_ticks, system_ticks = int(fields[11]), int(fields[12])
    resident_pages = int((process / "statm").read_text().split()[1])
    return Usage((user_ticks + system_ticks) / _TICKS, resident_pages * _PAGE / 1e6)
