"""The amount per day and year: one dated series, each amount with its source.

Owns which amount holds for a day; a year without one is an answer (`None` from `find`), never a
neighbour's amount. Does not own what is multiplied with it (`adapter.settlement.bill`).
LUS 5:6: «det belopp som motsvarar genomsnittskostnaden i riket för ett vårddygn i den slutna vården.
Detta belopp ska räknas om årligen».
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated

from pydantic import Field, model_validator

from adapter.agreements.agreement import Document
from adapter.agreements.groups import Cited, Frozen
from adapter.agreements.terms import CareForm

#: The file that is shipped; a region's own is laid over it.
SHIPPED_FILE = "rates.yaml"

#: Words of a text that proposes an amount and does not decide it: «har föreslagit», «förslag till».
_PROPOSED = re.compile(r"föresl[aåo]|förslag", re.IGNORECASE)

#: What an amount is of: series, year, and the care form where the series has one for each.
RateKey = tuple[str, int, CareForm | None]


def proposes(*texts: str) -> bool:
    """Whether one of the texts speaks of a proposal, which decides no amount."""
    return any(_PROPOSED.search(text) for text in texts)


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

    @property
    def proposed(self) -> bool:
        """Whether the deciding words of the source only propose the amount."""
        return self.source is not None and proposes(self.source.section, self.source.words)


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

    def entries(self) -> Iterator[tuple[str, RateEntry]]:
        """Give every amount with the name of its series, by series and year."""
        for name, series in self.series.items():
            for entry in sorted(series.amounts, key=lambda entry: (entry.year, entry.care_form or "")):
                yield name, entry

    def file_of(self, key: RateKey) -> str:  # noqa: ARG002 - `LaidRates` has two files
        """Name the file that an amount stands in."""
        return SHIPPED_FILE

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


class LaidRates(Rates):
    """The shipped rates with those of a region's own file over them; `own` are the amounts of that file."""

    own: frozenset[RateKey]
    own_file: str

    def file_of(self, key: RateKey) -> str:
        """Name the file that an amount stands in."""
        return self.own_file if key in self.own else super().file_of(key)


def lay_over(shipped: Rates, own: Rates, own_file: str) -> LaidRates:
    """Lay a region's own amounts over the shipped ones: each replaces that of its series, year and care form.

    An own amount for all care forms of a year replaces those that the shipped file has by care form.
    """
    names = {
        name: f"{own_file}:{name}" if shipped.documents.get(name, document) != document else name
        for name, document in own.documents.items()
    }
    documents = {names[name]: document for name, document in own.documents.items()}
    return LaidRates(
        documents={**shipped.documents, **documents},
        series={
            **shipped.series,
            **{name: _laid(shipped.series.get(name), series, names) for name, series in own.series.items()},
        },
        own=frozenset((name, entry.year, entry.care_form) for name, entry in own.entries()),
        own_file=own_file,
    )


def _laid(below: RateSeries | None, above: RateSeries, names: Mapping[str, str]) -> RateSeries:
    amounts = [_renamed(entry, names) for entry in above.amounts]
    replaced = {(entry.year, entry.care_form) for entry in amounts}
    kept = [
        entry
        for entry in (below.amounts if below else ())
        if not {(entry.year, entry.care_form), (entry.year, None)} & replaced
    ]
    return RateSeries(title=below.title if below else above.title, amounts=(*kept, *amounts))


def _renamed(entry: RateEntry, names: Mapping[str, str]) -> RateEntry:
    if entry.source is None:
        return entry
    source = entry.source.model_copy(update={"document": names[entry.source.document]})
    return entry.model_copy(update={"source": source})


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
    title, section = documents[entry.source.document].title, entry.source.section
    return f"{title}, {section}" if section else title
