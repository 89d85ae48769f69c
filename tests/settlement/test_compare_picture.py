"""The picture of a comparison, and the examples that `agreements/README.md` shows."""

import re
import shlex
from decimal import Decimal
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
import typer
from typer.testing import CliRunner

from adapter.commands.compare import compare_command
from adapter.settlement.picture import Bars, draw, sek
from tests.bench import settlement_scale
from tests.settlement.making import JH, LUS

ROOT = Path(__file__).parents[2]
BILAGA_9 = ROOT / "tests" / "data" / "bilaga9.ndjson"
SVG = "{http://www.w3.org/2000/svg}"

app = typer.Typer()
app.command("compare")(compare_command)
app.callback()(lambda: None)


def svg_of(*more: str) -> ET.Element:
    arguments = ["compare", LUS, JH, "--stays", str(BILAGA_9), *more, "--format", "svg"]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.stderr
    return ET.fromstring(result.stdout)  # noqa: S314 - our own


def words(svg: ET.Element) -> list[str]:
    return [text.text or "" for text in svg.iter(f"{SVG}text")]


def test_months_under_both():
    svg = svg_of("--from", "2018-06", "--to", "2018-07")
    assert (svg.get("role"), svg.findtext(f"{SVG}title")) == (
        "img",
        f"Kostnad per månad, kronor: A: {LUS}; B: {JH}",
    )
    assert {"2018-06", "2018-07", "284\xa0000", "0", "60\xa0000", "300\xa0000", "kronor"} <= set(words(svg))
    told = [title.text for title in svg.iter(f"{SVG}title")][1:]
    assert told == [
        "2018-06: 284\xa0000 kr",
        "2018-06: 0 kr",
        "2018-07: 284\xa0000 kr",
        "2018-07: 284\xa0000 kr",
    ]


def test_variants():
    svg = svg_of("--sweep", "threshold=2.5,4 first_payable_day=4", "--to", "2018-12")
    assert svg.findtext(f"{SVG}title") == f"Kostnad per variant, kronor: {JH}"
    assert "threshold 2,5, first_payable_day 4" in words(svg)
    assert [title.text for title in svg.iter(f"{SVG}title")][1:] == [
        "threshold 2,5, first_payable_day 4: 284\xa0000 kr",
        "threshold 4, first_payable_day 4: 0 kr",
    ]


@pytest.mark.parametrize(
    ("amount", "end", "because"),
    [
        ("0", "100", "an axis has a length also where nothing is owed"),
        ("100", "100", "the end itself"),
        ("101", "150", "the next step"),
        ("284000", "300\xa0000", "room for the longest bar, and little more"),
        ("1000000", "1\xa0000\xa0000", "a power of ten"),
        ("8000000.01", "10\xa0000\xa0000", "the last step"),
    ],
)
def test_the_axis_ends_at_a_round_number(amount, end, because):
    svg = ET.fromstring(draw("T", ("s",), [Bars("b", (Decimal(amount),))]))  # noqa: S314
    assert end in words(svg), because
    bar = [rect for rect in svg.iter(f"{SVG}rect") if rect.find(f"{SVG}title") is not None]
    assert int(bar[0].get("width", "")) <= 510, "it never runs out of the picture"


def test_names_are_escaped_and_numbers_swedish():
    svg = ET.fromstring(draw("a < b & c", ("<s>",), [Bars("x & y", (Decimal("1234.50"),))]))  # noqa: S314
    assert {"a < b & c", "<s>", "x & y", "1\xa0234,50"} <= set(words(svg))
    assert sek(Decimal(-1234567)) == "-1\xa0234\xa0567"


def shown() -> list[str]:
    text = (ROOT / "agreements" / "README.md").read_text(encoding="utf-8")
    compare = text.partition("\n## Compare")[2].partition("\n## ")[0]  # the walk before has a test of its own
    return re.findall(r"^\$ losus (compare .*)$", compare, re.MULTILINE)


@pytest.mark.parametrize("line", shown())
def test_the_examples_run(line, monkeypatch):
    monkeypatch.chdir(ROOT)
    arguments = shlex.split(line.split(" > ")[0])
    result = CliRunner().invoke(app, arguments)
    assert (result.exit_code, bool(result.stdout)) == (0, True), result.stderr


def test_there_are_examples():
    assert len(shown()) >= 4


def test_the_measurement_measures():
    """On few stays the start of the program is most of the time; that it runs and adds up is meant here."""
    found = settlement_scale.measure(300, repeats=1)
    assert found["stays"] == 300
    for kind in ("wall", "cpu"):
        spent = found[f"{kind}_s"]
        assert min(spent.values()) > 0
        assert found[f"{kind}_settle_by_reading"] == pytest.approx(
            spent["settle"] / spent["reading"], rel=0.2
        )
        assert found[f"{kind}_sweep_by_settle"] == pytest.approx(spent["sweep"] / spent["settle"], rel=0.2)
    assert max(found["peak_mb"].values()) < 600
