"""`losus mappings check`: each check with a broken twin, told with file, line and rule."""

import json

import pytest
from typer.testing import CliRunner

from adapter.commands.mappings import mappings_app
from adapter.mapping.file import schema
from tests.mapping.writing import START, checked, encounter, written

SOUND = """\
id: test
title: A sound mapping
fhir: R4
case: {Encounter: id}
codes:
  form: form.json
rules:
  - id: start
    on: Encounter
    when: status != 'planned'
    signal: admitted
    at: period.start
    with:
      care_form: {from: serviceType, map: form}
  - id: end
    on: Encounter
    when: status = 'finished'
    signal: discharged
    at: period.end
examples:
  - input: stay.json
    signals:
      - {signal: admitted, at: "2024-03-04T14:20:00+01:00", with: {care_form: somatic}}
      - {signal: discharged, at: "2024-03-05T12:00:00+01:00"}
    state: discharged
"""
SERVICE = {"coding": [{"system": "urn:s", "code": "a"}]}
STAY = encounter(
    status="finished", period={"start": START, "end": "2024-03-05T12:00:00+01:00"}, serviceType=SERVICE
)
CLASS = {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "IMP"}
STAY["class"] = CLASS


def form(target="somatic"):
    element = {"code": "a", "target": [{"code": target}]}
    return {"resourceType": "ConceptMap", "group": [{"source": "urn:s", "element": [element]}]}


def problems(folder, text, **files):
    report = checked(folder, text, **({"stay": STAY, "form": form()} | files))
    return [(problem.expression.removeprefix(f"{folder}/"), problem.rule) for problem in report.problems]


def test_the_sound_twin_is_sound(tmp_path):
    assert problems(tmp_path, SOUND) == []


READY_AND_BACK = """\
signal: ready
    at: period.end
  - id: back
    on: Encounter
    signal: ready-withdrawn
    at: period.end"""
TWIN = """\
  - id: twin
    on: Encounter
    when: status = 'finished'
    signal: discharged
    at: period.end
  - id: end
"""

BROKEN = [
    # what is written instead, where and what is said
    (
        ("at: period.start", "at: periode.start"),
        [("test.yaml:12", "rules.0.at: rule start: line 1, column 1: no such element: 'periode'")],
    ),
    (
        ("status = 'finished'", "class.exists() and onset.exists()"),
        [("test.yaml:17", "rules.1.when: rule end: line 1, column 20: no such element: 'onset'")],
    ),
    (
        ("case: {Encounter: id}", "case: idd"),
        [("test.yaml:4", "case: line 1, column 1: no such element: 'idd'")],
    ),
    (
        ("status != 'planned'", "status = 'planned'"),
        [
            ("test.yaml:23", "examples.0.signals.0: expected admitted, it is said not at all"),
            ("test.yaml:8", "rules.0: rule start: no example of this file's own hits it"),
        ],
    ),
    (
        ("14:20:00", "14:21:00"),
        [
            (
                "test.yaml:23",
                "expected admitted, it is said at another time or with other fields",
            ),
            ("test.yaml:22", "admitted at 2024-03-04T13:20:00+00:00 is said too"),
        ],
    ),
    (
        ("2024-03-04T14:20:00+01:00", "in the afternoon"),
        [
            ("test.yaml:23", "expected admitted, it is said at another time or with other fields"),
            ("test.yaml:22", "admitted at 2024-03-04T13:20:00+00:00 is said too"),
        ],
    ),
    (
        ("care_form: somatic}", "care_form: psychiatric}"),
        [
            ("test.yaml:23", "expected admitted, it is said at another time or with other fields"),
            ("test.yaml:22", "is said too"),
        ],
    ),
    (
        ('      - {signal: discharged, at: "2024-03-05T12:00:00+01:00"}\n', ""),
        [("test.yaml:22", "discharged at 2024-03-05T11:00:00+00:00 is said too")],
    ),
    (("state: discharged", "state: admitted"), [("test.yaml:25", "expected admitted, found discharged")]),
    (
        ("input: stay.json", "input: none.json"),
        [
            ("test.yaml:21", "none.json: no file none.json"),
            ("test.yaml:8", "no example"),
            ("test.yaml:15", "no example"),
        ],
    ),
    (
        ("input: stay.json", "input: [stay.json, none.json]"),
        [
            ("test.yaml:21", "none.json: no file none.json"),
            ("test.yaml:8", "no example"),
            ("test.yaml:15", "no example"),
        ],
    ),
    (
        ("input: stay.json", "input: form.json"),
        [
            ("test.yaml:21", "form.json: ConceptMap"),
            ("test.yaml:8", "no example"),
            ("test.yaml:15", "no example"),
        ],
    ),
    (
        ("input: stay.json", "fhir: R5\n    input: stay.json"),
        [
            ("test.yaml:22", "stay.json: Encounter"),
            ("test.yaml:8", "no example"),
            ("test.yaml:15", "no example"),
        ],
    ),
    (
        ("when: status = 'finished'", "when: status = 'planned'"),
        [
            ("test.yaml:24", "expected discharged, it is said not at all"),
            ("test.yaml:25", "expected discharged, found admitted"),
            ("test.yaml:15", "rule end: no example of this file's own hits it"),
        ],
    ),
    (
        (
            "signal: discharged\n    at: period.end",
            READY_AND_BACK,
        ),
        [
            ("test.yaml:28", "expected discharged"),
            ("ready at",),
            ("ready-withdrawn at",),
            ("test.yaml:29", "expected discharged, found admitted"),
            (
                "test.yaml:25",
                "contradict each other (back, end): ready and ready-withdrawn of one resource",
            ),
        ],
    ),
    (
        ("signal: discharged\n    at: period.end", "signal: admitted\n    at: period.end"),
        [
            ("test.yaml:24", "expected discharged"),
            ("test.yaml:22", "admitted at"),
            ("test.yaml:25", "found admitted"),
            ("test.yaml:21", "rules that contradict each other (end, start): admitted of one resource"),
        ],
    ),
    (
        (
            "  - id: end\n",
            TWIN,
        ),
        [("test.yaml:20", "rules.2: rule end: says what the rule twin says")],
    ),
    (
        ("care_form: {from: serviceType, map: form}", "name: id"),
        [
            ("test.yaml:6", "codes.form: no rule and no name of `let` asks this table"),
            ("test.yaml:23", "expected admitted"),
            ("test.yaml:22", "admitted at"),
        ],
    ),
]


