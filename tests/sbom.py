"""``make sbom``: what is shipped, as a bill of materials (CycloneDX 1.6, JSON).

CycloneDX's own program makes two: one of the lock, with each package's hashes, and one of the
environment that was installed from it, with licences and with what needs what.  This is the second,
of the lock's packages only, with the hashes of the first.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]


def bill() -> dict[str, Any]:
    """The bill of materials of ``requirements.lock``."""
    locked = _made("requirements", str(ROOT / "requirements.lock"))
    installed = _made("environment", sys.executable)
    known = {_name(one): one for one in installed["components"]}
    components = [_merged(one, known.get(_name(one))) for one in locked["components"]]
    refs = {one["bom-ref"] for one in components}
    root = locked["metadata"]["component"]["bom-ref"]
    dependencies: list[dict[str, Any]] = [
        {
            "ref": one["ref"],
            "dependsOn": [ref for ref in one.get("dependsOn", []) if ref in refs],
        }
        for one in installed["dependencies"]
        if one["ref"] in refs
    ]
    described = {one["ref"] for one in dependencies}
    dependencies += [{"ref": ref} for ref in sorted(refs - described)]
    needed = {ref for one in dependencies for ref in one.get("dependsOn", [])}
    dependencies.append({"ref": root, "dependsOn": sorted(refs - needed)})
    return {**locked, "components": components, "dependencies": dependencies}


def _made(kind: str, source: str) -> dict[str, Any]:
    command = [
        *(sys.executable, "-W", "ignore", "-m", "cyclonedx_py", kind, source),
        *("--pyproject", str(ROOT / "pyproject.toml"), "--output-reproducible", "--no-validate"),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    made: dict[str, Any] = json.loads(done.stdout)
    return made


def _name(component: dict[str, Any]) -> str:
    return str(component["name"]).lower().replace("_", "-").replace(".", "-")


def _merged(locked: dict[str, Any], installed: dict[str, Any] | None) -> dict[str, Any]:
    """A package with all that is known of it; of another system's, what the lock says."""
    if installed is None or installed["version"] != locked["version"]:
        return locked
    references = [*installed.get("externalReferences", []), *locked["externalReferences"]]
    return {**installed, "externalReferences": references}


def main() -> None:
    target = ROOT / "dist" / "masking-bridge.cdx.json"
    target.parent.mkdir(exist_ok=True)
    target.write_text(json.dumps(bill(), indent=2) + "\n")
    print(target.relative_to(ROOT))  # noqa: T201


if __name__ == "__main__":
    main()
