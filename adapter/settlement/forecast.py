"""What an agreement would cost in the year ahead, from the stays of months at hand.

Owns the premises of a forecast, its amounts for each step of a term, and their range. Does not own a rule:
means, gates and payable days are asked of `gate`, `bill` and `priced`, as a statement's are.

The amount of a step is exact: the mean over every year of twelve months that begins with one of the months
at hand and goes on, round to the first of them after the last, settled with a gate that is closed when the
year begins, at one rate, times the share that is billable. Without a memory of the gate that is the amount
of the months at hand times 12 / months. Its range is a bootstrap: years are drawn from the months at hand,
the same months for all municipalities, so that months that were bad for all are so in the range too. Where
the gate has a memory, blocks of as many consecutive months are drawn as it takes to open it. Within a drawn
year each stay is billable with the share's probability, by the number of stays. Ranges are statistics, in
floating point and whole SEK; no bill rests on them.

Document 004: «Denna beräkning utgår dock från att samtliga utskrivningsklara patienter är faktureringsbara.
Det finns inget antagande om hur stor andel som faktiskt är faktureringsbara.»
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from itertools import product
from math import ceil
from typing import Any

import numpy as np
import numpy.typing as npt

from adapter.agreements.rates import Rate, RateEntry, Rates, RateSeries
from adapter.agreements.rules import Period, Rules
from adapter.agreements.terms import CareForm, GateKind, StartIn
from adapter.losus.days import Month
from adapter.settlement.account import Payer
from adapter.settlement.bill import Prices, bills_each, excess_line
from adapter.settlement.compare import Grid, changed_by
from adapter.settlement.gate import GateStatus, MonthMean, run_gate
from adapter.settlement.ledger import Held, Ledger
from adapter.settlement.priced import Priced

#: Months of the year ahead.
YEAR = 12
#: The range holds this share of the drawn years: from the 5th to the 95th of a hundred.
LOW, HIGH = 5, 95
_WHOLE = Decimal(1)

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Premises:
    """What a forecast takes to be so.

    `months` are the months at hand, without gaps. `rate` is the amount per day of the year ahead. The share
    that is billable lies between `share_low` and `share_high`, every value as likely; the amount takes their
    middle.
    """

    months: Sequence[Month]
    rate: Decimal
    share_low: Fraction
    share_high: Fraction
    replicates: int

    @property
    def share(self) -> Fraction:
        """The share billable that the amount rests on."""
        return (self.share_low + self.share_high) / 2


@dataclass(frozen=True, slots=True)
class Estimate:
    """SEK and payable days of the year ahead, with the range of the SEK in whole SEK."""

    payable_days: Fraction
    amount: Fraction
    low: Decimal
    high: Decimal


@dataclass(frozen=True, slots=True)
class Over:
    """How many municipalities were over the level in a month at hand, of those that had stays in its mean."""

    month: Month
    care_form: str
    municipalities: int
    of: int


@dataclass(frozen=True, slots=True)
class Step:
    """The forecast under one value of each term that is stepped through.

    `share_low` and `share_high` are the range of the share of stays that were billable in the drawn years.
    """

    changes: Mapping[str, Decimal]
    total: Estimate
    by_municipality: Mapping[str, Estimate]
    over: tuple[Over, ...]
    share_low: Decimal
    share_high: Decimal


def forecast(
    ledger: Ledger, rules: Rules, premises: Premises, grid: Grid, draw: np.random.Generator
) -> Iterator[Step]:
    """Forecast each point of the grid; the same years are drawn for every step, so that steps compare.

    `ledger` holds the stays counted by `rules`, which are those of `hypothetical_rules`.
    """
    prices = Prices(flat_rates(rules, premises.rate, ledger))
    seed = int(draw.integers(2**63))
    for values in product(*grid.values()):
        changes = dict(zip(grid, values, strict=True))
        changed = changed_by(rules, changes)
        terms = [changed.on(date.min, kind.form) for kind in ledger.kinds]
        priced = Priced(ledger, prices, terms)
        payers = [
            _observed(priced, replace(account, rules=changed), payer, premises.months)
            for (_, payer), account in sorted(ledger.accounts.items(), key=lambda item: item[0])
        ]
        yield _step(changes, payers, premises, np.random.default_rng(seed))


def hypothetical_rules(rules: Rules, day: date) -> Rules:
    """Give the terms of one day as if they held on all days, with the measure already begun."""
    periods = {
        form: (
            Period(
                date.min, date.max, replace(rules.on(day, form), measure_from=None, first_payable_from=())
            ),
        )
        for form in CareForm
    }
    return replace(rules, periods=periods)


def newest_rate(rates: Rates, series: str, form: CareForm) -> Rate | None:
    """Give the newest amount that is known, of whatever year; None where the series knows none."""
    years = sorted({entry.year for entry in rates.series[series].amounts}, reverse=True)
    found = (rates.find(series, year, form) for year in years)
    return next((rate for rate in found if rate is not None), None)


def flat_rates(rules: Rules, amount: Decimal, ledger: Ledger) -> Rates:
    """Give the same amount for every year that the ledger's stays lie in."""
    days = [*ledger.ends.tolist(), *(day for day in ledger.zero.tolist() if day > 0)]
    years = range(date.fromordinal(min(days)).year, date.fromordinal(max(days)).year + 1) if days else ()
    names = {period.terms.rate for periods in rules.periods.values() for period in periods}
    entries = tuple(RateEntry(year=year, amount=amount, verified=False) for year in years)
    return Rates(documents={}, series={name: RateSeries(title=name, amounts=entries) for name in names})


