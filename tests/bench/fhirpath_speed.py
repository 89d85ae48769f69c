"""How many times faster than fhirpathpy's own compiled expressions ours run, on what mappings ask.

Run as a program to see it per expression; `measure()` gives the same as values. Both sides get the same
dicts and the same variables, and must give the same values before they are timed.
"""

import json
import os
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

from fhirpathpy import compile as compile_by_library
from fhirpathpy.models import models

from adapter.errors import MappingError
from adapter.mapping.fhirpath import Expression, compile_expression
from adapter.mapping.fhirpath.nodes import variables
from adapter.mapping.fhirpath.parser import parse
from adapter.mapping.load import load_mapping
from adapter.mapping.message import Message

SHARED = Path(os.environ.get("LOSUS_SHARED") or Path(__file__).parents[3] / "shared")
MESSAGE = SHARED / "data" / "medcom" / "HospitalNotification_Ex_SLHJ_H.json"
MAPPINGS = Path(__file__).parents[2] / "mappings"
FOLDERS = {"medcom-hospitalnotification": "medcom"}
"""Folders of the shared data whose messages a mapping reads, where not named as the mapping."""
Case = tuple[str, Callable[[], object], Callable[[], object]]
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
    """Give the ratios on `typical` expressions and on all that the `shipped` mappings evaluate.

    Of each: the rows, the median and the least ratio, and the ratio of the sums. `apart`: expressions
    of a shipped mapping on which the library fails or says something else; they are not timed.
    """
    apart: list[str] = []
    typical = [_row(*case) for case in _typical()]
    shipped = [_row(*case) for case in _shipped(apart)]
    return {"typical": _summary(typical), "shipped": _summary(shipped), "apart": apart}


def _summary(rows: list[dict[str, Any]]) -> dict[str, Any]:
    ratios = [row["ratio"] for row in rows] or [float("nan")]
    sums = [sum(row[side] for row in rows) for side in ("library_us", "compiled_us")]
    total = sums[0] / sums[1] if rows else float("nan")
    return {"rows": rows, "median": statistics.median(ratios), "least": min(ratios), "total": total}


def _typical() -> Iterator[Case]:
    cases = [(text, ENCOUNTER) for text in ON_ENCOUNTER] + [(text, TASK) for text in ON_TASK]
    if MESSAGE.exists():
        message = json.loads(MESSAGE.read_bytes())
        cases += [(text, message) for text in ON_MESSAGE]
    for text, resource in cases:
        ours, theirs = compile_expression(text), _by_library(text, None)
        if not ours.compiled_for(resource) or ours(resource) != theirs(resource, {}):
            raise AssertionError(f"not compiled, or the two differ: {text}")
        yield text, partial(ours, resource), partial(theirs, resource, {})


def _shipped(apart: list[str]) -> Iterator[Case]:
    """Every expression that a shipped mapping evaluates on its messages, once for each type of resource."""
    for file in sorted(MAPPINGS.glob("*.yaml")):
        for ours, resource, names, resolve in _asked(file):
            text = " ".join(ours.text.split())
            context = {name: names[name] for name in variables(parse(ours.text)) if name in names}
            theirs = _by_library(ours.text, resolve)
            given = {"resource": resource, **context}
            try:
                same = theirs(resource, given) == ours(resource, context, resolve)
            except Exception:  # noqa: BLE001 -- the library raises bare Exceptions
                same = False
            if same:
                yield text, partial(ours, resource, context, resolve), partial(theirs, resource, given)
            else:
                apart.append(f"{file.stem}: {text}")


def _asked(file: Path) -> Iterator[tuple[Expression, dict[str, Any], Any, Any]]:
    """What a mapping evaluates while it reads its messages."""
    asked: dict[tuple[str, str], tuple[Expression, dict[str, Any], Any, Any]] = {}
    evaluate = Expression.__call__

    def recorded(
        self: Expression, resource: dict[str, Any], context: Any = None, resolver: Any = None
    ) -> Any:
        asked.setdefault((self.text, resource["resourceType"]), (self, resource, context, resolver))
        return evaluate(self, resource, context, resolver)

    mapping = load_mapping(file)
    with patch.object(Expression, "__call__", recorded):
        for bundle in _messages(file.stem):
            inside = [entry.get("resource", {}) for entry in bundle.get("entry", [])] or [bundle]
            resources = [one for one in inside if "resourceType" in one]  # a deletion has no resource
            found = {f"{one['resourceType']}/{one.get('id')}": one for one in resources}
            message = Message(bundle, found.get, "2024-03-01T12:00:00+00:00", "2024-03-01T12:00:00+00:00")
            for resource in resources:
                with suppress(MappingError):
                    mapping.read("bench", resource, "Bundle", message)
    yield from asked.values()


def _messages(mapping: str) -> Iterator[dict[str, Any]]:
    folders = [MAPPINGS / "examples" / mapping, SHARED / "data" / FOLDERS.get(mapping, mapping)]
    for folder in folders:
        for path in sorted(folder.rglob("*.json")):
            yield json.loads(path.read_bytes())


def _by_library(text: str, resolve: Any) -> Any:
    def resolved(items: list[Any]) -> list[Any]:
        targets = [resolve(item["reference"] if isinstance(item, dict) else item) for item in items]
        return [target for target in targets if target is not None]

    table = {"resolve": {"fn": resolved, "arity": {0: []}}}
    return compile_by_library(text, models["r4"], {"userInvocationTable": table} if resolve else None)


def _row(text: str, ours: Callable[[], object], theirs: Callable[[], object]) -> dict[str, Any]:
    pairs = [(_time_us(theirs), _time_us(ours)) for _ in range(REPEATS)]
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
    """Print both tables; 1 where a median is below ten."""
    found = measure()
    for part in ("typical", "shipped"):
        for row in found[part]["rows"]:
            times = f"{row['library_us']:9.1f} µs {row['compiled_us']:7.2f} µs {row['ratio']:6.1f} ×"
            sys.stdout.write(f"{times}  {row['text'][:120]}\n")
    for text in found["apart"]:
        sys.stdout.write(f"not timed, the library fails or differs: {text[:120]}\n")
    for part in ("typical", "shipped"):
        sums = {key: round(found[part][key], 1) for key in ("median", "least", "total")}
        sys.stdout.write(f"{part}: {len(found[part]['rows'])} expressions, {json.dumps(sums)}\n")
    return 0 if min(found[part]["median"] for part in ("typical", "shipped")) >= 10 else 1


if __name__ == "__main__":
    raise SystemExit(main())
