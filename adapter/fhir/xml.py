"""FHIR XML into the same values that FHIR JSON is read into, within limits and without XML's traps.

Owns the reading; `to_xml` is in `xml_writer`. No document type, no entity and no reference to the outside
is taken (defusedxml); what is nested deeper than the limit is not read on. Comments and processing
instructions, as `xml-stylesheet`, are passed over; in a narrative, which is kept as it is written, no
instruction may stand. Which elements there are, and which are lists, the FHIR models say (`structure`), so
a list of one stays a list. fhir.resources reads XML too; measured, it loses the scale of decimals and the
extensions of primitives, and takes entities, so it is not used here.
Source: FHIR R4 and R5, XML representation.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import DefusedXMLParser, ParseError

from adapter.errors import MalformedError, Problem, ResourceError, TooLargeError
from adapter.fhir.model import FhirVersion
from adapter.fhir.narrative import XHTML, Narrative
from adapter.fhir.structure import Element, Structure, of_model, of_resource, primitive
from adapter.fhir.xml_writer import NAMESPACE, to_xml

__all__ = ["parse_xml", "to_xml"]

_SCHEMA_LOCATION = "{http://www.w3.org/2001/XMLSchema-instance}schemaLocation"
_BOM = b"\xef\xbb\xbf"
_BOOLEANS = {"true": True, "false": False}
_INTEGERS = frozenset(("integer", "positiveInt", "unsignedInt"))
_INTEGER = re.compile(r"[-+]?[0-9]{1,18}", re.ASCII)
_DECIMAL = re.compile(r"-?(?:0|[1-9][0-9]{0,39})(\.[0-9]{1,40})?([eE][+-]?[0-9]{1,3})?", re.ASCII)
_DIGITS_OF_INT = 18  # within 64 bits
_MAX_EXPONENT = 300  # what a double holds, as in JSON


def parse_xml(body: bytes, version: FhirVersion, *, max_bytes: int, max_depth: int) -> dict[str, Any]:
    """The resource in `body`, as FHIR JSON has it; decimals keep their scale (Decimal).

    Raises TooLargeError over `max_bytes`; MalformedError where it is no XML in UTF-8, or has a document
    type or an entity; ResourceError where it is nested deeper than `max_depth`
    elements, or what it holds is no resource of that FHIR `version`.
    """
    if len(body) > max_bytes:
        raise TooLargeError(Problem("too-long", f"a body may have {max_bytes} bytes"))
    source = body.removeprefix(_BOM)
    try:
        source.decode()
    except UnicodeDecodeError:
        raise MalformedError(Problem("structure", "FHIR is written in UTF-8")) from None
    reader = _Reader(source, version, max_depth)
    parser = DefusedXMLParser(target=reader, encoding="utf-8", forbid_dtd=True)
    reader.offset = lambda: int(parser.parser.CurrentByteIndex)
    try:
        parser.feed(source)
        parser.close()
    except ParseError as error:
        line, column = error.position
        raise MalformedError(Problem("structure", f"no XML at line {line}, column {column + 1}")) from None
    except DefusedXmlException:
        rule = "FHIR XML has no document type, and so no entities but XML's own"
        raise MalformedError(Problem("structure", rule)) from None
    return reader.resource


@dataclass(slots=True)
class _Object:
    """A resource or an element that is being read; of a primitive, `given` is what its value says.

    `place` is the object that it is an element of, and as which; a resource has none.
    `told` holds, by name, each child in order: what it is (the value of a primitive), and for a primitive
    its id and extensions.
    """

    structure: Structure
    path: str
    value: dict[str, Any]
    place: "tuple[_Object, Element] | None" = None
    given: Any = None
    told: dict[str, list[tuple[Any, Any]]] = field(default_factory=dict)

    def child(self, name: str) -> tuple[Element, str]:
        """The element of that name and its path; a fault where there is none, or it may stand but once."""
        element = self.structure.elements.get(name)
        if element is None or self.structure.is_attribute(name):
            raise _fault("an element that the FHIR model does not know", self.path)
        path = f"{self.path}.{name}"
        if element.many:
            return element, f"{path}[{len(self.told.get(name, ()))}]"
        if name in self.told:
            raise _fault("is no list, so it may stand but once", path)
        return element, path

    def take(self, element: Element, given: Any, extra: Any = None) -> None:  # noqa: ANN401 - JSON
        """Take a child that has been read."""
        self.told.setdefault(element.name, []).append((given, extra))

    def close(self) -> dict[str, Any]:
        """What was read, under its names; lists as lists, ids and extensions of primitives beside them."""
        for name, pairs in self.told.items():
            many = self.structure.elements[name].many
            for key, items in ((name, [one for one, _ in pairs]), ("_" + name, [two for _, two in pairs])):
                if any(item is not None for item in items):
                    self.value[key] = items if many else items[0]
        return self.value


@dataclass(slots=True)
class _Holder:
    """`contained` or `resource`: an element that holds one resource, by the resource's name."""

    path: str
    place: tuple[_Object, Element]
    resource: dict[str, Any] | None = None


