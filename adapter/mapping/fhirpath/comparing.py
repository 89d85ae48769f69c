"""Equality, equivalence and order of items, in three values.

Owns FHIRPath N1, 6.1 "Equality" and 6.2 "Comparison": empty (None) where precision or units leave it
open; a string of JSON is read as a date where the model, or the other side, says that it is one.
"""

from collections.abc import Callable
from decimal import ROUND_HALF_UP, Decimal
from enum import Enum

from adapter.mapping.fhirpath.closure import Item, Items, NoValue, Shape, is_number, number
from adapter.mapping.fhirpath.faults import EvaluationError
from adapter.mapping.fhirpath.quantity import Quantity, compare_quantities, from_json, in_unit_of
from adapter.mapping.fhirpath.temporal import Temporal, comparable, compare, parse_temporal

_DATES = frozenset({"date", "dateTime", "instant", "time", "System.Date", "System.DateTime", "System.Time"})
_SHORTEST_DAY = len("2024-01-31")


class Reading(Enum):
    """How two strings are read: as text, as dates, or as dates if both look like whole days at least."""

    TEXT = "text"
    DATES = "dates"
    GUESS = "guess"


def reading(left: Shape, right: Shape) -> Reading:
    """Tell from the shapes of two sides how to read their strings."""
    if any(shape is not None and not shape.isdisjoint(_DATES) for shape in (left, right)):
        return Reading.DATES
    return Reading.GUESS if left is None and right is None else Reading.TEXT


def _dates(a: str, b: str, how: Reading) -> tuple[Temporal, Temporal] | None:
    if how is Reading.TEXT or (how is Reading.GUESS and min(len(a), len(b)) < _SHORTEST_DAY):
        return None
    left, right = parse_temporal(a), parse_temporal(b)
    if left is None or right is None or not comparable(left, right):
        return None
    return left, right


def _temporal(value: Item) -> Temporal | None:
    if isinstance(value, str):
        return parse_temporal(value)
    return value if isinstance(value, Temporal) else None


def _quantity(value: Item) -> Quantity | None:
    if isinstance(value, dict):
        return from_json(value)
    if is_number(value):
        return Quantity(Decimal(number(value)), "1")
    return value if isinstance(value, Quantity) else None


def equal(a: Item, b: Item, how: Reading) -> bool | None:
    """`=` of two items; None where it is open."""
    if isinstance(a, str) and isinstance(b, str):
        dates = _dates(a, b, how) if a != b else None
        return a == b if dates is None else _is_zero(compare(*dates))
    if isinstance(a, bool) or isinstance(b, bool):
        return a is b
    if is_number(a) and is_number(b):
        return bool(number(a) == number(b))
    if isinstance(a, NoValue) or isinstance(b, NoValue):
        return None
    return _equal_system_values(a, b)


def _equal_system_values(a: Item, b: Item) -> bool | None:
    if isinstance(a, Temporal) or isinstance(b, Temporal):
        left, right = _temporal(a), _temporal(b)
        if left is None or right is None or not comparable(left, right):
            return False
        return _is_zero(compare(left, right))
    if isinstance(a, Quantity) or isinstance(b, Quantity):
        one, other = _quantity(a), _quantity(b)
        return False if one is None or other is None else _is_zero(compare_quantities(one, other))
    return bool(a == b)


def _is_zero(order: int | None) -> bool | None:
    return None if order is None else order == 0


def equal_lists(a: Items, b: Items, how: Reading) -> bool | None:
    """`=` of two collections: item by item, in order."""
    if not a or not b:
        return None
    if len(a) != len(b):
        return False
    answers = [equal(x, y, how) for x, y in zip(a, b, strict=True)]
    return False if False in answers else None if None in answers else True


def equivalent(a: Item, b: Item, how: Reading) -> bool:
    """`~` of two items: strings without case and width of space, numbers to the shorter precision."""
    if isinstance(a, str) and isinstance(b, str):
        dates = _dates(a, b, how)
        return _plain(a) == _plain(b) if dates is None else compare(*dates) == 0
    if is_number(a) and is_number(b):
        return _about(Decimal(number(a)), Decimal(number(b)))
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(equivalent(a[key], b[key], how) for key in a)
    if isinstance(a, list) and isinstance(b, list):
        return equivalent_lists(a, b, how)
    one, other = _quantity(a), _quantity(b)
    if one is not None and other is not None:
        return _about_quantities(one, other)
    return equal(a, b, how) is True


def _about_quantities(a: Quantity, b: Quantity) -> bool:
    """Compare in the larger of the two units, as HL7's suite has it (4 'g' ~ 4040 'mg')."""
    value = in_unit_of(a, b)
    if value is None:
        return False
    if abs(value) > abs(a.value):
        a, b = b, a
        value = in_unit_of(a, b)
    return value is not None and _about(value, b.value)


def _plain(text: str) -> str:
    return " ".join(text.lower().split())


def _about(a: Decimal, b: Decimal) -> bool:
    places = min(_places(a), _places(b))
    unit = Decimal(1).scaleb(-places)
    return a.quantize(unit, ROUND_HALF_UP) == b.quantize(unit, ROUND_HALF_UP)


def _places(value: Decimal) -> int:
    exponent = value.normalize().as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


def equivalent_lists(a: Items, b: Items, how: Reading) -> bool:
    """`~` of two collections: the same items in any order; two empty ones are equivalent."""
    if len(a) != len(b):
        return False
    left = list(b)
    for item in a:
        for at, other in enumerate(left):
            if equivalent(item, other, how):
                del left[at]
                break
        else:
            return False
    return True


def order(a: Item, b: Item, how: Reading, at: int) -> int | None:
    """-1, 0 or 1 of two items; None where it is open; EvaluationError where they have no order."""
    if isinstance(a, str) and isinstance(b, str):
        dates = _dates(a, b, how)
        return compare(*dates) if dates is not None else (a > b) - (a < b)
    if is_number(a) and is_number(b):
        x, y = number(a), number(b)
        return int(x > y) - int(x < y)
    if isinstance(a, Temporal) or isinstance(b, Temporal):
        left, right = _temporal(a), _temporal(b)
        if left is not None and right is not None and comparable(left, right):
            return compare(left, right)
    elif isinstance(a, Quantity | dict) or isinstance(b, Quantity | dict):
        one, other = _quantity(a), _quantity(b)
        if one is not None and other is not None:
            return compare_quantities(one, other)
    raise EvaluationError("these two have no order", at)


def sameness(how: Reading) -> Callable[[Item, Items], bool]:
    """Whether an item equals one of several."""

    def among(item: Item, items: Items) -> bool:
        return any(equal(item, other, how) is True for other in items)

    return among


def identity(item: Item) -> object:
    """Give a key by which equal items are the same, for sets: 1 and 1.0, and objects by their content."""
    if isinstance(item, bool):
        return (bool, item)
    if is_number(item):
        return Decimal(number(item))
    if isinstance(item, dict):
        return (dict, frozenset((key, identity(value)) for key, value in item.items()))
    if isinstance(item, list):
        return (list, tuple(map(identity, item)))
    return (Temporal, item.kind, item.fields, item.offset) if isinstance(item, Temporal) else item_key(item)


def item_key(item: Item) -> object:
    """Give the key of what is neither number, object nor date."""
    if isinstance(item, NoValue):
        return (NoValue, id(item.element))
    return item


def unique(items: Items) -> Items:
    """Each item once, where it stands first."""
    if len(items) < 2:
        return items
    found: dict[object, Item] = {}
    for item in items:
        found.setdefault(identity(item), item)
    return list(found.values())
