"""`losus import`, `cases parked`, `replay`, `sources`: as an operator uses them, from files to the case."""

import json
import os
from pathlib import Path
from typing import Any

import orjson
import pytest

from adapter.mapping.load import default_folder
from tests import cli
from tests.inbound.test_parking import UNKNOWN, untranslatable
from tests.service import way_home

pytestmark = pytest.mark.timeout(300)


class Operator:
    """Runs `losus` with the settings of a region of one source."""

    def __init__(self, dsn: str, folder: Path) -> None:
        self.mappings = folder / "mappings"
        for path in default_folder().rglob("*"):
            if path.is_file() and "examples" not in path.parts:
                copy = self.mappings / path.relative_to(default_folder())
                copy.parent.mkdir(parents=True, exist_ok=True)
                copy.write_bytes(path.read_bytes())
        self._env = os.environ | {
            "LOSUS_DATABASE": dsn,
            "LOSUS_SECRET": "a secret of the tests alone",
            "LOSUS_OPEN_DOORS": "true",
            "LOSUS_MAPPINGS": str(self.mappings),
            "LOSUS_SOURCES": json.dumps({"hospital": {"mapping": "losus-r4"}}),
            "LOSUS_SUBSCRIBERS": json.dumps({"2380": {"name": "Östersund"}}),
        }

    def run(self, *arguments: str) -> tuple[int, list[Any]]:
        """The exit code, and the JSON values printed."""
        done = cli.run(*arguments, "--format", "json", env=self._env)
        assert "Traceback" not in done.stderr, done.stderr
        assert UNKNOWN not in done.stderr
        return done.returncode, [orjson.loads(line) for line in done.stdout.splitlines()]

    def mend(self) -> None:
        """Add the code that the table did not hold."""
        table = self.mappings / "concepts" / "care-form.json"
        concepts = json.loads(table.read_text(encoding="utf-8"))
        element = concepts["group"][0]["element"]
        element.append({**element[0], "code": UNKNOWN})
        table.write_text(json.dumps(concepts), encoding="utf-8")


@pytest.fixture
def operator(dsn: str, tmp_path: Path) -> Operator:
    return Operator(dsn, tmp_path)


def test_from_a_fault_to_its_mending(operator: Operator, tmp_path: Path) -> None:
    first, *later = way_home()
    paths = []
    for number, message in enumerate([untranslatable(first), *later]):
        path = tmp_path / f"{number:02}.json"
        path.write_bytes(orjson.dumps(message))
        paths.append(str(path))
    code, [tally] = operator.run("import", *paths, "--source", "hospital")
    assert (code, tally) == (1, {"taken": len(later), "known": 0, "held": 1, "refused": 0})

    code, [held] = operator.run("cases", "parked")
    assert (code, held["cause"], held["source"]) == (1, "untranslated", "hospital")
    assert [one["waiting"] for one in held["cases"]] == [len(later)]

    code, [still] = operator.run("replay", "--parked", "--run")
    assert (code, still["became"], still["told"]) == (1, "cannot be used", {})

    operator.mend()
    code, [dry] = operator.run("replay", "--parked")
    assert (code, dry["became"], dry["told"]) == (0, "read", {"2380": 1})
    code, [other] = operator.run("replay", "--parked", "--to", "2309", "--run")
    assert (code, other["became"]) == (0, "left as it was")
    assert operator.run("cases", "parked")[0] == 1, "a dry run and another's replay change nothing"
    code, [done] = operator.run("replay", "--parked", "--to", "2380", "--run")
    assert (code, done["became"], done["told"]) == (0, "read", {"2380": 1})
    assert operator.run("cases", "parked") == (0, [])

    code, again = operator.run("replay", "--source", "hospital", "--run")
    assert code == 0
    assert [one["told"] for one in again] == [{}] * (1 + len(later)), "nothing new is told of what is known"


def test_sources(operator: Operator) -> None:
    row = {"source": "hospital", "mapping": "losus-r4", "stopped": None, "why": None}
    assert operator.run("sources", "list") == (0, [row])


def test_nothing_is_refused_by_the_broker_and_so_nothing_is_released(operator: Operator) -> None:
    assert operator.run("cases", "refused") == (0, [])


WRONG = [
    (("replay", "--run"), "no messages are named"),
    (("import", "--source", "hospital"), "neither files nor --bulk"),
    (("import", "--bulk", "--source", "hospital"), "this source has no server"),
    (("poll", "hospital", "--once"), "this source has no server"),
    (("poll", "nowhere", "--once"), "no such source"),
]


@pytest.mark.parametrize(("arguments", "because"), WRONG)
def test_used_wrongly(operator: Operator, arguments: tuple[str, ...], because: str) -> None:
    assert operator.run(*arguments)[0] == 2, because
