"""What the adapter can do, as a FHIR CapabilityStatement.

Owns how it is told; what there is it takes from where it is done (`interaction.TAKEN`), and a test holds it
against the service. Does not own who may do it (`adapter.access`).
Source: FHIR R4 and R5, CapabilityStatement; `messaging.reliableCache` is in minutes (Messaging).
"""

from typing import Any

from adapter.fhir.interaction import TAKEN
from adapter.fhir.model import FhirVersion

Resource = dict[str, Any]

#: Fixed, so that the same service gives the same statement: the day when what is told here last changed.
DATE = "2026-11-22"

_NUMBERS = {FhirVersion.R4: "4.0.1", FhirVersion.R4B: "4.3.0", FhirVersion.R5: "5.0.0"}
_CONDITION = "identifier=system|value is the one condition that is understood"
_SEARCHES = {
    "MeasureReport": ("municipality", "period", "agreement", "measure"),
    "Invoice": ("municipality", "period", "agreement"),
    "ChargeItem": ("municipality", "period", "agreement"),
}
_OPERATIONS = {
    "process-message": "http://hl7.org/fhir/OperationDefinition/MessageHeader-process-message",
    "subscription-hook": "https://losus-adapter.se/fhir/OperationDefinition/subscription-hook",
    "dispute": "https://losus-adapter.se/fhir/OperationDefinition/dispute",
}


def capability_statement(version: FhirVersion, software: str, base_url: str, reliable_cache: int) -> Resource:
    """The statement for clients of FHIR `version`; `reliable_cache` is in minutes, `software` its version."""
    return {
        "resourceType": "CapabilityStatement",
        "id": "losus-adapter",
        "url": "https://losus-adapter.se/fhir/CapabilityStatement/losus-adapter",
        "name": "LosusAdapter",
        "title": "losus-adapter",
        "status": "active",
        "date": DATE,
        "publisher": "losus-adapter",
        "description": (
            "Takes in what hospitals tell of stays, by message, REST, Subscription or file, and gives the "
            "statements that follow. A source's own base is [base]/{source}; what is taken in is not "
            "read back."
        ),
        "kind": "instance",
        "software": {"name": "losus-adapter", "version": software},
        "implementation": {"description": "losus-adapter", "url": f"{base_url}/fhir"},
        "fhirVersion": _NUMBERS[version],
        "format": ["application/fhir+json", "application/fhir+xml"],
        "rest": [_rest()],
        "messaging": [
            {
                "reliableCache": reliable_cache,
                "documentation": (
                    "[base]/{source}/$process-message. MessageHeader.id and Bundle.id both new: taken in. "
                    "Both seen: the first answer again. Header seen, Bundle new: the same. Header new, "
                    "Bundle seen: fatal-error, duplicate."
                ),
            }
        ],
    }


def _rest() -> Resource:
    return {
        "mode": "server",
        "documentation": "Creates and updates go to [base]/{source}, searches to [base].",
        "security": {
            "cors": False,
            "service": [
                {
                    "coding": [
                        {
                            "system": "http://terminology.hl7.org/CodeSystem/restful-security-service",
                            "code": code,
                        }
                    ]
                }
                for code in ("SMART-on-FHIR", "Certificates")
            ],
            "description": "Bearer tokens (JWT) with scopes of SMART v2, client certificates, or API keys.",
        },
        "resource": [
            *(_taken(kind) for kind in TAKEN),
            *(_searched(kind, parameters) for kind, parameters in _SEARCHES.items()),
        ],
        "interaction": [{"code": "transaction"}, {"code": "batch"}],
        "operation": [{"name": name, "definition": url} for name, url in _OPERATIONS.items()],
    }


def _taken(kind: str) -> Resource:
    interactions: list[Resource] = [
        {"code": "create", "documentation": f"If-None-Exist: {_CONDITION}"},
        {"code": "update", "documentation": f"If-Match; on a condition: {_CONDITION}"},
    ]
    told: Resource = {
        "type": kind,
        "interaction": interactions,
        "versioning": "versioned-update",
        "readHistory": False,
        "updateCreate": True,
        "conditionalCreate": True,
        "conditionalUpdate": True,
        "referencePolicy": ["literal", "logical", "resolves"],
    }
    if kind == "Task":
        interactions += [
            {"code": "read", "documentation": "what municipalities dispute, at [base]"},
            {"code": "search-type", "documentation": "what municipalities dispute, at [base]"},
        ]
        told["searchParam"] = [
            {"name": "municipality", "type": "string", "documentation": "kommunkod"},
            {"name": "status", "type": "token"},
        ]
    return told


def _searched(kind: str, parameters: tuple[str, ...]) -> Resource:
    kinds = {"period": "date", "measure": "reference"}
    return {
        "type": kind,
        "interaction": [{"code": "search-type"}],
        "searchParam": [{"name": name, "type": kinds.get(name, "string")} for name in parameters],
    }
