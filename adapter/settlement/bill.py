"""What a month costs: its lines.

Owns settlement rules 5: individual days at the rate of each day's year, the excess of the mean, long
stays one by one. A year without a rate is a fault that names it, never a neighbour's amount.
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
from adapter.settlement.statement import Basis, Charge, Counted, Line


@dataclass(slots=True)
class Prices:
    """Looks rates up, each once, and remembers the years that have none."""

    rates: Rates
    unknown: set[int] = field(default_factory=set)
    _found: dict[tuple[str, int, CareForm], Rate | None] = field(default_factory=dict)

    def of(self, terms: Terms, year: int, care_form: CareForm) -> Rate | None:
        """Give the rate; None where there is none, which is noted in `unknown`."""
        key = (terms.rate, year, care_form)
        if key not in self._found:
            self._found[key] = self.rates.find(*key)
        if self._found[key] is None:
            self.unknown.add(year)
        return self._found[key]


def lines_of(
    mean: MonthMean, status: GateStatus, measured: Sequence[Measured], prices: Prices
) -> tuple[Line, ...]:
    """Give the lines of a month: stays by id, the excess of the mean last."""
    individual = bills_each(mean, status)
    payers = sorted((one for one in measured if individual or one.long), key=lambda one: one.stay)
    lines = [line for one in payers if (line := stay_line(one, prices))]
    excess = excess_lines(mean, status, measured, prices)
    return (*lines, *(replace(line, counted=counted_of(measured)) for line in excess))


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


def excess_lines(
    mean: MonthMean, status: GateStatus, measured: Sequence[Measured], prices: Prices
) -> Iterator[Line]:
    """Give the line of the mean's excess, where the month is billed so and there is one."""
    if status.billed and mean.terms.billing is Billing.EXCESS_OVER_MEAN and measured:
        yield from _excess_line(mean, min(one.care_form for one in measured), prices)


def stay_line(one: Measured, prices: Prices) -> Line | None:
    """Bill one stay; None where it is excluded, released, or has no payable day."""
    if one.zero is None or one.released:
        return None
    charges = tuple(_charges(payable_days(one.zero, one.end, one.terms), one, prices))
    if not charges:
        return None
    basis = Basis.LONG_STAY if one.long else Basis.INDIVIDUAL_DAYS
    return Line(one.stay, basis, one.days, one.zero, one.end, charges, one.flags, one.terms)


def _charges(days: Iterable[date], one: Measured, prices: Prices) -> Iterator[Charge]:
    for year, group in groupby(days, key=lambda day: day.year):
        rate = prices.of(one.terms, year, one.care_form)
        of_year = list(group)
        if rate is not None:
            yield Charge(rate, Fraction(len(of_year)), of_year[0], of_year[-1])


def _excess_line(mean: MonthMean, care_form: CareForm, prices: Prices) -> Iterator[Line]:
    """Bill (mean − threshold) × stays in the mean, never below 0; the mean as it was compared."""
    compared, threshold = mean.compared, mean.terms.threshold
    if compared is None or threshold is None or compared <= threshold:
        return
    rate = prices.of(mean.terms, mean.month.year, care_form)
    if rate is not None:
        charge = Charge(rate, (compared - threshold) * mean.stays, None, None)
        yield Line(None, Basis.EXCESS_OVER_MEAN, mean.days, None, None, (charge,), (), mean.terms)
