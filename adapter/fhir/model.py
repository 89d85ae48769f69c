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


_PACKAGE = {
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
_OTHER = ("value", "does not fit the FHIR model")


@cache
def model(kind: str, version: FhirVersion) -> type[FHIRAbstractModel] | None:
    """The model class of resource type `kind`, or None where that version has no such type."""
    if not kind.isascii() or not kind.isalpha() or not kind[0].isupper():
        return None
    try:
        found = getattr(import_module(_PACKAGE[version] + kind.lower()), kind, None)
    except ModuleNotFoundError:
        return None
    is_resource = (
        isinstance(found, type) and issubclass(found, FHIRAbstractModel) and found.has_resource_base()
    )
    return found if is_resource else None


def validate(resource: dict[str, Any], version: FhirVersion) -> list[Problem]:
    """All faults that fhir.resources finds in `resource`; empty where it is sound."""
    kind = resource["resourceType"]
    found = model(kind, version)
    if found is None:
        return [Problem("not-supported", "no resource type of this FHIR version", "resourceType")]
    try:
        found.model_validate(resource)
    except ValidationError as error:
        faults = error.errors(include_input=False, include_url=False, include_context=False)
        return [_problem(kind, fault["type"], fault["loc"]) for fault in faults]
    except (KeyError, TypeError, AttributeError, ValueError, RecursionError):
        # fhir.resources looks contained resources up by name and lets what it does not find through
        return [Problem("structure", "a resource inside this one has no known type or form", kind)]
    return []


def _problem(kind: str, fault: str, loc: tuple[int | str, ...]) -> Problem:
    code, rule = _RULES.get(fault, _OTHER)
    if fault == "extra_forbidden":
        loc = loc[:-1]  # the unknown name is the message's own word
    return Problem(code, rule, "".join(_steps(kind, loc)))


def _steps(kind: str, loc: tuple[int | str, ...]) -> Iterator[str]:
    yield kind
    for step in loc:
        if isinstance(step, int):
            yield f"[{step}]"
        elif step.isidentifier():
            yield f".{step}"
