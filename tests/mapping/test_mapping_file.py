"""A mapping file's faults of shape and syntax: all at once, each with file, line and rule."""

import json
from pathlib import Path

import pytest

from adapter.errors import SetupError
from adapter.mapping.file import schema
from adapter.mapping.load import default_folder, load_folder, load_mapping, open_folder
from tests.mapping.writing import written

SOUND = """\
id: test
title: A sound mapping
fhir: R4
case: id
codes:
  how: concepts/how.json
let:
  over: status = 'finished'
rules:
  - id: start
    on: Encounter
    signal: admitted
    at: period.start
  - id: end
    on: Encounter
    when: "%over"
    signal: discharged
    at: >-
      period
      .end
    with:
      destination: {from: hospitalization.dischargeDisposition, map: how}
"""
HOW = {"resourceType": "ConceptMap", "group": [{"element": [{"code": "a", "target": [{"code": "home"}]}]}]}

BROKEN = [
    # what is written instead, line, what is said
    (("id: test", "id: other"), 1, "id: is to be the file's name, test"),
    (("id: test", "id: Test_1"), 1, "pattern"),
    (("fhir: R4", "fhir: R3"), 3, "'R4', 'R4B' or 'R5'"),
    (("title: A sound mapping\n", ""), 1, "title: Field required"),
    (("title:", "titel:"), 2, "titel: Extra inputs are not permitted"),
    (("case: id", "case: id)"), 4, "case: line 1, column 3"),
    (("case: id", "case: id.frist()"), 4, "no such function: frist()"),
    (("case: id", "case: {Encounter: id, encounter: id}"), 4, "pattern"),
    (("case: id", "case: {Encounter: 'id('}"), 4, "case.Encounter: line 1, column 4"),
    (("concepts/how.json", "concepts/none.json"), 6, "codes.how: no file none.json"),
    (("  over: status", "  over: '%each' #"), 8, "let.over: %each is what the rule's own `each` finds"),
    (("at: period.start", "at: '%each.start'"), 13, "rules.0.at: rule start: %each is what the rule's own"),
    (
        ("at: period.start", "each: '%each'\n    at: '%each.start'"),
        13,
        "rules.0.each: rule start: %each is what the rule's own",
    ),
    (("  over: status", "  over: '%late' #"), 8, "let.over: no such name: %late"),
    (("  over: status", "  over: '%over' #"), 8, "let.over: %over is needed to find %over"),
    (("  over: status", "  a: '%b'\n  b: '%a'\n  over: status"), 8, "let.a: %a is needed to find %a"),
    (
        ("  over: status = 'finished'", "  over: {from: status, map: none}"),
        8,
        "let.over.map: no table none in `codes`",
    ),
    (("  over: status = 'finished'", "  over: {from: 'status(', map: how}"), 8, "let.over.from: line 1"),
    (("  over: status = 'finished'", "  over: {from: status}"), 8, "map: Field required"),
    (("  over: status = 'finished'", "  over: true"), 8, "over"),
    (("  over:", "  changed: id\n  over:"), 8, "let.changed: %changed means something already"),
    (("  over:", "  Over:"), 8, "pattern"),
    (("case: id", "case: id\nversion: '%changed'"), 5, "%changed is what `version` finds"),
    (
        ("  over: status = 'finished'", "  over: '%changed'\nversion: '%over'"),
        9,
        "version: %changed is what `version` finds",
    ),
    (
        ("destination: {from: hospitalization.dischargeDisposition, map: how}", "destination: {a: id}"),
        22,
        "has no parts",
    ),
    (("signal: admitted", "signal: arrived"), 12, "rules.0.signal: Input should be"),
    (("at: period.start", "at: period start"), 13, "rules.0.at: rule start: line 1, column 8"),
    (("at: period.start", "at: ''"), 13, "at least 1 character"),
    (('when: "%over"', 'when: "%ovr"'), 16, "rules.1.when: rule end: no such name: %ovr"),
    (
        ("      period\n      .end", "      period\n      .end("),
        18,
        "rules.1.at: rule end: line 1, column 13",
    ),
    (("  - id: end", "  - id: start"), 9, "rules: Value error, two rules of one id: start"),
    (
        ("      destination:", "      destinaton:"),
        22,
        "rules.1.with.destinaton: rule end: no such field; there are address",
    ),
    (("map: how}", "map: why}"), 22, "rules.1.with.destination.map: rule end: no table why in `codes`"),
    (("map: how}", "map: how, or: x}"), 22, "or: Extra inputs are not permitted"),
    (
        ("destination: {from: hospitalization.dischargeDisposition, map: how}", "unit: id"),
        22,
        "is made of id, name, each a FHIRPath",
    ),
    (
        ("destination: {from: hospitalization.dischargeDisposition, map: how}", "unit: {id: id, floor: id}"),
        22,
        "is made of id, name, each a FHIRPath",
    ),
    (
        ("destination: {from: hospitalization.dischargeDisposition, map: how}", "unit: {name: 'id('}"),
        22,
        "rules.1.with.unit.name: rule end: line 1, column 4",
    ),
    (("rules:", "rules: []\nmore:"), 9, "at least 1 item"),
    (("title: A sound mapping", "title: a: b"), 2, "no YAML"),
    (("title: A sound mapping", "title: a\ntitle: b"), 3, "title"),
]


