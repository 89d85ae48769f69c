"""The shipped mappings: sound by their own examples, compiled, and the same case in every order."""

import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapter.errors import MappingError
from adapter.fhir.model import FhirVersion, validate
from adapter.losus.process import STATUTE
from adapter.losus.terms import Criterion, SignalKind
from adapter.mapping.check import check
from adapter.mapping.fhirpath.expression import Expression
from adapter.mapping.load import default_folder, load_examples, load_folder, load_mapping, open_mapping
from adapter.mapping.rehearsal import Rehearsal, rehearse
from tests.examples import examples

FOLDER = default_folder()
SHIPPED = sorted(path.stem for path in FOLDER.glob("*.yaml"))
SHARED = Path(os.environ.get("LOSUS_SHARED") or Path(__file__).parents[3] / "shared") / "data"
NOW = datetime(2024, 6, 1, tzinfo=UTC)
needs_shared = pytest.mark.skipif(not SHARED.is_dir(), reason="needs the shared data")


@cache
def shipped(name: str):
    return load_mapping(FOLDER / f"{name}.yaml")


def document(path: Path) -> dict[str, Any]:
    return json.loads(path.read_bytes())


def test_the_five_are_shipped():
    assert SHIPPED == ["davinci-alerts", "hl7-r4", "hl7-r5", "losus-r4", "medcom-hospitalnotification"]
    assert sorted(load_folder(FOLDER)) == SHIPPED


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_mapping_is_sound_without_the_shared_data(name, monkeypatch, tmp_path):
    monkeypatch.setenv("LOSUS_SHARED", str(tmp_path))
    opened = open_mapping(FOLDER / f"{name}.yaml")
    report = check(opened.mapping, opened.document, load_examples(FOLDER, opened.mapping.file), NOW)
    assert report.problems == []


@needs_shared
@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_mapping_is_sound_with_it(name):
    opened = open_mapping(FOLDER / f"{name}.yaml")
    report = check(opened.mapping, opened.document, load_examples(FOLDER, opened.mapping.file), NOW)
    assert report.problems == []
    assert report.notes == []


@pytest.mark.parametrize("name", SHIPPED)
def test_every_expression_is_answered_by_closures_of_our_own(name, monkeypatch):
    """On every resource and with every variable of its examples; the library is ten times slower."""

    def refused(self: Expression) -> None:
        pytest.fail(f"left to the library: {self.text}")

    monkeypatch.setattr(Expression, "_from_library", refused)
    opened = open_mapping(FOLDER / f"{name}.yaml")
    report = check(opened.mapping, opened.document, load_examples(FOLDER, opened.mapping.file), NOW)
    assert [note for note in report.notes if "library" in note] == []


def messages_of(name: str) -> Iterator[list[dict[str, Any]]]:
    for example in shipped(name).file.examples:
        if not example.inputs[0].startswith("shared:"):
            yield [document(FOLDER / path) for path in example.inputs]


@pytest.mark.parametrize("name", SHIPPED)
@settings(max_examples=examples(25), deadline=None)
@given(data=st.data())
def test_every_order_and_repeat_of_an_example_gives_the_same_case(name, data):
    mapping = shipped(name)
    documents = data.draw(st.sampled_from(list(messages_of(name))))
    straight = rehearse(mapping, documents, NOW)
    shuffled = data.draw(st.permutations([*straight.readings, *straight.readings]))
    again = Rehearsal(mapping, NOW, readings=list(shuffled))
    want = {key: case.picture for key, case in straight.cases(STATUTE, NOW).items()}
    assert {key: case.picture for key, case in again.cases(STATUTE, NOW).items()} == want


@pytest.mark.parametrize("path", sorted(FOLDER.glob("examples/*/**/*.json")), ids=lambda path: path.stem)
def test_an_example_is_sound_fhir(path):
    version = FhirVersion.R5 if "hl7-r5" in path.parts else FhirVersion.R4
    assert validate(document(path), version) == []


@pytest.mark.parametrize(
    "path", sorted(FOLDER.glob("examples/losus-r4/**/*.json")), ids=lambda path: path.stem
)
def test_examples_are_about_the_test_person_of_the_tax_agency_only(path):
    numbers = [i["value"] for r in resources(document(path), "Patient") for i in r["identifier"]]
    assert set(numbers) <= {"191212121212"}


