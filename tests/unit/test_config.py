"""Settings: every mistake at once, and no secret in any message."""

import re
from collections.abc import Mapping
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bridge import asterisk_config, setting_checks
from bridge.ari.inventory import DIALPLAN, DIALPLAN_VERSION, FORBIDDEN, NEEDED
from bridge.cli import service, settings
from bridge.cli.app import app
from bridge.config import ConfigError, Settings, SiteSettings, load, variables
from bridge.domain.trunk_rules import BareDigits, OutboundFormat, TrunkRules
from bridge.media_settings import MediaSettings
from bridge.setting_checks import CODECS
from bridge.webhook_settings import WebhookSettings

SECRET = "s3cret-" * 5
KINDS = (Settings, SiteSettings, MediaSettings, WebhookSettings)


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BRIDGE_DATABASE_URL", f"postgresql://bridge:{SECRET}@127.0.0.1/masking")
    monkeypatch.setenv("BRIDGE_ARI_PASSWORD", SECRET)


def test_two_secrets_are_enough_to_start() -> None:
    assert load(Settings).api_host == "127.0.0.1"
    assert str(load(SiteSettings).sip_host) == "127.0.0.1"


def test_every_mistake_is_named_at_once_by_its_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    mistakes = {
        "BRIDGE_DATABASE_URL": f"mysql://{SECRET}",
        "BRIDGE_ARI_PASSWORD": "short",
        "BRIDGE_API_PORT": "99999",
        "BRIDGE_DRAIN_TIMEOUT": "-1",
        "BRIDGE_LOG_LEVEL": "LOUD",
        "BRIDGE_DEFAULT_RING_TIMEOUT": "soon",
    }
    for name, value in mistakes.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ConfigError) as error:
        load(Settings)
    named = [line.split()[0] for line in str(error.value).splitlines()]
    assert sorted(named) == sorted(mistakes)
    assert SECRET not in str(error.value)
    assert "short" not in str(error.value)


def test_the_rules_of_the_trunk_are_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    assert load(Settings).trunk_rules == TrunkRules()
    for name, value in {
        "BRIDGE_TRUNK_REGION": "de",
        "BRIDGE_TRUNK_BARE_DIGITS": "either",
        "BRIDGE_TRUNK_STRIP_PREFIXES": "9, *31#",
        "BRIDGE_TRUNK_PREPEND": "+49",
        "BRIDGE_TRUNK_OUTBOUND_FORMAT": "national",
    }.items():
        monkeypatch.setenv(name, value)
    assert load(Settings).trunk_rules == TrunkRules(
        region="DE",
        bare_digits=BareDigits.EITHER,
        strip_prefixes=("9", "*31#"),
        prepend="+49",
        outbound_format=OutboundFormat.NATIONAL,
    )


def test_rules_of_the_trunk_that_are_empty_are_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("BRIDGE_TRUNK_REGION", "BRIDGE_TRUNK_STRIP_PREFIXES", "BRIDGE_TRUNK_PREPEND"):
        monkeypatch.setenv(name, "")
    assert load(Settings).trunk_rules == TrunkRules()


@pytest.mark.parametrize("name", ["carrier", "acme-2", "Acme_Trunk", "4930"])
def test_a_trunk_has_the_name_that_its_endpoint_has(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv("BRIDGE_TRUNK", name)
    assert load(Settings).trunk == name


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(
            ("BRIDGE_TRUNK", name)
            for name in ("", "a@b", "a/b", "a,b", "a&b", "-a", "a\n", "a" * 33)
        ),
        ("BRIDGE_TRUNK_REGION", "Germany"),
        ("BRIDGE_TRUNK_REGION", "EU"),
        ("BRIDGE_TRUNK_BARE_DIGITS", "guess"),
        ("BRIDGE_TRUNK_BARE_DIGITS", "national"),  # of which country?
        ("BRIDGE_TRUNK_OUTBOUND_FORMAT", "national"),
        ("BRIDGE_TRUNK_STRIP_PREFIXES", "9,,8"),
        ("BRIDGE_TRUNK_STRIP_PREFIXES", "+49"),
        ("BRIDGE_TRUNK_STRIP_PREFIXES", "0049"),
        ("BRIDGE_TRUNK_PREPEND", "+"),
        ("BRIDGE_TRUNK_PREPEND", "49 30"),
    ],
)
def test_a_mistake_in_the_rules_of_the_trunk_is_named(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ConfigError, match=name):
        load(Settings)


