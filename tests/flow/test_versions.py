"""R4, R4B and R5 sources through the whole way, each by a mapping of its own version or of another."""

from typing import Any

import pytest

from adapter.fhir.model import FhirVersion, validate
from adapter.settings import Source
from tests.service import send, service

START, END = "2024-03-04T14:20:00+01:00", "2024-03-06T10:00:00+01:00"
CLASS = {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "IMP"}
META = {"versionId": "1", "lastUpdated": START}


def r4() -> dict[str, Any]:
    return {"status": "finished", "class": CLASS, "period": {"start": START, "end": END}}


def r5() -> dict[str, Any]:
    return {
        "status": "completed",
        "class": [{"coding": [CLASS]}],
        "actualPeriod": {"start": START, "end": END},
    }


def message(version: str) -> dict[str, Any]:
    """A finished stay, as that version of FHIR says it."""
    is_r5 = version == "R5"
    header = {
        "resourceType": "MessageHeader",
        "id": "h1",
        "eventCoding": {"system": "urn:example", "code": "encounter-changed"},
        "source": {"endpointUrl" if is_r5 else "endpoint": "https://ehr.example/fhir"},
        "focus": [{"reference": "Encounter/e1"}],
    }
    encounter = {"resourceType": "Encounter", "id": "e1", "meta": META, **(r5() if is_r5 else r4())}
    encounter["subject"] = {"reference": "Patient/p1"}
    patient = {"resourceType": "Patient", "id": "p1", "meta": META, "name": [{"text": "Tolvan"}]}
    resources = (header, encounter, patient)
    entry = [
        {"fullUrl": f"https://ehr.example/fhir/{r['resourceType']}/{r['id']}", "resource": r}
        for r in resources
    ]
    return {"resourceType": "Bundle", "id": "b1", "type": "message", "timestamp": END, "entry": entry}


@pytest.mark.parametrize("mapping", ["hl7-r4", "hl7-r5"])
@pytest.mark.parametrize("spoken", ["R4", "R4B", "R5"])
async def test_a_source_of_any_version_by_a_mapping_of_any_other(dsn: str, spoken: str, mapping: str) -> None:
    sources = {"ehr": Source(mapping=mapping, fhir=spoken)}
    async with service(dsn, sources=sources) as client:
        answer = await send(client, message(spoken), "ehr")
        assert answer.status_code == 200, answer.text
        assert validate(answer.json(), FhirVersion(spoken)) == []
        [case] = (await client.get("/cases")).json()["cases"]
    assert case["state"] == "discharged"
    assert case["times"]["admitted"] == "2024-03-04T13:20:00Z"
    assert case["ended"]["at"] == "2024-03-06T09:00:00Z"


@pytest.mark.parametrize(("spoken", "other"), [("R4", "R5"), ("R5", "R4")])
async def test_another_version_than_the_source_speaks_is_refused(dsn: str, spoken: str, other: str) -> None:
    sources = {"ehr": Source(mapping="hl7-r4", fhir=spoken)}
    async with service(dsn, sources=sources) as client:
        answer = await send(client, message(other), "ehr")
    assert answer.status_code == 422