def resources(bundle: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    return [e["resource"] for e in bundle["entry"] if e["resource"]["resourceType"] == kind]


DEFINITIONS = sorted([*FOLDER.glob("profiles/*.json"), *FOLDER.glob("concepts/*.json")])


@pytest.mark.parametrize("path", DEFINITIONS, ids=lambda path: path.stem)
def test_a_definition_is_sound_fhir_under_its_own_name(path):
    resource = document(path)
    kind = resource["resourceType"]
    getattr(import_module(f"fhir.resources.R4B.{kind.lower()}"), kind).model_validate(resource)
    assert resource["url"] == f"https://losus-adapter.se/fhir/{kind}/{resource['id']}"
    assert path.stem == (resource["id"] if kind == "ConceptMap" else f"{kind}-{resource['id']}")


def codes(name: str) -> set[str]:
    return {concept["code"] for concept in document(FOLDER / f"profiles/CodeSystem-{name}.json")["concept"]}


def test_the_code_systems_hold_what_the_mapping_asks_for():
    text = (FOLDER / "losus-r4.yaml").read_text(encoding="utf-8")
    asked = {word.split("'")[1] for word in text.split("%step = ")[1:]}
    assert asked | {"dispute"} == codes("losus-step"), "a dispute is no step of a case: it has its own door"
    assert codes("hemgangsklar") == set(Criterion)
    assert codes("care-form") == {"somatic", "psychiatric"}


def test_every_own_code_of_the_examples_is_in_its_code_system():
    own = "https://losus-adapter.se/fhir/CodeSystem/"
    for path in sorted(FOLDER.glob("examples/*/**/*.json")):
        for coding in codings(document(path)):
            if coding.get("system", "").startswith(own):
                assert coding["code"] in codes(coding["system"].removeprefix(own)), path.name


def codings(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        if "system" in value and "code" in value:
            yield value
        for inner in value.values():
            yield from codings(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from codings(inner)


def test_losus_says_every_signal_there_is():
    assert {rule.signal for rule in shipped("losus-r4").file.rules} == set(SignalKind)


SAID_BY_HL7 = {
    # HL7's example: what it says through hl7-r4
    "Encounter-emerg": {"admitted", "transferred", "leave-started", "leave-ended"},
}


@needs_shared
@pytest.mark.parametrize("path", sorted(SHARED.glob("hl7-r4/*.json")), ids=lambda path: path.stem)
def test_hl7s_r4_examples_are_read(path):
    said = rehearse(shipped("hl7-r4"), [document(path)], NOW).readings[0].fact.signals
    assert {signal.kind.value for signal in said} == SAID_BY_HL7.get(path.stem, set())


@needs_shared
def test_hl7s_emergency_example_is_an_admission_from_when_its_class_became_inpatient():
    (case,) = (
        rehearse(shipped("hl7-r4"), [document(SHARED / "hl7-r4/Encounter-emerg.json")], NOW)
        .cases(STATUTE, NOW)
        .values()
    )
    assert case.standing.admitted_at == datetime(2017, 1, 31, 23, 27, tzinfo=UTC)
    assert case.standing.unit is not None
    assert case.standing.unit.name == "Ward 1, Room 42, Bed 1"


@needs_shared
@pytest.mark.parametrize("kind", ["encounter", "task", "careplan"])
@pytest.mark.parametrize(("mapping", "place"), [("hl7-r5", "actualPeriod.start"), ("hl7-r4", "period.start")])
def test_hl7s_r5_examples_are_read_or_lack_the_time_that_the_law_needs(kind, mapping, place):
    listed = document(SHARED / f"hl7-r5/{kind}.json").values()
    for resource in (one["value"] for one in listed if "value" in one):
        if kind != "encounter":
            assert rehearse(shipped(mapping), [resource], NOW, "R5").readings[0].fact.signals == ()
            continue
        with pytest.raises(MappingError, match="rule admission: `at` finds no time") as fault:
            rehearse(shipped(mapping), [resource], NOW, "R5")
        assert place in fault.value.problems[0].rule
        rehearsal = rehearse(
            shipped(mapping), [resource | {"actualPeriod": {"start": "2024-03-04T14:20:00+01:00"}}], NOW, "R5"
        )
        assert {case.state for case in rehearsal.cases(STATUTE, NOW).values()} == {"admitted"}


SEEN = [
    "admitted",
    "transferred",
    "discharged",
    "to-another-hospital",
    "deceased",
    "cancelled",
    "ready",
    "sip",
]


@pytest.mark.parametrize("name", SEEN)
def test_one_file_reads_r4_r4b_and_r5_alike(name):
    """The same resource as each version says it, through the mapping of the other."""
    r4, r5 = (document(FOLDER / f"examples/hl7-{version}/{name}.json") for version in ("r4", "r5"))
    said = [
        [
            (s.kind, s.at, s.fields)
            for s in rehearse(shipped(mapping), [one], NOW, fhir).readings[0].fact.signals
        ]
        for mapping in ("hl7-r4", "hl7-r5", "losus-r4")
        for one, fhir in ((r4, "R4"), (r4, "R4B"), (r5, "R5"))
    ]
    kinds = [[kind for kind, _, _ in one] for one in said]
    times = [[at for _, at, _ in one] for one in said]
    assert kinds == [kinds[0]] * 9
    assert times == [times[0]] * 9


@needs_shared
def test_da_vincis_examples_end_as_discharged_in_any_order():
    documents = [document(path) for path in sorted(SHARED.glob("davinci-alerts/*.json"))]
    for order in (documents, documents[::-1], [*documents, *documents]):
        (case,) = rehearse(shipped("davinci-alerts"), order, NOW).cases(STATUTE, NOW).values()
        assert case.state == "discharged"


TRANSFER = [
    # where to (NUBC), signal, because
    ("01", "discharged"),
    ("1", "discharged"),
    ("02", "transferred-out"),
    ("20", "deceased"),
    ("65", "transferred-out"),
]


@pytest.mark.parametrize(("code", "signal"), TRANSFER)
def test_da_vincis_discharges_end_as_their_status_says(code, signal):
    message = document(FOLDER / "examples/davinci-alerts/discharge.json")
    (encounter,) = resources(message, "Encounter")
    encounter["hospitalization"]["dischargeDisposition"]["coding"][0]["code"] = code
    said = [
        s.kind.value
        for r in rehearse(shipped("davinci-alerts"), [message], NOW).readings
        for s in r.fact.signals
    ]
    assert said == ["admitted", signal, "patient"]


def test_still_a_patient_is_no_end():
    message = document(FOLDER / "examples/davinci-alerts/discharge.json")
    (encounter,) = resources(message, "Encounter")
    encounter["hospitalization"]["dischargeDisposition"]["coding"][0]["code"] = "30"
    with pytest.raises(MappingError, match="let how has a code that the table how-it-ended does not hold"):
        rehearse(shipped("davinci-alerts"), [message], NOW)
