"""What FHIR demands of a whole document and fhir.resources lets through: a table per rule."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapter.fhir.model import FhirVersion, validate
from adapter.fhir.rules import check
from tests.fhir.real_messages import resources
from tests.fhir.rule_cases import (
    ENCOUNTER,
    PATIENT,
    R4,
    WRONG_WAY,
    extended,
    faults,
)


def test_real_messages_are_sound() -> None:
    for name, version, resource in resources():
        assert list(check(resource, version, resource["resourceType"])) == [], name


KINDS = [
    # resource that fhir.resources takes, code, expression, because
    (
        ENCOUNTER | {"period": {"start": 1_700_000_000}},
        "value",
        "Encounter.period.start",
        "seconds since 1970",
    ),
    (PATIENT | {"active": "yes"}, "value", "Patient.active", "a word for a boolean"),
    (PATIENT | {"active": 1}, "value", "Patient.active", "a number for a boolean"),
    (PATIENT | {"multipleBirthInteger": "2"}, "value", "Patient.multipleBirthInteger", "a text for a number"),
    (
        PATIENT | {"multipleBirthInteger": 2.0},
        "value",
        "Patient.multipleBirthInteger",
        "a point in a whole number",
    ),
    (PATIENT | {"multipleBirthInteger": True}, "value", "Patient.multipleBirthInteger", "true is no number"),
    (extended(valueDecimal="5"), "value", "Patient.extension[0].valueDecimal", "a text for a number"),
    (
        PATIENT | {"name": ['{"family": "Tolvansson"}']},
        "structure",
        "Patient.name[0]",
        "a text for an object",
    ),
    (PATIENT | {"maritalStatus": "{}"}, "structure", "Patient.maritalStatus", "a text for an object"),
    (PATIENT | {"name": None}, "structure", "Patient.name", "null for a list"),
    (PATIENT | {"gender": None}, "value", "Patient.gender", "null for a value"),
    (PATIENT | {"maritalStatus": None}, "structure", "Patient.maritalStatus", "null for an object"),
    (
        PATIENT | {"name": [{"given": ["a", None]}]},
        "value",
        "Patient.name[0].given[1]",
        "null with nothing beside it",
    ),
    (
        {"resourceType": "Encounter", "status": "planned", "class_fhir": {"code": "IMP"}},
        "structure",
        "Encounter",
        "fhir.resources' own name for class",
    ),
    (PATIENT | {"active__ext": {"id": "x"}}, "structure", "Patient", "fhir.resources' own name for _active"),
    (PATIENT | {"resource_type": "Patient"}, "structure", "Patient", "fhir.resources' own name"),
    (PATIENT | {"contained": [{"id": "x"}]}, "not-supported", "Patient.contained[0].resourceType", "no type"),
]


@pytest.mark.parametrize(("resource", "code", "expression", "because"), KINDS)
def test_kinds_and_names_that_fhir_resources_lets_through(
    resource: dict[str, Any], code: str, expression: str, because: str
) -> None:
    assert validate(resource, R4) == [], "else this rule is not needed any more"
    assert faults(resource) == [(code, expression)], because


REFUSED_BY_THE_MODEL_TOO = [
    # resource, code, expression, because
    (PATIENT | {"Tolvansson": 1}, "structure", "Patient", "an unknown element; its name is not told"),
    (PATIENT | {"_Tolvansson": {}}, "structure", "Patient", "beside an unknown element"),
    (PATIENT | {"_name": [{"id": "x"}]}, "structure", "Patient", "beside what is no primitive"),
    (PATIENT | {"_gender": [{"id": "x"}]}, "structure", "Patient.gender", "a list beside one value"),
    (PATIENT | {"_gender": "Tolvansson"}, "structure", "Patient.gender", "a text beside a value"),
    (
        PATIENT | {"name": [{"_given": {"id": "x"}}]},
        "structure",
        "Patient.name[0].given",
        "no list beside a list",
    ),
    (
        PATIENT | {"name": [{"given": ["a"], "_given": [7]}]},
        "structure",
        "Patient.name[0].given[0]",
        "a number",
    ),
    (PATIENT | {"name": {"family": "x"}}, "structure", "Patient.name", "an object for a list"),
    (PATIENT | {"contained": ["Tolvansson"]}, "structure", "Patient.contained[0]", "a text for a resource"),
    (
        PATIENT | {"contained": [{"resourceType": "Tolvansson"}]},
        "not-supported",
        "Patient.contained[0].resourceType",
        "no type",
    ),
]


@pytest.mark.parametrize(("resource", "code", "expression", "because"), REFUSED_BY_THE_MODEL_TOO)
def test_the_walk_stands_on_its_own(
    resource: dict[str, Any], code: str, expression: str, because: str
) -> None:
    assert faults(resource) == [(code, expression)], because


def test_ids_and_extensions_beside_primitives_are_sound() -> None:
    given = {"given": ["a", None], "_given": [None, {"extension": [{"url": "u", "valueCode": "x"}]}]}
    resource = PATIENT | {"name": [given], "_gender": {"id": "g"}, "gender": "other"}
    assert validate(resource, R4) == []
    assert faults(resource) == []


def test_comments_of_dstu2_are_passed_over() -> None:
    assert faults(PATIENT | {"fhir_comments": ["x"]}) == []


def test_every_fault_is_told_not_the_first_alone() -> None:
    resource = ENCOUNTER | {"id": "a b", "status": "x", "period": WRONG_WAY, "subject": {"reference": ""}}
    assert set(faults(resource)) == {
        ("value", "Encounter.id"),
        ("code-invalid", "Encounter.status"),
        ("invariant", "Encounter.period"),
        ("value", "Encounter.subject.reference"),
    }


NESTED = [
    # where the unknown type stands, expression
    ({"contained": [{"resourceType": "Tolvansson"}]}, "Patient.contained[0].resourceType"),
    ({"contained": [PATIENT, {"resourceType": "Period"}]}, "Patient.contained[1].resourceType"),
    ({"contained": [{"resourceType": ["Patient"]}]}, "Patient.contained[0].resourceType"),
]


@pytest.mark.parametrize(("more", "expression"), NESTED)
def test_a_resource_of_no_known_type_inside_another(more: dict[str, Any], expression: str) -> None:
    problems = validate(PATIENT | more, R4)
    assert [(problem.code, problem.expression) for problem in problems] == [("not-supported", expression)]


def test_a_resource_of_no_known_type_in_a_bundle_in_a_bundle() -> None:
    inner = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": {"resourceType": "Foo"}}]}
    outer = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": inner}]}
    (problem,) = validate(outer, R4)
    place = "Bundle.entry[0].resource.entry[0].resource.resourceType"
    assert (problem.code, problem.expression) == ("not-supported", place)
    assert faults(outer) == [("not-supported", place)]


def test_the_type_of_an_unknown_resource_is_not_told() -> None:
    (problem,) = validate({"resourceType": "Tolvansson"}, R4)
    assert (problem.code, problem.expression) == ("not-supported", "resourceType")


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "status",
                    "_status",
                    "period",
                    "start",
                    "end",
                    "subject",
                    "reference",
                    "contained",
                    "entry",
                    "resource",
                    "fullUrl",
                    "request",
                    "meta",
                    "versionId",
                    "type",
                    "name",
                    "given",
                    "_given",
                    "url",
                ]
            )
            | st.text(max_size=3),
            inner
            | st.sampled_from(("Patient", "message", "2024-03-04", "#", "#x", {"resourceType": "Bundle"})),
            max_size=5,
        )
    ),
    max_leaves=20,
)


@settings(deadline=None)  # the first one makes the models
@given(
    st.sampled_from(("Patient", "Encounter", "Bundle", "Task")),
    st.dictionaries(st.sampled_from(("status", "contained", "entry", "period", "type", "subject")), JSON),
    st.sampled_from(FhirVersion),
)
def test_whatever_json_it_is_the_walk_ends_in_problems(
    kind: str, more: dict[str, Any], version: FhirVersion
) -> None:
    for problem in check({"resourceType": kind, **more}, version, kind):
        assert problem.expression is not None
        assert problem.expression.startswith(kind)
