"""What the adapter can do, as a FHIR CapabilityStatement.

Owns how it is told, and which types are read; what is taken and searched by what it has from where that is
done (`interaction.TAKEN`, `search.SEARCHED`), and a test holds it against the service both ways. Does not
own who may do it (`adapter.access`).
Source: FHIR R4 and R5, CapabilityStatement; `messaging.reliableCache` is in minutes (Messaging).
"""

from collections.abc import Iterator
from typing import Any

from adapter.fhir.interaction import TAKEN
from adapter.fhir.model import FhirVersion
from adapter.fhir.search import SEARCHED

Resource = dict[str, Any]

#: Fixed, so that the same service gives the same statement: the day when what is told here last changed.
DATE = "2026-11-29"

_NUMBERS = {FhirVersion.R4: "4.0.1", FhirVersion.R4B: "4.3.0", FhirVersion.R5: "5.0.0"}
_CONDITION = "identifier=system|value is the one condition that is understood"
#: What an issued statement or follow-up is made of, and each municipality sees of its own alone.
ISSUED = ("MeasureReport", "Invoice", "ChargeItem", "Group", "Provenance")
#: What is the same for all municipalities: rules, prices, organisations.
SHARED = ("Measure", "ChargeItemDefinition", "Organization")
#: What says more than the name of a parameter does.
_MEANT = {
    "municipality": "kommunkod of the municipality",
    "agreement": "id of the agreement",
    "period": "the month that was settled",
    "measure": "canonical of the Measure, with its version or without",
    "_lastUpdated": "when it was issued",
}
_LENIENT = (
    "Creates and updates go to [base]/{source}; reads and searches to [base]. Media types: the generic "
    "application/json, text/json, application/xml and text/xml are taken as FHIR's own, and so are "
    "DSTU2's application/json+fhir and application/xml+fhir. Where the specification leaves it open: a "
    "byte order mark before JSON is ignored, and so are comments and processing instructions of XML; a "
    "body without Content-Type is taken for what its first character shows; If-Match and If-None-Match "
    "take *, lists of tags, weak and strong ones alike, and a version without quotes; a slash at the "
    "end of an address is ignored. null, {} and [] are refused wherever they stand, as is whatever the "
    "model of the resource does not know. A search ignores parameters that it does not know and names "
    "them in an OperationOutcome, unless Prefer: handling=strict; _count, _sort (one key), "
    "_summary=count are followed; _summary=true, text and data, _elements and _total are accepted and "
    "change nothing: resources are whole, totals exact. HEAD is answered wherever GET is. Prefer: "
    "return=minimal, representation and OperationOutcome are followed. An empty or id-only notification "
    "is refused (422) for a source without a server that could be asked."
)
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
        "documentation": _LENIENT,
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
        "resource": [_resource(kind) for kind in dict.fromkeys((*TAKEN, *ISSUED, *SHARED))],
        "interaction": [{"code": "transaction"}, {"code": "batch"}],
        "operation": [{"name": name, "definition": url} for name, url in _OPERATIONS.items()],
    }


def _resource(kind: str) -> Resource:
    """What is done with resources of a type: those that sources send, and those that were issued."""
    told: Resource = {"type": kind, "interaction": list(_interactions(kind))}
    if kind in TAKEN:
        told |= {
            "versioning": "versioned-update",
            "readHistory": False,
            "updateCreate": True,
            "conditionalCreate": True,
            "conditionalUpdate": True,
            "referencePolicy": ["literal", "logical", "resolves"],
        }
    if kind == "Task":
        told["conditionalRead"] = "not-match"
    if kind in SEARCHED:
        told["searchParam"] = [
            {"name": name, "type": form, **({"documentation": _MEANT[name]} if name in _MEANT else {})}
            for name, form in SEARCHED[kind].items()
        ]
    return told


def _interactions(kind: str) -> Iterator[Resource]:
    if kind in TAKEN:
        yield {"code": "create", "documentation": f"at [base]/{{source}}; If-None-Exist: {_CONDITION}"}
        update = f"at [base]/{{source}}; If-Match, If-None-Match; on a condition: {_CONDITION}"
        if kind == "Task":
            update += "; at [base], by the region: the answer to a dispute"
        yield {"code": "update", "documentation": update}
    what = (
        "what municipalities dispute, and measures of joint follow-ups"
        if kind == "Task"
        else "what was issued"
    )
    if kind in (*ISSUED, *SHARED, "Task"):
        yield {"code": "read", "documentation": f"at [base]: {what}"}
    if kind in SEARCHED:
        yield {"code": "search-type", "documentation": f"at [base], by GET or by POST _search: {what}"}