def test_what_is_not_set_is_said_to_be_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("BRIDGE_ARI_PASSWORD")
    with pytest.raises(ConfigError, match=r"^BRIDGE_ARI_PASSWORD is not set$"):
        load(Settings)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("BRIDGE_TRUNK_MATCH", "0.0.0.0/0"),
        ("BRIDGE_TRUNK_MATCH", ""),
        ("BRIDGE_TRUNK_MATCH", "everybody"),
        *(
            (f"BRIDGE_TRUNK_{name}_MATCH", value)
            for name in ("HOST", "MEDIA")
            for value in (
                "0.0.0.0/0",
                "everybody",
                "203.0.113.0/28,",
                "203.0.113.1/28",
                "10.0.0.1;",
            )
        ),
        ("BRIDGE_TRUNK_RTP_SYMMETRIC", "yes\nallow_transfer=yes"),
        ("BRIDGE_TRUNK_HOST", "carrier.example\nevil=yes"),
        ("BRIDGE_TRUNK_HOST", "carrier.example:99999"),
        ("BRIDGE_TRUNK_USER", "user\n[evil]"),
        ("BRIDGE_TRUNK_USER", "alone"),
        ("BRIDGE_ARI_USER", "a]b"),
        ("BRIDGE_ARI_PASSWORD", SECRET + "\nread_only=no"),
        ("BRIDGE_TRUNK_CODECS", "ulaw;evil"),
        ("BRIDGE_RTP_PORT_END", "10001"),
        ("BRIDGE_SIP_HOST", "not an address"),
    ],
)
def test_nothing_can_be_smuggled_into_asterisk_s_configuration(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ConfigError) as error:
        load(SiteSettings)
    assert "BRIDGE_" in str(error.value)
    assert SECRET not in str(error.value)


def test_the_site_s_part_of_asterisk_s_configuration(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "BRIDGE_SIP_HOST": "192.0.2.1",
        "BRIDGE_SIP_EXTERNAL_ADDRESS": "198.51.100.7",
        "BRIDGE_SIP_LOCAL_NET": "192.0.2.0/24",
        "BRIDGE_TRUNK_HOST": "sip.carrier.example:5070",
        "BRIDGE_TRUNK_MATCH": "203.0.113.0/28, 203.0.113.99",
        "BRIDGE_TRUNK_USER": "acme",
        "BRIDGE_TRUNK_PASSWORD": "pass-word",
    }.items():
        monkeypatch.setenv(name, value)
    files = asterisk_config.render(load(SiteSettings))
    assert files["ari.conf"] == f"[bridge](bridge-user)\npassword={SECRET}\n"
    for line in (
        "bind=192.0.2.1:5060",
        "external_media_address=198.51.100.7",
        "local_net=192.0.2.0/24",
        "contact=sip:sip.carrier.example:5070",
        "match=203.0.113.0/28",
        "match=203.0.113.99/32",
        "outbound_auth=carrier",
        "password=pass-word",
    ):
        assert line in files["pjsip.conf"].splitlines()


def test_sip_is_taken_from_the_trunk_only_in_calls_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BRIDGE_TRUNK_MATCH", "203.0.113.0/28")
    monkeypatch.setenv("BRIDGE_TRUNK_HOST", "198.51.100.9:5070")
    monkeypatch.setenv("BRIDGE_TRUNK_HOST_MATCH", "198.51.100.16/30, 2001:db8::9")
    trunk = asterisk_config.render(load(SiteSettings))["pjsip.conf"]
    assert trunk.partition("[trunk-networks](nobody)\n")[2].splitlines() == [
        "permit=203.0.113.0/28",
        "permit=198.51.100.16/30",
        "permit=2001:db8::9/128",
        "permit=198.51.100.9/32",
    ]
    assert "match=198.51" not in trunk, "from there no call comes in"


@pytest.mark.parametrize(("says", "is_written"), [("", False), ("no", False), ("yes", True)])
def test_only_a_trunk_behind_a_nat_is_answered_where_its_audio_comes_from(
    monkeypatch: pytest.MonkeyPatch, says: str, *, is_written: bool
) -> None:
    if says:
        monkeypatch.setenv("BRIDGE_TRUNK_RTP_SYMMETRIC", says)
    trunk = asterisk_config.render(load(SiteSettings))["pjsip.conf"]
    assert ("\nrtp_symmetric=yes\n" in trunk) is is_written
    template = (asterisk_config.source() / "pjsip.conf").read_text()
    assert "\nrtp_symmetric=no\n" in template


