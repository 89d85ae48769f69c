"""Code tables: FHIR ConceptMaps that turn an EHR's codes into this project's words.

Owns the translation of a code; does not own where a code stands (FHIRPath does) nor reading the files
(`load`). A code without a target is a fault that names the table, never silence and never the code.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from adapter.mapping.fields import FieldFault

Code = tuple[str, str]
"""A code as a table knows it: (system, code)."""

#: Targets that are no translation (R4 `equivalence`, R5 `relationship`).
_NO_TARGET = frozenset({"unmatched", "disjoint", "not-related-to"})


@dataclass(frozen=True, slots=True)
class ConceptMap:
    """A ConceptMap as a table: (system, code) to target code.

    `bare`: the same by the code alone, for elements of type `code`; a code that two systems give
    different targets is not in it. `rest`: the target of all other codes of a system, where the
    ConceptMap says so itself (`group.unmapped`, mode `fixed`).
    """

    name: str
    targets: Mapping[Code, str]
    bare: Mapping[str, str]
    rest: Mapping[str, str]

    def values(self) -> frozenset[str]:
        """Give every target that the table can lead to."""
        return frozenset((*self.targets.values(), *self.rest.values()))

    def target(self, system: str, code: str) -> str | None:
        """Give the target of one code; None where the table has none."""
        if not system:
            return self.bare.get(code)
        return self.targets.get((system, code)) or self.rest.get(system)


def concept_map(name: str, resource: Mapping[str, Any]) -> ConceptMap:
    """Read a FHIR ConceptMap resource (R4, R4B or R5: `group.source`, `element.code`, `target.code`).

    ValueError where a code has two targets, KeyError or TypeError where it is no ConceptMap.
    """
    if resource["resourceType"] != "ConceptMap":
        raise TypeError("no ConceptMap")
    targets: dict[Code, str] = {}
    rest: dict[str, str] = {}
    for group in resource.get("group", ()):
        system = group.get("source", "")
        unmapped = group.get("unmapped") or {}
        if unmapped.get("mode") == "fixed":
            rest[system] = unmapped["code"]
        for code, target in _pairs(group):
            if targets.setdefault((system, code), target) != target:
                raise ValueError("a code has two targets")
    return ConceptMap(name, targets, _bare(targets), rest)


def _pairs(group: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for element in group.get("element", ()):
        for target in element.get("target", ()):
            if not _NO_TARGET & {target.get("equivalence"), target.get("relationship")}:
                yield element["code"], target["code"]


def _bare(targets: Mapping[Code, str]) -> dict[str, str]:
    found: dict[str, set[str]] = {}
    for (_, code), target in targets.items():
        found.setdefault(code, set()).add(target)
    return {code: next(iter(several)) for code, several in found.items() if len(several) == 1}


def translate(table: ConceptMap, found: Iterable[Any]) -> list[str]:
    """Give the targets of what was found: codes, Codings, CodeableConcepts or CodeableReferences.

    A concept may stand in several codes that mean the same: one of them must be in the table. Words
    without a code are no code and give nothing. FieldFault where the table has no target.
    """
    targets: dict[str, None] = {}
    for item in found:
        codes = list(_codes(item))
        known = [target for system, code in codes if (target := table.target(system, code)) is not None]
        if codes and not known:
            raise FieldFault(f"has a code that the table {table.name} does not hold")
        if len(set(known)) > 1:
            raise FieldFault(f"has codes that mean different things in the table {table.name}")
        targets.update(dict.fromkeys(known))
    return list(targets)


def _codes(item: Any) -> Iterator[Code]:  # noqa: ANN401 - whatever FHIRPath found
    if not isinstance(item, dict):
        yield "", str(item)
    elif "concept" in item:
        yield from _codes(item["concept"])
    elif "coding" in item:
        for coding in item["coding"]:
            yield from _codes(coding)
    elif "code" in item:
        yield str(item.get("system", "")), str(item["code"])
