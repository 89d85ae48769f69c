"""The fields that a signal may carry, and how what FHIRPath found becomes each one's value.

Owns the vocabulary of `with` (see `adapter.losus.signal`) and its conversions; does not own the
expressions. A value that does not fit is a fault that names the field and the rule, not the value.
"""

import re
from collections.abc import Callable
from typing import Any

from adapter.losus.days import local_day
from adapter.losus.moments import Precision, Span, TimeFault, span
from adapter.losus.terms import Criterion

_KOMMUNKOD = re.compile(r"[0-9]{4}")
_CARE_FORMS = frozenset({"somatic", "psychiatric"})
_CRITERIA = frozenset(criterion.value for criterion in Criterion)


class FieldFault(ValueError):
    """A found value does not fit its field; `str()` says which rule, never the value."""


def _single(found: list[Any]) -> Any:  # noqa: ANN401 - a JSON value
    if len(found) > 1:
        raise FieldFault("was found more than once")
    return found[0]


def _text(found: list[Any]) -> str:
    value = _single(found)
    if not isinstance(value, str):
        raise FieldFault("is no text")
    return value


def _truth(found: list[Any]) -> bool:
    value = _single(found)
    if not isinstance(value, bool):
        raise FieldFault("is neither true nor false")
    return value


def _kommunkod(found: list[Any]) -> str:
    value = _text(found)
    if not _KOMMUNKOD.fullmatch(value):
        raise FieldFault("is no kommunkod of four digits")
    return value


def _one_of(words: frozenset[str]) -> Callable[[list[Any]], str]:
    def convert(found: list[Any]) -> str:
        value = _text(found)
        if value not in words:
            raise FieldFault("is none of " + ", ".join(sorted(words)))
        return value

    return convert


def _planned_end(found: list[Any]) -> str:
    """A planned end, as precisely as it is known: an instant, else the last local date that it may be."""
    end = _span(found)
    if end.precision is Precision.CLOCK:
        return end.last.isoformat()
    return local_day(end.last).isoformat()


def _moment(found: list[Any]) -> str:
    return _span(found).first.isoformat()


def _span(found: list[Any]) -> Span:
    try:
        return span(_single(found))
    except TimeFault as fault:
        raise FieldFault(str(fault)) from None


def _texts(found: list[Any]) -> list[str]:
    if not all(isinstance(value, str) for value in found):
        raise FieldFault("is no list of texts")
    return sorted(set(found))


def _identifiers(found: list[Any]) -> list[dict[str, str]]:
    pairs = {
        (str(value.get("system", "")), str(value["value"]))
        for value in found
        if isinstance(value, dict) and value.get("value")
    }
    return [{"system": system, "value": value} for system, value in sorted(pairs)]


#: Field → conversion of what was found (never empty) to its value.
FIELDS: dict[str, Callable[[list[Any]], Any]] = {
    "identifiers": _identifiers,
    "name": _text,
    "address": _text,
    "municipality": _kommunkod,
    "placing_municipality": _kommunkod,
    "organizations": _texts,
    "open_care_units": _texts,
    "hospital": _texts,
    "protected": _truth,
    "protected_registration": _truth,
    "merged_into": _text,
    "care_form": _one_of(_CARE_FORMS),
    "compulsory": _truth,
    "expected": _planned_end,
    "consent": _text,
    "criterion": _one_of(_CRITERIA),
    "coordinator": _truth,
    "open_care": _truth,
    "meeting_at": _moment,
    "place": _text,
    "destination": _text,
    "reason": _text,
}

#: Field → its parts, each a text.
PARTS: dict[str, tuple[str, ...]] = {
    "unit": ("id", "name"),
    "contact": ("name", "unit", "phone"),
    "caller": ("name", "unit"),
}
