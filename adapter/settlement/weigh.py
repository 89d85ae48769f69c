"""Two agreements, or many variants of one, on a ledger: what `compare` says, of a million stays.

Owns what variants share: the stays, the counts of a month and its amount, each worked out once for all
variants that bill alike. Does not own a rule; `compare.compare` and `compare.sweep` say what must come out.
"""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from itertools import product

from adapter.agreements.rates import Rates
from adapter.agreements.rules import Rules
from adapter.agreements.terms import CareForm
from adapter.losus.days import Month
from adapter.settlement.account import POOLED, Payer
from adapter.settlement.bill import Prices, bills_each, excess_lines, stay_line
from adapter.settlement.bulk import bulk
from adapter.settlement.compare import Compared, Grid, Variant, changed_by, pair
from adapter.settlement.gate import GateStatus, MonthMean, mean_of, run_gate
from adapter.settlement.ledger import Held, Ledger
from adapter.settlement.measure import Measured
from adapter.settlement.settle import must_know

#: What can be swept of the terms of a single stay; the rest is of the month and its gate.
_OF_STAYS = ("first_payable_day", "long_stays")


def compare_ledgers(
    ledgers: Sequence[Ledger], rules: Sequence[Rules], rates: Rates, asked: Sequence[Month]
) -> tuple[Compared, ...]:
    """Give what two agreements cost on the same stays, a ledger for each; ordered by payer and month."""
    first, second = (bulk(*one, rates, asked).totals() for one in zip(ledgers, rules, strict=True))
    return pair(first, second)


def sweep_ledger(
    ledger: Ledger, rules: Rules, rates: Rates, asked: Sequence[Month], grid: Grid
) -> Iterator[Variant]:
    """Settle a ledger once for each point of the grid."""
    accounts = sorted(ledger.closed(max(asked).end).items(), key=lambda item: item[0]) if asked else []
    scales: dict[tuple[Decimal | None, ...], _Scale] = {}
    for values in product(*grid.values()):
        changes = dict(zip(grid, values, strict=True))
        changed = changed_by(rules, changes)
        alike = tuple(changes.get(name) for name in _OF_STAYS)
        if alike not in scales:
            scales[alike] = _Scale(changed, rates)
        yield _variant(scales[alike], changed, changes, accounts, asked)


class _Scale:
    """Counts and amounts of months under the same terms of a stay, each worked out once."""

    def __init__(self, rules: Rules, rates: Rates) -> None:
        self.rules, self.prices = rules, Prices(rates)
        self._stays: dict[int, Measured] = {}
        self._amounts: dict[int, Decimal | None] = {}
        self._means: dict[tuple[int, int], MonthMean] = {}
        self._sums: dict[tuple[int, int, bool], Decimal] = {}

    def stay(self, one: Measured) -> Measured:
        """Give the stay under these terms."""
        key = id(one)
        if key not in self._stays:
            self._stays[key] = one._replace(terms=self.rules.on(one.end, one.care_form))
        return self._stays[key]

    def mean(self, account: Held, month: Month, rules: Rules, form: CareForm) -> MonthMean:
        """Give the mean of a month, by the threshold of `rules`."""
        key = (id(account), month.index)
        terms = rules.on(month.first, form)
        found = self._means.get(key)
        if found is None:
            found = self._means[key] = mean_of(month, terms, map(self.stay, account.of(month)))
        return MonthMean(month, terms, found.stays, found.days, found.day_zero)

    def amount(self, account: Held, mean: MonthMean, status: GateStatus) -> Decimal:
        """Give what a month costs; a year without a rate is noted in `prices`."""
        each = bills_each(mean, status)
        key = (id(account), mean.month.index, each)
        held = account.of(mean.month)
        if key not in self._sums:
            stays = (stay for one in held if (stay := self.stay(one)) and (each or stay.long))
            self._sums[key] = sum((self._cost(stay) for stay in stays), Decimal())
        return sum((line.amount for line in excess_lines(mean, status, held, self.prices)), self._sums[key])

    def _cost(self, stay: Measured) -> Decimal:
        key = id(stay)
        found = self._amounts.get(key)
        if found is None:
            line = stay_line(stay, self.prices)
            found = self._amounts[key] = line.amount if line else Decimal()
        return found


def _variant(
    scale: _Scale,
    rules: Rules,
    changes: Mapping[str, Decimal],
    accounts: Sequence[tuple[tuple[str, Payer], Held]],
    asked: Sequence[Month],
) -> Variant:
    towns: dict[str, Decimal] = {}
    liable = 0
    for (_, (municipality, form)), account in accounts:
        care_form = CareForm.SOMATIC if form == POOLED else CareForm(form)
        first = min([month.index for month in asked] + list(account.months))
        run = [Month.at(index) for index in range(first, max(asked).index + 1)]
        means = [scale.mean(account, month, rules, care_form) for month in run]
        told = set(asked)
        for mean, status in zip(means, run_gate(means), strict=True):
            if mean.month in told:
                liable += status.billed
                amount = scale.amount(account, mean, status)
                towns[municipality] = towns.get(municipality, Decimal()) + amount
    must_know(scale.prices)
    return Variant(changes, sum(towns.values(), Decimal()), liable, towns)
