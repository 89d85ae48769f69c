"""Reading a signal's fields: the JSON values that a mapping wrote, as values of the domain.

Owns the checks of shape; a field that is not as `signal` documents it is a MappingError that names
the field, never its value. Does not own which field matters when.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any, TypeVar

from adapter.errors import MappingError, Problem
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
    """Give an instant in UTC; None where not said."""
    value = fields.get(name)
    if value is None:
        return None
    moment = _moment(value, name)
    if not isinstance(moment, datetime):
        raise fault(name, "must be an instant")
    return moment


def moment(fields: Mapping[str, Any], name: str) -> date | datetime | None:
    """Give a local date, or an instant in UTC, as precisely as it was said; None where not said."""
    value = fields.get(name)
    return None if value is None else _moment(value, name)


def _several(value: Any) -> list[Any]:  # noqa: ANN401 - any JSON value
    if isinstance(value, list):
        return value
    return [] if value is None else [value]


def _checked(value: Any, shape: type[T], name: str) -> T:  # noqa: ANN401 - any JSON value, to be checked
    if not isinstance(value, shape):
        raise fault(name, f"must be {_WORDS[shape]}")
    return value


def _moment(value: object, name: str) -> date | datetime:
    try:
        if isinstance(value, str):
            if len(value) == len("2026-03-04"):
                return date.fromisoformat(value)
            read = datetime.fromisoformat(value)
            if read.tzinfo is not None:
                return read.astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise fault(name, "must be a date, or an instant with its offset")