@dataclass(frozen=True, slots=True)
class _Observed:
    """One payer in the months at hand: its means, and the payable days of each month if liable or not."""

    payer: Payer
    means: Sequence[MonthMean]
    liable: Sequence[Fraction]
    otherwise: Sequence[Fraction]

    @property
    def remembers(self) -> bool:
        """Whether the status of a month depends on the months before it."""
        terms = self.means[0].terms
        return terms.gate is GateKind.MEAN and terms.start_in is StartIn.NEXT_MONTH

    def year(self) -> Fraction:
        """Give the payable days of a year: the mean over every one that begins with a month at hand."""
        count = len(self.means)
        if not self.remembers:
            alone = range(count)
            return Fraction(YEAR, count) * sum((self._days((place,)) for place in alone), Fraction())
        years = ([(start + place) % count for place in range(YEAR)] for start in range(count))
        return sum(map(self._days, years), Fraction()) / count

    def _days(self, places: Sequence[int]) -> Fraction:
        """Add up the payable days of months one after the other, by their places."""
        statuses = run_gate([self.means[place] for place in places])
        each = zip(statuses, places, strict=True)
        return sum(
            (self.liable[place] if status.billed else self.otherwise[place] for status, place in each),
            Fraction(),
        )


def _observed(priced: Priced, account: Held, payer: Payer, months: Sequence[Month]) -> _Observed:
    form = CareForm.SOMATIC if payer.care_form not in set(CareForm) else CareForm(payer.care_form)
    terms = account.rules.on(date.min, form)
    means = [priced.mean(account.groups.get(month.index), month, terms) for month in months]
    liable, otherwise = (
        [_payable(priced, account, mean, status) for mean in means]
        for status in (GateStatus.LIABLE, GateStatus.FOLLOW_UP)
    )
    return _Observed(payer, means, liable, otherwise)


def _payable(priced: Priced, account: Held, mean: MonthMean, status: GateStatus) -> Fraction:
    """Give the payable days of a month under a status: of stays, and of the excess of the mean."""
    stays = priced.sum(account.groups.get(mean.month.index), each=bills_each(mean, status)).days
    excess = excess_line(mean, status, account.of(mean.month), priced.prices)
    return stays + (excess.payable_days if excess else Fraction())


