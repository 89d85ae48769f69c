"""What is wrong with bytes that orjson does not read as JSON, in words that help to mend it.

Owns the second, slow look at them; does not own the first (`document`). What is JSON but more than FHIR's
types hold, as a number beyond a double, is told as such with its path; what is no JSON, by line and column
or by its encoding. No fault holds a value.
Source: RFC 8259, 6 (numbers), 7 (strings), 8.1 (UTF-8), 8.2 (lone surrogates); R4 json.
"""

import codecs
import json
from collections.abc import Callable
from math import isinf
from typing import Any

import orjson

from adapter.errors import InputError, MalformedError, Problem, ResourceError
from adapter.fhir.places import holds, place_of

#: What UTF-16 and UTF-32 begin with, where they say what they are; UTF-32's own begins with UTF-16's.
_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE, codecs.BOM_UTF32_BE)
_ENCODING = "JSON is written in UTF-8 (RFC 8259, 8.1)"
_NUMBER = "a number out of range of a double (IEEE 754)"
_HALF = "an unpaired surrogate (RFC 8259, 8.2)"
_CONSTANT = "NaN and Infinity are no numbers of JSON (RFC 8259, 6)"
_CONTROL = "an unescaped control character (RFC 8259, 7)"


class _Beyond:
    """Stands for a value that cannot be taken."""


def json_fault(body: bytes, error: orjson.JSONDecodeError, max_depth: int) -> InputError:
    """What is wrong with `body`, which orjson refused with `error`."""
    if body.startswith(_MARKS) or b"\0" in body[:4]:  # the first character of an object is ASCII
        return MalformedError(Problem("structure", f"{_ENCODING}; this is UTF-16 or UTF-32"))
    numbers, constants = _Beyond(), _Beyond()
    try:
        document = _read(body.decode(), numbers, constants)
    except UnicodeDecodeError as fault:
        rule = f"{_ENCODING}; byte {fault.start + 1} belongs to another encoding"
        return MalformedError(Problem("structure", rule))
    except RecursionError:
        return too_deep(max_depth)
    except json.JSONDecodeError as fault:
        rule = _CONTROL if fault.msg.startswith("Invalid control character") else "no JSON"
        rule = rule if body.strip() else "no JSON: the body is empty"
        return MalformedError(Problem("structure", f"{rule}, at line {fault.lineno}, column {fault.colno}"))
    rule = "no JSON object"
    if isinstance(document, dict):
        if (unheld := _unheld(document, numbers, constants)) is not None:
            return unheld
        rule = f"a value that cannot be taken, at line {error.lineno}, column {error.colno}"
    return MalformedError(Problem("structure", rule))


def _read(text: str, numbers: _Beyond, constants: _Beyond) -> Any:  # noqa: ANN401 - any JSON value
    """Read `text` as Python does; what cannot be taken is told by the value that stands for it."""
    number = _held(numbers)
    return json.loads(text, parse_float=number, parse_int=number, parse_constant=lambda _: constants)


def too_deep(max_depth: int) -> ResourceError:
    """The fault of a document that is nested deeper than is read."""
    return ResourceError(Problem("too-costly", f"nested deeper than {max_depth}"))


def _held(beyond: _Beyond) -> Callable[[str], Any]:
    """Read a number as far as a double holds it."""

    def read(text: str) -> Any:  # noqa: ANN401 - a number, or what stands for one
        return beyond if isinf(float(text)) else 0

    return read


def _unheld(document: dict[str, Any], numbers: _Beyond, constants: _Beyond) -> InputError | None:
    """The first thing in a document that Python reads and orjson does not."""
    if holds(document, lambda value: value is constants):
        place = place_of(document, lambda value: value is constants)
        return MalformedError(Problem("structure", _CONSTANT, place))
    if holds(document, lambda value: value is numbers):
        return ResourceError(Problem("value", _NUMBER, place_of(document, lambda value: value is numbers)))
    if holds(document, _is_half):
        return ResourceError(Problem("value", _HALF, place_of(document, _is_half)))
    return None


def _is_half(value: Any) -> bool:  # noqa: ANN401 - any JSON value
    """Whether a text, or a name of an object, holds a surrogate that stands alone."""
    texts = (value,) if isinstance(value, str) else value if isinstance(value, dict) else ()
    return any(not text.isascii() and any("\ud800" <= one <= "\udfff" for one in text) for text in texts)
