"""One version of FHIR seen as another: what R4/R4B and R5 call differently, evened out for a mapping.

A mapping is written for one version (`fhir`). Where a source speaks the other, its resources are seen
through this view, whole Bundle and resolved references included, and the mapping's expressions need
not know. R4 and R4B are the same here.

| R4, R4B | R5 | note |
| --- | --- | --- |
| Encounter.class (Coding) | Encounter.class (list of CodeableConcept) | to R4: the first coding |
| Encounter.period | Encounter.actualPeriod | |
| Encounter.hospitalization | Encounter.admission | what R5 keeps beside it goes along: `_MOVED` |
| Encounter.status | Encounter.status, subjectStatus | words: `_STATUS_TO_R4`, `_STATUS_TO_R5` |
| Encounter.statusHistory, classHistory | (EncounterHistory, another resource) | to R5: left out |
| Encounter.reasonCode, -Reference | Encounter.reason.value | |
| Encounter.serviceType (CodeableConcept) | list of CodeableReference | to R4: the first concept |
| Encounter.participant.individual | Encounter.participant.actor | |
| Task.reasonCode, -Reference | Task.reason (list of CodeableReference) | to R4: the first of each |
| Task.statusReason (CodeableConcept) | CodeableReference | |
| Task.performerType | Task.requestedPerformer | concepts only |
| CarePlan.author | CarePlan.custodian | |
| CarePlan.addresses (Reference) | CodeableReference | references only |

Owns this table; does not own which version a source speaks. Every other element, extension and type
passes unchanged. Pure: what goes in is not touched.
Source: FHIR R5, R4–R5 difference pages of Encounter, Task and CarePlan.
"""

from collections.abc import Callable
from typing import Any

Resource = dict[str, Any]

_SUBJECT_STATUS = "http://terminology.hl7.org/CodeSystem/encounter-subject-status"

#: R5 status → R4. `discontinued` has begun, so it is over and not `cancelled` (before it began).
_STATUS_TO_R4 = {
    "on-hold": "onleave",
    "discharged": "finished",
    "completed": "finished",
    "discontinued": "finished",
}
#: R5 subjectStatus → R4 status, while the Encounter is in progress.
_SUBJECT_TO_R4 = {"arrived": "arrived", "triaged": "triaged", "on-leave": "onleave"}
#: R4 status → R5 status and subjectStatus.
_STATUS_TO_R5 = {
    "arrived": ("in-progress", "arrived"),
    "triaged": ("in-progress", "triaged"),
    "onleave": ("on-hold", "on-leave"),
    "finished": ("completed", None),
}
#: Beside `admission` in R5, inside `hospitalization` in R4.
_MOVED = {
    "dietPreference": "dietPreference",
    "specialArrangement": "specialArrangement",
    "specialCourtesy": "specialCourtesy",
}


def seen_as(resource: Resource, spoken: str, wanted: str) -> Resource:
    """Give `resource` of FHIR version `spoken` as version `wanted` ("R4", "R4B", "R5") would say it.

    A Bundle is seen with all its entries. The resource itself where nothing differs.
    """
    if (spoken == "R5") == (wanted == "R5"):
        return resource
    kind = resource.get("resourceType")
    if kind == "Bundle":
        return {**resource, "entry": [_entry(entry, spoken, wanted) for entry in resource.get("entry", ())]}
    change = (_TO_R5 if wanted == "R5" else _TO_R4).get(str(kind))
    if change is None:
        return resource
    seen = dict(resource)
    change(seen)
    return seen


def _entry(entry: Resource, spoken: str, wanted: str) -> Resource:
    resource = entry.get("resource")
    return entry if resource is None else {**entry, "resource": seen_as(resource, spoken, wanted)}


def _rename(one: Resource, old: str, new: str) -> None:
    """Let what stands under `old` stand under `new`, its JSON sibling `_old` too."""
    for before, after in ((old, new), (f"_{old}", f"_{new}")):
        if before in one:
            one[after] = one.pop(before)


def _encounter_to_r4(one: Resource) -> None:
    codings = [coding for concept in one.pop("class", ()) for coding in concept.get("coding", ())]
    if codings:
        one["class"] = codings[0]
    _rename(one, "actualPeriod", "period")
    _rename(one, "admission", "hospitalization")
    moved = {old: one.pop(new) for new, old in _MOVED.items() if new in one}
    if moved:
        one["hospitalization"] = {**one.get("hospitalization", {}), **moved}
    _status_to_r4(one)
    _split(one, one.pop("reason", ()))
    _first_concept(one, "serviceType")
    one.update(_participants(one, "actor", "individual"))


