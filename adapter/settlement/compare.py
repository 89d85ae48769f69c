"""Two agreements, or many variants of one, on the same stays.

Owns what the comparison says of each payer and month: what each costs, and on which terms they differ;
and the grid of a sweep. Does not own settling (`settle`).
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from fractions import Fraction
from itertools import product
from typing import Any

from adapter.agreements.rates import Rates
from adapter.agreements.rules import Rules
from adapter.agreements.terms import Clause, Terms
from adapter.losus.days import Month
from adapter.settlement.account import Account, Accounts, Named, collect
from adapter.settlement.gate import GateStatus, MonthMean
from adapter.settlement.settle import settle_accounts
from adapter.settlement.statement import NoRate, Statement, unknown_rate
from adapter.settlement.stay import Stay

#: Terms to vary, by name, each with its values.
Grid = Mapping[str, Sequence[Decimal]]

_GATE = ("gate", "threshold", "compare", "round_mean", "measure_from", "start_after", "start_in")
_STOP = ("stop_after", "retroactive", "empty_month")
_DAYS = ("clock", "unit", "cutoff", "cutoff_inclusive", "compulsory")
_BILL = ("billing", "first_payable_day", "count_end_day", "requires", "late", "rate")


@dataclass(frozen=True, slots=True)
class Differing:
    """A term on which two agreements differ, its value in each, and the clauses."""

    term: str
    a: str
    b: str
    clause_a: Clause | None
    clause_b: Clause | None


@dataclass(frozen=True, slots=True)
class Total:
    """A statement in one line: what its month comes to, without the lines.

    `sum` is 0 where a rate is missing.
    """

    agreement: str
    municipality: str
    care_form: str
    mean: MonthMean
    status: GateStatus
    payable_days: Fraction
    sum: Decimal
    suspended: bool
    provisional: bool
    no_rate: NoRate | None = None

    @property
    def amount(self) -> Decimal:
        """SEK; UnknownRateError where a rate is missing."""
        if self.no_rate is not None:
            raise unknown_rate(self.no_rate.years)
        return self.sum

    @property
    def month(self) -> Month:
        """The calendar month in which the stays ended."""
        return self.mean.month


@dataclass(frozen=True, slots=True)
class Compared:
    """One payer and month under both agreements; `differing` is empty where they cost the same."""

    a: Total
    b: Total
    differing: tuple[Differing, ...]

    @property
    def unknown(self) -> tuple[int, ...]:
        """The years whose rate is missing for one of the two, or both: nothing is compared then."""
        years = {year for one in (self.a, self.b) if one.no_rate for year in one.no_rate.years}
        return tuple(sorted(years))

    @property
    def difference(self) -> Decimal:
        """SEK that the second costs more; negative where it costs less. Raises as `Total.amount` does."""
        return self.b.amount - self.a.amount


@dataclass(frozen=True, slots=True)
class Variant:
    """An agreement with some terms changed, and what it comes to.

    `no_rate`: the months of payers that a rate is missing for; they are in no amount.
    """

    changes: Mapping[str, Decimal]
    amount: Decimal
    liable_months: int
    by_municipality: Mapping[str, Decimal]
    no_rate: int = 0


def compare(
    stays: Sequence[Stay], a: Rules, b: Rules, rates: Rates, asked: Sequence[Month]
) -> tuple[Compared, ...]:
    """Settle the same stays by both agreements, whoever their parties are; ordered by payer and month."""
    return pair(
        map(total_of, _settled(stays, a, rates, asked)), map(total_of, _settled(stays, b, rates, asked))
    )


def hypothetical(rules: Rules, asked: Sequence[Month]) -> Rules:
    """Give the rules as if they held for all months asked for: their measure starts no later than the first.

    The same rules where it starts by then anyway.
    """
    first = min(asked).first if asked else date.max
    if all(_measured_by(period.terms, first) for periods in rules.periods.values() for period in periods):
        return rules
    return replace(
        rules,
        periods={
            form: tuple(
                replace(period, terms=replace(period.terms, measure_from=first))
                if not _measured_by(period.terms, first)
                else period
                for period in periods
            )
            for form, periods in rules.periods.items()
        },
    )


def _measured_by(terms: Terms, day: date) -> bool:
    return terms.measure_from is None or terms.measure_from <= day


def total_of(one: Statement) -> Total:
    """Sum up a statement."""
    return Total(
        one.agreement,
        one.municipality,
        one.care_form,
        one.mean,
        one.status,
        one.payable_days,
        Decimal() if one.no_rate else one.amount,
        one.suspended,
        one.provisional,
        one.no_rate,
    )


def pair(a: Iterable[Total], b: Iterable[Total]) -> tuple[Compared, ...]:
    """Put the payers and months that both have side by side, in the order of the first."""
    second = {(one.municipality, one.care_form, one.month): one for one in b}
    both = ((one, second.get((one.municipality, one.care_form, one.month))) for one in a)
    return tuple(Compared(one, other, differing(one, other)) for one, other in both if other)


def differing(a: Total, b: Total) -> tuple[Differing, ...]:
    """Name the terms that can make the two differ: the gate's where one bills and the other does not."""
    if a.no_rate or b.no_rate or a.amount == b.amount:
        return ()
    first, second = a.mean.terms, b.mean.terms
    gate = (*_GATE, *_STOP) if first.gate is second.gate else ("gate",)
    names = gate if a.status.billed != b.status.billed else (*_DAYS, *_BILL, *gate)
    return tuple(_differing((*names, "long_stays_over"), first, second))


