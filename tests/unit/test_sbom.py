"""The bill of materials names all that is locked, with hashes and licences."""

import json
import re

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from tests.sbom import ROOT, bill


def test_the_bill_of_materials_has_every_locked_package_with_its_hashes_and_licence() -> None:
    made = bill()
    lock = (ROOT / "requirements.lock").read_text()
    locked = dict(re.findall(r"^([a-z0-9-]+)==([^ ;]+)", lock, re.M))
    assert len(locked) > 20
    assert {
        one["name"].lower().replace("_", "-"): one["version"] for one in made["components"]
    } == locked
    hashes = {
        found["content"]
        for one in made["components"]
        for reference in one["externalReferences"]
        for found in reference.get("hashes", [])
    }
    assert hashes == set(re.findall(r"--hash=sha256:([0-9a-f]{64})", lock))
    without = [one["name"] for one in made["components"] if not one.get("licenses")]
    assert without == ["colorama"], "of Windows, and not installed"
    assert {one["ref"] for one in made["dependencies"]} >= {
        one["bom-ref"] for one in made["components"]
    }
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(json.dumps(made)) is None