def _status_to_r4(one: Resource) -> None:
    subject = one.pop("subjectStatus", None) or {}
    status = one.get("status")
    if status == "in-progress":
        codes = [coding.get("code") for coding in subject.get("coding", ())]
        one["status"] = next((_SUBJECT_TO_R4[code] for code in codes if code in _SUBJECT_TO_R4), status)
    elif status in _STATUS_TO_R4:
        one["status"] = _STATUS_TO_R4[status]


def _encounter_to_r5(one: Resource) -> None:
    if "class" in one:
        one["class"] = [{"coding": [one["class"]]}]
    _rename(one, "period", "actualPeriod")
    admission = dict(one.pop("hospitalization", {}))
    one.update({new: admission.pop(old) for new, old in _MOVED.items() if old in admission})
    if admission:
        one["admission"] = admission
    if one.get("status") in _STATUS_TO_R5:
        one["status"], subject = _STATUS_TO_R5[one["status"]]
        if subject is not None:
            one["subjectStatus"] = {"coding": [{"system": _SUBJECT_STATUS, "code": subject}]}
    one.pop("statusHistory", None)
    one.pop("classHistory", None)
    reasons = _joined(one)
    if reasons:
        one["reason"] = [{"value": [reason]} for reason in reasons]
    if "serviceType" in one:
        one["serviceType"] = [{"concept": one["serviceType"]}]
    one.update(_participants(one, "individual", "actor"))


def _participants(one: Resource, old: str, new: str) -> Resource:
    if "participant" not in one:
        return {}
    renamed = [dict(participant) for participant in one["participant"]]
    for participant in renamed:
        _rename(participant, old, new)
    return {"participant": renamed}


def _task_to_r4(one: Resource) -> None:
    reasons = [{"value": [reason]} for reason in one.pop("reason", ())]
    _split(one, reasons)
    for name in ("reasonCode", "reasonReference"):
        if name in one:
            one[name] = one[name][0]
    _first_concept(one, "statusReason")
    performers = [p["concept"] for p in one.pop("requestedPerformer", ()) if "concept" in p]
    if performers:
        one["performerType"] = performers


def _task_to_r5(one: Resource) -> None:
    for name in ("reasonCode", "reasonReference"):
        if name in one:
            one[name] = [one[name]]
    reasons = _joined(one)
    if reasons:
        one["reason"] = reasons
    if "statusReason" in one:
        one["statusReason"] = {"concept": one["statusReason"]}
    if "performerType" in one:
        one["requestedPerformer"] = [{"concept": concept} for concept in one.pop("performerType")]


def _plan_to_r4(one: Resource) -> None:
    _rename(one, "custodian", "author")
    if "addresses" in one:
        one["addresses"] = [each["reference"] for each in one["addresses"] if "reference" in each]


def _plan_to_r5(one: Resource) -> None:
    _rename(one, "author", "custodian")
    if "addresses" in one:
        one["addresses"] = [{"reference": each} for each in one["addresses"]]


def _split(one: Resource, reasons: Any) -> None:  # noqa: ANN401 - a JSON value
    """Put CodeableReferences (under `value`) into reasonCode and reasonReference."""
    values = [value for reason in reasons for value in reason.get("value", ())]
    codes = [value["concept"] for value in values if "concept" in value]
    references = [value["reference"] for value in values if "reference" in value]
    if codes:
        one["reasonCode"] = codes
    if references:
        one["reasonReference"] = references


def _joined(one: Resource) -> list[Resource]:
    """Take reasonCode and reasonReference out as CodeableReferences."""
    codes = [{"concept": code} for code in one.pop("reasonCode", ())]
    return codes + [{"reference": reference} for reference in one.pop("reasonReference", ())]


def _first_concept(one: Resource, name: str) -> None:
    """Put a concept in place of a CodeableReference, or of the first in a list of them."""
    value = one.pop(name, None)
    values = value if isinstance(value, list) else [value]
    concepts = [each["concept"] for each in values if each and "concept" in each]
    if concepts:
        one[name] = concepts[0]


_TO_R4: dict[str, Callable[[Resource], None]] = {
    "Encounter": _encounter_to_r4,
    "Task": _task_to_r4,
    "CarePlan": _plan_to_r4,
}
_TO_R5: dict[str, Callable[[Resource], None]] = {
    "Encounter": _encounter_to_r5,
    "Task": _task_to_r5,
    "CarePlan": _plan_to_r5,
}
