"""The amount per day and year: one dated series, each amount with its source.

Owns which amount holds for a day; a year without one is an answer (`None` from `find`), never a
neighbour's amount. Does not own what is multiplied with it (`adapter.settlement.bill`).
LUS 5:6: «det belopp som motsvarar genomsnittskostnaden i riket för ett vårddygn i den slutna vården.
Detta belopp ska räknas om årligen».
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated

from pydantic import Field, model_validator

from adapter.agreements.agreement import Document
from adapter.agreements.groups import Cited, Frozen
from adapter.agreements.terms import CareForm


class RateEntry(Cited):
    """The amount in SEK of one year; null with `because` where none could be confirmed.

    `verified` false means that a statement which uses it is provisional.
    """

    year: int
    amount: Annotated[Decimal, Field(gt=0)] | None
    verified: bool = False
    care_form: CareForm | None = None
    because: str | None = None

    @model_validator(mode="after")
    def _reason(self) -> "RateEntry":
        if self.amount is None and not self.because:
            raise ValueError("an amount of null needs `because`")
        return self


class RateSeries(Frozen):
    """Amounts that belong together."""

    title: str
    amounts: tuple[RateEntry, ...]

    @model_validator(mode="after")
    def _no_doubles(self) -> "RateSeries":
        seen = [(entry.year, entry.care_form) for entry in self.amounts]
        if len(seen) != len(set(seen)):
            raise ValueError("a year is listed twice")
        return self


class Rates(Frozen):
    """The file `rates.yaml`: series by name."""

    documents: Mapping[str, Document]
    series: Mapping[str, RateSeries]

    def find(self, series: str, year: int, care_form: CareForm) -> "Rate | None":
        """Give the amount for a day of that year, or None where the series has none."""
        found: RateEntry | None = None
        for entry in self.series[series].amounts:
            if entry.year == year and entry.care_form in (None, care_form):
                found = entry
                if entry.care_form is not None:
                    break
        if found is None or found.amount is None:
            return None
        return Rate(
            year=year, amount=found.amount, verified=found.verified, source=_source(found, self.documents)
        )


@dataclass(frozen=True, slots=True)
class Rate:
    """SEK per day in `year`; `verified` false makes what rests on it provisional."""

    year: int
    amount: Decimal
    verified: bool
    source: str


def _source(entry: RateEntry, documents: Mapping[str, Document]) -> str:
    if entry.source is None:
        return ""
    return f"{documents[entry.source.document].title}, {entry.source.section}"
