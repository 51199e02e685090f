"""Of Asterisk's log only what no stranger can have written is kept, a line for each message."""

import json
import os
import subprocess

import pytest

from bridge.asterisk_config import log_filter

NUMBER = "+12025550142"


def kept(*lines: str | bytes) -> list[str]:
    """The lines that the filter makes of these."""
    raw = b"".join((line.encode() if isinstance(line, str) else line) + b"\n" for line in lines)
    done = subprocess.run(
        ["sed", "-u", "-E", "-f", str(log_filter())],
        input=raw,
        env={"PATH": os.environ["PATH"], "LC_ALL": "C"},
        capture_output=True,
        check=True,
    )
    return done.stdout.decode(errors="replace").splitlines()


def message(text: str, *, file: str = "netsock2.c", function: str = "ast_sockaddr_resolve") -> str:
    """A message as Asterisk's [json] formatter writes it."""
    return json.dumps(
        {
            "hostname": "",
            "timestamp": "2026-11-29 13:56:17.385",
            "identifiers": {"lwp": 16093, "callid": "[C-00000001]"},
            "logmsg": {
                "location": {"filename": file, "function": function, "line": 151},
                "level": "ERROR",
                "message": f"{text}\n",
            },
        },
        separators=(",", ":"),
    )


WHERE = "2026-11-29 13:56:17.385 ERROR[16093] netsock2.c:151 ast_sockaddr_resolve:"


@pytest.mark.parametrize(
    "text",
    [
        f'getaddrinfo("{NUMBER}") failed',
        "2 0 2 5 5 5 0 1 4 2",
        "KzEyMDI1NTUwMTQy",
        f'"}}}}\n{{"hostname":"{NUMBER}',
        f"one\r\nlog.c: {NUMBER}\x1b[2J",
        f"loader.c: {NUMBER}] loader.c:1 x: {NUMBER}",
        "",
    ],
)
def test_of_a_message_that_may_quote_a_stranger_only_its_place_is_kept(text: str) -> None:
    assert kept(message(text)) == [f"{WHERE} (text left out)"]


def test_a_message_that_is_cut_off_is_no_exception() -> None:
    assert kept(message(f"{NUMBER} " * 9)[:250]) == [f"{WHERE} (text left out)"]


@pytest.mark.parametrize("file", ["loader.c", "taskprocessor.c", "res_pjsip/config_transport.c"])
def test_what_asterisk_says_of_its_settings_and_its_load_is_kept(file: str) -> None:
    [line] = kept(message("Transport 'udp' could not be started: in use", file=file))
    assert line.endswith("Transport 'udp' could not be started: in use")
    assert file in line


def test_no_number_is_kept_there_either() -> None:
    [line] = kept(message(f"Extension {NUMBER} is there twice", file="pbx_config.c"))
    assert line.endswith("Extension +####### is there twice")


@pytest.mark.parametrize("file", ["pbx.c", "myloader.c", "loader.c.c", "chan/loader.c", "xloader"])
def test_no_other_file_is_taken_for_one_of_these(file: str) -> None:
    [line] = kept(message(NUMBER, file=file))
    assert line.endswith("(text left out)")


def test_what_is_not_of_the_logger_is_kept_without_digits() -> None:
    said = f"asterisk: {NUMBER}: Assertion `x1' failed."
    assert kept(said) == ["asterisk: +###########: Assertion `x#' failed."]


def test_a_byte_of_no_language_stops_nothing() -> None:
    assert kept(b"\xff\xfe", message(NUMBER))[-1] == f"{WHERE} (text left out)"
