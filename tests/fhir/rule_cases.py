"""What the tests of the rules share: resources with nothing wrong, and how the faults of one are told."""

from typing import Any

from adapter.fhir.model import FhirVersion
from adapter.fhir.rules import check

R4, R4B, R5 = FhirVersion
PLANTED = ("191212121212", "Tolvansson")

ENCOUNTER = {"resourceType": "Encounter", "status": "planned", "class": {"code": "IMP"}}
ENCOUNTER_R5 = {"resourceType": "Encounter", "status": "planned"}
PATIENT = {"resourceType": "Patient"}
TASK = {"resourceType": "Task", "status": "requested", "intent": "order"}
PLAN = {
    "resourceType": "CarePlan",
    "status": "active",
    "intent": "plan",
    "subject": {"reference": "Patient/p"},
}

WRONG_WAY = {"start": "2024-03-05", "end": "2024-03-04"}

Found = list[tuple[str, str | None]]


def faults(resource: dict[str, Any], version: FhirVersion = R4) -> Found:
    problems = list(check(resource, version, resource["resourceType"]))
    assert not any(value in str(problems) for value in PLANTED)
    return [(problem.code, problem.expression) for problem in problems]


def extended(**value: Any) -> dict[str, Any]:
    return PATIENT | {"extension": [{"url": "urn:x", **value}]}
