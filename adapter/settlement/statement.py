"""The statement of one municipality, care form and month: values alone.

Owns what a statement says: counts, mean, gate, lines, exclusions, assumptions. Does not own how they
come about (`settle`, `bill`) nor how they are shown (`render`, `adapter.fhir`).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Context, Decimal, Inexact
from enum import StrEnum
from fractions import Fraction
from typing import NamedTuple

from adapter.agreements.federation import Recipient
from adapter.agreements.rates import Rate
from adapter.agreements.terms import FIRST_PAYABLE_BY, Clause, Terms
from adapter.errors import Problem, SetupError
from adapter.losus.days import DAY, Month
from adapter.settlement.gate import GateStatus, MonthMean
from adapter.settlement.measure import Reason

_EXACT = Context(prec=100, traps=[Inexact])


def exact(value: Fraction) -> Decimal:
    """Turn a fraction into the decimal that it is; decimal.Inexact where it has no end.

    An excess has always an end: (mean − threshold) × stays is days − threshold × stays, and a mean that
    is rounded is a decimal already.
    """
    return _EXACT.divide(Decimal(value.numerator), Decimal(value.denominator))


class UnknownRateError(SetupError):
    """A day to be billed lies in a year without a rate; `problems` names each such year."""


def unknown_rate(years: Iterable[int]) -> UnknownRateError:
    """Give the error that names these years."""
    return UnknownRateError(*(Problem("not-found", f"unknown rate {year}") for year in sorted(years)))


@dataclass(frozen=True, slots=True)
class NoRate:
    """What keeps a month from a bill: the years without a rate, and the stays with payable days in them.

    `payable_days` are those of the whole month: they are known, only their amount is not.
    """

    years: tuple[int, ...]
    stays: tuple[str, ...]
    payable_days: Fraction


class Basis(StrEnum):
    """Why there is a line: the days of a stay, a stay taken out of the mean, or the mean's excess."""

    INDIVIDUAL_DAYS = "individual-days"
    LONG_STAY = "long-stay"
    EXCESS_OVER_MEAN = "excess-over-mean"


@dataclass(frozen=True, slots=True)
class Charge:
    """The payable days of a line that lie in one year, at that year's rate.

    `first_day` and `last_day` are the first and the last payable one; None for the excess of a mean.
    """

    rate: Rate
    days: Fraction
    first_day: date | None
    last_day: date | None

    @property
    def amount(self) -> Decimal:
        """SEK, exact."""
        return exact(self.days * Fraction(self.rate.amount))


class Counted(NamedTuple):
    """A stay in the mean: its day zero, the day on which it ended, and its length in days."""

    stay: str
    zero: date
    end: date
    days: int


@dataclass(frozen=True, slots=True)
class Line:
    """One billed line. `stay` is None for the excess of a mean; `days` are then those of the mean.

    `zero` is day zero and `end` the last day of the stay. `flags` are late messages that release nobody.
    `counted` are the stays in the mean of an excess, by id, so that everybody can work it out anew.
    """

    stay: str | None
    basis: Basis
    days: int
    zero: date | None
    end: date | None
    charges: tuple[Charge, ...]
    flags: tuple[Reason, ...]
    terms: Terms = field(repr=False)
    counted: tuple[Counted, ...] = ()

    @property
    def payable_days(self) -> Fraction:
        """The days that are paid for, all years together."""
        return sum((charge.days for charge in self.charges), Fraction())

    @property
    def amount(self) -> Decimal:
        """SEK, exact, all years together."""
        return sum((charge.amount for charge in self.charges), Decimal())

    @property
    def span(self) -> tuple[date, date] | None:
        """The first and the last payable day; None for the excess of a mean."""
        first, last = self.charges[0].first_day, self.charges[-1].last_day
        return None if first is None or last is None else (first, last)

    @property
    def clauses(self) -> tuple[Clause, ...]:
        """The clauses that the line rests on, the deciding one first."""
        by_day = (FIRST_PAYABLE_BY,) if len(self._first_payable) > 1 else ()
        return self.terms.cite(*_CITED[self.basis], *by_day)

    @property
    def _first_payable(self) -> tuple[tuple[date, int], ...]:
        """The values of `first_payable_day` that its days lie under, each with its last day."""
        if self.zero is None or self.end is None:
            return ()
        return self.terms.first_payable_spans(self.zero + DAY, self.end)

    @property
    def reasons(self) -> tuple[str, ...]:
        """The line in sentences: day zero, length, and what is payable of it."""
        if self.stay is None:
            return (f"{self.days} days in the mean; the excess over {self.terms.threshold} is paid",)
        counted = "counted" if self.terms.count_end_day else "not counted"
        *changed, (_, last) = self._first_payable or ((self.end, self.terms.first_payable_day),)
        earlier = "".join(f"day {first} through {through}, then from " for through, first in changed)
        return (
            f"day zero {self.zero} ({self.terms.clock})",
            f"ended {self.end}: {self.days} {self.terms.unit}",
            f"payable from {earlier}day {last}, end day {counted}",
        )


