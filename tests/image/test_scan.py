"""The verdict on what pip-audit found; and a list of what is in the image."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.image.scan import ROOT, verdict

FLAW = {"id": "PYSEC-2024-1", "fix_versions": ["2.0"], "aliases": [], "description": "…"}
SOUND: dict[str, Any] = {"name": "a", "version": "1", "vulns": []}
FLAWED: dict[str, Any] = {"name": "b", "version": "1", "vulns": [FLAW]}
SKIPPED: dict[str, Any] = {"name": "c", "skip_reason": "…"}

VERDICTS = [
    # what pip-audit says, strict, exit code, words, because
    ([SOUND], False, 0, "scanned 1 packages, 0 known", "nothing is known against it"),
    ([SOUND, FLAWED], False, 1, "b 1: PYSEC-2024-1, mended in 2.0", "one has a flaw"),
    (
        [SOUND, SKIPPED],
        False,
        1,
        "not known to the advisory service: c",
        "a name that nobody knows is no scan",
    ),
    ([SKIPPED], False, 0, "NOT SCANNED", "no service is reached: told, and no reason to stop"),
    ([SKIPPED], True, 1, "NOT SCANNED", "unless a scan is demanded"),
    ([], True, 1, "NOT SCANNED", "pip-audit itself could not"),
]


@pytest.mark.parametrize(("said", "strict", "code", "words", "because"), VERDICTS)
def test_the_verdict(said: list[Any], strict: bool, code: int, words: str, because: str) -> None:
    given, lines = verdict(said, strict=strict)
    assert given == code, because
    assert any(words in line for line in lines), because


def test_the_bill_of_materials_names_every_package_of_the_lock(tmp_path: Path) -> None:
    """`make sbom`: CycloneDX, each package with its version, and the adapter as what they are for."""
    file = tmp_path / "sbom.json"
    [rule] = re.findall(r"^\t@?\$\(BIN\)/cyclonedx-py (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    arguments = rule.replace("$(SBOM)", str(file)).split()
    program = Path(sys.executable).with_name("cyclonedx-py")
    subprocess.run([program, *arguments], cwd=ROOT, check=True, capture_output=True)
    told = json.loads(file.read_text())
    locked = dict(
        re.findall(r"^([a-z0-9-]+)==([^ ;\\]+)", (ROOT / "requirements.lock").read_text(), re.MULTILINE)
    )
    assert {one["name"]: one["version"] for one in told["components"]} == locked
    assert all(one["purl"].startswith("pkg:pypi/") for one in told["components"])
    assert (told["bomFormat"], told["metadata"]["component"]["name"]) == ("CycloneDX", "losus-adapter")
