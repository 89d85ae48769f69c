"""The FHIR models of each version, and a resource held against its model (fhir.resources).

Owns the choice of model and the words for its faults; does not own what the models do not check
(`rules`). The faults say where (FHIRPath) and which rule, never what the message says.
"""

from collections.abc import Iterator
from enum import StrEnum
from functools import cache
from importlib import import_module
from typing import Any

from fhir_core.fhirabstractmodel import FHIRAbstractModel
from pydantic import ValidationError

from adapter.errors import Problem


class FhirVersion(StrEnum):
    """The versions that are spoken: R4 4.0.1 and R4B 4.3.0 (one set of models), R5 5.0.0."""

    R4 = "R4"
    R4B = "R4B"
    R5 = "R5"


#: Where the models of each version are.
PACKAGE = {
    FhirVersion.R4: "fhir.resources.R4B.",  # R4 4.0.1 and R4B agree in all that is read here
    FhirVersion.R4B: "fhir.resources.R4B.",
    FhirVersion.R5: "fhir.resources.",
}

#: pydantic's kind of fault → FHIR issue code and our words for it.
_RULES: dict[str, tuple[str, str]] = {
    "missing": ("required", "a required element is missing"),
    "extra_forbidden": ("structure", "an element that the FHIR model does not know"),
    "string_type": ("value", "is to be a text"),
    "list_type": ("structure", "is to be a list"),
    "dict_type": ("structure", "is to be an object"),
    "bool_type": ("value", "is to be true or false"),
    "bool_parsing": ("value", "is to be true or false"),
    "int_type": ("value", "is to be a whole number"),
    "int_parsing": ("value", "is to be a whole number"),
    "string_pattern_mismatch": ("value", "does not have the form of its FHIR type"),
    "string_too_short": ("value", "is empty"),
    "value_error": ("value", "does not have the form of its FHIR type, or breaks a rule of the model"),
}
#: Where fhir.resources says that a resource is of another type than is asked for; no element has that name.
_OF_ANOTHER_TYPE = (("root",), ("resource_type",))
_OTHER = ("value", "does not fit the FHIR model")


@cache
def model(kind: str, version: FhirVersion) -> type[FHIRAbstractModel] | None:
    """The model class of resource type `kind`, or None where that version has no such type."""
    if not kind.isascii() or not kind.isalpha() or not kind[0].isupper():
        return None
    try:
        found = getattr(import_module(PACKAGE[version] + kind.lower()), kind, None)
    except ModuleNotFoundError:
        return None
    is_resource = (
        isinstance(found, type) and issubclass(found, FHIRAbstractModel) and found.has_resource_base()
    )
    return found if is_resource else None


def validate(resource: dict[str, Any], version: FhirVersion) -> list[Problem]:
    """All faults that fhir.resources finds in `resource`; empty where it is sound.

    The resources of a Bundle are held each against its own model first, so that a fault is told where
    it is; an unknown type of one would otherwise be a fault of the whole.
    """
    kind = resource["resourceType"]
    if model(kind, version) is None:
        return [_unknown(None)]
    entries = resource.get("entry")
    if kind != "Bundle" or not isinstance(entries, list):
        return _parse(resource, version, kind)[1]
    problems: list[Problem] = []
    shell = {**resource, "entry": [_entry(one, version, i, problems) for i, one in enumerate(entries)]}
    return problems + _parse(shell, version, kind)[1]


def _entry(entry: Any, version: FhirVersion, index: int, problems: list[Problem]) -> Any:  # noqa: ANN401 - JSON
    """The entry with its resource as a model; a resource with faults is left out, and they are told."""
    inner = entry.get("resource") if isinstance(entry, dict) else None
    if not isinstance(inner, dict) or not isinstance(inner.get("resourceType"), str):
        return entry
    found, faults = _parse(inner, version, f"Bundle.entry[{index}].resource")
    problems += faults
    if found is None:
        return {name: value for name, value in entry.items() if name != "resource"}
    return {**entry, "resource": found}


def _parse(
    resource: dict[str, Any], version: FhirVersion, path: str
) -> tuple[FHIRAbstractModel | None, list[Problem]]:
    found = model(resource["resourceType"], version)
    if found is None:
        return None, [_unknown(path)]
    try:
        return found.model_validate(resource), []
    except ValidationError as error:
        faults = error.errors(include_input=False, include_url=False, include_context=False)
        problems = list(_unknown_inside(resource, version, path))
        known = (fault for fault in faults if not problems or fault["loc"][-1:] not in _OF_ANOTHER_TYPE)
        return None, [*problems, *(_problem(path, fault["type"], fault["loc"]) for fault in known)]
    except (KeyError, TypeError, AttributeError, ValueError, RecursionError):
        # fhir.resources looks contained resources up by name and lets what it does not find through
        problems = list(_unknown_inside(resource, version, path))
        return None, problems or [Problem("structure", "a resource inside this one has no known form", path)]


def _unknown(path: str | None) -> Problem:
    """A resource of no known type at `path`, or on its own; its type is the message's own word."""
    place = "resourceType" if path is None else f"{path}.resourceType"
    return Problem("not-supported", "no resource type of this FHIR version", place)


def _unknown_inside(resource: dict[str, Any], version: FhirVersion, path: str) -> Iterator[Problem]:
    """The resources inside `resource`, of Bundles and contained, that are of no known type."""
    contained, entries = resource.get("contained"), resource.get("entry")
    inside: list[tuple[str, Any]] = []
    if isinstance(contained, list):
        inside += [(f"{path}.contained[{i}]", one) for i, one in enumerate(contained)]
    if isinstance(entries, list):
        held = ((i, one.get("resource")) for i, one in enumerate(entries) if isinstance(one, dict))
        inside += [(f"{path}.entry[{i}].resource", one) for i, one in held]
    for place, one in inside:
        if not isinstance(one, dict):
            continue
        kind = one.get("resourceType")
        if not isinstance(kind, str) or model(kind, version) is None:
            yield _unknown(place)
        else:
            yield from _unknown_inside(one, version, place)


def _problem(path: str, fault: str, loc: tuple[int | str, ...]) -> Problem:
    code, rule = _RULES.get(fault, _OTHER)
    if fault == "extra_forbidden" or loc[-1:] in _OF_ANOTHER_TYPE:
        loc = loc[:-1]  # the unknown name is the message's own word
    return Problem(code, rule, "".join(_steps(path, loc)))


def _steps(path: str, loc: tuple[int | str, ...]) -> Iterator[str]:
    yield path
    for step in loc:
        if isinstance(step, int):
            yield f"[{step}]"
        elif step.isidentifier():
            yield f".{step.removeprefix('_')}"  # what stands beside a primitive is part of it
