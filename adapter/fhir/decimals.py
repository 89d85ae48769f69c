"""FHIR JSON with exact decimals: `284000.00` stays `284000.00`, and no number is ever a float.

Owns writing and reading of FHIR decimals, and the scale of money. fhir.resources drops trailing zeros
and orjson reads numbers as floats, so neither may stand between a statement and its text.
Source: FHIR R4, Datatypes, decimal: «The precision of the decimal value has significance».
"""

import json
from decimal import Decimal
from fractions import Fraction
from math import floor
from typing import Any

import orjson

from adapter.settlement.statement import exact

_ORE = Decimal("0.01")
_DIGITS = 6


def dumps(resource: dict[str, Any]) -> bytes:
    """Write a resource as JSON in UTF-8, keys in the order given, decimals digit by digit.

    Raises TypeError where it holds a float, ValueError where a decimal is no number.
    """
    _refuse_floats(resource)
    return orjson.dumps(resource, default=_number)


def loads(text: bytes | str) -> dict[str, Any]:
    """Read a resource; numbers with a point are decimals of the scale that they were written with."""
    read: dict[str, Any] = json.loads(text, parse_float=Decimal)
    return read


def money(amount: Decimal | int) -> dict[str, Any]:
    """Give a Money in SEK with at least two decimals; more where it has more, for nothing is rounded."""
    value = Decimal(amount)
    scaled = value.quantize(_ORE)
    return {"value": scaled if scaled == value else value, "currency": "SEK"}


def day_count(days: Fraction | Decimal | int) -> dict[str, Any]:
    """Give a Quantity of days (UCUM `d`); a whole number is written without a point."""
    value: Decimal | int = days if isinstance(days, Decimal) else exact(Fraction(days))
    if value == int(value):
        value = int(value)
    return {"value": value, "unit": "d", "system": "http://unitsofmeasure.org", "code": "d"}


def rounded(value: Fraction) -> Decimal:
    """Give at most six digits after the point, half up, for figures that no amount rests on."""
    scale = 10**_DIGITS
    whole = floor(value * scale + Fraction(1, 2))
    return exact(Fraction(whole, scale))


def _number(value: object) -> orjson.Fragment:
    if not isinstance(value, Decimal):
        raise TypeError(f"{type(value).__name__} is none of JSON's types")
    if not value.is_finite():
        raise ValueError("FHIR has no decimal that is not finite")
    return orjson.Fragment(format(value, "f"))


def _refuse_floats(value: object) -> None:
    if isinstance(value, dict):
        for item in value.values():
            _refuse_floats(item)
    elif isinstance(value, list | tuple):
        for item in value:
            _refuse_floats(item)
    elif isinstance(value, float):
        raise TypeError("a float has no exact decimal: give a Decimal")
