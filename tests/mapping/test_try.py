"""`losus try`: rule by rule, the case, a folder over time; exit codes and faults without values."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from adapter import cli
from adapter.mapping.load import default_folder
from tests.mapping.writing import encounter, written

EXAMPLES = default_folder() / "examples"
WAY_HOME = EXAMPLES / "losus-r4"
MAPPING = """\
id: test
title: Test
fhir: R4
case: {Encounter: id, Task: encounter.reference}
rules:
  - {id: start, on: Encounter, signal: admitted, at: period.start}
  - {id: end, on: Encounter, when: status = 'finished', signal: discharged, at: period.end}
  - {id: ready, on: Task, signal: ready, at: executionPeriod.start}
"""
CLASS = {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "IMP"}


def run(*args: object) -> tuple[int, str]:
    answer = CliRunner().invoke(cli.app, ["try", *map(str, args)])
    return answer.exit_code, answer.output


def put(folder: Path, name: str, content: object) -> Path:
    path = folder / name
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return path


def stay(**more):
    return encounter(**{"class": CLASS} | more)


def test_it_shows_rule_by_rule_and_the_case():
    code, output = run(WAY_HOME / "01-admission.json", "--mapping", "losus-r4")
    assert code == 0
    lines = output.splitlines()
    assert lines[0] == "01-admission.json: Bundle.entry[1].resource"
    found = "iif(%since.exists(), %since, period.start)"
    assert " ".join(lines[1].split()) == f"+ admission admitted at 2024-03-04T13:20:00Z, from {found}"
    assert " ".join(lines[2].split()) == "- department does not hold: %within"
    assert "no CareTeam in what was read: fast-vardkontakt, samordnare" in lines
    assert lines[-1] == "case stay-1: admitted (inskriven) since 2024-03-04T13:20:00Z, municipality 2380"


NOTIFIED = "inskrivningsmeddelande skickat"
FLOW = [
    "01-admission.json: case stay-1: admitted (inskriven) since 2024-03-04T13:20:00Z",
    f"02-admission-notice.json: case stay-1: notified ({NOTIFIED}) since 2024-03-04T17:05:00Z",
    "03-planning.json: case stay-1: planning (planering påbörjad) since 2024-03-05T08:10:00Z",
    "04-care-contact.json: case stay-1: planning (planering påbörjad) since 2024-03-05T08:10:00Z",
    "05-criteria.json: case stay-1: planning (planering påbörjad) since 2024-03-05T08:10:00Z",
    "06-utskrivningsklar.json: case stay-1: ready (utskrivningsklar) since 2024-03-07T09:40:00Z",
    "07-withdrawn.json: case stay-1: planning (planering påbörjad) since 2024-03-07T15:15:00Z",
    "08-new-expected-discharge.json: case stay-1: planning (planering påbörjad) since 2024-03-07T15:15:00Z",
    "09-utskrivningsklar-again.json: case stay-1: ready (utskrivningsklar) since 2024-03-11T09:15:00Z",
    "10-hemgangsklar.json: case stay-1: home-ready (hemgångsklar) since 2024-03-11T12:30:00Z",
    "11-sip-call.json: case stay-1: home-ready (hemgångsklar) since 2024-03-11T12:30:00Z",
    "12-discharge.json: case stay-1: discharged (utskriven) since 2024-03-12T10:00:00Z",
    "13-sip-held.json: case stay-1: discharged (utskriven) since 2024-03-12T10:00:00Z",
]


def test_a_folder_is_shown_over_time():
    code, output = run(WAY_HOME, "--mapping", "losus-r4")
    assert code == 0
    lines = output.splitlines()
    start = lines.index("in the order in which they were read") + 1
    assert [line.strip() for line in lines[start:-1]] == FLOW


def test_json_has_the_three_keys():
    code, output = run(WAY_HOME / "01-admission.json", "--mapping", "losus-r4", "--format", "json")
    assert code == 0
    told = json.loads(output)
    assert list(told) == ["signals", "case", "trace"]
    assert [(s["signal"], s["at"]) for s in told["signals"]] == [
        ("admitted", "2024-03-04T13:20:00Z"),
        ("patient", "2024-03-04T13:25:00Z"),
    ]
    assert told["case"]["state"] == "admitted"
    matched = [(s["path"], s["rule"], s["at"]) for s in told["trace"] if s["matched"]]
    assert matched == [
        ("Bundle.entry[1].resource", "admission", "2024-03-04T13:20:00Z"),
        ("Bundle.entry[2].resource", "patient", "2024-03-04T13:25:00Z"),
    ]
    assert all(s["why_not"] for s in told["trace"] if not s["matched"])


def test_json_without_a_case_and_with_more_than_one(tmp_path):
    path = written(tmp_path, MAPPING)
    nothing = put(tmp_path, "a.json", {"resourceType": "Patient", "id": "p"})
    assert json.loads(run(nothing, "--mapping", path, "--format", "json")[1])["case"] is None
    two = [put(tmp_path, f"{name}.json", stay(id=name)) for name in ("e1", "e2")]
    told = json.loads(run(*two, "--mapping", path, "--format", "json")[1])
    assert list(told["cases"]) == ["e1", "e2"]


def test_a_mapping_file_of_ones_own_and_a_single_resource(tmp_path):
    path = written(tmp_path, MAPPING)
    code, output = run(put(tmp_path, "a.json", stay()), "--mapping", path)
    assert code == 0
    assert (
        output.splitlines()[-1]
        == "case e1: admitted (inskriven) since 2024-03-04T13:20:00Z, municipality not known"
    )


def test_what_says_nothing_has_no_state_yet(tmp_path):
    path = written(
        tmp_path, MAPPING.replace("signal: admitted,", "signal: admitted, when: status = 'planned',")
    )
    assert "case e1: no state yet" in run(put(tmp_path, "a.json", stay()), "--mapping", path)[1]


def test_voiding_and_leave_are_told():
    steps = WAY_HOME / "steps"
    output = run(WAY_HOME / "01-admission.json", steps / "admission-in-error.json", "--mapping", "losus-r4")[
        1
    ]
    assert "all that it said is void" in output
    assert "case stay-1: voided (makulerad) since 2024-03-04T14:00:00Z" in output
    assert ", on leave, municipality" in run(steps / "leave.json", "--mapping", "losus-r4")[1]


def test_what_has_no_case_goes_to_the_cases_that_know_it(tmp_path):
    """A later version of a Task that names no stay any more still takes back what it said."""
    path = written(tmp_path, MAPPING)
    task = {
        "resourceType": "Task",
        "id": "t",
        "meta": {"versionId": "1"},
        "status": "completed",
        "intent": "order",
        "encounter": {"reference": "e1"},
        "executionPeriod": {"start": "2024-03-05T10:00:00+01:00"},
    }
    first = put(tmp_path, "a.json", stay()), put(tmp_path, "b.json", task)
    assert "ready (utskrivningsklar)" in run(*first, "--mapping", path)[1]
    void = {"resourceType": "Task", "id": "t", "meta": {"versionId": "2"}}
    last = put(tmp_path, "c.json", void | {"status": "entered-in-error", "intent": "order"})
    other = put(tmp_path, "d.json", void | {"id": "u", "status": "entered-in-error", "intent": "order"})
    assert "case e1: admitted (inskriven)" in run(*first, last, other, "--mapping", path)[1].splitlines()[-1]


def test_bundles_of_other_types_are_read(tmp_path):
    path = written(tmp_path, MAPPING)
    bundle = {
        "resourceType": "Bundle",
        "type": "transaction",
        "entry": [
            {"request": {"method": "DELETE", "url": "Task/1"}},
            {"resource": stay(), "request": {"method": "PUT", "url": "Encounter/e1"}},
        ],
    }
    code, output = run(put(tmp_path, "a.json", bundle), "--mapping", path)
    assert code == 0
    assert "a.json: Bundle.entry[1].resource" in output
    bundle["entry"][0]["request"]["method"] = 7
    with pytest.raises(Exception, match=r"Bundle\.entry\[0\]\.request\.method"):
        CliRunner().invoke(
            cli.app,
            ["try", str(put(tmp_path, "a.json", bundle)), "--mapping", str(path)],
            catch_exceptions=False,
        )


def test_another_fhir_version_is_seen_through_the_view():
    code, output = run(EXAMPLES / "hl7-r5" / "admitted.json", "--mapping", "losus-r4", "--fhir", "R5")
    assert code == 0
    assert "admitted at 2024-03-04T13:20:00Z" in output


def main(monkeypatch, capsys, *args: object) -> tuple[int, str]:
    monkeypatch.setattr("sys.argv", ["losus", "try", *map(str, args)])
    with pytest.raises(SystemExit) as left:
        cli.main()
    return int(left.value.code or 0), capsys.readouterr().err


WORD = "Hemligsson"
FAULTS = [
    # content, exit code, what is said after the file's name
    (stay(period={"end": "2024-03-09"}), 1, "Encounter: test: rule start: `at` finds no time: period.start"),
    (stay(status=WORD), 1, "Encounter.status: the code is not in the required value set"),
    (stay(birthday=WORD), 1, "Encounter: an element that the FHIR model does not know"),
    ({"resourceType": "Bundle", "type": "message", "entry": []}, 1, "Bundle.entry[0].resource: bdl-12"),
    ({"example": {"value": WORD}}, 1, "resourceType: a resource says its resourceType"),
    ("{" + WORD, 1, "no JSON, at line 1, column 2"),
    (
        stay(meta={"lastUpdated": "9999-12-31T23:59:59Z"}),
        1,
        "Encounter.meta.lastUpdated: the time is outside the years 1900 to 2199",
    ),
    (
        {
            "resourceType": "Bundle",
            "type": "collection",
            "timestamp": "0001-01-01T00:00:00Z",
            "entry": [{"resource": stay()}],
        },
        1,
        "Bundle.timestamp: the time is outside the years 1900 to 2199",
    ),
    (
        {"resourceType": "Task", "id": "t", "status": "draft", "intent": "order"},
        1,
        "Task: test: rule ready: `at` finds no time",
    ),
]


@pytest.mark.parametrize(("content", "code", "said"), FAULTS, ids=[row[2][:40] for row in FAULTS])
def test_a_fault_names_file_path_and_rule_and_no_value(tmp_path, monkeypatch, capsys, content, code, said):
    path = written(tmp_path, MAPPING)
    file = put(tmp_path, "a.json", content)
    left, output = main(monkeypatch, capsys, file, "--mapping", path)
    assert (left, output.startswith(f"losus: {file}: {said}")) == (code, True), output
    assert WORD not in output


WRONG = [
    # arguments, what is said
    (
        ["{folder}/a.json", "--mapping", "none"],
        "--mapping: no such mapping; there are: davinci-alerts, hl7-r4",
    ),
    (["{folder}/a.json", "--mapping", "{folder}/none.yaml"], "--mapping: no such mapping"),
    (["{folder}/empty", "--mapping", "losus-r4"], "no JSON file in the folder"),
    (["{folder}/none.json", "--mapping", "losus-r4"], "does not exist"),
    (["{folder}/a.json"], "Missing option"),
    (["{folder}/a.json", "--mapping", "losus-r4", "--fhir", "R3"], "R3"),
    (["{folder}/a.json", "--mapping", "{folder}/broken.yaml"], "broken.yaml:1: title: Field required"),
]


@pytest.mark.parametrize(("args", "said"), WRONG, ids=[row[1][:40] for row in WRONG])
def test_wrong_use_exits_with_two(tmp_path, monkeypatch, capsys, args, said):
    put(tmp_path, "a.json", stay())
    put(tmp_path, "broken.yaml", "id: broken\n")
    (tmp_path / "empty").mkdir()
    code, output = main(monkeypatch, capsys, *(arg.format(folder=tmp_path) for arg in args))
    assert code == 2
    assert said in " ".join(output.split())
