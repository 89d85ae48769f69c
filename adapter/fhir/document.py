"""Bytes into a document, JSON or XML, within limits: one read of the body.

Owns syntax, size, depth and number of entries; does not own what the document means, nor XML (`xml`).
"""

from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

import orjson

from adapter.errors import MalformedError, Problem, ResourceError, TooLargeError
from adapter.fhir.model import FhirVersion
from adapter.fhir.xml import parse_xml

#: A FHIR message is some tens of kilobytes; the limits are settings, these their defaults.
MAX_BYTES = 2_000_000
MAX_DEPTH = 60
MAX_ENTRIES = 1_000

#: How a document is written.
Media = Literal["json", "xml"]


@dataclass(frozen=True, slots=True)
class Limits:
    """How much of a document is read: bytes (unpacked), levels of nesting, entries of a Bundle."""

    max_bytes: int = MAX_BYTES
    max_depth: int = MAX_DEPTH
    max_entries: int = MAX_ENTRIES


def read_document(
    body: bytes, media: Media, version: FhirVersion, limits: Limits | None = None
) -> dict[str, Any]:
    """The resource in `body`, as FHIR JSON has it, whichever way it is written.

    Raises what `parse_json` and `xml.parse_xml` raise, and TooLargeError where it is a Bundle of more
    entries than `limits` allow.
    """
    held = limits or Limits()
    parse = parse_json if media == "json" else partial(parse_xml, version=version)
    document = parse(body, max_bytes=held.max_bytes, max_depth=held.max_depth)
    entries = document.get("entry")
    if isinstance(entries, list) and len(entries) > held.max_entries:
        rule = f"a Bundle may have {held.max_entries} entries"
        raise TooLargeError(Problem("too-costly", rule, "Bundle.entry"))
    return document


def parse_json(body: bytes, *, max_bytes: int = MAX_BYTES, max_depth: int = MAX_DEPTH) -> dict[str, Any]:
    """The JSON object in `body`.

    Raises TooLargeError over `max_bytes`, MalformedError where it is no JSON object, ResourceError
    where it is nested deeper than `max_depth` or holds a NUL, which FHIR forbids in every string.
    """
    if len(body) > max_bytes:
        raise TooLargeError(Problem("too-long", f"a body may have {max_bytes} bytes"))
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise MalformedError(
            Problem("structure", f"no JSON at line {error.lineno}, column {error.colno}")
        ) from None
    if not isinstance(document, dict):
        raise MalformedError(Problem("structure", "no JSON object"))
    if b"\\u0000" in body:
        raise ResourceError(Problem("value", "no string of FHIR may hold a NUL character"))
    if _deeper(document, max_depth):
        raise ResourceError(Problem("too-costly", f"nested deeper than {max_depth}"))
    return document


def _deeper(value: Any, left: int) -> bool:  # noqa: ANN401 - any JSON value
    """Whether `value` is nested deeper than `left` levels, walked level by level."""
    level = [value]
    while level and left:
        level = [
            inner
            for outer in level
            for inner in (outer.values() if type(outer) is dict else outer)
            if type(inner) in (dict, list)
        ]
        left -= 1
    return bool(level)
