"""mappings/README.md, followed to the letter: what it tells to write works, and says what it shows."""

import json
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from adapter import cli
from adapter.losus.terms import SignalKind
from adapter.mapping.fields import FIELDS, PARTS
from adapter.mapping.file import MappingFile, Rule
from adapter.mapping.load import default_folder

TEXT = (default_folder() / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", TEXT, re.DOTALL | re.MULTILINE)


def run(*args: str) -> list[str]:
    answer = CliRunner().invoke(cli.app, list(args))
    return answer.output.splitlines()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder with `mine/` in it, where the newcomer stands."""
    monkeypatch.chdir(tmp_path)
    mine = tmp_path / "mine"
    (mine / "concepts").mkdir(parents=True)
    return mine


def test_the_worked_example_works_step_by_step(folder):
    stay, table, patient = blocks("json")
    first, whole, who, examples, more, *_ = blocks("yaml")
    tried, checked, checked_again = ([*block.splitlines()] for block in blocks("console"))
    mapping = folder / "exempel.yaml"
    (folder / "stay.json").write_text(stay)
    mapping.write_text(first)
    assert run(*tried[0].split()[2:]) == tried[1:]

    (folder / "concepts" / "where-to.json").write_text(table)
    (folder / "patient.json").write_text(patient)
    mapping.write_text(f"{whole}{who}\n{examples}")
    assert run(*checked[0].split()[2:]) == checked[1:]

    died = json.loads(stay) | {"id": "v-2"}
    died["hospitalization"]["dischargeDisposition"]["coding"][0]["code"] = "D"
    (folder / "died.json").write_text(json.dumps(died))
    mapping.write_text(f"{whole}{who}\n{examples}{more}")
    assert run(*checked_again[0].split()[2:]) == checked_again[1:]


def test_it_tells_every_key_signal_and_field():
    keys = {
        field.alias or name for model in (MappingFile, Rule) for name, field in model.model_fields.items()
    }
    for word in keys | set(SignalKind) | FIELDS.keys() | PARTS.keys():
        assert f"`{word}`" in TEXT, word
