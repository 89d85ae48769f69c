"""The walk of agreements/README.md, from a copied file to a first statement, typed as it stands there."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
import yaml

from adapter.agreements.load import default_folder

README = default_folder() / "README.md"
NEW = Path("agreements/exempel-2022.yaml")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a copy of the agreements, as a clone of the repository has them."""
    shutil.copytree(default_folder(), tmp_path / "agreements")
    return tmp_path


def blocks() -> Iterator[tuple[str, str]]:
    """Give the code blocks of the walk, in order, as language and text."""
    text = README.read_text(encoding="utf-8")
    walk = text.partition("## From a copied file to a first statement")[2].partition("\n## ")[0]
    yield from re.findall(r"```(\w+)\n(.*?)```", walk, re.DOTALL)


def run(command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Type one command; `losus` is this checkout's, on the copied folder."""
    losus = f'losus() {{ "{sys.executable}" -m adapter.cli "$@" --agreements agreements; }}\n'
    environment = os.environ | {"COLUMNS": "200"}
    return subprocess.run(
        ["/bin/bash", "-c", losus + command],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def write_head(file: Path, head: dict[str, Any]) -> None:
    """Replace the head of the copy, as an editor would; its assumptions stay."""
    there = yaml.safe_load(file.read_text(encoding="utf-8"))
    head["assumptions"] = there["assumptions"] | head["assumptions"]
    file.write_text(yaml.safe_dump(there | head, allow_unicode=True, sort_keys=False), encoding="utf-8")


def test_every_step_does_what_the_page_says(folder: Path) -> None:
    done: list[subprocess.CompletedProcess[str]] = []
    for language, text in blocks():
        match language:
            case "console":
                done += [run(line.removeprefix("$ "), folder) for line in text.splitlines()]
            case "yaml":
                write_head(folder / NEW, yaml.safe_load(text))
            case "csv":
                (folder / "stays.csv").write_text(text, encoding="utf-8")
    copied, checked, draft, compared, in_force, shown, settled, fhir = (
        one for one in done if one.stdout or one.stderr or "statement" in str(one.args)
    )
    assert copied.returncode == 2, "two files with one id"
    assert "exempel-2022.yaml" in copied.stdout + copied.stderr
    for one in (checked, draft, compared, in_force, shown, settled, fhir):
        assert one.returncode == 0, (one.args, one.stdout, one.stderr)
    for statement in (draft, settled):
        assert "27 900" in statement.stdout
    assert "draft" in draft.stdout
    assert "draft" not in settled.stdout
    assert "exempel-2022 is in force" in shown.stdout
    bundle = orjson.loads((folder / "statement.json").read_bytes())
    invoices = [e["resource"] for e in bundle["entry"] if e["resource"]["resourceType"] == "Invoice"]
    assert [invoice["totalNet"]["value"] for invoice in invoices] == [27_900]
