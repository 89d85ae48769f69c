"""How many times faster than fhirpathpy's own compiled expressions ours run, on what mappings ask.

Run as a program to see it per expression; `measure()` gives the same as values. Both sides get the same
dicts and the same variables, and must give the same values before they are timed.
"""

import json
import os
import statistics
import sys
import time
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

from fhirpathpy import compile as compile_by_library
from fhirpathpy.models import models

from adapter.mapping.fhirpath import compile_expression

SHARED = Path(os.environ.get("LOSUS_SHARED") or Path(__file__).parents[3] / "shared")
MESSAGE = SHARED / "data" / "medcom" / "HospitalNotification_Ex_SLHJ_H.json"
SLICE_S = 0.01
REPEATS = 7

ENCOUNTER: dict[str, Any] = {
    "resourceType": "Encounter",
    "id": "e1",
    "meta": {"versionId": "3", "lastUpdated": "2024-03-04T10:00:00.000+01:00"},
    "identifier": [
        {"system": "urn:oid:1.2.752.29.4.19", "value": "SE2321000016-39KJ-1"},
        {"system": "http://region.example/vtf", "use": "official", "value": "V-7781"},
    ],
    "status": "in-progress",
    "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "IMP"},
    "subject": {"reference": "Patient/p1"},
    "period": {"start": "2024-03-01T14:05:00+01:00"},
    "location": [
        {"location": {"reference": "Location/l1"}, "status": "completed"},
        {"location": {"reference": "Location/l2"}, "status": "active"},
    ],
    "extension": [
        {"url": "http://losus.example/home-municipality", "valueCoding": {"code": "2380"}},
        {"url": "http://losus.example/expected-discharge", "valueDateTime": "2024-03-08"},
    ],
    "serviceProvider": {"reference": "Organization/o1"},
}
TASK: dict[str, Any] = {
    "resourceType": "Task",
    "id": "t1",
    "status": "completed",
    "intent": "order",
    "code": {"coding": [{"system": "http://losus.example/steps", "code": "ready"}]},
    "businessStatus": {"coding": [{"system": "http://losus.example/status", "code": "home-ready"}]},
    "focus": {"reference": "Encounter/e1"},
    "authoredOn": "2024-03-04T09:00:00+01:00",
    "executionPeriod": {"start": "2024-03-04T09:30:00+01:00", "end": "2024-03-04T10:00:00+01:00"},
    "input": [
        {"type": {"text": "criterion"}, "valueCodeableConcept": {"coding": [{"code": "self-care-assessed"}]}},
        {"type": {"text": "criterion"}, "valueCodeableConcept": {"coding": [{"code": "aids-available"}]}},
        {"type": {"text": "met-at"}, "valueDateTime": "2024-03-04T08:00:00+01:00"},
    ],
}
ON_ENCOUNTER = (
    "status",
    "Encounter.period.start",
    "Encounter.status = 'in-progress'",
    "class.code = 'IMP' and status != 'cancelled'",
    "status in ('planned' | 'arrived' | 'in-progress')",
    "identifier.where(system = 'http://region.example/vtf').value",
    "identifier.where(use = 'official').value.first()",
    "location.where(status = 'active').location.reference",
    "extension('http://losus.example/home-municipality').value.code",
    "extension.where(url = 'http://losus.example/expected-discharge').value",
    "period.end.exists().not() and status = 'in-progress'",
    "subject.reference.replace('Patient/', '')",
    "iif(period.end.exists(), period.end, period.start)",
    "meta.versionId.toInteger()",
)
ON_TASK = (
    "Task.code.coding.where(system = 'http://losus.example/steps').code",
    "code.coding.exists(system = 'http://losus.example/steps' and code = 'ready')",
    "input.where(type.text = 'criterion').value.coding.code",
    "input.where(type.text = 'met-at').value",
    "status = 'completed' and executionPeriod.end.exists()",
    "focus.reference.startsWith('Encounter/')",
)
ON_MESSAGE = (
    "Bundle.entry.resource.ofType(Encounter).status",
    "entry.resource.ofType(MessageHeader).event.code",
    "entry.resource.ofType(Encounter).episodeOfCare.identifier.value",
    "entry.resource.where(resourceType = 'Patient').identifier.where(system.exists()).value",
    "entry.resource.ofType(Provenance).occurred",
    "entry.resource.ofType(Provenance).activity.coding.code",
    "entry.resource.ofType(Encounter).period.start",
)


def measure() -> dict[str, Any]:
    """Ratios by expression, their median, least, and the evaluations per second on both sides."""
    rows = [_row(text, resource) for text, resource in _cases()]
    ratios = [row["ratio"] for row in rows]
    return {
        "expressions": rows,
        "median": statistics.median(ratios),
        "least": min(ratios),
        "total": sum(row["library_us"] for row in rows) / sum(row["compiled_us"] for row in rows),
    }


def _cases() -> list[tuple[str, dict[str, Any]]]:
    cases = [(text, ENCOUNTER) for text in ON_ENCOUNTER] + [(text, TASK) for text in ON_TASK]
    if MESSAGE.exists():
        message = json.loads(MESSAGE.read_bytes())
        cases += [(text, message) for text in ON_MESSAGE]
    return cases


def _row(text: str, resource: dict[str, Any]) -> dict[str, Any]:
    ours = compile_expression(text)
    theirs: Any = compile_by_library(text, models["r4"])
    if not ours.compiled_for(resource):
        raise AssertionError(f"not compiled: {text}")
    if ours(resource) != theirs(resource):
        raise AssertionError(f"the two differ on: {text}")
    pairs = [(_time_us(lambda: theirs(resource)), _time_us(lambda: ours(resource))) for _ in range(REPEATS)]
    library_us, compiled_us = (statistics.median(side) for side in zip(*pairs, strict=True))
    return {
        "text": text,
        "library_us": library_us,
        "compiled_us": compiled_us,
        "ratio": library_us / compiled_us,
    }


def _time_us(work: Callable[[], object]) -> float:
    """Microseconds for one call: the mean over a slice of time."""
    number, begin = 0, time.perf_counter()
    while (spent := time.perf_counter() - begin) < SLICE_S:
        for _ in range(10):
            work()
        number += 10
    return spent / number * 1e6


def main() -> int:
    """Print the table; 1 where the median is below ten."""
    found = measure()
    for row in found["expressions"]:
        times = f"{row['library_us']:9.1f} µs {row['compiled_us']:7.2f} µs {row['ratio']:6.1f} ×"
        sys.stdout.write(f"{times}  {row['text']}\n")
    rounded = {key: str(Decimal(found[key]).quantize(Decimal("0.1"))) for key in ("median", "least", "total")}
    sys.stdout.write(f"{json.dumps(rounded)}\n")
    return 0 if found["median"] >= 10 else 1


if __name__ == "__main__":
    raise SystemExit(main())
