"""Checks a record against what is promised of it: its headers, and the payload of its CloudEvents type."""

from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any

from jsonschema import Draft202012Validator, FormatChecker

from adapter.outbound.schemas import HEADERS, name_of, schemas

FORMATS = FormatChecker()


@FORMATS.checks("date-time", ValueError)
def _is_instant(value: object) -> bool:
    """RFC 3339; jsonschema itself knows it only beside another package."""
    return not isinstance(value, str) or (
        value[10:11] == "T" and datetime.fromisoformat(value).tzinfo is not None
    )


@lru_cache(maxsize=1)
def validators() -> dict[str, Draft202012Validator]:
    """A validator for each schema by its name, formats included."""
    return {name: Draft202012Validator(shape, format_checker=FORMATS) for name, shape in schemas().items()}


def faults(headers: Mapping[str, str], payload: Any) -> list[str]:
    """Where a record is not as it was promised: places and rules; a tombstone has headers alone."""
    seen = [*validators()[HEADERS].iter_errors(dict(headers))]
    if payload is not None:
        seen += validators()[name_of(headers["ce_type"])].iter_errors(payload)
    return [f"{one.json_path}: {one.message}" for one in seen]
