"""Code tables: FHIR ConceptMaps that turn an EHR's codes into this project's words.

Owns the translation of one code; does not own where a code stands (FHIRPath does) nor reading
the files (`load`). A code without a target is a fault that names the table, never silence.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from adapter.mapping.fields import FieldFault


@dataclass(frozen=True, slots=True)
class ConceptMap:
    """A ConceptMap as a table: (system, code) to target code. `system` is "" for a bare code."""

    name: str
    targets: Mapping[tuple[str, str], str]


def concept_map(name: str, resource: Mapping[str, Any]) -> ConceptMap:
    """The table of a FHIR R4 ConceptMap resource (`group.source`, `element.code`, `target.code`)."""
    targets: dict[tuple[str, str], str] = {}
    for group in resource.get("group", ()):
        for element in group.get("element", ()):
            for target in element.get("target", ()):
                targets[(group.get("source", ""), element["code"])] = target["code"]
                targets.setdefault(("", element["code"]), target["code"])
    return ConceptMap(name, targets)


def translate(table: ConceptMap, found: Any) -> str:  # noqa: ANN401 - whatever FHIRPath found
    """The target of a Coding (by its system) or of a bare code; FieldFault where there is none."""
    if isinstance(found, dict):
        key = (str(found.get("system", "")), str(found.get("code", "")))
    else:
        key = ("", str(found))
    target = table.targets.get(key)
    if target is None:
        raise FieldFault(f"has a code that the table {table.name} does not hold")
    return target
