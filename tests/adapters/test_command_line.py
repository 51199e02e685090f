"""``masking-bridge``, as an operator types it, on a real Postgres."""

import os
import re
import subprocess
import sys

import pytest

from bridge.domain.access import Scope
from bridge.store.accounts import Accounts
from bridge.store.pool import Database


class Terminal:
    """Runs the command; the settings are in its environment."""

    def __init__(self, database_url: str) -> None:
        self._environment = {
            **os.environ,
            "BRIDGE_DATABASE_URL": database_url,
            "BRIDGE_ARI_PASSWORD": "x" * 32,
            "COLUMNS": "200",
        }

    def __call__(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, "-m", "bridge", *arguments],
            env=self._environment,
            capture_output=True,
            text=True,
            check=False,
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
        (("token", "create", "MA" + "X" * 18), "there is no account"),
        (
            ("token", "revoke", "MA" + "X" * 18, "11111111-2222-3333-4444-555555555555"),
            "there is no such valid token",
        ),
    ],
)
def test_what_is_not_there_is_one_line_and_no_traceback(
    masking_bridge: Terminal, arguments: tuple[str, ...], says: str
) -> None:
    done = masking_bridge(*arguments)
    assert done.returncode == 1
    assert done.stderr.startswith(f"masking-bridge: {says}")
    assert len(done.stderr.splitlines()) == 1


def test_migrating_what_is_up_to_date_changes_nothing(masking_bridge: Terminal) -> None:
    assert masking_bridge("migrate").stdout == "applied: nothing; up to date\n"


def test_without_settings_every_missing_one_is_named() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "bridge", "serve"],
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "BRIDGE_DATABASE_URL is not set" in done.stderr
    assert "BRIDGE_ARI_PASSWORD is not set" in done.stderr
