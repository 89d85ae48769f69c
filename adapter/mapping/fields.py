"""The fields that a signal may carry, and how what FHIRPath found becomes each one's value.

Owns the vocabulary of `with` (see `adapter.losus.signal`) and its conversions; does not own the
expressions. A value that does not fit is a fault that names the field and the rule, not the value.
"""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, time
from typing import Any

from adapter.losus.days import at_local
from adapter.losus.terms import Criterion

_KOMMUNKOD = re.compile(r"[0-9]{4}")
_DATE = re.compile(r"\d{4}-\d\d-\d\d")
_CARE_FORMS = frozenset({"somatic", "psychiatric"})
_CRITERIA = frozenset(criterion.value for criterion in Criterion)


class FieldFault(ValueError):
    """A found value does not fit its field; `str()` says which rule, never the value."""


def instant(value: Any) -> datetime:  # noqa: ANN401 - whatever a FHIRPath found
    """A FHIR date, dateTime or instant as an aware UTC instant; a bare date is its local midnight."""
    if not isinstance(value, str):
        raise FieldFault("is no date or time")
    try:
        if _DATE.fullmatch(value):
            return at_local(date.fromisoformat(value), time()).astimezone(UTC)
        moment = datetime.fromisoformat(value)
        if moment.tzinfo is not None:
            return moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise FieldFault("is no whole date (YYYY-MM-DD) or time with zone") from None
    raise FieldFault("has no time zone")


def is_day(value: Any) -> bool:  # noqa: ANN401 - whatever a FHIRPath found
    """Whether a FHIR time is given to the day only."""
    return isinstance(value, str) and _DATE.fullmatch(value) is not None


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


def _moment(found: list[Any]) -> str:
    value = _single(found)
    if is_day(value):
        return str(value)
    return instant(value).isoformat()


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
    "protected": _truth,
    "merged_into": _text,
    "care_form": _one_of(_CARE_FORMS),
    "compulsory": _truth,
    "expected": _moment,
    "consent": _text,
    "criterion": _one_of(_CRITERIA),
    "coordinator": _truth,
    "meeting_at": _moment,
    "destination": _text,
    "reason": _text,
}

#: Field → its parts, each a text.
PARTS: dict[str, tuple[str, ...]] = {
    "unit": ("id", "name"),
    "contact": ("name", "unit", "phone"),
}
