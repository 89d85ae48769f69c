"""Bytes into a JSON document, within limits: one read of the body.

Owns syntax, size and depth; does not own what the document means.
"""

from typing import Any

import orjson

from adapter.errors import MalformedError, Problem, ResourceError, TooLargeError

#: A FHIR message is some tens of kilobytes; the limits are settings, these their defaults.
MAX_BYTES = 2_000_000
MAX_DEPTH = 60


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
