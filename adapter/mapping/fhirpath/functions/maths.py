"""Numbers: FHIRPath N1, 5.7 "Math". Decimals are exact where the function allows it."""

from collections.abc import Callable
from decimal import ROUND_CEILING, ROUND_DOWN, ROUND_FLOOR, ROUND_HALF_UP, Decimal, DecimalException
from typing import Any

from adapter.mapping.fhirpath.call import Call, Function
from adapter.mapping.fhirpath.closure import (
    DECIMAL,
    INTEGER,
    NUMBER,
    Code,
    Env,
    Item,
    One,
    Shape,
    from_one,
    is_number,
    number,
    one_of,
)
from adapter.mapping.fhirpath.faults import EvaluationError
from adapter.mapping.fhirpath.quantity import Quantity

Number = Any
_LOG_PLACES = Decimal("1e-15")


def _numeric(code: Code, at: int) -> One:
    one = one_of(code, at)

    def checked(this: Item, env: Env) -> Item:
        found = one(this, env)
        if found is None or is_number(found):
            return number(found)
        raise EvaluationError("expected a number", at)

    return checked


def _on_number(work: Callable[..., Number | None], shape: Shape) -> Callable[[Call], Code]:
    """Make a function of numbers; empty where any of them is, or where it has no answer."""

    def make(call: Call) -> Code:
        codes = [call.input, *(call.need(index) for index in range(len(call.node.args)))]
        ones = [_numeric(code, call.at) for code in codes]

        def one(this: Item, env: Env) -> Item:
            found = [value(this, env) for value in ones]
            try:
                return None if None in found else work(*found)
            except (DecimalException, OverflowError):
                return None

        return from_one(one, shape)

    return make


def _abs(call: Call) -> Code:
    one, at = one_of(call.input, call.at), call.at

    def absolute(this: Item, env: Env) -> Item:
        found = one(this, env)
        if isinstance(found, Quantity):
            return Quantity(abs(found.value), found.unit, found.calendar)
        if found is not None and not is_number(found):
            raise EvaluationError("expected a number", at)
        return None if found is None else abs(number(found))

    return from_one(absolute, call.input.shape)


def _to_whole(rounding: str) -> Callable[[Number], int]:
    return lambda value: int(Decimal(value).to_integral_value(rounding))


def _round(value: Number, places: Number = 0) -> Decimal:
    return Decimal(value).quantize(Decimal(1).scaleb(-int(places)), ROUND_HALF_UP)


def _log(value: Number, base: Number) -> Decimal | None:
    if value <= 0 or base <= 0 or base == 1:
        return None
    return (Decimal(value).ln() / Decimal(base).ln()).quantize(_LOG_PLACES).normalize()


def _power(value: Number, exponent: Number) -> Number | None:
    if isinstance(value, int) and isinstance(exponent, int) and 0 <= exponent <= 64:
        return value**exponent
    found = Decimal(value) ** Decimal(exponent)
    return None if found.is_nan() else found


FUNCTIONS = {
    "abs": Function(_abs),
    "ceiling": Function(_on_number(_to_whole(ROUND_CEILING), INTEGER)),
    "floor": Function(_on_number(_to_whole(ROUND_FLOOR), INTEGER)),
    "truncate": Function(_on_number(_to_whole(ROUND_DOWN), INTEGER)),
    "round": Function(_on_number(_round, DECIMAL), 0, 1),
    "exp": Function(_on_number(lambda value: Decimal(value).exp(), DECIMAL)),
    "ln": Function(_on_number(lambda value: Decimal(value).ln() if value > 0 else None, DECIMAL)),
    "log": Function(_on_number(_log, DECIMAL), 1, 1),
    "power": Function(_on_number(_power, NUMBER), 1, 1),
    "sqrt": Function(_on_number(lambda value: Decimal(value).sqrt() if value >= 0 else None, DECIMAL)),
}
