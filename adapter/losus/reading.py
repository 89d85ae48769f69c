"""Reading a signal's fields: the JSON values that a mapping wrote, as values of the domain.

Owns the checks of shape; a field that is not as `signal` documents it is a MappingError that names
the field, never its value. Does not own which field matters when.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any, TypeVar

from adapter.errors import MappingError, Problem
from adapter.losus.days import local_day
from adapter.losus.moments import Precision, Span, TimeFault, YearFault, span
from adapter.losus.terms import Criterion

T = TypeVar("T")

#: What a field must be, in FHIR's and JSON's words.
_WORDS: dict[type, str] = {bool: "true or false", dict: "an object", str: "a text"}


def fault(field: str, rule: str) -> MappingError:
    """Make the error that says what is wrong with a field, without its value."""
    return MappingError(Problem("value", f"field {field}: {rule}"))


def part(fields: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """Give the object in a field; empty where there is none."""
    return _checked(fields.get(name) or {}, dict, name)


def texts(fields: Mapping[str, Any], name: str) -> Sequence[str]:
    """Give the list of texts in a field; empty where there is none.

    One alone is a list of one: FHIRPath does not tell them apart.
    """
    return [_checked(one, str, name) for one in _several(fields.get(name))]


def objects(fields: Mapping[str, Any], name: str) -> Sequence[Mapping[str, Any]]:
    """Give the list of objects in a field; empty where there is none. One alone is a list of one."""
    return [_checked(one, dict, name) for one in _several(fields.get(name))]


def flag(fields: Mapping[str, Any], name: str) -> bool | None:
    """Give the truth value in a field; None where not said."""
    value = fields.get(name)
    return None if value is None else _checked(value, bool, name)


def text(fields: Mapping[str, Any], name: str) -> str | None:
    """Give the text in a field; None where there is none, or an empty one."""
    value = fields.get(name)
    return None if value is None else _checked(value, str, name) or None


def criterion(fields: Mapping[str, Any]) -> Criterion:
    """Give the criterion that is met or unmet."""
    try:
        return Criterion(fields.get("criterion"))  # type: ignore[arg-type] # None is refused as any other
    except ValueError:
        raise fault("criterion", "must be one of the seven criteria") from None


def kommunkod(fields: Mapping[str, Any], name: str) -> str | None:
    """Give a municipality's code, four digits (SCB); None where not said."""
    value = fields.get(name)
    if not value:
        return None
    if not (isinstance(value, str) and len(value) == 4 and value.isascii() and value.isdigit()):
        raise fault(name, "must be a kommunkod of four digits")
    return value


def instant(fields: Mapping[str, Any], name: str) -> datetime | None:
    """Give an instant in UTC; None where not said. Of a date it is the beginning."""
    given = _span(fields, name)
    return None if given is None else given.first


def moment(fields: Mapping[str, Any], name: str) -> date | datetime | None:
    """Give a local date, or an instant in UTC, as precisely as it was said; None where not said."""
    given = _span(fields, name)
    if given is None:
        return None
    return given.first if given.precision is Precision.CLOCK else local_day(given.first)


def precision(fields: Mapping[str, Any]) -> Precision | None:
    """Give how exactly the time of the signal is known, where no better than to the month."""
    value = fields.get("precision")
    if value in (None, Precision.MONTH, Precision.YEAR):
        return None if value is None else Precision(value)
    raise fault("precision", "must be month or year")


def _several(value: Any) -> list[Any]:  # noqa: ANN401 - any JSON value
    if isinstance(value, list):
        return value
    return [] if value is None else [value]


def _checked(value: Any, shape: type[T], name: str) -> T:  # noqa: ANN401 - any JSON value, to be checked
    if not isinstance(value, shape):
        raise fault(name, f"must be {_WORDS[shape]}")
    return value


def _span(fields: Mapping[str, Any], name: str) -> Span | None:
    """Read the time in a field. One outside the years that the domain reckons in counts as not said.

    A mapping refuses such a time, but earlier releases did not, and what they stored is to do no harm.
    """
    value = fields.get(name)
    if value is None:
        return None
    try:
        given = span(value)
    except YearFault:
        return None
    except TimeFault:
        given = None
    if given is None or given.precision in (Precision.YEAR, Precision.MONTH):
        raise fault(name, "must be a date, or an instant with its offset")
    return given
