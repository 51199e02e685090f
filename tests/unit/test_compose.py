"""Docker Compose's file, as it is read: who is given which secret, and what all services have."""

import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from bridge.config import Settings, SiteSettings
from bridge.media_settings import MediaSettings
from bridge.webhook_settings import WebhookSettings

ROOT = Path(__file__).parents[2]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
DOCKERFILES = ("bridge/Dockerfile", "asterisk-config/Dockerfile")

OF_TRUNK = {"BRIDGE_TRUNK_USER", "BRIDGE_TRUNK_PASSWORD"}
SECRETS = {
    "POSTGRES_PASSWORD": {"postgres"},
    "DATABASE_PASSWORD": {"postgres", "bridge"},
    "BRIDGE_ARI_PASSWORD": {"asterisk-config", "bridge"},
    "BRIDGE_TRUNK_USER": {"asterisk-config"},
    "BRIDGE_TRUNK_PASSWORD": {"asterisk-config"},
    "BRIDGE_RECORDING_S3_ACCESS_KEY": {"bridge"},
    "BRIDGE_RECORDING_S3_SECRET_KEY": {"bridge"},
    "BRIDGE_RECORDING_URL_SECRET": {"bridge"},
}


def names(*kinds: type[Any]) -> set[str]:
    return {f"BRIDGE_{name.upper()}" for kind in kinds for name in kind.model_fields}


def given(service: str) -> dict[str, str | None]:
    environment: dict[str, str | None] = SERVICES[service].get("environment", {})
    return environment


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_is_given_its_own_secrets_by_name_and_no_others(service: str) -> None:
    assert "env_file" not in SERVICES[service], "it has the secrets of all"
    text = str(given(service))
    for secret, owners in SECRETS.items():
        named = re.search(rf"\b{secret}\b", text) is not None
        assert named is (service in owners), f"{secret}: {service}"


def test_every_secret_setting_is_in_the_table_of_this_test() -> None:
    kinds = (Settings, SiteSettings, MediaSettings, WebhookSettings)
    secret = {
        f"BRIDGE_{name.upper()}"
        for kind in kinds
        for name, field in kind.model_fields.items()
        if "SecretStr" in str(field.annotation)
    }
    assert secret - {"BRIDGE_DATABASE_URL"} <= set(SECRETS)


def test_every_setting_reaches_who_needs_it() -> None:
    """A new one is added to ``environment:`` of its service, or to ``x-site`` if both need it."""
    assert set(given("asterisk-config")) == names(SiteSettings)
    every = names(Settings, SiteSettings, MediaSettings, WebhookSettings)
    assert set(given("bridge")) == every - OF_TRUNK
    with_value = {name for name, value in given("bridge").items() if value is not None}
    assert with_value == {"BRIDGE_DATABASE_URL", "BRIDGE_ARI_PASSWORD"}


@pytest.mark.parametrize("service", SERVICES)
def test_no_service_leaves_its_memory_in_a_file(service: str) -> None:
    assert SERVICES[service]["ulimits"]["core"] == 0


def test_the_bridge_is_no_superuser_of_postgres() -> None:
    assert "POSTGRES_USER" not in given("postgres"), "its superuser is called postgres"
    assert str(given("bridge")["BRIDGE_DATABASE_URL"]).startswith("postgresql://bridge:")
    assert "NOSUPERUSER" in (ROOT / "sql/role.sh").read_text()
    assert os.access(ROOT / "sql/role.sh", os.X_OK)


def test_what_images_are_made_of_is_said_in_the_environment_alone() -> None:
    """A tag in a file would be built from whatever its owner put there this morning."""
    required = r"\$\{(POSTGRES|PYTHON|DEBIAN)_IMAGE:\?.+\}"
    assert re.fullmatch(required, SERVICES["postgres"]["image"])
    for service in SERVICES.values():
        for value in service.get("build", {}).get("args", {}).values():
            assert re.fullmatch(required, value)
    for file in DOCKERFILES:
        text = (ROOT / file).read_text()
        for source in re.findall(r"^FROM (\S+)", text, re.M):
            assert re.fullmatch(r"\$\{[A-Z]+_IMAGE\}", source)
            assert re.search(rf"^ARG {source[2:-1]}$", text, re.M), "with no default"


DOCKER = """#!/bin/sh
case "$1" in
  pull) echo "$3" >>"$PULLED" ;;
  image) printf '%s\\n' "${5%%:*}$MADE" ;;
esac
"""


@pytest.mark.parametrize("known", [True, False])
def test_make_images_writes_digests_and_leaves_the_rest(tmp_path: Path, known: bool) -> None:
    docker = tmp_path / "bin" / "docker"
    docker.parent.mkdir()
    docker.write_text(DOCKER)
    docker.chmod(0o755)
    (tmp_path / "Makefile").write_text((ROOT / "Makefile").read_text())
    file = tmp_path / ".env"
    file.write_text("BRIDGE_NODE=a\nPOSTGRES_IMAGE=postgres@sha256:0ld\n#PYTHON_IMAGE=x\n")
    file.chmod(0o600)
    digest = "@sha256:" + "0f" * 32
    environment = {
        **os.environ,
        "PATH": f"{docker.parent}:{os.environ['PATH']}",
        "PULLED": str(tmp_path / "pulled"),
        "MADE": digest if known else ":latest",
    }
    done = subprocess.run(
        ["make", "images"], cwd=tmp_path, env=environment, capture_output=True, text=True
    )
    lines = file.read_text().splitlines()
    if known:
        assert done.returncode == 0
        assert lines == [
            "BRIDGE_NODE=a",
            "#PYTHON_IMAGE=x",
            f"POSTGRES_IMAGE=postgres{digest}",
            f"PYTHON_IMAGE=python{digest}",
            f"DEBIAN_IMAGE=debian{digest}",
        ]
        tags = (tmp_path / "pulled").read_text().split()
        assert tags == ["postgres:17", "python:3.13-slim", "debian:forky-slim"]
    else:
        assert done.returncode != 0
        assert "has no digest" in done.stderr
        assert "POSTGRES_IMAGE=postgres@sha256:0ld" in lines
    assert file.stat().st_mode & 0o777 == 0o600
