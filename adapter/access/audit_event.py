"""An entry of the audit as a FHIR R4 AuditEvent, with its place in the chain.

Owns the translation. Pure. Does not own the audit (`store.audit`).
Sources: FHIR R4 AuditEvent, and the code systems that its value sets name; DICOM PS3.15 A.5 (110114, 110122).
"""

from base64 import b64encode
from datetime import UTC
from typing import Any

from adapter.access.caller import Kind, Role
from adapter.store.audit import Entry, Kept

_DICOM = "http://dicom.nema.org/resources/ontology/DCM"
_TERMS = "http://terminology.hl7.org/CodeSystem"
_INTERACTION = "http://hl7.org/fhir/restful-interaction"

_REST = {"system": f"{_TERMS}/audit-event-type", "code": "rest", "display": "RESTful Operation"}
_LOGIN = {"system": _DICOM, "code": "110114", "display": "User Authentication"}
_SUBTYPES = {
    "login": {"system": _DICOM, "code": "110122", "display": "Login"},
    "search": {"system": _INTERACTION, "code": "search-type"},
    **{name: {"system": _INTERACTION, "code": name} for name in ("read", "create", "update")},
}
_ACTIVITY = {"system": _DICOM, "code": "110100", "display": "Application Activity"}
_ACTIONS = {"read": "R", "create": "C", "update": "U", "change": "U"}  # a search, a login are «executed»: E
_OUTCOMES = {"ok": "0", "not-found": "4", "refused": "4", "failed": "8"}
_HUMAN = {"system": f"{_TERMS}/extra-security-role-type", "code": "humanuser", "display": "human user"}
_PROGRAM = {"system": _DICOM, "code": "110153", "display": "Source Role ID"}
_PURPOSES = {
    Role.REGION_OPERATOR: "HOPERAT",
    Role.AUDITOR: "HOPERAT",
    Role.CONTROLLER: "HPAYMT",
    Role.MUNICIPALITY_CONTROLLER: "HPAYMT",
}
#: Kinds of `who` beside callers: who ran a command, and what nobody ran.
_OPERATOR, _SYSTEM = "operator", "system"
_WITHIN, _HUMANS = (_OPERATOR, _SYSTEM), (Kind.STAFF.value, _OPERATOR)
_OBJECT = {"system": f"{_TERMS}/audit-entity-type", "code": "2", "display": "System Object"}
_RESOURCE_ROLE = {"system": f"{_TERMS}/object-role", "code": "4", "display": "Domain Resource"}
_CHAIN_ROLE = {"system": f"{_TERMS}/object-role", "code": "13", "display": "Security Resource"}


def audit_event(kept: Kept, region: str) -> dict[str, Any]:
    """The AuditEvent of one row; `region` (URI) is who kept it."""
    entry = kept.entry
    made: dict[str, Any] = {
        "resourceType": "AuditEvent",
        "id": f"audit-{kept.number}",
        "type": _type(entry),
        "action": _ACTIONS.get(entry.action.partition(":")[0], "E"),
        "recorded": entry.at.astimezone(UTC).isoformat(timespec="microseconds"),
        "outcome": _OUTCOMES[entry.outcome],
        "outcomeDesc": f"{entry.outcome}: {entry.why}",
        "agent": [_agent(entry)],
        "source": observer(region),
        "entity": [*(entity(what) for what in entry.what), _chain(kept)],
    }
    if entry.action in _SUBTYPES:
        made["subtype"] = [_SUBTYPES[entry.action]]
    elif made["type"] is _ACTIVITY:
        made["subtype"] = [{"display": entry.action}]
    purposes = sorted({_PURPOSES[role] for role in _roles(entry)})
    if purposes:
        made["purposeOfEvent"] = [
            {"coding": [{"system": f"{_TERMS}/v3-ActReason", "code": code}]} for code in purposes
        ]
    return made


def _type(entry: Entry) -> dict[str, str]:
    """What sort of event: knocking at a door, or a command and what works by itself."""
    if entry.action == "login":
        return _LOGIN
    return _ACTIVITY if entry.kind in _WITHIN else _REST


def _roles(entry: Entry) -> list[Role]:
    return [Role(word) for word in entry.why.split(",")] if entry.kind == Kind.STAFF else []


def _agent(entry: Entry) -> dict[str, Any]:
    agent: dict[str, Any] = {
        "type": {"coding": [_HUMAN if entry.kind in _HUMANS else _PROGRAM]},
        "who": {"identifier": {"value": entry.who}},
        "requestor": True,
    }
    roles = _roles(entry)
    if roles:
        agent["role"] = [{"text": role.value} for role in roles]
    if entry.address:
        agent["network"] = {"address": entry.address, "type": "2"}
    return agent


def observer(region: str) -> dict[str, Any]:
    """`AuditEvent.source`: who keeps the record."""
    return {"observer": {"identifier": {"system": "urn:ietf:rfc:3986", "value": region}}}


def entity(what: str) -> dict[str, Any]:
    """What was concerned: a resource of ours by its reference, anything else by an identifier of its kind."""
    kind, _, name = what.partition("/")
    if kind[:1].isupper():
        return {"what": {"reference": what}, "type": _OBJECT, "role": _RESOURCE_ROLE}
    return {"what": {"identifier": {"system": f"urn:losus:{kind}", "value": name}}, "type": _OBJECT}


def _chain(kept: Kept) -> dict[str, Any]:
    """The row's place in the chain, and what R4 has no element for."""
    entry = kept.entry
    details = [
        {"type": "hash", "valueBase64Binary": b64encode(kept.hash).decode()},
        {"type": "previous", "valueBase64Binary": b64encode(kept.previous).decode()},
        {"type": "count", "valueString": str(entry.count)},
    ]
    if entry.municipality is not None:
        details.append({"type": "municipality", "valueString": entry.municipality})
    named = {"identifier": {"system": "urn:losus:audit", "value": str(kept.number)}}
    return {"what": named, "type": _OBJECT, "role": _CHAIN_ROLE, "detail": details}
