"""What the clients write: an invented person's stay. `key` is hers alone, for all tests share one adapter."""

import uuid
from typing import Any

Resource = dict[str, Any]

PATIENTS, STAYS = "https://ehr.example/patients", "https://ehr.example/stays"
END = "2024-03-08T11:00:00+01:00"
_KOMMUNKOD = "https://losus-adapter.se/fhir/StructureDefinition/kommunkod"
_CODES = "https://losus-adapter.se/fhir/CodeSystem"


def patient(key: str, **elements: Any) -> Resource:
    """A person who lives in Östersund, without an id: the server gives it."""
    lives = {"system": "urn:oid:1.2.752.129.2.2.1.17", "code": "2380"}
    return {
        "resourceType": "Patient",
        "text": {
            "status": "generated",
            "div": f'<div xmlns="http://www.w3.org/1999/xhtml"><p>{key}</p></div>',
        },
        "identifier": [{"system": PATIENTS, "value": key}],
        "name": [{"use": "official", "family": key, "given": ["Eva"]}],
        "address": [
            {
                "use": "home",
                "line": ["Storgatan 12"],
                "city": "Östersund",
                "extension": [{"url": _KOMMUNKOD, "valueCoding": lives}],
            }
        ],
        **elements,
    }


def encounter(key: str, subject: str, **elements: Any) -> Resource:
    """Her stay in hospital, begun."""
    return {
        "resourceType": "Encounter",
        "identifier": [{"system": STAYS, "value": key}],
        "status": "in-progress",
        "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "IMP"},
        "serviceType": {"coding": [{"system": f"{_CODES}/care-form", "code": "somatic"}]},
        "subject": {"reference": subject},
        "period": {"start": "2024-03-04T14:20:00+01:00"},
        **elements,
    }


def finished(stay: Resource) -> Resource:
    """The same stay at its end, everything else as it was given."""
    return {**stay, "status": "finished", "period": {**stay["period"], "end": END}}


def notice(subject: str, stay: str) -> Resource:
    """The *inskrivningsmeddelande* of a stay."""
    return {
        "resourceType": "Task",
        "status": "completed",
        "intent": "order",
        "code": {"coding": [{"system": f"{_CODES}/losus-step", "code": "admission-notice"}]},
        "for": {"reference": subject},
        "encounter": {"reference": stay},
        "authoredOn": "2024-03-04T16:00:00+01:00",
    }


def admission(key: str) -> Resource:
    """A transaction that creates both; the stay points at the person by urn:uuid (R4 http#trules)."""
    person, stay = f"urn:uuid:{uuid.uuid4()}", f"urn:uuid:{uuid.uuid4()}"
    written = ((person, patient(key)), (stay, encounter(key, person)))
    return {
        "resourceType": "Bundle",
        "type": "transaction",
        "entry": [
            {"fullUrl": url, "resource": one, "request": {"method": "POST", "url": one["resourceType"]}}
            for url, one in written
        ],
    }


def id_in(location: str) -> str:
    """The id in a Location, `[base]/[type]/[id]/_history/[vid]` (R4 http#create)."""
    return location.split("/")[-3]