@pytest.mark.parametrize(("change", "expected"), BROKEN, ids=[str(row[1][0][-1])[:50] for row in BROKEN])
def test_a_fault_is_told_with_its_line_and_rule(tmp_path, change, expected):
    old, new = change
    assert old in SOUND
    told = [" ".join(pair) for pair in problems(tmp_path, SOUND.replace(old, new, 1))]
    unexpected = list(told)  # what is told once is found once
    for parts in expected:
        found = [text for text in unexpected if all(part in text for part in parts)]
        assert found, (parts, told)
        unexpected.remove(found[0])


def test_a_table_that_leads_to_no_word_of_its_field_is_told(tmp_path):
    told = problems(tmp_path, SOUND, form=form("bodily"))
    said = "rule start: the table form leads to a word that is none of psychiatric, somatic"
    assert ("test.yaml:14", f"rules.0.with.care_form: {said}") in told


def test_a_code_without_a_target_is_told_with_rule_and_table(tmp_path):
    service = {"coding": [{"system": "urn:s", "code": "zzz"}]}
    told = problems(tmp_path, SOUND, stay=STAY | {"serviceType": service})
    said = "rule start: field care_form has a code that the table form does not hold"
    assert told[0] == ("test.yaml:21", f"examples.0.input: stay.json: Encounter: test: {said}")
    assert not any("zzz" in rule for _, rule in told)


def test_an_example_that_breaks_the_fold_is_told(tmp_path):
    text = SOUND.replace("signal: admitted\n", "signal: criterion-met\n").replace(
        "signal: admitted,", "signal: criterion-met,"
    )
    assert (
        "test.yaml:25",
        "examples.0.state: field criterion: must be one of the seven criteria",
    ) in problems(tmp_path, text)


NO_CONTRADICTION = [
    # another rule, its example's signal, because
    (
        "signal: criterion-met\n    at: period.start\n    with: {criterion: \"'aids-available'\"}",
        "criterion-met",
        "two criteria may be met at once",
    ),
    (
        "signal: criterion-unmet\n    at: period.start\n    with: {criterion: \"'self-care-assessed'\"}",
        "criterion-unmet",
        "of another criterion",
    ),
    ("signal: ready-withdrawn\n    at: period.end", "ready-withdrawn", "at another time"),
]


