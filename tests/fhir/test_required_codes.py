"""The required codes that a message hangs on, version by version: both sides of each set."""

from typing import Any

import pytest

from adapter.fhir.model import FhirVersion, model, validate
from adapter.fhir.structure import of_model
from adapter.fhir.valuesets import REQUIRED
from tests.fhir.rule_cases import (
    ENCOUNTER,
    ENCOUNTER_R5,
    PATIENT,
    PLAN,
    R4,
    R4B,
    R5,
    TASK,
    faults,
)

CODES = [
    # resource, version, expression of the fault or None, because
    (ENCOUNTER | {"status": "finished"}, R4, None, "R4"),
    (ENCOUNTER | {"status": "finished"}, R4B, None, "R4B, as R4"),
    (ENCOUNTER_R5 | {"status": "finished"}, R5, "Encounter.status", "R5 says completed"),
    (ENCOUNTER_R5 | {"status": "discharged"}, R5, None, "new in R5"),
    (ENCOUNTER | {"status": "discharged"}, R4, "Encounter.status", "new in R5"),
    (ENCOUNTER | {"status": "utskrivningsklar"}, R4, "Encounter.status", "a state, no status"),
    (ENCOUNTER | {"status": "Finished"}, R4, "Encounter.status", "codes are compared with their case"),
    (
        ENCOUNTER | {"statusHistory": [{"status": "x", "period": {}}]},
        R4,
        "Encounter.statusHistory[0].status",
        "the same set",
    ),
    (
        ENCOUNTER | {"location": [{"location": {}, "status": "gone"}]},
        R4,
        "Encounter.location[0].status",
        "EncounterLocationStatus",
    ),
    (
        ENCOUNTER | {"location": [{"location": {}, "status": "completed"}]},
        R4,
        None,
        "EncounterLocationStatus",
    ),
    (ENCOUNTER | {"class": {"code": "Tolvansson"}}, R4, None, "Encounter.class is extensible"),
    (TASK | {"status": "entered-in-error"}, R4, None, "TaskStatus"),
    (TASK | {"status": "done"}, R4, "Task.status", "TaskStatus"),
    (TASK | {"intent": "reflex-order"}, R5, None, "TaskIntent"),
    (TASK | {"intent": "directive"}, R5, "Task.intent", "TaskIntent has no directive"),
    (TASK | {"priority": "now"}, R4, "Task.priority", "RequestPriority"),
    (PLAN | {"status": "ended"}, R4, "CarePlan.status", "RequestStatus"),
    (PLAN | {"intent": "directive"}, R5, None, "new in R5"),
    (PLAN | {"intent": "directive"}, R4, "CarePlan.intent", "new in R5"),
    (
        PLAN | {"activity": [{"detail": {"status": "x"}}]},
        R4,
        "CarePlan.activity[0].detail.status",
        "CarePlanActivityStatus",
    ),
    (PATIENT | {"gender": "other"}, R4, None, "AdministrativeGender"),
    (PATIENT | {"gender": "kvinna"}, R4, "Patient.gender", "AdministrativeGender"),
    (
        PATIENT | {"link": [{"other": {}, "type": "merged"}]},
        R4,
        "Patient.link[0].type",
        "LinkType: a merge hangs on it",
    ),
    (PATIENT | {"identifier": [{"use": "older"}]}, R4, "Patient.identifier[0].use", "IdentifierUse"),
    (PATIENT | {"identifier": [{"use": "old"}]}, R4, None, "IdentifierUse"),
    (PATIENT | {"telecom": [{"use": "Tolvansson"}]}, R4, None, "nothing here hangs on it"),
    ({"resourceType": "Bundle", "type": "messages"}, R4, "Bundle.type", "BundleType"),
    ({"resourceType": "Bundle", "type": "subscription-notification"}, R4B, "Bundle.type", "new in R5"),
    (
        {"resourceType": "SubscriptionStatus", "type": "event", "subscription": {}},
        R5,
        "SubscriptionStatus.type",
        "SubscriptionNotificationType",
    ),
    (
        {"resourceType": "SubscriptionStatus", "type": "heartbeat", "subscription": {}, "status": "on"},
        R4B,
        "SubscriptionStatus.status",
        "SubscriptionStatusCodes",
    ),
    (
        {"resourceType": "MessageHeader", "response": {"code": "fine"}},
        R4,
        "MessageHeader.response.code",
        "ResponseType",
    ),
]


@pytest.mark.parametrize(("resource", "version", "expression", "because"), CODES)
def test_required_codes(
    resource: dict[str, Any], version: FhirVersion, expression: str | None, because: str
) -> None:
    found = [fault for fault in faults(resource, version) if fault[0] == "code-invalid"]
    assert found == ([] if expression is None else [("code-invalid", expression)]), because


def test_the_codes_are_those_that_the_models_know() -> None:
    """fhir.resources' own lists, where they are whole; they end with + where they are not."""
    held = 0
    for (kind, element, version), codes in REQUIRED.items():
        field = _field(kind, element, version)
        known = (field.json_schema_extra or {}).get("enum_values", [])
        assert known, (kind, element)
        assert set(known) - {"+"} <= codes, (kind, element, version)
        if "+" not in known:
            assert set(known) == codes, (kind, element, version)
            held += 1
    assert held > 70


def _field(kind: str, element: str, version: FhirVersion) -> Any:
    """The field of fhir.resources for an element of a resource, or of a type inside of one."""
    waiting = [
        model(name, version) for name in ("Patient", "Encounter", "CarePlan", "EpisodeOfCare", "Bundle")
    ]
    waiting += [model(name, version) for name in ("MessageHeader", "Provenance", kind)]
    seen = set()
    while waiting:
        one = waiting.pop()
        if one is None or one in seen:
            continue
        seen.add(one)
        if one.get_resource_type() == kind:
            return one.model_fields[one.get_alias_mapping()[element]]
        waiting += [each.inner for each in of_model(one).elements.values()]
    raise AssertionError(f"{kind} is no type of {version}")


LIFE = [
    # resource, because
    (
        {name: one for name, one in resource.items() if name != "status"}
        | {"_status": {"extension": [{"url": "x"}]}}
    )
    for resource in (ENCOUNTER, TASK, PLAN)
]


@pytest.mark.parametrize("resource", LIFE)
def test_a_status_cannot_be_left_to_an_extension(resource: dict[str, Any]) -> None:
    """fhir.resources lets a required primitive be absent where an extension says why."""
    assert validate(resource, R4) == []
    assert faults(resource) == [("required", f"{resource['resourceType']}.status")]