_CITED: Mapping[Basis, tuple[str, ...]] = {
    Basis.INDIVIDUAL_DAYS: (
        "billing",
        "first_payable_day",
        "count_end_day",
        "clock",
        "cutoff",
        "unit",
        "rate",
    ),
    Basis.LONG_STAY: ("long_stays", "first_payable_day", "count_end_day", "clock", "cutoff", "unit", "rate"),
    Basis.EXCESS_OVER_MEAN: ("billing", "threshold", "round_mean", "rate"),
}


_GATE = (
    "gate",
    "threshold",
    "compare",
    "measure_from",
    "start_after",
    "start_in",
    "stop_after",
    "retroactive",
    "empty_month",
)


@dataclass(frozen=True, slots=True)
class Excluded:
    """A stay that is in no mean or on no bill, with every reason; the first is the one it is counted by."""

    stay: str
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class Assumed:
    """An assumption that the statement rests on."""

    id: str
    what: str
    because: str


class Key(NamedTuple):
    """What a statement is of: there is one for each; `region` is the länskod of the one that is paid."""

    agreement: str
    municipality: str
    care_form: str
    month: Month
    region: str


@dataclass(frozen=True, slots=True)
class Statement:
    """What one municipality owes for one care form and month, and everything that it follows from.

    `care_form` is `pooled` where the agreement pools them. `version` is the digest of the agreement's
    file. `mean` holds stays, days, threshold and mean. `because` says why this agreement, where it was
    not named. `suspended`: the amount is what *would have been*, nothing is due. `no_rate`: the month needs
    a rate that is not known; it has no lines and no amount, and is issued once the rate is there. `draft`:
    the agreement is not decided; it was named, and what it comes to is what it would cost. `region`: länskod
    of the region that treated, which is paid. `recipient`: the federation that pays and receives for the
    municipality, where one does. Of the stays of the month, `protected` are of persons with protected
    identity, and of `entered` people entered the municipality.
    """

    agreement: str
    title: str
    version: str
    region: str
    municipality: str
    care_form: str
    mean: MonthMean
    status: GateStatus
    lines: tuple[Line, ...]
    excluded: tuple[Excluded, ...]
    long_stays: int
    assumptions: tuple[Assumed, ...]
    suspended: bool
    because: str
    no_rate: NoRate | None = None
    draft: bool = False
    recipient: Recipient | None = None
    protected: int = 0
    entered: int = 0

    @property
    def month(self) -> Month:
        """The calendar month in which the stays ended."""
        return self.mean.month

    @property
    def key(self) -> "Key":
        """What the statement is of."""
        return Key(self.agreement, self.municipality, self.care_form, self.month, self.region)

    @property
    def clauses(self) -> tuple[Clause, ...]:
        """The clauses that decide on the status of the month."""
        return self.mean.terms.cite(*_GATE)

    @property
    def payable_days(self) -> Fraction:
        """The sum of the lines; where a rate is missing, of the lines that there would be."""
        if self.no_rate is not None:
            return self.no_rate.payable_days
        return sum((line.payable_days for line in self.lines), Fraction())

    @property
    def amount(self) -> Decimal:
        """SEK: the sum of the lines, also where nothing of it is due.

        UnknownRateError where a rate is missing.
        """
        if self.no_rate is not None:
            raise unknown_rate(self.no_rate.years)
        return sum((line.amount for line in self.lines), Decimal())

    @property
    def long_paid(self) -> tuple[Fraction, Decimal]:
        """The payable days and SEK of the stays that are taken out of the mean and billed one by one."""
        long = [line for line in self.lines if line.basis is Basis.LONG_STAY]
        return sum((line.payable_days for line in long), Fraction()), sum(
            (line.amount for line in long), Decimal()
        )

    @property
    def due(self) -> Decimal:
        """SEK that the municipality is to pay: nothing while the billing is suspended; else as `amount`."""
        return Decimal() if self.suspended else self.amount

    @property
    def rates(self) -> tuple[Rate, ...]:
        """The rates that the lines use, by year."""
        used = {charge.rate.year: charge.rate for line in self.lines for charge in line.charges}
        return tuple(used[year] for year in sorted(used))

    @property
    def provisional(self) -> bool:
        """Whether a rate is used that is not verified."""
        return not all(rate.verified for rate in self.rates)

    def excluded_by(self) -> dict[str, int]:
        """Count the excluded stays, each by its first reason."""
        counts: dict[str, int] = {}
        for one in self.excluded:
            counts[one.reasons[0].value] = counts.get(one.reasons[0].value, 0) + 1
        return dict(sorted(counts.items()))