def test_every_include_of_the_static_files_is_rendered() -> None:
    included = {
        line.split("site/")[1]
        for file in asterisk_config.source().glob("*.conf")
        for line in file.read_text().splitlines()
        if line.startswith("#include site/")
    }
    assert included == set(asterisk_config.render(load(SiteSettings)))


def test_no_setting_means_two_things() -> None:
    """A name that both kinds have must have one default."""
    for name in set(Settings.model_fields) & set(SiteSettings.model_fields):
        first, second = (kind.model_fields[name].default for kind in (Settings, SiteSettings))
        assert first == second


@pytest.mark.parametrize(
    "name",
    sorted({name for kind in KINDS for name in kind.model_fields}),
    ids=str,
)
def test_every_variable_is_in_the_readme(name: str) -> None:
    readme = (Path(__file__).parents[2] / "README.md").read_text()
    assert f"`BRIDGE_{name.upper()}`" in readme


def test_docker_compose_wants_what_its_example_sets() -> None:
    root = Path(__file__).parents[2]
    wanted = re.findall(r"\$\{([A-Z_]+):\?", (root / "docker-compose.yml").read_text())
    example = re.findall(r"^([A-Z_]+)=", (root / ".env.example").read_text(), re.M)
    assert "BRIDGE_TRUNK_MEDIA_MATCH" in wanted
    by_make_images = {"POSTGRES_IMAGE", "PYTHON_IMAGE", "DEBIAN_IMAGE"}
    assert set(wanted) - by_make_images <= set(example)


def test_the_example_for_docker_compose_holds_when_every_line_of_it_is_filled_in(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    example = (Path(__file__).parents[2] / ".env.example").read_text()
    lines = dict(re.findall(r"^#?([A-Z][A-Z0-9_]+)=(.*)$", example, re.M))
    known = {"POSTGRES_PASSWORD", "DATABASE_PASSWORD"}
    known |= {"POSTGRES_IMAGE", "PYTHON_IMAGE", "DEBIAN_IMAGE"}
    known |= {f"BRIDGE_{name.upper()}" for kind in KINDS for name in kind.model_fields}
    assert set(lines) <= known
    for name, value in lines.items():
        secret = name.endswith(("_PASSWORD", "_SECRET", "_USER"))
        monkeypatch.setenv(name, SECRET if secret else value)
    for kind in KINDS:
        load(kind)


def test_every_module_that_calls_need_is_loaded_and_none_that_must_not_be() -> None:
    """And the dialplan says the version that the program works with."""
    modules = (asterisk_config.source() / "modules.conf").read_text()
    loaded = set(re.findall(r"^load=(\S+)$", modules, re.M))
    assert loaded >= NEEDED
    assert not loaded & set(FORBIDDEN)
    dialplan = (asterisk_config.source() / "extensions.conf").read_text()
    assert re.findall(rf"^{DIALPLAN_VERSION}=(\d+)$", dialplan, re.M) == [str(DIALPLAN)]


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ("pcmu,pcma", "Asterisk calls pcmu ulaw"),
        ("PCMA", "Asterisk calls pcma alaw"),
        ("ulow", "ulaw is meant?"),
        ("G.722", "Asterisk calls g.722 g722"),
        ("g729", "cannot be translated"),
        ("g729a,ulaw", "cannot be translated"),
        ("ulaw,opus", "cannot be translated"),
        ("slin16", "cannot be translated"),
        ("ulaw,ulaw", "names ulaw twice"),
        ("ulaw,,alaw", "may be ulaw, alaw, g722, gsm"),
        ("all", "may be ulaw, alaw, g722, gsm"),
        ("!all,ulaw", "may be ulaw, alaw, g722, gsm"),
        ("ulaw\nevil=yes", "may be ulaw, alaw, g722, gsm"),
    ],
)
def test_a_codec_is_one_that_asterisk_has_and_can_translate(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, value: str, says: str
) -> None:
    """And nothing is written with which Asterisk has no trunk."""
    monkeypatch.setenv("BRIDGE_TRUNK_CODECS", value)
    with pytest.raises(ConfigError) as error:
        load(SiteSettings)
    assert str(error.value).startswith("BRIDGE_TRUNK_CODECS ")
    assert says in str(error.value)
    with pytest.raises(ConfigError):
        service.write_asterisk_config(tmp_path / "etc")
    assert not (tmp_path / "etc").exists()


