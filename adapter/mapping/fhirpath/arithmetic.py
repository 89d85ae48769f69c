"""Arithmetic, signs and `&`, as closures.

Owns FHIRPath N1, 6.6 "Math" and 6.6.7 "Date/Time arithmetic". Numbers of JSON are exact decimals by
their text; division gives a Decimal, division by zero nothing.
"""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from adapter.mapping.fhirpath.closure import (
    NUMBER,
    STRING,
    Code,
    Env,
    Item,
    One,
    Shape,
    from_one,
    is_number,
    number,
    one_of,
    text_of,
)
from adapter.mapping.fhirpath.faults import EvaluationError, RefusedError
from adapter.mapping.fhirpath.quantity import Quantity, from_json, in_unit_of
from adapter.mapping.fhirpath.temporal import Temporal, add, parse_temporal

Number = Any
_QUANTITY: Shape = frozenset({"System.Quantity"})


def _numeric(work: Callable[[Number, Number], Number | None]) -> Callable[[Code, Code, int], Code]:
    """Make an operator on two numbers."""

    def make(left: Code, right: Code, at: int) -> Code:
        if _QUANTITY in (left.shape, right.shape):
            raise RefusedError("products of quantities", at)
        a, b = one_of(left, at), one_of(right, at)

        def one(this: Item, env: Env) -> Item:
            x, y = a(this, env), b(this, env)
            if x is None or y is None:
                return None
            if not (is_number(x) and is_number(y)):
                raise EvaluationError("expected two numbers", at)
            return work(number(x), number(y))

        return from_one(one, NUMBER)

    return make


def _divide(x: Number, y: Number) -> Number | None:
    return Decimal(x) / Decimal(y) if y else None


def _whole(x: Number, y: Number) -> Number | None:
    return int(Decimal(x) / Decimal(y)) if y else None


def _remainder(x: Number, y: Number) -> Number | None:
    if not y:
        return None
    found = Decimal(x) % Decimal(y)
    return int(found) if isinstance(x, int) and isinstance(y, int) else found


def _plus(left: Code, right: Code, at: int) -> Code:
    return _sum(left, right, at, 1)


def _minus(left: Code, right: Code, at: int) -> Code:
    return _sum(left, right, at, -1)


def _sum(left: Code, right: Code, at: int, sign: int) -> Code:
    a, b = one_of(left, at), one_of(right, at)

    def one(this: Item, env: Env) -> Item:
        x, y = a(this, env), b(this, env)
        if x is None or y is None:
            return None
        if is_number(x) and is_number(y):
            return number(x) + sign * number(y)
        if sign == 1 and isinstance(x, str) and isinstance(y, str):
            return x + y
        return _moved(x, y, sign, at)

    return from_one(one, _sum_shape(left.shape, right.shape))


def _sum_shape(left: Shape, right: Shape) -> Shape:
    if left is not None and right == _QUANTITY:
        return left
    known = left is not None and right is not None and left | right <= NUMBER
    return NUMBER if known else STRING if left == STRING == right else None


def _moved(x: Item, y: Item, sign: int, at: int) -> Item:
    amount = from_json(y) if isinstance(y, dict) else y
    if not isinstance(amount, Quantity):
        raise EvaluationError("these two cannot be added or subtracted", at)
    if isinstance(x, dict | Quantity):
        return _quantities(x, amount, sign, at)
    start = parse_temporal(x) if isinstance(x, str) else x
    unit = amount.calendar_unit
    if not isinstance(start, Temporal) or unit is None:
        raise EvaluationError("expected a date or time and a length of time", at)
    return add(start, int(amount.value) * sign, unit)


def _quantities(x: Item, amount: Quantity, sign: int, at: int) -> Item:
    start = from_json(x) if isinstance(x, dict) else x
    value = None if start is None else in_unit_of(amount, start)
    if start is None or value is None:
        raise EvaluationError("these two quantities have no common unit", at)
    return Quantity(start.value + sign * value, start.unit, start.calendar)


def _joined(left: Code, right: Code, at: int) -> Code:
    """`&`: strings put together, empty counting as ''."""
    a, b = text_of(left, at), text_of(right, at)
    return from_one(lambda this, env: (a(this, env) or "") + (b(this, env) or ""), STRING)


def signed(sign: str, operand: Code, at: int) -> Code:
    """`+x` or `-x` of one number or quantity."""
    one: One = one_of(operand, at)
    factor = -1 if sign == "-" else 1

    def turned(this: Item, env: Env) -> Item:
        found = one(this, env)
        if isinstance(found, Quantity):
            return Quantity(found.value * factor, found.unit, found.calendar)
        if found is not None and not is_number(found):
            raise EvaluationError(f"expected a number after {sign}", at)
        return None if found is None else number(found) * factor

    return from_one(turned, operand.shape)


ARITHMETIC: dict[str, Callable[[Code, Code, int], Code]] = {
    "+": _plus,
    "-": _minus,
    "*": _numeric(lambda x, y: x * y),
    "/": _numeric(_divide),
    "div": _numeric(_whole),
    "mod": _numeric(_remainder),
    "&": _joined,
}
