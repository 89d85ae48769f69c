"""Where a value stands in a document that nothing is known of yet, as FHIRPath.

Owns finding it, and that the path holds FHIR's own names alone: a name that no type knows is the message's
own word, so the path ends before it.
"""

from collections.abc import Callable, Iterator
from typing import Any

from adapter.fhir.model import FhirVersion
from adapter.fhir.structure import Structure, of_model, of_resource

_Step = str | int


def place_of(document: Any, is_meant: Callable[[Any], bool]) -> str | None:  # noqa: ANN401 - any JSON value
    """The path of the first value in `document` that is meant, as far as FHIR knows it, or None."""
    steps = _find(document, is_meant)
    if steps is None or not isinstance(document, dict):
        return None
    kind = document.get("resourceType")
    paths = ["".join(_path(document, steps, version)) for version in FhirVersion] if kind else [""]
    return max(paths, key=len) or None


def holds(document: Any, is_meant: Callable[[Any], bool]) -> bool:  # noqa: ANN401 - any JSON value
    """Whether any value in `document` is meant."""
    return _find(document, is_meant) is not None


def _find(document: Any, is_meant: Callable[[Any], bool]) -> list[_Step] | None:  # noqa: ANN401
    """The names and indices that lead to it."""
    waiting: list[tuple[Any, list[_Step]]] = [(document, [])]
    while waiting:
        value, steps = waiting.pop()
        if is_meant(value):
            return steps
        inside: list[tuple[_Step, Any]] = []
        if isinstance(value, dict):
            inside = list(value.items())
        elif isinstance(value, list):
            inside = list(enumerate(value))
        waiting += [(one, [*steps, step]) for step, one in reversed(inside)]
    return None


def _path(document: dict[str, Any], steps: list[_Step], version: FhirVersion) -> Iterator[str]:
    structure = _resource(document, version)
    if structure is None:
        return
    yield structure.name
    value: Any = document
    for step in steps:
        value = value[step]
        if isinstance(step, int):
            yield f"[{step}]"
            if isinstance(value, dict) and "resourceType" in value:
                structure = _resource(value, version)
            continue
        element = structure.elements.get(step.removeprefix("_")) if structure else None
        if element is None:
            return
        yield f".{element.name}"
        structure = of_model(element.inner) if element.inner else None
        if element.kind == "Resource":
            structure = _resource(value, version)


def _resource(value: Any, version: FhirVersion) -> Structure | None:  # noqa: ANN401
    kind = value.get("resourceType") if isinstance(value, dict) else None
    return of_resource(kind, version) if isinstance(kind, str) else None
