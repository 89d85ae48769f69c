"""What was delivered and what was received as FHIR R4 AuditEvents.

Owns the translation. Pure. Does not own the entries of the audit's chain (`audit_event`) nor the record
(`store.told`, `store.received`).
Sources: FHIR R4 AuditEvent; DICOM PS3.15 A.5 (110106 Export, 110107 Import); ISO 21089 (disclose, receive);
SCB's kommunkod, 1.2.752.129.2.2.1.17.
"""

from datetime import UTC, datetime
from typing import Any

from adapter.access.audit_event import entity, observer
from adapter.fhir.vocabulary import KOMMUNKOD
from adapter.store.received import Received
from adapter.store.told import Delivered

_DICOM = "http://dicom.nema.org/resources/ontology/DCM"
_LIFECYCLE = "http://terminology.hl7.org/CodeSystem/iso-21089-lifecycle"
_ROLES = "http://terminology.hl7.org/CodeSystem/object-role"

_EXPORT = {"system": _DICOM, "code": "110106", "display": "Export"}
_IMPORT = {"system": _DICOM, "code": "110107", "display": "Import"}
_DISCLOSE = {"system": _LIFECYCLE, "code": "disclose"}
_RECEIVE = {"system": _LIFECYCLE, "code": "receive"}
_FROM = {"coding": [{"system": _DICOM, "code": "110153", "display": "Source Role ID"}]}
_TO = {"coding": [{"system": _DICOM, "code": "110152", "display": "Destination Role ID"}]}
_REFUSED = 400


def delivery_event(one: Delivered, region: str) -> dict[str, Any]:
    """The AuditEvent of a delivery: `region` (URI) gave, the municipality was given.

    `recorded` is left out where nobody recorded it: then it cannot be told as an AuditEvent (`at` None).
    """
    if one.at is None:
        raise ValueError("it was not recorded when this was delivered")
    municipality = {"identifier": {"system": KOMMUNKOD, "value": one.municipality}}
    giver: dict[str, Any] = {"type": _FROM, "who": _named(region), "requestor": one.asked is None}
    agents = [giver, {"type": _TO, "who": municipality, "requestor": False}]
    if one.asked is not None:
        agents.append({"who": {"identifier": {"value": one.asked.who}}, "requestor": True})
    said = {
        "revision": str(one.revision),
        "ce_type": one.type,
        "ce_id": one.ce_id,
        "form": one.form,
        "partition": one.partition,
        "offset": one.offset,
        "delivery": one.number,
        "audit": one.chained,
        "asked": one.asked.entry if one.asked else None,
    }
    return {
        "resourceType": "AuditEvent",
        "id": f"delivery-{one.number}",
        "type": _EXPORT,
        "subtype": [_DISCLOSE],
        "action": "R",
        "recorded": _text(one.at),
        "outcome": "0",
        "outcomeDesc": f"ok: {one.why}",
        "agent": agents,
        "source": observer(region),
        "entity": [entity(one.what) | {"detail": _details(said)}],
    }


def receipt_event(one: Received, region: str) -> dict[str, Any]:
    """The AuditEvent of a message that was taken in: the source gave, `region` (URI) was given."""
    said = {"door": one.door, "status": one.status, "held": "true" if one.is_held else None}
    what = [f"message/{one.message}"] + ([f"case/{one.case}"] if one.case else [])
    return {
        "resourceType": "AuditEvent",
        "id": f"message-{one.message}",
        "type": _IMPORT,
        "subtype": [_RECEIVE],
        "action": "C",
        "recorded": _text(one.at),
        "outcome": "4" if one.status >= _REFUSED else "0",
        "outcomeDesc": "kept: cannot be used yet" if one.is_held else "kept",
        "agent": [
            {"type": _FROM, "who": {"identifier": {"value": one.source}}, "requestor": True},
            {"type": _TO, "who": _named(region), "requestor": False},
        ],
        "source": observer(region),
        "entity": [entity(what[0]) | {"detail": _details(said)}, *(entity(name) for name in what[1:])],
    }


def _named(region: str) -> dict[str, Any]:
    return {"identifier": {"system": "urn:ietf:rfc:3986", "value": region}}


def _details(said: dict[str, Any]) -> list[dict[str, str]]:
    return [{"type": name, "valueString": str(value)} for name, value in said.items() if value is not None]


def _text(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="microseconds")
