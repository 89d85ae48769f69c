"""An edit that forgot its version, from a file: it is parked, shown, and no replay lets it through.

Source: issue 11, row 14 («parked in the asynchronous channels; never a silent ok»); contract 6.
"""

import asyncio
import json
from pathlib import Path

from click.testing import Result
from typer.testing import CliRunner

from adapter.cli import app
from tests.specification.sending import finished, meta, person, rows, stay

SETTINGS = """
sources: {ehr: {mapping: losus-r4}}
subscribers: {"2380": {name: Östersund}}
secret: a secret of the tests alone
open_doors: true
"""


async def losus(dsn: str, folder: Path, *words: str) -> Result:
    """Run a command on the test's database."""
    given = {"LOSUS_DATABASE": dsn, "LOSUS_SETTINGS": str(folder / "losus.yaml")}
    return await asyncio.to_thread(CliRunner().invoke, app, [*words], env=given)


async def test_a_file_with_another_content_under_a_known_version(dsn: str, tmp_path: Path) -> None:
    (tmp_path / "losus.yaml").write_text(SETTINGS, encoding="utf-8")
    first, edit = tmp_path / "first.ndjson", tmp_path / "edit.ndjson"
    first.write_text("\n".join(json.dumps(one) for one in (stay(), person())), encoding="utf-8")
    edited = stay(period={"start": "2024-03-05T08:00:00+01:00"})
    edit.write_text(json.dumps(edited), encoding="utf-8")
    assert (await losus(dsn, tmp_path, "import", str(first), "--source", "ehr")).exit_code == 0
    before = await rows(dsn, "select id from event")
    assert (await losus(dsn, tmp_path, "import", str(edit), "--source", "ehr")).exit_code == 1
    shown = await losus(dsn, tmp_path, "cases", "parked", "--format", "json")
    assert shown.exit_code == 1, "there is something parked"
    told = json.loads(shown.stdout)
    assert (told["cause"], told["problems"][0]["code"]) == ("conflict", "conflict")
    assert told["problems"][0]["expression"] == "Encounter.meta.versionId"
    assert len(told["cases"]) == 1, "its case waits"
    for _ in range(2):
        again = await losus(dsn, tmp_path, "replay", "--parked", "--source", "ehr", "--run")
        assert again.exit_code == 1, "a replay does not let it through"
    assert await rows(dsn, "select cause from held") == [("conflict",)]
    told_of = await rows(dsn, "select type from event where id > (select min(id) from event)")
    assert told_of == [("se.losus.message.parked.v1",)], "the region is told of it, once"
    assert len(before) == 1
    number = str(told["message"])
    gone = await losus(dsn, tmp_path, "replay", "--message", number, "--discard", "sent again", "--run")
    assert gone.exit_code == 0, gone.output
    newer = finished(**meta("2", "2024-03-12T11:05:00+01:00"))
    edit.write_text(json.dumps(newer), encoding="utf-8")
    assert (await losus(dsn, tmp_path, "import", str(edit), "--source", "ehr")).exit_code == 0
    assert await rows(dsn, "select state, parked from cases") == [("discharged", False)]
