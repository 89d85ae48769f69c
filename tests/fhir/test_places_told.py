"""Each fault is told by the place of the element in what was sent: nulls, empties, wrong kinds, wherever."""

import copy
from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest

from adapter.errors import Problem, ResourceError
from adapter.fhir.bundles import entries_of
from adapter.fhir.interaction import conditional_references
from adapter.fhir.message import read_entries, read_message
from adapter.fhir.model import FhirVersion
from adapter.fhir.outcome import within
from adapter.fhir.references import search_key
from adapter.fhir.rules import faults
from tests.fhir.rule_cases import ENCOUNTER, PATIENT, R4, R5, TASK

Resource = dict[str, Any]

EMPTY = [
    # resource, expression, because (R4 json: objects and arrays are never empty, null stands beside _name
    # alone)
    (PATIENT | {"name": [None]}, "Patient.name[0]", "null in a list of objects: case 18"),
    (PATIENT | {"name": [{"family": "a"}, None]}, "Patient.name[1]", "the second"),
    (PATIENT | {"name": [{}]}, "Patient.name[0]", "an object without anything"),
    (PATIENT | {"name": []}, "Patient.name", "a list without anything"),
    (PATIENT | {"name": [[]]}, "Patient.name[0]", "a list for an object"),
    (PATIENT | {"name": [{"given": []}]}, "Patient.name[0].given", "a list of texts without any"),
    (PATIENT | {"name": [{"given": [None]}]}, "Patient.name[0].given[0]", "null with nothing beside it"),
    (PATIENT | {"name": [{"given": ["a"], "_given": []}]}, "Patient.name[0].given", "nothing beside a text"),
    (PATIENT | {"name": [{"given": ["a"], "_given": [{}]}]}, "Patient.name[0].given[0]", "{} beside a text"),
    (PATIENT | {"gender": None}, "Patient.gender", "null for a code"),
    (PATIENT | {"_gender": {}}, "Patient.gender", "{} beside a code"),
    (PATIENT | {"maritalStatus": {}}, "Patient.maritalStatus", "{} for an object"),
    (PATIENT | {"maritalStatus": {"coding": [{}]}}, "Patient.maritalStatus.coding[0]", "{} inside"),
    (PATIENT | {"meta": {}}, "Patient.meta", "{} for meta"),
    (PATIENT | {"extension": []}, "Patient.extension", "no extension"),
    (PATIENT | {"extension": [{"url": "u", "valueAge": {}}]}, "Patient.extension[0].valueAge", "inside"),
    (PATIENT | {"contained": []}, "Patient.contained", "nothing contained"),
    (PATIENT | {"contained": [{}]}, "Patient.contained[0].resourceType", "a resource says its type"),
    (PATIENT | {"contained": [None]}, "Patient.contained[0]", "null contained"),
    (PATIENT | {"contained": [PATIENT | {"name": [None]}]}, "Patient.contained[0].name[0]", "in a contained"),
    (ENCOUNTER | {"location": [None]}, "Encounter.location[0]", "null in a backbone"),
    (ENCOUNTER | {"location": [{"location": None}]}, "Encounter.location[0].location", "inside it"),
    (ENCOUNTER | {"subject": {}}, "Encounter.subject", "{} for a reference"),
    (ENCOUNTER | {"class": {}}, "Encounter.class", "{} where an element is required"),
    (TASK | {"input": [None]}, "Task.input[0]", "null in Task.input"),
]  # fmt: skip


@pytest.mark.parametrize(("resource", "expression", "because"), EMPTY)
def test_what_is_empty_is_told_where_it_stands(resource: Resource, expression: str, because: str) -> None:
    kind = resource["resourceType"]
    found = {problem.expression for problem in faults(resource, R4, kind)}
    assert found == {expression}, because
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": resource}]}
    inside = {problem.expression for problem in faults(bundle, R4, "Bundle")}
    assert inside == {"Bundle.entry[0].resource" + expression[len(kind) :]}, because


def places(value: Any, path: str) -> Iterator[tuple[Any, Any, str]]:
    """Every value inside: what holds it, under which name or index, and its path."""
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, inner in inside:
        if step != "resourceType":
            place = f"{path}[{step}]" if isinstance(step, int) else f"{path}.{step}"
            yield value, step, place
            yield from places(inner, place)


WHOLE: list[tuple[Resource, FhirVersion]] = [
    (
        PATIENT
        | {
            "active": True,
            "name": [{"family": "a", "given": ["b", "c"], "period": {"start": "2024-01-01"}}],
            "identifier": [{"system": "urn:x", "value": "1"}],
            "contact": [{"telecom": [{"system": "phone", "value": "1"}]}],
            "generalPractitioner": [{"reference": "Organization/1"}],
            "extension": [{"url": "u", "valueCoding": {"code": "x"}}],
            "contained": [{"resourceType": "Organization", "id": "o", "name": "a"}],
            "address": [{"line": ["a"], "period": {"start": "2024-01-01"}}],
        },
        R4,
    ),
    (
        ENCOUNTER
        | {
            "subject": {"reference": "Patient/p"},
            "participant": [{"individual": {"reference": "Practitioner/1"}}],
            "location": [{"location": {"reference": "Location/1"}, "period": {"start": "2024-01-01"}}],
            "statusHistory": [{"status": "planned", "period": {"start": "2024-01-01"}}],
        },
        R4,
    ),
    (
        {
            "resourceType": "Encounter",
            "status": "planned",
            "class": [{"coding": [{"code": "IMP"}]}],
            "actualPeriod": {"start": "2024-01-01"},
            "admission": {"dischargeDisposition": {"coding": [{"code": "x"}]}},
        },
        R5,
    ),
]
WRONG: list[Any] = [None, {}, [], 7.5, [None], [{}], [[]], [7.5], {"Tolvansson": 1}]