@pytest.mark.parametrize("value", ["ulaw", "alaw,ulaw", "ulaw, alaw", "G722,ulaw", "gsm"])
def test_codecs_that_are_translated_are_taken(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("BRIDGE_TRUNK_CODECS", value)
    assert load(SiteSettings).trunk_codecs == value.lower().replace(" ", "")


def test_every_codec_has_its_translator_loaded() -> None:
    modules = (asterisk_config.source() / "modules.conf").read_text()
    for codec in CODECS:
        assert f"load=codec_{codec}.so\n" in modules


@pytest.mark.parametrize(
    ("variables", "says"),
    [
        *(
            ({"BRIDGE_TRUNK_HOST": host}, "BRIDGE_TRUNK_HOST")
            for host in (
                *("carrier.example:0", "carrier.example:65536", "carrier.example:x", ":5060"),
                *("carrier..example", "-carrier.example", "carrier.example-", "carrier example"),
                *(" carrier.example", "carrier.example:5060\n", "carrier.example:५", "a" * 64),
                *("999.1.1.1", "192.0.2", "0.0.0.0", "224.0.0.1", "2001:db8::1", "[2001:db8::1]"),
                *("[2001:db8::1]:5060", "sip:carrier.example", "user@carrier.example", ""),
            )
        ),
        ({"BRIDGE_SIP_EXTERNAL_ADDRESS": "198.51.100.7:5060"}, "BRIDGE_SIP_EXTERNAL_ADDRESS"),
        ({"BRIDGE_SIP_EXTERNAL_ADDRESS": "198.51.100"}, "BRIDGE_SIP_EXTERNAL_ADDRESS"),
        ({"BRIDGE_SIP_EXTERNAL_ADDRESS": "0.0.0.0"}, "BRIDGE_SIP_EXTERNAL_ADDRESS"),
        ({"BRIDGE_SIP_LOCAL_NET": "192.0.2.0/24"}, "BRIDGE_SIP_EXTERNAL_ADDRESS"),
        ({"BRIDGE_SIP_HOST": "2001:db8::1"}, "audio is IPv4 only"),
        ({"BRIDGE_RTP_PORT_START": "10001"}, "must be even"),
        ({"BRIDGE_RTP_PORT_START": "20000", "BRIDGE_RTP_PORT_END": "10000"}, "leave room"),
        ({"BRIDGE_RTP_PORT_START": "5000"}, "BRIDGE_SIP_PORT must not be"),
        ({"BRIDGE_TRUNK_PASSWORD": "alone"}, "go together"),
        ({"BRIDGE_API_PORT": "8088"}, "must differ"),
        ({"BRIDGE_ARI_URL": "http://127.0.0.1:8088/ari"}, "BRIDGE_ARI_URL"),
        ({"BRIDGE_ARI_URL": "http://bridge:secret@127.0.0.1:8088"}, "BRIDGE_ARI_URL"),
        ({"BRIDGE_ARI_URL": "127.0.0.1:8088"}, "BRIDGE_ARI_URL"),
        ({"BRIDGE_DATABASE_URL": "postgresql://u:p@h:54x2/masking"}, "BRIDGE_DATABASE_URL"),
        ({"BRIDGE_DATABASE_URL": "postgresql://u:p/w@h/masking"}, "%2F"),
        ({"BRIDGE_PUBLIC_URL": "https://masking.example/?a=b"}, "BRIDGE_PUBLIC_URL"),
        ({"BRIDGE_PUBLIC_URL": "https://u:p@masking.example"}, "BRIDGE_PUBLIC_URL"),
        ({"BRIDGE_RECORDING_S3_BUCKET": "masking"}, "must be set too"),
        ({"BRIDGE_WEBHOOK_CONNECT_TIMEOUT": "9", "BRIDGE_WEBHOOK_TIMEOUT": "3"}, "not be more"),
        ({"BRIDGE_WEBHOOK_WORKERS_PER_HOST": "9", "BRIDGE_WEBHOOK_WORKERS": "3"}, "not be more"),
        ({"BRIDGE_WEBHOOK_MAX_AGE": "86401", "BRIDGE_EVENT_RETENTION_DAYS": "1"}, "not be more"),
        ({"BRIDGE_LOG_LEVEL": ""}, "BRIDGE_LOG_LEVEL is empty"),
        ({"BRIDGE_MAX_CALLS": ""}, "BRIDGE_MAX_CALLS is empty"),
        ({"BRIDGE_ARI_PASSWORD": ""}, "BRIDGE_ARI_PASSWORD is not set"),
    ],
)
def test_what_is_spelled_right_and_cannot_work_is_refused(
    monkeypatch: pytest.MonkeyPatch, variables: Mapping[str, str], says: str
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    mistakes = []
    for kind in KINDS:
        try:
            load(kind)
        except ConfigError as error:
            mistakes.append(str(error))
    assert says in "\n".join(mistakes)
    assert SECRET not in "\n".join(mistakes)


@pytest.mark.parametrize("value", ["192.0.2.1", "192.0.2.1:5070", "sip.carrier.example", "a-b:1"])
def test_a_carrier_is_an_address_or_a_name(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("BRIDGE_TRUNK_HOST", value)
    assert load(SiteSettings).trunk_host == value


def test_settings_of_bridge_and_asterisk_must_fit_where_both_are_set(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert settings.together({kind: load(kind) for kind in KINDS}) == []
    monkeypatch.setenv("BRIDGE_ARI_PORT", "8089")
    monkeypatch.setenv("BRIDGE_RTP_PORT_END", "10401")
    told = settings.together({kind: load(kind) for kind in KINDS})
    assert told[0] == "BRIDGE_ARI_URL must have the port that BRIDGE_ARI_PORT says"
    assert "audio for 100 calls" in told[1]
    monkeypatch.setenv("BRIDGE_ARI_URL", "http://127.0.0.1:8089")
    monkeypatch.setenv("BRIDGE_MAX_CALLS", "100")
    assert settings.together({kind: load(kind) for kind in KINDS}) == []


def test_an_optional_setting_that_is_empty_is_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    """As Compose passes a line `NAME=` of .env."""
    optional = [
        f"BRIDGE_{name.upper()}"
        for kind in KINDS
        for name, field in kind.model_fields.items()
        if field.default is None
    ]
    assert "BRIDGE_TRUNK_USER" in optional
    for name in optional:
        monkeypatch.setenv(name, "")
    for kind in KINDS:
        load(kind)


@pytest.mark.parametrize("name", sorted({name for kind in KINDS for name in variables(kind)}))
def test_a_setting_is_known_and_one_that_is_nearly_it_is_a_mistake(name: str) -> None:
    known = {one for kind in KINDS for one in variables(kind)}
    assert setting_checks.unknown({name: "", name.lower(): ""}, known) == []
    [mistake] = setting_checks.unknown({f"{name}X": "s3cret"}, known)
    assert mistake.startswith(f"{name}X is no setting; is BRIDGE_")
    assert "s3cret" not in mistake


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("BRIDGE_SERVICE_HOST", "192.0.2.1"),
        ("BRIDGE_SERVICE_PORT_HTTP", "80"),
        ("BRIDGE_PORT", "tcp://192.0.2.1:80"),
        ("BRIDGE_PORT_80_TCP_ADDR", "192.0.2.1"),
        ("POSTGRES_PASSWORD", "x"),
        ("PATH", "/bin"),
    ],
)
def test_what_kubernetes_sets_is_no_mistake(name: str, value: str) -> None:
    assert setting_checks.unknown({name: value}, {"BRIDGE_TRUNK"}) == []


def test_every_command_refuses_an_unknown_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BRIDGE_TRUNK_CODEC", "ulaw")
    for command in (["trunk", "test-number", "+14155550123"], ["check-config"]):
        result = CliRunner().invoke(app, command)
        assert isinstance(result.exception, ConfigError)
        assert "is BRIDGE_TRUNK_CODECS meant?" in str(result.exception)


def test_every_variable_of_the_readme_is_a_setting() -> None:
    root = Path(__file__).parents[2]
    known = {one for kind in KINDS for one in variables(kind)}
    for file in (root / "README.md", root / "docker-compose.yml"):
        named = set(re.findall(r"\bBRIDGE_[A-Z0-9_]*[A-Z0-9]\b", file.read_text()))
        assert named - known <= {"BRIDGE_DIALPLAN"}
