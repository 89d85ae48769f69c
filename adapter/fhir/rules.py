"""What FHIR demands and fhir.resources does not check, where a wrong answer would cost.

Owns required value sets of Encounter, Task and CarePlan status, the syntax of ids, and the order
of periods; does not own the structure (`model`) nor a mapping's own demands.
"""

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from adapter.errors import Problem
from adapter.fhir.model import FhirVersion

_ID = re.compile(r"[A-Za-z0-9\-.]{1,64}")


def _codes(text: str) -> frozenset[str]:
    return frozenset(text.split())


_TASK = _codes(
    "draft requested received accepted rejected ready cancelled in-progress on-hold failed completed "
    "entered-in-error"
)
_PLAN = _codes("draft active on-hold revoked completed entered-in-error unknown")
_ENCOUNTER_R4 = _codes(
    "planned arrived triaged in-progress onleave finished cancelled entered-in-error unknown"
)
_ENCOUNTER_R5 = _codes(
    "planned in-progress on-hold discharged completed cancelled discontinued entered-in-error unknown"
)

#: (type, version) → codes of its required `status` value set.
STATUS: dict[tuple[str, FhirVersion], frozenset[str]] = {
    **{("Task", version): _TASK for version in FhirVersion},
    **{("CarePlan", version): _PLAN for version in FhirVersion},
    ("Encounter", FhirVersion.R4): _ENCOUNTER_R4,
    ("Encounter", FhirVersion.R4B): _ENCOUNTER_R4,
    ("Encounter", FhirVersion.R5): _ENCOUNTER_R5,
}
_PERIODS = ("period", "actualPeriod", "executionPeriod")


def check(resource: dict[str, Any], version: FhirVersion, path: str) -> Iterator[Problem]:
    """Faults of one resource at `path`; it has passed its model, so types are as FHIR says."""
    name = resource.get("id")
    if name is not None and not _ID.fullmatch(name):
        yield Problem("value", "an id has 1 to 64 of A-Z a-z 0-9 - .", f"{path}.id")
    codes = STATUS.get((resource["resourceType"], version))
    if codes is not None and resource.get("status") not in codes:
        yield Problem("code-invalid", "the code is not in the required value set", f"{path}.status")
    for element in _PERIODS:
        period = resource.get(element)
        if isinstance(period, dict) and _ends_before(period):
            yield Problem("invariant", "per-1: a period does not end before it starts", f"{path}.{element}")


def _ends_before(period: dict[str, Any]) -> bool:
    start, end = period.get("start"), period.get("end")
    if not isinstance(start, str) or not isinstance(end, str):
        return False
    if "T" in start and "T" in end:
        return datetime.fromisoformat(end) < datetime.fromisoformat(start)
    shared = min(len(start.partition("T")[0]), len(end.partition("T")[0]))
    return end[:shared] < start[:shared]