@pytest.mark.parametrize(("resource", "version"), WHOLE)
def test_whatever_is_wrong_is_told_at_its_place_or_inside(resource: Resource, version: FhirVersion) -> None:
    kind = resource["resourceType"]
    assert faults(resource, version, kind) == []
    for wrong in WRONG:
        for index, _ in enumerate(list(places(resource, kind))):
            changed = copy.deepcopy(resource)
            holder, step, place = list(places(changed, kind))[index]
            holder[step] = wrong
            found = [problem.expression or "" for problem in faults(changed, version, kind)]
            assert found, (place, wrong)
            assert all((one + ".").startswith((place + ".", place + "[")) for one in found), (
                place,
                wrong,
                found,
            )


def test_the_name_of_an_unknown_type_is_not_told() -> None:
    [problem] = faults({"resourceType": "Tolvansson", "a": None}, R4, "Tolvansson")
    assert (problem.code, problem.expression) == ("not-supported", "resourceType")


def test_a_fault_of_the_model_beside_is_told_too() -> None:
    broken = PATIENT | {"maritalStatus": {}, "birthDate": "x"}
    assert [problem.expression for problem in faults(broken, R4, "Patient")] == [
        "Patient.birthDate",
        "Patient.maritalStatus",
    ]


ENTRIES = [
    # Bundle.entry, expression, because
    ([None], "Bundle.entry[0]", "null for an entry"),
    ([7], "Bundle.entry[0]", "a number"),
    ([{"resource": PATIENT}, {}], "Bundle.entry[1].resource", "nothing in it"),
    ([{"resource": None}], "Bundle.entry[0].resource", "null for a resource"),
]


@pytest.mark.parametrize(("entries", "expression", "because"), ENTRIES)
def test_entries(entries: list[Any], expression: str, because: str) -> None:
    for kind, read in (("message", read_message), ("collection", read_entries)):
        bundle = {"resourceType": "Bundle", "type": kind, "entry": entries}
        with pytest.raises(ResourceError) as caught:
            read(bundle, R4)
        assert [problem.expression for problem in caught.value.problems] == [expression], because


@pytest.mark.parametrize("entries", [None, 5, "x", {"a": 1}])
def test_entries_that_are_no_list(entries: Any) -> None:
    with pytest.raises(ResourceError) as caught:
        entries_of({"entry": entries})
    assert [problem.expression for problem in caught.value.problems] == ["Bundle.entry"]
    assert entries_of({}) == []


FOUND = "Patient?identifier=urn:x|1"
REFERENCES = [
    # document, place of the conditional reference, because
    (ENCOUNTER | {"subject": {"reference": FOUND}}, "Encounter.subject", "of a single resource"),
    (
        ENCOUNTER | {"subject": {"reference": "Patient?identifier=urn%3Ax%7C1"}},
        "Encounter.subject",
        "encoded",
    ),
    (
        ENCOUNTER | {"participant": [{}, {"individual": {"reference": FOUND}}]},
        "Encounter.participant[1].individual",
        "in a list",
    ),
    (
        {"resourceType": "Bundle", "entry": [{}, {"resource": TASK | {"for": {"reference": FOUND}}}]},
        "Bundle.entry[1].resource.for",
        "in a Bundle",
    ),
    (ENCOUNTER | {"subject": {"reference": "Patient?name=a"}}, None, "another condition"),
    (ENCOUNTER | {"subject": {"reference": "Patient/1"}}, None, "no condition"),
    (ENCOUNTER | {"subject": {"reference": 7}}, None, "no text"),
]


@pytest.mark.parametrize(("document", "place", "because"), REFERENCES)
def test_where_a_conditional_reference_stands(document: Resource, place: str | None, because: str) -> None:
    found = [
        where
        for text, where in conditional_references(document, document["resourceType"])
        if search_key(text, date(2024, 3, 4)) == ("Patient", "urn:x|1")
    ]
    assert found == ([] if place is None else [f"{place}.reference"]), because


def test_a_fault_of_an_entry_of_a_batch_is_told_from_the_batch() -> None:
    told = tuple(
        Problem("value", "", place)
        for place in ("Task", "Task.for", "Task.input[0]", "Bundle.entry[3].request.ifMatch", "Tasks", None)
    )
    assert [problem.expression for problem in within(told, "Task", "Bundle.entry[3].resource")] == [
        "Bundle.entry[3].resource",
        "Bundle.entry[3].resource.for",
        "Bundle.entry[3].resource.input[0]",
        "Bundle.entry[3].request.ifMatch",
        "Tasks",
        None,
    ]
