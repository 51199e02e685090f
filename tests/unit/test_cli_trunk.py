"""``masking-bridge trunk test-number``: what the rules in force make of a number."""

import json

import pytest
from typer.testing import CliRunner, Result

from bridge.cli.app import app
from tests.people import ALICE


@pytest.fixture(autouse=True)
def german_trunk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BRIDGE_TRUNK_REGION", "DE")
    monkeypatch.setenv("BRIDGE_TRUNK_STRIP_PREFIXES", "9")
    monkeypatch.setenv("BRIDGE_TRUNK_OUTBOUND_FORMAT", "national")
    monkeypatch.setenv("COLUMNS", "120")


def tried(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["trunk", "test-number", *arguments])


def test_every_step_is_shown_with_its_digits() -> None:
    done = tried('"[red]" <sip:9(0)30-123456;ext=7@carrier>;tag=1')
    assert done.exit_code == 0
    for shown in ("9(0)30-123456;ext=7", "9030123456", "030123456", "+4930123456 (DE)"):
        assert shown in done.output
    assert "Sent out:  030123456" in done.output


def test_scripts_get_the_same_as_json() -> None:
    done = tried("--json", ALICE.e164)
    assert done.exit_code == 0
    assert json.loads(done.output) == {
        "number": ALICE.e164,
        "country": "US",
        "outbound": "0014155550123",
        "steps": [
            {"rule": "as signalled", "gives": ALICE.e164},
            {"rule": "international", "gives": ALICE.e164},
        ],
    }


def test_a_number_dialled_that_is_none_is_shown_as_it_is_written_down() -> None:
    done = tried("--dialled", "<script>")
    assert done.exit_code == 1
    assert "'?script?'" in done.output
    assert json.loads(tried("--json", "anonymous").output)["number"] is None


def test_of_a_header_s_addresses_the_first_that_is_a_number_counts() -> None:
    done = tried("--json", f"<sip:anonymous@x>, <tel:{ALICE.e164}>")
    assert json.loads(done.output)["number"] == ALICE.e164


def test_a_mistake_in_the_rules_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BRIDGE_TRUNK_REGION", "Germany")
    assert "BRIDGE_TRUNK_REGION must be" in str(tried("1").exception)
