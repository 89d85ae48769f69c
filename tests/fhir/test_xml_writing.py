"""FHIR XML of what FHIR JSON says: what cannot be written, and what each version has."""

from typing import Any

import pytest

from adapter.errors import ResourceError
from adapter.fhir.model import FhirVersion
from adapter.fhir.xml import to_xml
from tests.fhir.xml_cases import NS, PLANTED, R4, R4B, R5, X, read

UNWRITABLE: list[tuple[dict[str, Any], str, str]] = [
    # a Patient with this, expression, because
    ({"Tolvansson": 1}, "Patient", "an unknown element"),
    ({"Xactive": True}, "Patient", "an unknown element that ends as a known one"),
    ({"name": {"family": "x"}}, "Patient.name", "a list that is none"),
    ({"name": ["Tolvansson"]}, "Patient.name[0]", "an object that is none"),
    ({"_name": [{"id": "x"}]}, "Patient.name[0]", "only primitives have something beside them"),
    ({"birthDate": ["1912-12-12"]}, "Patient.birthDate", "a list where none may be"),
    ({"birthDate": "19\x0112"}, "Patient.birthDate", "a character that XML cannot hold"),
    ({"birthDate": "19\ud80012"}, "Patient.birthDate", "half a character"),
    ({"multipleBirthInteger": float("nan")}, "Patient.multipleBirthInteger", "no number"),
    ({"contained": [{"resourceType": "Tolvansson"}]}, "Patient.contained[0]", "no such type"),
    ({"contained": [{"id": "x"}]}, "Patient.contained[0]", "a resource says its type"),
    ({"text": {"status": "generated", "div": "<div>a<b></div>"}}, "Patient.text.div", "no XML"),
    ({"text": {"status": "generated", "div": "<p>a</p>"}}, "Patient.text.div", "no div"),
    (
        {"text": {"status": "generated", "div": f'<div xmlns="{X}"/><x/>'}},
        "Patient.text.div",
        "more than a div",
    ),
    (
        {"text": {"status": "generated", "div": f'<div xmlns="{X}"/></text><x/>'}},
        "Patient.text.div",
        "a way out",
    ),
    (
        {"text": {"status": "generated", "div": f'<div xmlns="{X}"><?php x?></div>'}},
        "Patient.text.div",
        "a PI",
    ),
    ({"text": {"status": "generated", "div": '<!DOCTYPE a><div xmlns="x"/>'}}, "Patient.text.div", "a DTD"),
    ({"text": {"status": "generated", "div": 7}}, "Patient.text.div", "no text"),
]


@pytest.mark.parametrize(("more", "expression", "because"), UNWRITABLE)
def test_what_cannot_be_written(more: dict[str, Any], expression: str, because: str) -> None:
    with pytest.raises(ResourceError) as caught:
        to_xml({"resourceType": "Patient"} | more, R4)
    (problem,) = caught.value.problems
    assert problem.expression == expression, because
    assert not any(value in str(caught.value) for value in PLANTED)


def test_a_resource_without_a_type_cannot_be_written() -> None:
    for resource in ({}, {"resourceType": "Tolvansson"}, {"resourceType": 7}):
        with pytest.raises(ResourceError) as caught:
            to_xml(resource, R4)
        assert caught.value.problems[0].expression == "resourceType"


def test_null_says_nothing() -> None:
    written = to_xml({"resourceType": "Patient", "gender": None, "name": [{"given": [None, "a"]}]}, R4)
    assert read(written) == {"resourceType": "Patient", "name": [{"given": ["a"]}]}


def test_a_narrative_in_json_may_leave_its_namespace_out() -> None:
    text = {"status": "generated", "div": "<div>a<div>b</div></div>"}
    back = read(to_xml({"resourceType": "Patient", "text": text}, R4))
    assert back["text"]["div"] == f'<div xmlns="{X}">a<div>b</div></div>'


BY_VERSION = [
    # document, version, whether it is known there, because
    (f"<Encounter {NS}><actualPeriod/></Encounter>", R5, True, "R5: actualPeriod"),
    (f"<Encounter {NS}><actualPeriod/></Encounter>", R4, False, "R4: period"),
    (f"<Encounter {NS}><hospitalization/></Encounter>", R4, True, "R4: hospitalization"),
    (f"<Encounter {NS}><hospitalization/></Encounter>", R4B, True, "R4B: as R4"),
    (f"<Encounter {NS}><hospitalization/></Encounter>", R5, False, "R5: admission"),
    (f"<EncounterHistory {NS}/>", R5, True, "new in R5"),
    (f"<EncounterHistory {NS}/>", R4B, False, "new in R5"),
]


@pytest.mark.parametrize(("document", "version", "known", "because"), BY_VERSION)
def test_each_version_has_its_own_elements(
    document: str, version: FhirVersion, known: bool, because: str
) -> None:
    try:
        read(document, version)
    except ResourceError:
        assert not known, because
    else:
        assert known, because


def test_integer64_is_text_in_json() -> None:
    """R5, JSON: «integer64 … represented as a JSON string»; the counter of events is one."""
    document = f'<SubscriptionStatus {NS}><eventsSinceSubscriptionStart value="310"/></SubscriptionStatus>'
    assert read(document, R5)["eventsSinceSubscriptionStart"] == "310"
