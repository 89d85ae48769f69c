"""Quantities: a value with a unit, and which units can be compared.

Owns FHIRPath's Quantity (N1, 2.1.9) with the units that a discharge message may carry: time, mass,
length, volume. Units it does not know are compared by their text alone.
"""

from dataclasses import dataclass
from decimal import Decimal

UCUM = "http://unitsofmeasure.org"
CALENDAR = ("year", "month", "week", "day", "hour", "minute", "second", "millisecond")
CALENDAR_WORDS = frozenset(CALENDAR) | {f"{word}s" for word in CALENDAR}
# UCUM codes of definite length, which date arithmetic may use; 'a' and 'mo' are not (N1, 6.6.7).
DEFINITE = {"wk": "week", "d": "day", "h": "hour", "min": "minute", "s": "second", "ms": "millisecond"}


def _table(kind: str, **factors: str) -> dict[str, tuple[str, Decimal]]:
    return {unit: (kind, Decimal(factor)) for unit, factor in factors.items()}


_TIME = _table("time", week="604800", day="86400", hour="3600", minute="60", second="1", millisecond="0.001")
_FACTORS = (
    _TIME
    | {code: _TIME[word] for code, word in DEFINITE.items()}
    | _table("calendar", year="12", month="1")
    | _table("mean", a="12", mo="1")
    | _table("mass", kg="1000", g="1", mg="0.001", ug="0.000001", ng="0.000000001")
    | _table("length", km="1000", m="1", cm="0.01", mm="0.001")
    | _table("volume", L="1", dL="0.1", cL="0.01", mL="0.001")
    | {"[lb_av]": ("mass", Decimal("453.59237")), "[oz_av]": ("mass", Decimal("28.349523125"))}
    | {"[in_i]": ("length", Decimal("0.0254")), "[ft_i]": ("length", Decimal("0.3048"))}
)


@dataclass(frozen=True, slots=True)
class Quantity:
    """`value` of `unit`: a UCUM code, or a word of the calendar (`calendar` True) such as `days`."""

    value: Decimal
    unit: str
    calendar: bool = False

    @property
    def text(self) -> str:
        """As `toString()` gives it: `1 week`, `1 'wk'`."""
        return f"{self.value:f} {self.unit}" if self.calendar else f"{self.value:f} '{self.unit}'"

    @property
    def calendar_unit(self) -> str | None:
        """The word for date arithmetic (singular); None where this is no length of time for that."""
        word = self.unit.removesuffix("s") if self.unit in CALENDAR_WORDS else self.unit
        return word if word in CALENDAR else DEFINITE.get(word)

    def as_json(self) -> dict[str, object]:
        """As a FHIR Quantity."""
        if self.calendar:
            return {"value": self.value, "unit": self.unit}
        return {"value": self.value, "unit": self.unit, "system": UCUM, "code": self.unit}


def from_json(item: dict[str, object]) -> Quantity | None:
    """Read a FHIR Quantity as a System.Quantity; None without value, or with a comparator (`<`, `>=` …)."""
    value = item.get("value")
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal) or "comparator" in item:
        return None
    code, unit = item.get("code"), item.get("unit")
    name = code if isinstance(code, str) else unit if isinstance(unit, str) else "1"
    exact = Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
    return Quantity(exact, name, item.get("system") != UCUM and name in CALENDAR_WORDS)


def in_unit_of(quantity: Quantity, other: Quantity) -> Decimal | None:
    """Give the value of `quantity` in the unit of `other`; None where they have no common measure."""
    own, wanted = _key(quantity), _key(other)
    if own == wanted:
        return quantity.value
    if own not in _FACTORS or wanted not in _FACTORS or _FACTORS[own][0] != _FACTORS[wanted][0]:
        return None
    return quantity.value * _FACTORS[own][1] / _FACTORS[wanted][1]


def compare_quantities(a: Quantity, b: Quantity) -> int | None:
    """-1, 0 or 1; None where the units have no common measure."""
    value = in_unit_of(a, b)
    if value is None:
        return None
    return (value > b.value) - (value < b.value)


def _key(quantity: Quantity) -> str:
    if quantity.unit in CALENDAR_WORDS:
        return quantity.unit.removesuffix("s")
    return quantity.unit
