"""The threat model of the README: every defence that it claims names a test that is there."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
_SECTION = (
    (ROOT / "README.md").read_text(encoding="utf-8").partition("\n## Security\n")[2].partition("\n## ")[0]
)
ROWS = [
    [cell.strip() for cell in line.strip("|").split(" | ")]
    for line in _SECTION.splitlines()
    if line.startswith("| ") and not line.startswith(("| ---", "| threat "))
]


def test_there_is_a_model() -> None:
    assert len(ROWS) > 15
    assert "Not defended against" in _SECTION


@pytest.mark.parametrize("row", ROWS, ids=[row[0] for row in ROWS])
def test_each_threat_names_its_tests(row: list[str]) -> None:
    threat, defence, tests = row
    assert threat
    assert defence
    named = re.findall(r"`(tests/[\w/.]+)`", tests)
    assert named, "by no test"
    for name in named:
        path = ROOT / name
        files = sorted(path.glob("test_*.py")) if path.is_dir() else [path]
        assert files, name
        assert all("def test_" in file.read_text(encoding="utf-8") for file in files), name
