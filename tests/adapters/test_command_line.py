"""``masking-bridge``, as an operator types it, on a real Postgres."""

import json
import os
import re
import secrets
import socket
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from bridge.domain.access import Scope
from bridge.domain.privacy import NumberForm
from bridge.embedded.processes import free_port
from bridge.store.accounts import Accounts
from bridge.store.pool import Database
from tests.adapters.test_refused_calls import refuse
from tests.people import MALLORY

NOBODY = "MA" + "X" * 18


class Terminal:
    """Runs the command; the settings are in its environment."""

    def __init__(self, database_url: str) -> None:
        self._environment = {
            **os.environ,
            "BRIDGE_DATABASE_URL": database_url,
            "BRIDGE_ARI_PASSWORD": secrets.token_hex(16),
            "COLUMNS": "80",
        }

    def __call__(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, "-m", "bridge", *arguments],
            env=self._environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )


@pytest.fixture
def masking_bridge(database_url: str) -> Terminal:
    return Terminal(database_url)


def shown(text: str, name: str) -> str:
    found = re.search(rf"^{name}: +(\S+)$", text, re.M)
    assert found, text
    return found[1]


async def test_an_account_and_its_tokens_are_made_shown_and_revoked(
    masking_bridge: Terminal, database: Database
) -> None:
    created = masking_bridge("account", "create", "Acme").stdout
    auth_id, first = shown(created, "Auth ID"), shown(created, "Auth Token")
    more = masking_bridge("token", "create", auth_id, "--scope", "read", "--name", "reports")
    second = shown(more.stdout, "Auth Token")
    accounts = Accounts(database)
    for secret, scope in [(first, Scope.ADMIN), (second, Scope.READ)]:
        bearer = await accounts.authenticate(auth_id, secret)
        assert bearer
        assert bearer.scope is scope

    listed = masking_bridge("token", "list", auth_id).stdout
    assert "reports" in listed
    assert first not in listed
    assert second not in listed

    [old] = [token for token in await accounts.tokens(auth_id) if token.name == "first"]
    assert masking_bridge("token", "revoke", auth_id, str(old.id)).returncode == 0
    assert await accounts.authenticate(auth_id, first) is None


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("token", "create", NOBODY), "there is no account"),
        (
            ("token", "revoke", NOBODY, "11111111-2222-3333-4444-555555555555"),
            "there is no such valid token",
        ),
        (("account", "countries", NOBODY), "there is no account"),
        (("account", "countries", NOBODY, "US"), "there is no account"),
        (
            ("account", "countries", NOBODY, "US", "XX", "de", "U"),
            "no country with phone numbers: ",
        ),
        (("account", "countries", NOBODY, "US", "--any"), "either countries or --any"),
        (("number", "list", NOBODY), "there is no account"),
        (("number", "add", NOBODY, "+12025550150"), "there is no account"),
        (("number", "add", NOBODY, "+12025550150", "1"), "numbers must be valid phone numbers"),
        (
            ("number", "add", NOBODY, "+12025550150", "--state", "retired"),
            "a number in the pool is",
        ),
        (("number", "set-state", NOBODY, "12025550150", "active"), "there is no such number"),
    ],
)
def test_what_is_not_there_is_one_line_and_no_traceback(
    masking_bridge: Terminal, arguments: tuple[str, ...], says: str
) -> None:
    done = masking_bridge(*arguments)
    assert done.returncode == 1
    assert done.stderr.startswith(f"masking-bridge: {says}")
    assert len(done.stderr.splitlines()) == 1


async def test_an_account_s_countries_are_set_shown_and_taken_away(
    masking_bridge: Terminal, account: str, database: Database
) -> None:
    assert masking_bridge("account", "countries", account).stdout == "Countries: any\n"
    said = masking_bridge("account", "countries", account, "us", "CA", "US").stdout
    assert said == "Countries: CA US\n"
    found = await Accounts(database).get(account)
    assert found
    assert found.countries == ["CA", "US"]
    [one] = json.loads(masking_bridge("account", "list", "--json").stdout)
    assert (one["auth_id"], one["name"], one["countries"]) == (account, "Acme", ["CA", "US"])
    assert re.search(rf"{account}.*Acme.*CA US", masking_bridge("account", "list").stdout)
    assert masking_bridge("account", "countries", account, "--any").stdout == "Countries: any\n"


async def test_how_many_calls_an_account_has_at_once_is_set_shown_and_taken_away(
    masking_bridge: Terminal, account: str, database: Database
) -> None:
    command = ("account", "max-calls")
    assert masking_bridge(*command, account).stdout == "Calls at once: any number\n"
    assert masking_bridge(*command, account, "30").stdout == "Calls at once: 30\n"
    found = await Accounts(database).get(account)
    assert found
    assert found.max_concurrent_calls == 30
    said = masking_bridge(*command, account, "--unlimited").stdout
    assert said == "Calls at once: any number\n"
    for wrong in ((account, "30", "--unlimited"), (account, "0"), (NOBODY, "30")):
        assert masking_bridge(*command, *wrong).returncode