def _step(
    changes: Mapping[str, Decimal], payers: Sequence[_Observed], premises: Premises, draw: np.random.Generator
) -> Step:
    drawn = _years(payers, premises, draw)
    shares = draw.uniform(float(premises.share_low), float(premises.share_high), premises.replicates)
    days: dict[str, Fraction] = {}
    ranges: dict[str, Floats] = {}
    billable = counted = np.zeros(premises.replicates)
    for payer in payers:
        town = payer.payer.municipality
        days[town] = days.get(town, Fraction()) + payer.year()
        stays = np.array([mean.stays for mean in payer.means], np.int64)[drawn].sum(axis=1)
        chosen = stays if premises.share_low == 1 else draw.binomial(stays, shares)
        part = np.divide(chosen, stays, out=np.zeros(len(stays)), where=stays > 0)
        ranges[town] = ranges.get(town, np.zeros(len(stays))) + _days_of_years(payer, drawn) * part
        billable, counted = billable + chosen, counted + stays
    made = {town: _estimate(days[town], ranges[town], premises) for town in sorted(days)}
    total = _estimate(
        sum(days.values(), Fraction()), sum(ranges.values(), np.zeros(premises.replicates)), premises
    )
    share = np.divide(billable, counted, out=np.zeros(len(counted)), where=counted > 0)
    low, high = (_decimal(value, Decimal("0.001")) for value in np.percentile(share, (LOW, HIGH)))
    return Step(changes, total, made, tuple(_over(payers)), low, high)


def _estimate(days: Fraction, drawn: Floats, premises: Premises) -> Estimate:
    """Take the billable share of a year's days; the range is that of the drawn years, at the same rate."""
    payable = days * premises.share
    low, high = (
        _decimal(value, _WHOLE) for value in np.percentile(drawn * float(premises.rate), (LOW, HIGH))
    )
    return Estimate(payable, payable * Fraction(premises.rate), low, high)


def _decimal(value: float, step: Decimal) -> Decimal:
    return Decimal(float(value)).quantize(step, ROUND_HALF_UP)


def _years(payers: Sequence[_Observed], premises: Premises, draw: np.random.Generator) -> Ints:
    """Draw years, a row each: places of months at hand, in blocks that begin anywhere and go round."""
    count = len(premises.months)
    block = max([payer.means[0].terms.start_after for payer in payers if payer.remembers], default=1)
    starts = draw.integers(count, size=(premises.replicates, ceil(YEAR / block)))
    places: Ints = (starts[:, :, np.newaxis] + np.arange(block)) % count
    return places.reshape(premises.replicates, -1)[:, :YEAR]


def _days_of_years(payer: _Observed, drawn: Ints) -> Floats:
    """Give the payable days of each drawn year."""
    liable, otherwise = (np.array([float(day) for day in days]) for days in (payer.liable, payer.otherwise))
    days: Floats = np.where(_billed(payer, drawn), liable[drawn], otherwise[drawn]).sum(axis=1)
    return days


def _billed(payer: _Observed, drawn: Ints) -> npt.NDArray[np.bool_]:
    """Say which months of the drawn years are billed: the gate is asked once for each pattern of months."""
    if not payer.remembers:
        alone = np.array([run_gate((mean,))[0].billed for mean in payer.means])
        return alone[drawn]
    kinds = np.array([2 if mean.stays == 0 else int(mean.over) for mean in payer.means], np.int64)
    patterns = (kinds[drawn] * 3 ** np.arange(YEAR)).sum(axis=1)
    _, first, which = np.unique(patterns, return_index=True, return_inverse=True)
    asked = [run_gate([payer.means[place] for place in drawn[row]]) for row in first.tolist()]
    return np.array([[status.billed for status in statuses] for statuses in asked])[which]


def _over(payers: Sequence[_Observed]) -> Iterator[Over]:
    """Count the municipalities over the level in each month at hand, for each care form."""
    for form in sorted({payer.payer.care_form for payer in payers}):
        of_form = [payer for payer in payers if payer.payer.care_form == form]
        for means in zip(*(payer.means for payer in of_form), strict=True):
            there = [
                (payer.payer.municipality, mean.over)
                for payer, mean in zip(of_form, means, strict=True)
                if mean.stays
            ]
            over = {town for town, is_over in there if is_over}
            yield Over(means[0].month, form, len(over), len({town for town, _ in there}))


def changes_nothing(rules: Rules, grid: Grid) -> list[str]:
    """Name the terms of the grid that no amount of this agreement depends on."""
    terms: list[Any] = [period.terms for periods in rules.periods.values() for period in periods]
    found = []
    if "threshold" in grid and all(one.gate is GateKind.NONE for one in terms):
        found.append("threshold")
    individual = any(one.billing == "individual-days" or one.long_stays_over is not None for one in terms)
    if "first_payable_day" in grid and not individual:
        found.append("first_payable_day")
    return found
