"""Bytes into a document, JSON or XML, within limits: one read of the body.

Owns syntax, size, depth and number of entries; does not own what the document means, nor XML (`xml`), nor the
words for what is no JSON (`json_faults`).
"""

import codecs
import json
import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

import orjson

from adapter.errors import MalformedError, Problem, ResourceError, TooLargeError
from adapter.fhir.json_faults import json_fault, too_deep
from adapter.fhir.model import FhirVersion
from adapter.fhir.places import place_of
from adapter.fhir.xml import parse_xml

#: A FHIR message is some tens of kilobytes; the limits are settings, these their defaults.
MAX_BYTES = 2_000_000
MAX_DEPTH = 60
MAX_ENTRIES = 1_000

_SPACES = b" \t\r\n"
#: An escape of JSON; its group a control character that FHIR allows in no text. `_HINT` finds all of them.
_ESCAPE = re.compile(rb"\\(?:([bf]|u00(?:0[0-8bcefBCEF]|1[0-9a-fA-F]))|.)", re.DOTALL)
_HINT = re.compile(rb"\\(?:[bf]|u00[01])")
_CONTROLS = frozenset(map(chr, range(32))) - frozenset("\t\r\n")

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
    """The resource in `body`, as `parse_json` has it, whichever way it is written.

    Numbers too: who keeps or compares what was read need not know how it was sent. `xml.parse_xml` alone
    keeps the scale of decimals, which nothing that comes in is reckoned with.
    Raises what `parse_json` and `xml.parse_xml` raise, and TooLargeError where it is a Bundle of more
    entries than `limits` allow.
    """
    held = limits or Limits()
    if media == "json":
        document = parse_json(body, max_bytes=held.max_bytes, max_depth=held.max_depth)
    else:
        exact = parse_xml(body, version, max_bytes=held.max_bytes, max_depth=held.max_depth)
        document = orjson.loads(orjson.dumps(exact, default=_digits))
    entries = document.get("entry")
    if isinstance(entries, list) and len(entries) > held.max_entries:
        rule = f"a Bundle may have {held.max_entries} entries"
        raise TooLargeError(Problem("too-costly", rule, "Bundle.entry"))
    return document


def _digits(value: Decimal) -> orjson.Fragment:
    """The digits that a decimal was written with."""
    return orjson.Fragment(str(value))


def parse_json(body: bytes, *, max_bytes: int = MAX_BYTES, max_depth: int = MAX_DEPTH) -> dict[str, Any]:
    """The JSON object in `body`.

    A byte order mark before it is passed over (RFC 8259, 8.1). Raises TooLargeError over `max_bytes`;
    MalformedError where it is no JSON object in UTF-8, or an object in it says one name twice (orjson would
    take the last, another reader the first); ResourceError where it is nested deeper than `max_depth`, or is
    JSON that FHIR cannot hold: a number beyond a double, half a character, a control character.
    """
    if len(body) > max_bytes:
        raise TooLargeError(Problem("too-long", f"a body may have {max_bytes} bytes"))
    body = body.removeprefix(codecs.BOM_UTF8)
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise json_fault(body, error, max_depth) from None
    if not isinstance(document, dict):
        raise MalformedError(Problem("structure", "no JSON object"))
    names, is_deeper = _measure(document, max_depth)
    if is_deeper:
        raise too_deep(max_depth)
    if _HINT.search(body) and any(_ESCAPE.findall(body)):
        place = place_of(document, lambda value: type(value) is str and not _CONTROLS.isdisjoint(value))
        raise ResourceError(Problem("value", "a text of FHIR holds no control characters", place))
    if body.translate(None, _SPACES).count(b'":') != names:
        _refuse_repeated(body)
    return document


def _measure(document: dict[str, Any], left: int) -> tuple[int, bool]:
    """How many names `document` says in all, and whether it is nested deeper than `left` levels."""
    names = 0
    level: list[Any] = [document]
    while level and left:
        below: list[Any] = []
        for outer in level:
            values = outer
            if type(outer) is dict:
                names += len(outer)
                values = outer.values()
            below += [inner for inner in values if type(inner) is dict or type(inner) is list]
        level = below
        left -= 1
    return names, bool(level)


def _refuse_repeated(body: bytes) -> None:
    """Read `body` once more, slowly; MalformedError where an object says a name twice.

    Called only where the colons behind quotes are not as many as the names that orjson kept. Each name that
    was said has one, so there are more where one was said twice, or where a text begins with a colon.
    """
    repeated: list[dict[str, Any]] = []

    def keep(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        made = dict(pairs)
        if len(made) != len(pairs):
            repeated.append(made)
        return made

    document = json.loads(body, object_pairs_hook=keep, parse_int=str, parse_float=str)
    if repeated:
        place = place_of(document, lambda value: value is repeated[0])
        raise MalformedError(Problem("structure", "an object says a name twice", place))
