"""What cannot be done is said before somebody tries, and calls are refused meanwhile."""

import json
import urllib.error
import urllib.request
from typing import Any

from bridge.embedded.phones.steps import Caller, scenario
from bridge.embedded.processes import until
from tests.e2e.conftest import Site


def asked(api_url: str, path: str = "/readyz") -> dict[str, Any]:
    """What a bridge says of itself; nothing while it does not listen."""
    try:
        with urllib.request.urlopen(f"{api_url}{path}", timeout=10) as answer:  # noqa: S310
            found = json.loads(answer.read())
    except urllib.error.HTTPError as error:
        with error:
            found = json.loads(error.read())
    except OSError:
        return {"troubles": {}}
    assert isinstance(found, dict)
    return found


def is_refused(site: Site, reason: str) -> None:
    """At once, so the carrier can try elsewhere; and its record says why."""
    a = Caller()
    site.calls(scenario(a.invite(), a.is_refused(503))).finish()
    call = site.call_record()
    assert (call["disposition"], call["reason"], call["fault"]) == ("refused", reason, "us")


def test_a_trunk_that_asterisk_does_not_have(site: Site) -> None:
    site.create_session()
    site.stack.bridge.stop()
    other = site.stack.another_bridge(BRIDGE_TRUNK="nosuch")
    other.begin()
    try:
        assert until(lambda: "trunk" in asked(other.api_url)["troubles"], within=60)
        assert not other.is_ready
        found = asked(other.api_url, "/readyz/calls")
        assert found["asterisk"]
        assert found["troubles"].keys() == {"trunk"}
        assert found["troubles"]["trunk"]["reason"] == "no-endpoint"
        assert "`nosuch`" in found["troubles"]["trunk"]["wrong"]
        assert asked(other.api_url, "/readyz/api")["status"] == "ready"
        is_refused(site, "trunk-missing")
    finally:
        other.stop()
        site.stack.bridge.start()
    assert asked(site.stack.place.api_url)["troubles"] == {}


def test_modules_that_must_be_there_or_must_not_and_another_dialplan(site: Site) -> None:
    """All at once, because each is seen ten seconds later at most."""
    site.create_session()
    api_url, cli = site.stack.place.api_url, site.stack.asterisk.cli
    recordings = cli("dialplan show globals").partition("BRIDGE_RECORDINGS=")[2].split()[0]
    cli("module load bridge_native_rtp.so")
    cli("module unload func_base64.so")
    cli("dialplan set global BRIDGE_DIALPLAN 0")
    cli("dialplan set global BRIDGE_RECORDINGS /elsewhere")
    try:
        wanted = {
            "forbidden_modules": "module-forbidden",
            "modules": "module-missing",
            "dialplan": "wrong-dialplan",
            "recording": "two-directories",
        }
        assert until(lambda: asked(api_url)["troubles"].keys() == wanted.keys(), within=40)
        found = asked(api_url)["troubles"]
        assert {name: one["reason"] for name, one in found.items()} == wanted
        assert "bridge_native_rtp.so" in found["forbidden_modules"]["wrong"]
        assert "func_base64.so" in found["modules"]["wrong"]
        assert "recording" not in asked(api_url, "/readyz/calls")["troubles"]
        cli("module load func_base64.so")  # without it nobody knows who calls
        is_refused(site, "asterisk-unfit")
        with urllib.request.urlopen(f"{api_url}/metrics", timeout=10) as answer:  # noqa: S310
            told = answer.read().decode()
        assert 'masking_part_ready{part="dialplan"} 0.0' in told
        assert 'masking_part_trouble{part="dialplan",trouble="wrong-dialplan"} 1.0' in told
    finally:
        cli("module load func_base64.so")
        cli("module unload bridge_native_rtp.so")
        cli("dialplan set global BRIDGE_DIALPLAN 1")
        cli(f"dialplan set global BRIDGE_RECORDINGS {recordings}")
    assert until(lambda: site.stack.bridge.is_ready, within=40)
    log = site.stack.bridge.log_file.read_text()
    assert log.count('"event": "part is not well"') == len(wanted)
    assert log.count('"event": "part is well again"') == len(wanted)