async def test_how_long_recordings_are_kept_is_set_shown_and_taken_away(
    masking_bridge: Terminal, account: str, database: Database
) -> None:
    kept = "Recordings are kept: "
    assert masking_bridge("account", "retention", account).stdout == f"{kept}for ever\n"
    assert masking_bridge("account", "retention", account, "30").stdout == f"{kept}30 days\n"
    found = await Accounts(database).get(account)
    assert found
    assert found.recording_days == 30
    said = masking_bridge("account", "retention", account, "--forever").stdout
    assert said == f"{kept}for ever\n"
    both = masking_bridge("account", "retention", account, "30", "--forever")
    assert (both.returncode, both.stdout) == (1, "")
    assert masking_bridge("account", "retention", account, "0").returncode == 2


async def test_how_events_show_numbers_is_set_and_shown(
    masking_bridge: Terminal, account: str, database: Database
) -> None:
    said = "Events show numbers: "
    assert masking_bridge("account", "privacy", account).stdout == f"{said}full\n"
    assert masking_bridge("account", "privacy", account, "token").stdout == f"{said}token\n"
    found = await Accounts(database).get(account)
    assert found
    assert found.event_privacy is NumberForm.TOKEN
    assert masking_bridge("account", "privacy", account, "some").returncode == 2
    assert masking_bridge("account", "privacy", "MA" + "X" * 18, "last2").returncode == 1


async def test_numbers_are_added_listed_and_put_out_of_service(
    masking_bridge: Terminal, account: str, database: Database
) -> None:
    add = ("number", "add", account)
    added = masking_bridge(*add, "2025550150", "+12025550151", "--country", "us").stdout
    assert added == "+12025550150 US\n+12025550151 US\nadded: 2\n"
    bare = masking_bridge(*add, "+12025550150", "12025550151")
    assert (bare.returncode, "unlike no. 2." in bare.stderr) == (1, True)
    assert (
        masking_bridge(*add, "+442079460123", "--reserved", "--alias", "[/b] :x:").returncode == 0
    )
    drained = masking_bridge("number", "set-state", account, "+12025550151", "draining")
    assert drained.stdout == "+12025550151 is draining\n"
    assert masking_bridge("number", "set-state", account, "12025550150", "retired").returncode == 0

    text = masking_bridge("number", "list", account).stdout
    assert re.search(r"\+12025550151.*draining.*US.*local.*carrier", text)
    assert "+12025550150" not in text
    assert "[/b] :x:" in text
    [one] = json.loads(
        masking_bridge("number", "list", account, "--country", "gb", "--json").stdout
    )
    shown = {name: one[name] for name in ("number", "reserved", "alias", "live_sessions")}
    assert shown == {
        "number": "+442079460123",
        "reserved": True,
        "alias": "[/b] :x:",
        "live_sessions": 0,
    }
    other = await Accounts(database).create("Other", token="8" * 64)
    refused = masking_bridge("number", "add", other, "+12025550199", "+12025550151")
    assert refused.returncode == 1
    assert refused.stderr == (
        "masking-bridge: Another account has no. 2 of numbers. None was added.\n"
    )


async def test_numbers_are_granted_listed_and_revoked(
    masking_bridge: Terminal, account: str, database: Database
) -> None:
    granted = masking_bridge(
        "number", "grant", account, "+12025550100-+12025550199", "+442079460123"
    )
    assert granted.stdout == "granted: 101\n"
    other = await Accounts(database).create("Other", token="8" * 64)
    held = masking_bridge("number", "grant", other, "+12025550190-+12025550199", "+12025550200")
    assert held.returncode == 1
    assert "another account holds numbers of +12025550190-+12025550199 (" in held.stderr
    wrong = masking_bridge("number", "grant", account, "2025550100")
    assert (wrong.returncode, "unlike no. 1." in wrong.stderr) == (1, True)
    masking_bridge("number", "add", account, "+12025550150")
    revoked = masking_bridge("number", "revoke", account, "+12025550150-+12025550159")
    assert revoked.stdout == "revoked; in the pool, until they are retired: 1\n"
    assert masking_bridge("number", "revoke", account, "+12025550150").returncode == 1
    found = json.loads(masking_bridge("number", "grants", "--json").stdout)
    assert [(one["account"], one["first"], one["last"], one["country"]) for one in found] == [
        (account, "+12025550100", "+12025550149", "US"),
        (account, "+12025550160", "+12025550199", "US"),
        (account, "+442079460123", "+442079460123", "GB"),
    ]
    table = masking_bridge("number", "grants", account).stdout
    assert re.search(r"\+12025550160.*\+12025550199.*US.*operator", table)
    assert masking_bridge("number", "grants", NOBODY).returncode == 1