class _Reader:
    """What the parser tells, in order; at the end the whole in `resource`."""

    resource: dict[str, Any]

    def __init__(self, source: bytes, version: FhirVersion, max_depth: int) -> None:
        self._source = source
        self._version = version
        self._left = max_depth
        self._stack: list[_Object | _Holder] = []
        self._narrative: tuple[Narrative, tuple[_Object, Element], int] | None = None
        self._spaces: list[tuple[str, str]] = []
        self.offset: Callable[[], int] = int

    def start_ns(self, prefix: str, uri: str) -> None:
        self._spaces.append((prefix, uri))

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        top = self._stack[-1] if self._stack else None
        self._left -= 1
        if self._left < 0:
            raise ResourceError(Problem("too-costly", "nested too deep", top.path if top else None))
        space, _, name = tag.rpartition("}")
        if self._narrative:
            self._narrative[0].start(tag, attributes, self._written(self.offset()))
        elif space == "{" + XHTML and isinstance(top, _Object):
            self._start_narrative(top, tag, attributes)
        elif space != "{" + NAMESPACE:
            raise _fault(f"an element of another namespace than {NAMESPACE}", top.path if top else None)
        elif isinstance(top, _Object):
            self._start_element(top, name, attributes)
        else:
            self._start_resource(top, name, attributes)
        self._spaces.clear()

    def _start_resource(self, holder: _Holder | None, name: str, attributes: dict[str, str]) -> None:
        path = holder.path if holder else None
        structure = of_resource(name, self._version)
        if structure is None:
            rule = "no resource type of this FHIR version"
            raise ResourceError(Problem("not-supported", rule, path or "resourceType"))
        if holder and holder.resource is not None:
            raise _fault("holds one resource", path)
        if set(attributes) - {_SCHEMA_LOCATION}:
            raise _fault("a resource has no attributes", path or name)
        value = {"resourceType": name}
        if holder:
            holder.resource = value
        else:
            self.resource = value
        self._stack.append(_Object(structure, path or name, value))

    def _start_element(self, top: _Object, name: str, attributes: dict[str, str]) -> None:
        element, path = top.child(name)
        if element.kind == "Resource":
            if attributes:
                raise _fault("holds one resource and has no attributes", path)
            self._stack.append(_Holder(path, (top, element)))
            return
        if element.kind == "xhtml":
            raise _fault("a narrative is a div of XHTML", path)
        is_primitive = element.inner is None
        structure = primitive(self._version) if element.inner is None else of_model(element.inner)
        made = _Object(structure, path, {}, (top, element))
        for key, text in attributes.items():
            if is_primitive and key == "value":
                made.given = _value(element.kind, text, path)
            elif key in structure.elements and structure.is_attribute(key):
                made.value[key] = text
            else:
                raise _fault("an attribute that the FHIR model does not know", path)
        self._stack.append(made)

    def _start_narrative(self, top: _Object, tag: str, attributes: dict[str, str]) -> None:
        element, path = top.child(tag.rpartition("}")[2])
        if element.kind != "xhtml":
            raise _fault("an element of another namespace", path)
        narrative = Narrative(path, declares=("", XHTML) in self._spaces)
        start = self.offset()
        self._narrative = narrative, (top, element), start
        narrative.start(tag, attributes, self._written(start))

    def _written(self, start: int) -> bytes:
        """The source from `start` on, as much of it as a tag's name may take."""
        return self._source[start : start + 80]

    def end(self, tag: str) -> None:
        self._left += 1
        if self._narrative:
            self._end_narrative(*self._narrative, tag)
            return
        done = self._stack.pop()
        if isinstance(done, _Holder):
            if done.resource is None:
                raise _fault("holds one resource", done.path)
            above, element = done.place
            above.take(element, done.resource)
            return
        value = done.close()
        if done.place:
            above, element = done.place
            if element.inner is None:
                above.take(element, done.given, value or None)
            else:
                above.take(element, value)

    def _end_narrative(
        self, narrative: Narrative, place: tuple[_Object, Element], start: int, tag: str
    ) -> None:
        is_empty = narrative.end(tag)
        if narrative.depth:
            return
        end = self.offset()  # the start of the end tag; behind the element where it is one empty tag
        if not (is_empty and self._source[end - 2 : end] == b"/>"):
            end = self._source.index(b">", end) + 1
        above, element = place
        above.take(element, narrative.text(self._source[start:end]))
        self._narrative = None

    def data(self, text: str) -> None:
        if self._narrative:
            self._narrative[0].data(text)
        elif text.strip(" \t\r\n"):
            raise _fault("an element of FHIR holds no text", self._stack[-1].path)

    def pi(self, _target: str, _data: str | None = None) -> None:
        """Pass over a processing instruction: it is for whoever shows the document (XML 1.0, 2.6)."""
        if self._narrative:
            element = self._narrative[1]
            raise _fault("a narrative holds XHTML alone", f"{element[0].path}.{element[1].name}")

    def close(self) -> None:
        """Nothing is left to do: the last end tag closed the resource."""


def _value(kind: str, text: str, path: str) -> bool | int | Decimal | str:
    """What the text of a value attribute is in FHIR JSON."""
    if kind == "boolean":
        if text not in _BOOLEANS:
            raise ResourceError(Problem("value", "is to be true or false", path))
        return _BOOLEANS[text]
    if kind in _INTEGERS:
        if not _INTEGER.fullmatch(text):
            raise ResourceError(Problem("value", "is to be a whole number", path))
        return int(text)
    if kind == "decimal":
        number = _DECIMAL.fullmatch(text)
        if number is None or abs(int((number[2] or "e0")[1:])) > _MAX_EXPONENT:
            raise ResourceError(Problem("value", "is to be a decimal number", path))
        is_whole = not number[1] and not number[2] and len(text) <= _DIGITS_OF_INT
        return int(text) if is_whole else Decimal(text)
    return text


def _fault(rule: str, path: str | None) -> ResourceError:
    return ResourceError(Problem("structure", rule, path))
