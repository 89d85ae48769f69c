"""A resource held against its FHIR model: where a fault is and which rule, never what was said."""

from typing import Any

import pytest

from adapter.fhir.model import FhirVersion, model, validate

R4, R4B, R5 = FhirVersion
PLANTED = ("191212121212", "Tolvansson")

TYPES = [
    # name, version, whether it is a resource type there, because
    ("Encounter", R4, True, "in all versions"),
    ("Encounter", R5, True, "in all versions"),
    ("EncounterHistory", R4B, False, "new in R5"),
    ("EncounterHistory", R5, True, "new in R5"),
    ("SubscriptionStatus", R4B, True, "R4B has it, and R4 is read with R4B's models"),
    ("Period", R4, False, "a data type"),
    ("encounter", R4, False, "types are written with a capital"),
    ("ENCOUNTER", R4, False, "and only the first letter is one"),
    ("Fhirtypes", R4, False, "a module of the library"),
    ("os", R4, False, "no way into Python's modules"),
    ("..Patient", R4, False, "same"),
    ("Patient\0", R4, False, "same"),
    ("Pätient", R4, False, "same"),
    ("", R4, False, "nothing"),
]


@pytest.mark.parametrize(("kind", "version", "is_one", "because"), TYPES)
def test_resource_types(kind: str, version: FhirVersion, is_one: bool, because: str) -> None:
    assert (model(kind, version) is not None) is is_one, because


PATIENT = {"resourceType": "Patient"}
ENCOUNTER = {"resourceType": "Encounter", "status": "planned", "class": {"code": "IMP"}}


def bundle(*held: Any) -> dict[str, Any]:
    return {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": one} for one in held]}


FAULTS = [
    # resource, (code, expression)…, because
    (PATIENT, [], "sound"),
    (bundle(PATIENT, ENCOUNTER), [], "sound"),
    (PATIENT | {"birthDate": "Tolvansson"}, [("value", "Patient.birthDate")], "no date"),
    (PATIENT | {"birthDate": "2024-02-30"}, [("value", "Patient.birthDate")], "no such day"),
    (
        ENCOUNTER | {"period": {"start": "2024-03-04T14:20:00"}},
        [("value", "Encounter.period.start")],
        "a time has a zone",
    ),
    (
        ENCOUNTER | {"period": {"start": "2024-03-04T14:20+01:00"}},
        [("value", "Encounter.period.start")],
        "a time has seconds",
    ),
    (
        PATIENT | {"meta": {"lastUpdated": "2024-03-04"}},
        [("value", "Patient.meta.lastUpdated")],
        "an instant",
    ),
    (PATIENT | {"Tolvansson": True}, [("structure", "Patient")], "its name is the message's own word"),
    (PATIENT | {"name": [{"family": ["x"]}]}, [("value", "Patient.name[0].family")], "a list for a text"),
    (
        PATIENT | {"name": [{"family": 7}], "birthDate": "x"},
        [("value", "Patient.birthDate"), ("value", "Patient.name[0].family")],
        "every fault is told",
    ),
    (
        {"resourceType": "Encounter", "status": "planned"},
        [("required", "Encounter.class")],
        "R4: class is there once",
    ),
    (
        bundle(PATIENT, PATIENT | {"birthDate": "x"}),
        [("value", "Bundle.entry[1].resource.birthDate")],
        "told where it stands in the Bundle",
    ),
    (
        bundle(PATIENT, {"resourceType": "Tolvansson"}),
        [("not-supported", "Bundle.entry[1].resource.resourceType")],
        "no such type",
    ),
    (
        bundle(bundle(PATIENT | {"contained": [{"resourceType": "Tolvansson"}, 7]})),
        [("not-supported", "Bundle.entry[0].resource.entry[0].resource.contained[0].resourceType")],
        "however deep",
    ),
    ({"resourceType": "Tolvansson"}, [("not-supported", "resourceType")], "no such type"),
    ({"resourceType": "Bundle", "type": "batch", "entry": "x"}, [("structure", "Bundle.entry")], "no list"),
    ({"resourceType": "Bundle", "type": "batch", "entry": [7]}, [("value", "Bundle.entry[0]")], "no entry"),
]


@pytest.mark.parametrize(("resource", "expected", "because"), FAULTS)
def test_faults(resource: dict[str, Any], expected: list[tuple[str, str]], because: str) -> None:
    problems = validate(resource, R4)
    assert sorted((one.code, one.expression) for one in problems) == expected, because
    assert not any(value in str(problems) for value in PLANTED)