def sweep(
    stays: Iterable[Stay], rules: Rules, rates: Rates, asked: Sequence[Month], grid: Grid
) -> Iterator[Variant]:
    """Settle the stays once for each point of the grid; they are read and measured only once."""
    accounts = collect(stays, Named(rules, whole=True), max(asked).end) if asked else {}
    for values in product(*grid.values()):
        changes = dict(zip(grid, values, strict=True))
        changed = changed_by(rules, changes)
        yield _variant(changes, settle_accounts(_revised(accounts, changed), rates, asked))


#: What may be swept: the field of the terms, and how its value is made. None of them moves day zero.
SWEEPABLE: Mapping[str, tuple[str, Callable[[Decimal], Any]]] = {
    "threshold": ("threshold", Fraction),
    "first_payable_day": ("first_payable_day", int),
    "start_after": ("start_after", int),
    "stop_after": ("stop_after", int),
    "round_mean": ("round_mean", int),
    "long_stays": ("long_stays_over", int),
}


def changed_by(rules: Rules, changes: Mapping[str, Decimal]) -> Rules:
    """Give the rules of a variant."""
    made = {field: make(changes[name]) for name, (field, make) in SWEEPABLE.items() if name in changes}
    if "first_payable_day" in made:
        made["first_payable_from"] = ()  # the same on every day
    return rules.changed(**made)


def _settled(
    stays: Sequence[Stay], rules: Rules, rates: Rates, asked: Sequence[Month]
) -> tuple[Statement, ...]:
    accounts = collect(stays, Named(rules, whole=True), max(asked).end) if asked else {}
    return settle_accounts(accounts, rates, asked)


def _revised(accounts: Accounts, rules: Rules) -> Accounts:
    """Give the same measured stays under changed rules."""
    return {
        key: Account(
            rules,
            {
                index: [one._replace(terms=rules.on(one.end, one.care_form)) for one in measured]
                for index, measured in account.months.items()
            },
            account.open,
        )
        for key, account in accounts.items()
    }


def _variant(changes: Mapping[str, Decimal], statements: Sequence[Statement]) -> Variant:
    towns: dict[str, Decimal] = {}
    known = [one for one in statements if one.no_rate is None]
    for one in known:
        towns[one.municipality] = towns.get(one.municipality, Decimal()) + one.amount
    liable = sum(one.status.billed for one in statements)
    return Variant(changes, sum(towns.values(), Decimal()), liable, towns, len(statements) - len(known))


def _differing(names: Iterable[str], a: Terms, b: Terms) -> Iterator[Differing]:
    for name in names:
        mine, theirs = getattr(a, name), getattr(b, name)
        if name == "first_payable_day" and mine == theirs:
            mine, theirs = a.first_payable_from, b.first_payable_from
        if mine != theirs:
            cited = "long_stays" if name == "long_stays_over" else name
            yield Differing(cited, _words(mine), _words(theirs), a.clauses.get(cited), b.clauses.get(cited))


def _words(value: object) -> str:
    if isinstance(value, tuple) and value and isinstance(value[0], tuple):
        return ", ".join(
            f"{first} from {start}" if start > date.min else str(first) for start, first in value
        )
    if isinstance(value, tuple):
        return ", ".join(map(str, value)) or "none"
    return "none" if value is None else str(value)