async def test_how_many_numbers_an_account_has_is_set_shown_and_taken_away(
    masking_bridge: Terminal, account: str
) -> None:
    command = ("account", "max-numbers", account)
    said = "Numbers in its pool: "
    assert masking_bridge(*command).stdout == f"{said}as many as are granted\n"
    assert masking_bridge(*command, "30").stdout == f"{said}30\n"
    assert masking_bridge(*command, "--unlimited").stdout == f"{said}as many as are granted\n"
    assert masking_bridge(*command, "30", "--unlimited").returncode == 1


def test_migrating_what_is_up_to_date_changes_nothing(masking_bridge: Terminal) -> None:
    assert masking_bridge("migrate").stdout == "applied: nothing; up to date\n"


def test_without_settings_every_missing_one_is_named() -> None:
    told = serve({"PATH": os.environ["PATH"]})
    assert "BRIDGE_DATABASE_URL is not set" in told
    assert "BRIDGE_ARI_PASSWORD is not set" in told


def test_the_settings_in_force_are_shown_as_they_are_set_and_each_once() -> None:
    environment = {
        "PATH": os.environ["PATH"],
        "BRIDGE_DATABASE_URL": "postgresql://bridge:secret@/masking",
        "BRIDGE_ARI_PASSWORD": "c0ffee-4-p1dgeon",
        "BRIDGE_TRUNK_MATCH": "192.0.2.1/32,203.0.113.0/28",
        "BRIDGE_TRUNK_STRIP_PREFIXES": "9,*31",
        "BRIDGE_EGRESS_PORTS": "443,1024-65535",
    }
    done = subprocess.run(
        [sys.executable, "-m", "bridge", "check-config"],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    shown = dict(line.split("=", 1) for line in done.stdout.splitlines())
    assert len(shown) == len(done.stdout.splitlines())
    set_here = {name for name in environment if name.startswith("BRIDGE_")}
    secret = {"BRIDGE_DATABASE_URL", "BRIDGE_ARI_PASSWORD"}
    assert {shown[name] for name in secret} == {"**********"}
    assert {name: shown[name] for name in set_here - secret} == {
        name: environment[name] for name in set_here - secret
    }
    assert shown["BRIDGE_TRUNK_USER"] == ""


SITE: dict[str, str] = {
    "PATH": os.environ["PATH"],
    "BRIDGE_DATABASE_URL": "postgresql://bridge:secret@/masking",
    "BRIDGE_ARI_PASSWORD": "3f9c1e7ab2d84056c9e1b7",
    "BRIDGE_TRUNK_MEDIA_MATCH": "203.0.113.0/28",
}


@pytest.mark.parametrize(
    ("settings", "warning"),
    [
        ({}, None),
        ({"BRIDGE_TRUNK_MEDIA_MATCH": ""}, "BRIDGE_TRUNK_MEDIA_MATCH is not set"),
        (
            {"BRIDGE_TRUNK_MEDIA_MATCH": "", "BRIDGE_TRUNK_RTP_SYMMETRIC": "yes"},
            "with BRIDGE_TRUNK_RTP_SYMMETRIC, that is silent",
        ),
        ({"BRIDGE_TRUNK_MATCH": "192.0.2.1"}, None),  # its host, an address, counts by itself
        (
            {"BRIDGE_TRUNK_MATCH": "192.0.2.1", "BRIDGE_TRUNK_HOST": "localhost:5080"},
            "BRIDGE_TRUNK_HOST: localhost is 127.0.0.1",
        ),
        (
            {
                "BRIDGE_TRUNK_MATCH": "192.0.2.1",
                "BRIDGE_TRUNK_HOST": "localhost",
                "BRIDGE_TRUNK_HOST_MATCH": "127.0.0.0/8,::1",
            },
            None,
        ),
        (
            {"BRIDGE_TRUNK_HOST": "sip.invalid"},
            "BRIDGE_TRUNK_HOST: sip.invalid cannot be looked up",
        ),
    ],
)
def test_what_is_allowed_and_not_safe_is_warned_of(
    settings: dict[str, str], warning: str | None
) -> None:
    done = run(SITE | settings, "check-config")
    assert done.returncode == 0
    if warning is None:
        assert done.stderr == ""
    else:
        assert done.stderr.startswith("masking-bridge: warning: BRIDGE_TRUNK_")
        assert warning in done.stderr


def test_asterisk_s_configuration_is_written_with_a_weak_password_and_a_warning(
    tmp_path: Path,
) -> None:
    """The bridge does not start with it, so nothing is open that the warning does not name."""
    weak = SITE | {"BRIDGE_ARI_PASSWORD": "x" * 32}
    written = run(weak, f"asterisk-config {tmp_path}")
    assert written.returncode == 0
    assert "warning: BRIDGE_ARI_PASSWORD can be guessed" in written.stderr
    refused = run(weak, "check-config")
    assert refused.returncode == 1
    assert "BRIDGE_ARI_PASSWORD can be guessed" in refused.stderr
    assert "x" * 32 not in written.stderr + refused.stdout + refused.stderr


def test_the_firewall_is_printed_as_nft_reads_it_or_what_is_missing_is_said() -> None:
    done = run(SITE, "firewall")
    assert (done.returncode, done.stderr) == (0, "")
    assert "ip saddr { 203.0.113.0/28 } accept" in done.stdout
    done = run(SITE | {"BRIDGE_TRUNK_MEDIA_MATCH": ""}, "firewall")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("masking-bridge: BRIDGE_TRUNK_MEDIA_MATCH is not set: ")


def run(environment: Mapping[str, str], command: str) -> "subprocess.CompletedProcess[str]":
    """A command with these settings and no others."""
    return subprocess.run(
        [sys.executable, "-m", "bridge", *command.split()],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


async def test_a_bridge_that_cannot_serve_says_why_in_one_line(
    database_url: str, database: Database, tmp_path: Path
) -> None:
    with socket.create_server(("127.0.0.1", free_port())) as taken:
        environment = {
            "PATH": os.environ["PATH"],
            "BRIDGE_DATABASE_URL": database_url,
            "BRIDGE_ARI_PASSWORD": "c0ffee-4-p1dgeon",
            "BRIDGE_API_PORT": str(taken.getsockname()[1]),
            "BRIDGE_PROMPT_DIRECTORY": str(tmp_path / "prompts"),
        }
        assert re.fullmatch(
            "masking-bridge: BRIDGE_API_HOST, BRIDGE_API_PORT: .*address already in use\n",
            serve(environment),
        )
    assert re.fullmatch(
        "masking-bridge: BRIDGE_PROMPT_DIRECTORY /dev/null/prompts: Not a directory\n",
        serve(environment | {"BRIDGE_PROMPT_DIRECTORY": "/dev/null/prompts"}),
    )
    async with database.transaction() as connection:
        await connection.execute("UPDATE schema_migration SET sha256 = '' WHERE version = 1")
    told = serve(environment).splitlines()
    assert told[-1] == "masking-bridge: migration 0001 was changed after it was applied"
    assert "Traceback" not in "".join(told)


def serve(environment: Mapping[str, str]) -> str:
    """What a bridge says that does not come up."""
    done = subprocess.run(
        [sys.executable, "-m", "bridge", "serve"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    return done.stderr


async def test_a_signing_secret_is_shown_and_changed_without_a_gap(
    masking_bridge: Terminal, database: Database, account: str
) -> None:
    first = masking_bridge("webhook-secret", "show", account).stdout
    [old] = re.findall(r"whsec_\S+", first)
    for _ in range(2):
        rotated = masking_bridge("webhook-secret", "rotate", account, "--overlap", "48")
        new, still_valid = re.findall(r"whsec_\S+", rotated.stdout)
        assert still_valid == old
        old = new
    assert masking_bridge("webhook-secret", "rotate", account, "--overlap", "0").returncode == 0
    shown_now = masking_bridge("webhook-secret", "show", account).stdout
    assert len(re.findall(r"whsec_\S+", shown_now)) == 1
    for command in ("show", "rotate"):
        unknown = masking_bridge("webhook-secret", command, NOBODY)
        assert unknown.returncode == 1
        assert NOBODY in unknown.stderr


async def test_calls_to_numbers_of_nobody_s_are_shown_to_the_operator_alone(
    masking_bridge: Terminal, database: Database
) -> None:
    """What was dialled is anybody's text; of who called the last digits are enough."""
    for dialled, caller in (("+12025550199", MALLORY), ("\x1b[2J", None)):
        await refuse(database, caller, dialled=dialled)
    said = masking_bridge("number", "strays").stdout
    assert "+12025550199" in said
    assert "number-not-in-service" in said
    assert f"***{MALLORY.e164[-2:]}" in said
    assert MALLORY.e164[1:] not in said
    assert ("withheld" in said, "\x1b" in said, "?[2J" in said) == (True, False, True)
    assert masking_bridge("number", "strays", "--limit", "1").stdout.count("not-in-service") == 1