@pytest.mark.parametrize(("other", "signal", "because"), NO_CONTRADICTION)
def test_what_may_both_hold_is_no_contradiction(tmp_path, other, signal, because):
    rules = """\
  - id: one
    on: Encounter
    signal: criterion-met
    at: period.start
    with: {criterion: "'medication-available'"}
  - id: two
    on: Encounter
    signal: ready
    at: period.start
  - id: three
    on: Encounter
    """
    text = SOUND.replace("examples:", f"{rules}{other}\nexamples:")
    signals = f"      - {{signal: criterion-met}}\n      - {{signal: ready}}\n      - {{signal: {signal}}}\n"
    text = text.replace("    state: discharged\n", "").replace("    signals:\n", f"    signals:\n{signals}")
    assert problems(tmp_path, text) == [], because


def test_the_same_criterion_met_and_unmet_at_once_contradicts(tmp_path):
    rules = "".join(
        f"  - id: {name}\n    on: Encounter\n    signal: {name}\n    at: period.start\n"
        "    with: {criterion: \"'aids-available'\"}\n"
        for name in ("criterion-met", "criterion-unmet")
    )
    told = problems(tmp_path, SOUND.replace("examples:", f"{rules}examples:"))
    assert any("contradict each other (criterion-met, criterion-unmet)" in rule for _, rule in told)


def test_a_missing_shared_example_is_a_note_and_hits_nothing(tmp_path, monkeypatch):
    monkeypatch.setenv("LOSUS_SHARED", str(tmp_path / "none"))
    text = SOUND.replace("input: stay.json", "input: shared:stay.json")
    report = checked(tmp_path, text, stay=STAY, form=form())
    assert [problem.rule.partition(": ")[2] for problem in report.problems] == [
        "rule start: no example of this file's own hits it",
        "rule end: no example of this file's own hits it",
    ]
    assert report.notes == [f"{tmp_path}/test.yaml:21: left out, shared:stay.json is not here"]


def test_a_shared_example_is_checked_where_it_is(tmp_path, monkeypatch):
    monkeypatch.setenv("LOSUS_SHARED", str(tmp_path))
    text = SOUND.replace("input: stay.json", "input: shared:stay.json").replace(
        "state: discharged", "state: admitted"
    )
    report = checked(tmp_path, text, data__stay=STAY, form=form())
    assert len(report.problems) == 3
    assert "expected admitted, found discharged" in report.problems[0].rule


def test_an_expression_that_the_library_answers_is_noted(tmp_path):
    text = SOUND.replace(
        "when: status = 'finished'", "when: subject.resolve().deceased.ofType(boolean).empty()"
    )
    report = checked(tmp_path, text, stay=STAY, form=form())
    assert report.problems == []
    assert report.notes == [f"{tmp_path}/test.yaml:17: answered by the library, about 10 times slower"]


def test_an_example_that_is_no_json_is_told(tmp_path):
    told = problems(tmp_path, SOUND, stay="{")
    assert told[0] == ("test.yaml:21", "examples.0.input: stay.json: no JSON, at line 1, column 2")


def run(*args):
    return CliRunner().invoke(mappings_app, list(map(str, args)))


def test_the_command_tells_and_exits_with_one_where_there_is_a_fault(tmp_path):
    written(tmp_path, SOUND.replace("state: discharged", "state: admitted"), stay=STAY, form=form())
    (tmp_path / "worse.yaml").write_text("id: worse\n")
    answer = run("check", tmp_path)
    assert answer.exit_code == 1
    assert "test: 2 rules, 1 examples, 1 faults" in answer.output
    assert "test.yaml:25: examples.0.state: expected admitted, found discharged" in answer.output
    assert "worse.yaml:1: title: Field required" in answer.output


def test_the_command_exits_with_zero_where_all_is_sound(tmp_path):
    written(tmp_path, SOUND, stay=STAY, form=form())
    answer = run("check", tmp_path, "--format", "json")
    assert answer.exit_code == 0
    assert json.loads(answer.output) == {"mappings": ["test"], "problems": [], "notes": []}


def test_the_command_exits_with_two_where_there_is_no_folder(tmp_path):
    assert run("check", tmp_path / "none").exit_code == 2


def test_the_command_prints_the_schema():
    assert json.loads(run("schema").output) == schema()
