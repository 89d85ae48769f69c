"""What statements rest on: stays, means, disputes, rates, terms; recorded with each statement that is issued.

Owns the form in which it is recorded and read again, so that a later correction can name what changed
(settlement rules 8). Does not own the naming (`causes`). Pure.

A record holds only the stays that are new or differ from the records before it: the records of a payer, read
in order, give what was known when the last of them was made. When one is made, everything that is owed by
its payer is posted; so it is what a later adjustment is compared with.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import date
from decimal import Decimal
from types import MappingProxyType
from typing import Any, NamedTuple

from adapter.agreements.rates import Rates
from adapter.agreements.rules import Rules
from adapter.agreements.terms import CareForm, Terms
from adapter.losus.days import Month
from adapter.settlement.account import POOLED, Account, Accounts
from adapter.settlement.holding import Dispute, DisputeStatus

#: A payer by its parts: municipality, care form (or `pooled`), and the region that is paid.
Whose = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class StayInput:
    """A stay as it was settled: the agreement, its month, and its row of a stays file (`stay.row_of`)."""

    stay: str
    agreement: str
    month: str
    row: Mapping[str, Any]


class MonthCounts(NamedTuple):
    """The counts of a month's mean; `month_index` as `Month.index`."""

    month_index: int
    stays: int
    days: int
    day_zero: int
    no_data: bool = False


class TermsRecord(NamedTuple):
    """The terms that hold from a day on: the value of each that an amount rests on, as text, by its name."""

    start: date
    values: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Recorded:
    """What one payer's statements rested on when a statement was issued.

    `stays`: those that are new or differ from the records before; `gone`: those recorded before that are no
    longer this payer's. `runs`, `rates` and `terms` by agreement, whole: the gate's months, the amounts per
    year, the terms. `disputes`: the status of each.
    """

    stays: tuple[StayInput, ...]
    gone: tuple[str, ...]
    runs: Mapping[str, tuple[MonthCounts, ...]]
    disputes: Mapping[str, DisputeStatus]
    rates: Mapping[str, Mapping[int, Decimal]]
    terms: Mapping[str, tuple[TermsRecord, ...]]


class Moved(NamedTuple):
    """A stay that another municipality is, or was, liable for: from which day, where that is known.

    `corrected`: the municipality that was known was wrong; else the person moved during the stay.
    """

    since: date | None
    corrected: bool


@dataclass(frozen=True, slots=True)
class Inputs:
    """What the statements of one payer rest on at one time.

    The fields are those of `Recorded`, with all stays. `moved`: of stays that came from another municipality,
    or went to one, what is known of it; nothing in what is read from records.
    """

    stays: Mapping[str, StayInput]
    runs: Mapping[str, tuple[MonthCounts, ...]]
    disputes: Mapping[str, DisputeStatus]
    rates: Mapping[str, Mapping[int, Decimal]]
    terms: Mapping[str, tuple[TermsRecord, ...]]
    moved: Mapping[str, Moved] = field(default_factory=lambda: MappingProxyType({}))


def inputs_of(
    accounts: Accounts,
    payer: Whose,
    rows: Mapping[str, Mapping[str, Any]],
    rates: Rates,
    disputes: Iterable[Dispute],
    last: Month,
    moved: Mapping[str, Moved] = MappingProxyType({}),
) -> Inputs:
    """Give what the statements of a payer rest on now.

    `accounts` are those of the municipality, `rows` its stays by id (`stay.row_of`), `last` the last month
    that is settled.
    """
    mine = {name: one for (name, whose), one in accounts.items() if tuple(whose) == tuple(payer)}
    form = form_of(payer[1])
    runs = {name: tuple(_run(account, form, last)) for name, account in mine.items()}
    return Inputs(
        {
            measured.stay: StayInput(measured.stay, name, str(Month.at(index)), rows[measured.stay])
            for name, account in mine.items()
            for index, month in account.months.items()
            for measured in month
            if measured.stay in rows
        },
        runs,
        {one.id: one.status for one in disputes},
        {name: _amounts(mine[name].rules, form, runs[name], rates) for name in mine},
        {name: terms_of(account.rules, form) for name, account in mine.items()},
        moved,
    )


def form_of(care_form: str) -> CareForm:
    """Give the care form by which a payer's gate is run: a pooled payer's terms are those of somatic care."""
    return CareForm.SOMATIC if care_form == POOLED else CareForm(care_form)


def _run(account: Account, form: CareForm, last: Month) -> Iterator[MonthCounts]:
    """Give the counts of the months that the gate runs through, from the first that anything is known of."""
    known = [*account.months, *account.closed]
    for index in range(min(known, default=last.index), last.index + 1):
        mean = account.mean(Month.at(index), form)
        yield MonthCounts(index, mean.stays, mean.days, mean.day_zero, mean.no_data)


def _amounts(rules: Rules, form: CareForm, run: Sequence[MonthCounts], rates: Rates) -> dict[int, Decimal]:
    """Give the amount per day of each year of a run, and of the year before: a stay may be that long."""
    years = {Month.at(one.month_index).year for one in run}
    found = {
        year: rates.find(rules.on(date(year, 12, 31), form).rate, year, form)
        for year in sorted(years | {year - 1 for year in years})
    }
    return {year: rate.amount for year, rate in found.items() if rate is not None}


#: Terms of the process and of the invoice: no line rests on them.
_APART = frozenset(
    (
        "clauses",
        "criteria",
        "reception",
        "long_holiday",
        "eves_are_free",
        "discharge",
        "corrections_until_day",
        "zero_invoice",
    )
)


def terms_of(rules: Rules, form: CareForm) -> tuple[TermsRecord, ...]:
    """Give the terms of each period, as text, without their clauses."""
    return tuple(TermsRecord(one.start, values_of(one.terms)) for one in rules.periods[form])


def values_of(terms: Terms) -> dict[str, str]:
    """Give the value of each term that an amount rests on, as text."""
    names = [one.name for one in fields(terms) if one.name not in _APART]
    return {name: _text(getattr(terms, name)) for name in names}


def _text(value: object) -> str:
    if isinstance(value, tuple):
        return ", ".join(map(str, value))
    return "" if value is None else str(value)


def record(before: Inputs | None, now: Inputs, months: Sequence[Month]) -> Recorded:
    """Give the record of what is known now: of stays that ended in these months what differs from before."""
    settled = {str(month) for month in months}
    known = {} if before is None else before.stays
    mine = {name: one for name, one in now.stays.items() if one.month in settled}
    return Recorded(
        tuple(one for name, one in sorted(mine.items()) if known.get(name) != one),
        tuple(sorted(name for name, one in known.items() if one.month in settled and name not in mine)),
        now.runs,
        now.disputes,
        now.rates,
        now.terms,
    )


def recorded(records: Iterable[Recorded | None]) -> Inputs | None:
    """Read the records of a payer, oldest first: what was known at the last; None where there is none."""
    stays: dict[str, StayInput] = {}
    last: Recorded | None = None
    for one in records:
        if one is None:
            continue
        last = one
        stays.update((each.stay, each) for each in one.stays)
        for name in one.gone:
            stays.pop(name, None)
    if last is None:
        return None
    return Inputs(stays, last.runs, last.disputes, last.rates, last.terms)
