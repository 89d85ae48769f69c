"""From one System type to another: FHIRPath N1, 5.5 "Conversion".

A value that cannot be converted gives empty; `convertsTo…` says whether it can.
"""

import re
from collections.abc import Callable
from decimal import Decimal

from adapter.mapping.fhirpath.call import Call, Function
from adapter.mapping.fhirpath.closure import (
    Code,
    Item,
    from_one,
    from_truth,
    is_number,
    number,
    one_of,
    text_of,
)
from adapter.mapping.fhirpath.quantity import CALENDAR_WORDS, Quantity, from_json, in_unit_of
from adapter.mapping.fhirpath.temporal import Temporal, parse_temporal, parse_time

_INTEGER = re.compile(r"[+-]?\d+", re.ASCII)
_DECIMAL = re.compile(r"[+-]?\d+(\.\d+)?", re.ASCII)
_QUANTITY = re.compile(r"([+-]?\d+(?:\.\d+)?)\s*(?:'([^']+)'|([a-zA-Z]+))?", re.ASCII)
_TRUE = frozenset({"true", "t", "yes", "y", "1", "1.0"})
_FALSE = frozenset({"false", "f", "no", "n", "0", "0.0"})

Conversion = Callable[[Item], Item]


def to_boolean(item: Item) -> bool | None:
    """1, 1.0, 'true', 't', 'yes', 'y' … and their opposites."""
    if isinstance(item, bool):
        return item
    if is_number(item):
        return bool(item) if item in {0, 1} else None
    word = item.lower() if isinstance(item, str) else ""
    return True if word in _TRUE else False if word in _FALSE else None


def to_integer(item: Item) -> int | None:
    """Integers, booleans, and strings of digits."""
    if isinstance(item, bool | int):
        return int(item)
    return int(item) if isinstance(item, str) and _INTEGER.fullmatch(item) else None


def to_decimal(item: Item) -> Decimal | None:
    """Numbers, booleans, and strings that read as a number."""
    if isinstance(item, bool):
        return Decimal(int(item))
    if is_number(item):
        return Decimal(number(item))
    return Decimal(item) if isinstance(item, str) and _DECIMAL.fullmatch(item) else None


def to_string(item: Item) -> str | None:
    """Give the text of any System value."""
    if isinstance(item, bool):
        return "true" if item else "false"
    if isinstance(item, Temporal | Quantity):
        return item.text
    if isinstance(item, dict):
        quantity = from_json(item)
        return None if quantity is None else quantity.text
    if is_number(item):
        return f"{Decimal(number(item)):f}"
    return item if isinstance(item, str) else None


def to_date(item: Item) -> Temporal | None:
    """Give the date, or the date part of a dateTime."""
    found = _temporal(item)
    if found is None or found.kind == "Time":
        return None
    return found if found.kind == "Date" else parse_temporal(found.text.split("T")[0])


def to_date_time(item: Item) -> Temporal | None:
    """Give a date or dateTime; a date keeps its precision."""
    found = _temporal(item)
    if found is None or found.kind == "Time":
        return None
    return Temporal("DateTime", found.text, found.fields, found.offset)


def to_time(item: Item) -> Temporal | None:
    """Give a time of day."""
    if isinstance(item, str):
        return parse_time(item)
    return item if isinstance(item, Temporal) and item.kind == "Time" else None


def _temporal(item: Item) -> Temporal | None:
    return parse_temporal(item) if isinstance(item, str) else item if isinstance(item, Temporal) else None


def to_quantity(item: Item) -> Quantity | None:
    """Numbers as quantities of 1, and texts such as `1 day` and `4 'mg'`."""
    if isinstance(item, Quantity):
        return item
    if isinstance(item, dict):
        return from_json(item)
    if isinstance(item, bool) or is_number(item):
        return Quantity(Decimal(int(item) if isinstance(item, bool) else number(item)), "1")
    match = _QUANTITY.fullmatch(item) if isinstance(item, str) else None
    if match is None:
        return None
    value, code, word = match.groups()
    if word is not None and word not in CALENDAR_WORDS:
        return None
    return Quantity(Decimal(value), code or word or "1", word is not None)


def _to(convert: Conversion, kind: str) -> Callable[[Call], Code]:
    def make(call: Call) -> Code:
        one = one_of(call.input, call.at)

        def converted(this: Item, env: object) -> Item:
            item = one(this, env)  # type: ignore[arg-type]
            return None if item is None else convert(item)

        return from_one(converted, frozenset({f"System.{kind}"}))

    return make


def _converts(convert: Conversion) -> Callable[[Call], Code]:
    def make(call: Call) -> Code:
        one = one_of(call.input, call.at)

        def truth(this: Item, env: object) -> bool | None:
            item = one(this, env)  # type: ignore[arg-type]
            return None if item is None else convert(item) is not None

        return from_truth(truth)

    return make


def _to_quantity(call: Call) -> Code:
    if not call.node.args:
        return _to(to_quantity, "Quantity")(call)
    one, unit = one_of(call.input, call.at), text_of(call.need(0), call.at)

    def converted(this: Item, env: object) -> Item:
        item, wanted = one(this, env), unit(this, env)  # type: ignore[arg-type]
        found = None if item is None else to_quantity(item)
        if found is None or wanted is None:
            return None
        goal = Quantity(Decimal(1), wanted, wanted in CALENDAR_WORDS)
        value = in_unit_of(found, goal)
        return None if value is None else Quantity(value, wanted, goal.calendar)

    return from_one(converted, frozenset({"System.Quantity"}))


_CONVERSIONS: dict[str, Conversion] = {
    "Boolean": to_boolean,
    "Integer": to_integer,
    "Decimal": to_decimal,
    "String": to_string,
    "Date": to_date,
    "DateTime": to_date_time,
    "Time": to_time,
    "Quantity": to_quantity,
}

FUNCTIONS = {
    **{f"to{kind}": Function(_to(convert, kind)) for kind, convert in _CONVERSIONS.items()},
    **{f"convertsTo{kind}": Function(_converts(convert)) for kind, convert in _CONVERSIONS.items()},
    "toQuantity": Function(_to_quantity, 0, 1),
}
