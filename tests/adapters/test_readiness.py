"""What is looked at beside Asterisk and Postgres, and what is told of it."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace

import pytest
import structlog

from bridge import readiness
from bridge.ari.errors import AsteriskUnreachable, Gone, RequestRefused
from bridge.ari.inventory import FORBIDDEN, NEEDED, Inventory
from bridge.ari.requests import Requests
from bridge.ari.stream import _what_is_wrong
from bridge.domain.readiness import Need, Part, Trouble


async def word(path: Path, *, is_ours: bool = False) -> str | None:
    part = await readiness.directory("spool", "BRIDGE_SPOOL", path, is_ours=is_ours)
    assert part.trouble is None or "BRIDGE_SPOOL" in part.trouble.wrong
    if part.trouble is None:
        return None
    return part.trouble.wrong.removeprefix("The directory of BRIDGE_SPOOL ")


async def test_a_directory_must_be_there_be_one_take_files_and_have_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert await word(tmp_path) is None
    assert list(tmp_path.iterdir()) == []
    assert await word(tmp_path / "gone") == "is not there"
    assert await word(tmp_path / "ours" / "too", is_ours=True) is None
    (tmp_path / "file").touch()
    assert await word(tmp_path / "file") == "is no directory"
    assert await word(tmp_path / "file", is_ours=True) == "is no directory"
    assert (await word(Path("/proc/self"))) is not None  # as on a disk that takes no files
    monkeypatch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(free=99_999_999))
    assert await word(tmp_path) == "has less than 100 MB of room"


BROKEN = Trouble("broken", "It is broken", "Mend it")


async def test_a_part_is_logged_when_it_breaks_and_when_it_is_well_again_and_not_in_between() -> (
    None
):
    found = Part("trunk", frozenset({Need.CALLS}))

    async def look() -> Sequence[Part]:
        return [found]

    async def nothing() -> Sequence[Part]:
        return []

    parts = readiness.Readiness(at_once=nothing, now_and_then=[], asterisk=look)
    with structlog.testing.capture_logs() as logs:
        for trouble in (None, BROKEN, BROKEN, BROKEN, None, None):
            found = Part("trunk", frozenset({Need.CALLS}), trouble)
            await parts.connected()
            assert (parts.no_calls is None) is (trouble is None)
            assert (await parts())["trunk"].trouble is trouble
    assert [one["event"] for one in logs] == ["part is not well", "part is well again"]


async def test_what_cannot_be_looked_at_is_looked_at_again_and_ends_nothing() -> None:
    looked = asyncio.Event()

    async def unreachable() -> Sequence[Part]:
        raise AsteriskUnreachable("away")

    async def crashes() -> Sequence[Part]:
        looked.set()
        raise KeyError

    async def nothing() -> Sequence[Part]:
        return []

    parts = readiness.Readiness(
        at_once=nothing, now_and_then=[unreachable, crashes], asterisk=unreachable
    )
    stream = SimpleNamespace(connected=True, admitting=True, trouble=None)
    with structlog.testing.capture_logs() as logs:
        task = asyncio.get_running_loop().create_task(parts.run(stream))
        await looked.wait()
        await asyncio.sleep(0)
        assert not task.done()
        task.cancel()
    assert [one["event"] for one in logs] == ["not looked at"]


class Told(Requests):
    """To an Asterisk that the test describes."""

    def __init__(self) -> None:  # no connection, so nothing to close
        self.app = "bridge"
        self.modules = set(NEEDED) | {"app_mixmonitor.so"}
        self.globals = {"BRIDGE_DIALPLAN": "1", "BRIDGE_RECORDINGS": "/spool"}
        self.endpoints = {"carrier"}
        self.refuses: set[str] = set()

    async def call(self, resource: str, operation: str, /, **arguments: str) -> object:
        if resource in self.refuses:
            raise RequestRefused(f"GET {resource}", 403)
        match resource, operation:
            case "asterisk", "listModules":
                return [{"name": name, "status": "Running"} for name in self.modules] + [
                    {"name": "codec_ulaw.so", "status": "Not Running"}
                ]
            case "endpoints", "get":
                if arguments["resource"] not in self.endpoints:
                    raise Gone("GET endpoints", 404)
                return {}
            case "asterisk", "getGlobalVar":
                return {"value": self.globals.get(arguments["variable"], "")}
        raise AssertionError((resource, operation))


async def troubles(asterisk: Told) -> dict[str, str]:
    found = await Inventory(asterisk, trunk="carrier", spool="/spool/").look()
    return {part.name: part.trouble.word for part in found if part.trouble}


async def test_an_asterisk_as_ours_lacks_nothing() -> None:
    assert await troubles(Told()) == {}


@pytest.mark.parametrize("module", sorted(NEEDED))
async def test_every_module_that_calls_need_is_asked_for(module: str) -> None:
    asterisk = Told()
    asterisk.modules.remove(module)
    assert await troubles(asterisk) == {"modules": "module-missing"}


@pytest.mark.parametrize("module", sorted(FORBIDDEN))
async def test_no_module_may_be_there_that_breaks_a_promise(module: str) -> None:
    asterisk = Told()
    asterisk.modules.add(module)
    assert await troubles(asterisk) == {"forbidden_modules": "module-forbidden"}


@pytest.mark.parametrize("version", ["", "0", "2", "x"])
async def test_the_dialplan_is_the_one_that_we_work_with(version: str) -> None:
    asterisk = Told()
    asterisk.globals["BRIDGE_DIALPLAN"] = version
    assert await troubles(asterisk) == {"dialplan": "wrong-dialplan"}


async def test_recordings_need_their_module_and_one_directory() -> None:
    asterisk = Told()
    asterisk.globals["BRIDGE_RECORDINGS"] = "/elsewhere"
    assert await troubles(asterisk) == {"recording": "two-directories"}
    del asterisk.globals["BRIDGE_RECORDINGS"]
    assert await troubles(asterisk) == {"recording": "not-recording"}
    asterisk = Told()
    asterisk.modules.remove("app_mixmonitor.so")
    assert await troubles(asterisk) == {"recording": "not-recording"}


async def test_an_asterisk_that_does_not_say_is_not_taken_for_well() -> None:
    asterisk = Told()
    asterisk.refuses = {"asterisk", "endpoints"}
    assert set((await troubles(asterisk)).values()) == {"not-told"}
    asterisk = Told()
    asterisk.endpoints = set()
    assert await troubles(asterisk) == {"trunk": "no-endpoint"}


@pytest.mark.parametrize(
    ("error", "word"),
    [
        (RequestRefused("GET events", 401), "login-refused"),
        (RequestRefused("GET events", 403), "login-refused"),
        (Gone("GET events", 404), "no-ari"),
        (RequestRefused("GET events", 500), "no-ari"),
        (AsteriskUnreachable("away"), None),
    ],
)
async def test_an_asterisk_that_does_not_let_us_in_is_told_from_one_that_is_away(
    error: Exception, word: str | None
) -> None:
    trouble = _what_is_wrong(error)
    assert (trouble and trouble.word) == word
    stream = SimpleNamespace(connected=False, admitting=True, trouble=trouble)
    asterisk, _ = await readiness.connection(stream)
    assert asterisk.trouble
    assert asterisk.trouble.word == (word or "away")