def problems(path: Path):
    with pytest.raises(SetupError) as fault:
        load_mapping(path)
    return fault.value.problems


def test_the_sound_twin_is_sound(tmp_path):
    mapping = load_mapping(written(tmp_path, SOUND, concepts__how=HOW))
    assert [rule.id for rule in mapping.file.rules] == ["start", "end"]


@pytest.mark.parametrize(("change", "line", "said"), BROKEN, ids=[row[2][:50] for row in BROKEN])
def test_a_fault_is_told_with_its_line_and_rule(tmp_path, change, line, said):
    old, new = change
    assert old in SOUND
    found = problems(written(tmp_path, SOUND.replace(old, new, 1), concepts__how=HOW))
    told = [f"{problem.expression} {problem.rule}" for problem in found]
    places = [text for text in told if said in text]
    assert places, told
    assert places[0].startswith(f"{tmp_path / 'test.yaml'}:{line} "), places


def test_all_faults_are_told_at_once(tmp_path):
    text = (
        SOUND.replace("case: id", "case: id(")
        .replace("at: period.start", "at: period(")
        .replace('"%over"', '"%ovr"')
    )
    found = problems(written(tmp_path, text))
    assert [p.expression.rpartition(":")[2] for p in found] == ["6", "4", "13", "16"]


TABLES = [
    # content of the table's file, what is said
    ("{", "how.json is no JSON"),
    ({"resourceType": "ValueSet"}, "how.json is no ConceptMap"),
    ("[]", "how.json is no ConceptMap"),
    (
        {
            "resourceType": "ConceptMap",
            "group": [{"element": [{"code": "a", "target": [{"code": "x"}, {"code": "y"}]}]}],
        },
        "how.json: a code has two targets",
    ),
]


@pytest.mark.parametrize(("content", "said"), TABLES, ids=[row[1] for row in TABLES])
def test_a_table_that_is_none_is_told(tmp_path, content, said):
    (problem,) = problems(written(tmp_path, SOUND, concepts__how=content))
    assert problem.rule == f"codes.how: {said}"
    assert problem.expression.endswith(":6")


def test_a_folder_tells_the_faults_of_all_its_files(tmp_path):
    written(tmp_path, SOUND, concepts__how=HOW)
    (tmp_path / "worse.yaml").write_text("id: worse\n")
    opened, found = open_folder(tmp_path)
    assert list(opened) == ["test"]
    assert {problem.expression for problem in found} == {f"{tmp_path / 'worse.yaml'}:1"}
    with pytest.raises(SetupError):
        load_folder(tmp_path)


def test_an_empty_folder_is_a_fault(tmp_path):
    with pytest.raises(SetupError, match="no mapping file"):
        load_folder(tmp_path)


def test_a_file_that_is_not_there_is_a_fault(tmp_path):
    with pytest.raises(SetupError, match="FileNotFoundError"):
        load_mapping(tmp_path / "none.yaml")


def test_the_published_schema_is_that_of_the_model():
    published = json.loads((default_folder() / "mapping.schema.json").read_text(encoding="utf-8"))
    assert published == schema(), "make it anew: losus mappings schema > mappings/mapping.schema.json"
