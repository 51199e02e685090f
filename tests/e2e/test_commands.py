"""What a newcomer types: `make demo` and `make run`, as the Makefile runs them."""

import base64
import json
import os
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from bridge.embedded.processes import Child, free_port, is_free, until
from bridge.embedded.stack import private_place


def embedded(*arguments: str, env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "bridge.embedded", *arguments],
        env={**os.environ, **env},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


@pytest.fixture
def ports() -> dict[str, str]:
    """Where `make run` serves in these tests, as its variables say it."""
    return {
        "BRIDGE_API_PORT": str(free_port()),
        "BRIDGE_SIP_PORT": str(free_port()),
        "BRIDGE_TRUNK_HOST": private_place().trunk_host,
    }


@pytest.fixture
def run(tmp_path: Path, ports: dict[str, str]) -> Iterator[Child]:
    """`make run`, serving."""
    child = Child(
        "make run",
        [sys.executable, "-m", "bridge.embedded", "run", str(tmp_path / "a place" / "data")],
        log_file=tmp_path / "run.log",
        env={**os.environ, **ports, "COLUMNS": "200"},
        stop_signal=signal.SIGINT,
    )
    (tmp_path / "a place").mkdir()
    child.start(lambda: "Ctrl-C stops" in child.last_words(100), within=60)
    try:
        yield child
    finally:
        child.stop(within=30)


def test_the_demo_sees_all_of_it_on_the_wire(tmp_path: Path) -> None:
    done = embedded("demo", env={"TMPDIR": str(tmp_path)})
    assert done.returncode == 0, done.stdout + done.stderr
    for step in (
        "Alice calls +12025550142",
        "Bob's phone rings: and shows +12025550142",
        "Bob calls +12025550142",
        "A stranger calls +12025550142: 403",
        "a party to each channel",
        "All of it was seen on the wire",
    ):
        assert step in done.stdout
    assert list(tmp_path.iterdir()) == [], "something was left behind"


def test_the_demo_runs_while_make_run_is_up(run: Child) -> None:
    assert run.running
    assert embedded("demo", env={}).returncode == 0


def test_the_account_in_the_file_is_one_that_works(run: Child, tmp_path: Path) -> None:
    file = tmp_path / "a place" / "data" / "account.json"
    assert file.stat().st_mode & 0o077 == 0, "others can read the token"
    account = json.loads(file.read_text())
    assert set(account) == {"api_url", "auth_id", "auth_token", "virtual_numbers", "sip"}
    credentials = f"{account['auth_id']}:{account['auth_token']}".encode()
    request = urllib.request.Request(  # noqa: S310 - our own API
        f"{account['api_url']}/v1/Account/{account['auth_id']}/Masking/Session/",
        data=json.dumps({"first_party": "+14155550123", "second_party": "+12165550145"}).encode(),
        headers={
            "Authorization": f"Basic {base64.b64encode(credentials).decode()}",
            "Content-Type": "application/json",
        },
    )
    with urllib.request.urlopen(request) as response:  # noqa: S310
        session = json.load(response)
    assert session["virtual_number"] in account["virtual_numbers"]
    assert account["auth_token"] in run.last_words(100)


def test_the_printed_line_works_as_pasted(run: Child) -> None:
    printed = run.last_words(100)
    line = printed[printed.index("curl ") : printed.index("Ctrl-C stops")]
    done = subprocess.run(["sh", "-c", line], capture_output=True, text=True, check=False)
    assert json.loads(done.stdout)["session_uuid"], done.stdout


def test_ctrl_c_stops_all_of_it_and_the_next_run_has_the_same_account(
    run: Child, tmp_path: Path, ports: dict[str, str]
) -> None:
    file = tmp_path / "a place" / "data" / "account.json"
    before = file.read_text()
    run.stop(within=30)
    assert run.last_words(1) == "stopped"
    assert is_free("127.0.0.1", int(ports["BRIDGE_API_PORT"]))
    assert is_free("127.0.0.1", int(ports["BRIDGE_SIP_PORT"]), socket.SOCK_DGRAM)
    assert until(lambda: _processes_in(file.parent) == [])
    run.start(lambda: run.log_file.read_text().count("Ctrl-C stops") == 2, within=60)
    assert file.read_text() == before


def _processes_in(directory: Path) -> list[str]:
    """Command lines of processes that name ``directory``."""
    lines = []
    for one in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            lines.append(one.read_bytes().replace(b"\0", b" ").decode(errors="replace"))
        except OSError:  # it has just ended
            continue
    return [line for line in lines if str(directory) in line]


def test_a_second_run_on_the_same_data_says_so(run: Child, tmp_path: Path) -> None:
    assert run.running
    done = embedded("run", str(tmp_path / "a place" / "data"), env={})
    assert done.returncode == 1
    assert "another `make run` uses" in done.stderr


def test_a_taken_port_is_named_with_the_variable_that_chooses_another(
    run: Child, tmp_path: Path, ports: dict[str, str]
) -> None:
    assert run.running
    done = embedded("run", str(tmp_path / "other"), env=ports)
    assert done.returncode == 1
    assert f"port {ports['BRIDGE_API_PORT']} (API) is taken: set BRIDGE_API_PORT" in done.stderr
    assert f"port {ports['BRIDGE_SIP_PORT']} (SIP) is taken: set BRIDGE_SIP_PORT" in done.stderr
