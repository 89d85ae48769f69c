"""A FHIR resource, as JSON has it, as FHIR XML.

Owns the writing: elements in the specification's order, decimals digit by digit, ids and extensions of
primitives inside them; does not own which elements there are (`structure`) nor whether they are sound.
Source: FHIR R4 and R5, XML representation.
"""

import re
from collections.abc import Iterable
from decimal import Decimal
from itertools import zip_longest
from math import isfinite
from typing import Any

from adapter.errors import Problem, ResourceError
from adapter.fhir.model import FhirVersion
from adapter.fhir.narrative import as_markup
from adapter.fhir.structure import Element, Structure, of_model, of_resource, primitive

NAMESPACE = "http://hl7.org/fhir"

_ESCAPES = str.maketrans(
    {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "\n": "&#10;", "\r": "&#13;", "\t": "&#9;"}
)
#: What no XML document can hold, not even escaped (XML 1.0, 2.2).
_UNWRITABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_BESIDE = ("resourceType", "fhir_comments")  # the first is the tag; the second is not of FHIR since DSTU2


def to_xml(resource: dict[str, Any], version: FhirVersion) -> bytes:
    """`resource` of FHIR `version` as an XML document in UTF-8.

    Raises ResourceError where it has an element that its type does not know, or a value that XML cannot
    hold.
    """
    writer = _Writer(version)
    writer.resource(resource, None)
    text = '<?xml version="1.0" encoding="UTF-8"?>' + "".join(writer.parts)
    return text.encode()


class _Writer:
    def __init__(self, version: FhirVersion) -> None:
        self._version = version
        self.parts: list[str] = []

    def resource(self, value: Any, path: str | None) -> None:  # noqa: ANN401 - any JSON value
        """Write a resource under its own name; `path` is where it stands, None for the whole."""
        kind = value.get("resourceType") if isinstance(value, dict) else None
        structure = of_resource(kind, self._version) if isinstance(kind, str) else None
        if structure is None:
            rule = "no resource type of this FHIR version"
            raise ResourceError(Problem("not-supported", rule, path or "resourceType"))
        space = f' xmlns="{NAMESPACE}"' if path is None else ""
        self._object(structure.name + space, structure.name, value, structure, path or structure.name)

    def _object(self, opening: str, tag: str, value: Any, structure: Structure, path: str) -> None:  # noqa: ANN401
        if not isinstance(value, dict):
            raise _fault("is to be an object", path)
        known = structure.elements
        if any(not _is_known(name, structure) for name in value):
            raise _fault("an element that the FHIR model does not know", path)
        self.parts.append("<" + opening)
        self._attributes(
            (name, _text(value[name], f"{path}.{name}"))
            for name in known
            if structure.is_attribute(name) and name in value
        )
        end = len(self.parts)
        self.parts.append(">")
        for name, element in known.items():
            if (name in value or "_" + name in value) and not structure.is_attribute(name):
                self._element(element, value.get(name), value.get("_" + name), f"{path}.{name}")
        if len(self.parts) == end + 1:
            self.parts[end] = "/>"
        else:
            self.parts.append(f"</{tag}>")

    def _attributes(self, pairs: Iterable[tuple[str, str]]) -> None:
        self.parts += [f' {name}="{text}"' for name, text in pairs]

    def _element(self, element: Element, value: Any, extra: Any, path: str) -> None:  # noqa: ANN401
        if not element.many:
            self._one(element, value, extra, path)
            return
        if not isinstance(value, list | None) or not isinstance(extra, list | None):
            raise _fault("is to be a list", path)
        for index, (one, two) in enumerate(zip_longest(value or (), extra or ())):
            self._one(element, one, two, f"{path}[{index}]")

    def _one(self, element: Element, value: Any, extra: Any, path: str) -> None:  # noqa: ANN401
        name = element.name
        if element.inner is None:
            if element.kind == "xhtml":
                self.parts.append(as_markup(value if isinstance(value, str) else "", path))
            elif value is not None or extra is not None:
                opening = name if value is None else f'{name} value="{_text(value, path)}"'
                self._object(opening, name, {} if extra is None else extra, primitive(self._version), path)
        elif extra is not None:
            raise _fault("an element that the FHIR model does not know", path)
        elif element.kind == "Resource":
            self.parts.append(f"<{name}>")
            self.resource(value, path)
            self.parts.append(f"</{name}>")
        else:
            self._object(name, name, value, of_model(element.inner), path)


def _is_known(name: str, structure: Structure) -> bool:
    """Whether a key of JSON is an element, or what stands beside a primitive that is no attribute in XML."""
    if name in structure.elements or name in _BESIDE:
        return True
    beside = name.removeprefix("_")
    return beside != name and beside in structure.elements and not structure.is_attribute(beside)


def _text(value: Any, path: str) -> str:  # noqa: ANN401 - any JSON value
    """The value of a primitive as the text of an attribute."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        if _UNWRITABLE.search(value):
            raise ResourceError(Problem("value", "a character that XML cannot hold", path))
        return value.translate(_ESCAPES)
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float | Decimal) and isfinite(value):
        return str(value)
    raise ResourceError(Problem("value", "is none of the primitives of FHIR", path))


def _fault(rule: str, path: str) -> ResourceError:
    return ResourceError(Problem("structure", rule, path))
