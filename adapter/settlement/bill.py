"""What a month costs: its lines.

Owns settlement rules 5: individual days at the rate of each day's year, the excess of the mean, long
stays one by one. A month that needs the rate of a year without one has no lines (`NoRate`), never a
neighbour's amount.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from fractions import Fraction
from itertools import groupby

from adapter.agreements.rates import Rate, Rates
from adapter.agreements.terms import Billing, CareForm, Terms
from adapter.settlement.gate import GateStatus, MonthMean
from adapter.settlement.length import payable_days
from adapter.settlement.measure import Measured
from adapter.settlement.statement import Basis, Charge, Counted, Line, NoRate


@dataclass(slots=True)
class Prices:
    """Looks rates up, each once."""

    rates: Rates
    _found: dict[tuple[str, int, CareForm], Rate | None] = field(default_factory=dict)

    def of(self, terms: Terms, year: int, care_form: CareForm) -> Rate | None:
        """Give the rate; None where there is none."""
        key = (terms.rate, year, care_form)
        if key not in self._found:
            self._found[key] = self.rates.find(*key)
        return self._found[key]


@dataclass(frozen=True, slots=True)
class Unpriced:
    """The payable days of a stay (None: of the excess of a mean), some of them in `years` without a rate."""

    stay: str | None
    payable_days: Fraction
    years: frozenset[int]


def bill_of(
    mean: MonthMean, status: GateStatus, measured: Sequence[Measured], prices: Prices
) -> tuple[tuple[Line, ...], NoRate | None]:
    """Give the lines of a month: stays by id, the excess of the mean last; none where a rate is missing."""
    individual = bills_each(mean, status)
    payers = sorted((one for one in measured if individual or one.long), key=lambda one: one.stay)
    found = [line for one in payers if (line := stay_line(one, prices))]
    if (excess := excess_line(mean, status, measured, prices)) is not None:
        found.append(replace(excess, counted=counted_of(measured)) if isinstance(excess, Line) else excess)
    lines = tuple(line for line in found if isinstance(line, Line))
    unpriced = [line for line in found if isinstance(line, Unpriced)]
    if not unpriced:
        return lines, None
    counted = [one.stay for one in counted_of(measured)]
    days = sum((line.payable_days for line in found), Fraction())
    return (), no_rate_of(unpriced, counted, days)


def no_rate_of(unpriced: Iterable[Unpriced], counted: Iterable[str], days: Fraction) -> NoRate:
    """Say which years lack a rate, and for which stays; an excess concerns all that are `counted`."""
    years: set[int] = set()
    stays: set[str] = set()
    for line in unpriced:
        years |= line.years
        stays |= set(counted) if line.stay is None else {line.stay}
    return NoRate(tuple(sorted(years)), tuple(sorted(stays)), days)


def counted_of(measured: Iterable[Measured]) -> tuple[Counted, ...]:
    """List the stays that are in the mean, by id."""
    counted = (
        Counted(one.stay, one.zero, one.end, one.days)
        for one in measured
        if one.zero is not None and not one.long
    )
    return tuple(sorted(counted))


def bills_each(mean: MonthMean, status: GateStatus) -> bool:
    """Whether every stay of the month is billed by itself, not the long ones alone."""
    return status.billed and mean.terms.billing is Billing.INDIVIDUAL_DAYS


def excess_line(
    mean: MonthMean, status: GateStatus, measured: Sequence[Measured], prices: Prices
) -> Line | Unpriced | None:
    """Bill the mean's excess, where the month is billed so and there is one."""
    if status.billed and mean.terms.billing is Billing.EXCESS_OVER_MEAN and measured:
        return _excess_line(mean, min(one.care_form for one in measured), prices)
    return None


def stay_line(one: Measured, prices: Prices) -> Line | Unpriced | None:
    """Bill one stay; None where it is excluded, released, or has no payable day."""
    if one.zero is None or one.released:
        return None
    days = payable_days(one.zero, one.end, one.terms)
    if not days:
        return None
    unknown = {day.year for day in days if prices.of(one.terms, day.year, one.care_form) is None}
    if unknown:
        return Unpriced(one.stay, Fraction(len(days)), frozenset(unknown))
    charges = tuple(_charges(days, one, prices))
    basis = Basis.LONG_STAY if one.long else Basis.INDIVIDUAL_DAYS
    return Line(one.stay, basis, one.days, one.zero, one.end, charges, one.flags, one.terms)


def _charges(days: Iterable[date], one: Measured, prices: Prices) -> Iterator[Charge]:
    for year, group in groupby(days, key=lambda day: day.year):
        rate = prices.of(one.terms, year, one.care_form)
        of_year = list(group)
        if rate is not None:
            yield Charge(rate, Fraction(len(of_year)), of_year[0], of_year[-1])


def _excess_line(mean: MonthMean, care_form: CareForm, prices: Prices) -> Line | Unpriced | None:
    """Bill (mean − threshold) × stays in the mean, never below 0; the mean as it was compared."""
    compared, threshold = mean.compared, mean.terms.threshold
    if compared is None or threshold is None or compared <= threshold:
        return None
    days, year = (compared - threshold) * mean.stays, mean.month.year
    rate = prices.of(mean.terms, year, care_form)
    if rate is None:
        return Unpriced(None, days, frozenset((year,)))
    charge = Charge(rate, days, None, None)
    return Line(None, Basis.EXCESS_OVER_MEAN, mean.days, None, None, (charge,), (), mean.terms)
