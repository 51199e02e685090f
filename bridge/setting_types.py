"""Types of settings that several groups of them share."""

import re
from pathlib import Path
from typing import Annotated, TypeAlias

import pydantic

_PLAIN_PATH = re.compile(r"/[A-Za-z0-9/_.-]*")


def _plain(path: Path) -> Path:
    if not _PLAIN_PATH.fullmatch(str(path)):
        raise ValueError("must begin with / and hold letters, digits and /_.- only")
    return path


AsteriskPath: TypeAlias = Annotated[Path, pydantic.AfterValidator(_plain)]
"""A path that Asterisk is told: it becomes part of a line of its dialplan, or the name of a sound,
where a comma would begin another."""
