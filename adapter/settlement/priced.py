"""What the stays of a ledger come to: in the mean of a month, and on its bill.

Owns the shortcut that stays which a bill treats alike are billed once: those of one kind and length within
one year, or of the same days. Does not own a rule: what each of them costs is asked of `bill.stay_line`.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Literal

import numpy as np

from adapter.agreements.rates import Rate
from adapter.agreements.terms import Terms, Unit
from adapter.losus.days import Month
from adapter.settlement.bill import Prices, Unpriced, counted_of, stay_line
from adapter.settlement.columns import Column, distinct
from adapter.settlement.counting import Kind
from adapter.settlement.gate import MonthMean
from adapter.settlement.ledger import Ledger
from adapter.settlement.measure import Measured
from adapter.settlement.statement import Counted, Line

_NEVER = np.iinfo(np.int32).max


@dataclass(frozen=True, slots=True)
class Sum:
    """What lines come to together: payable days, SEK, and the rate of each year.

    `unknown`: years without a rate; their days are among the payable ones, and their SEK are not.
    """

    days: int
    amount: Decimal
    rates: Mapping[int, Rate]
    unknown: frozenset[int] = frozenset()


_NOTHING = Sum(0, Decimal(), {})


class Priced:
    """The stays of a ledger under terms that may differ from those they were counted by, but for day zero.

    `rows` are the stays of the ledger that nothing keeps from being billed, in its order; `alike` says which
    of them a bill treats alike: those of one number differ in id and municipality, or in all their days by as
    much.
    """

    def __init__(self, ledger: Ledger, prices: Prices, terms: Sequence[Terms] | None = None) -> None:
        self.ledger, self.prices = ledger, prices
        self.kinds = ledger.kinds
        if terms is not None:
            self.kinds = [one._replace(terms=new) for one, new in zip(ledger.kinds, terms, strict=True)]
        out = self._of_kind(one.out is not None for one in self.kinds)
        over = (one.terms.long_stays_over for one in self.kinds)
        is_long = ~out & (ledger.days > self._of_kind(_NEVER if days is None else days for days in over))
        self._add_up(is_long, ~out & ~is_long)
        self.clean = self._of_kind(one.out is None and not one.released for one in self.kinds)
        self.rows = np.flatnonzero(self.clean).astype(np.int32)
        spanning = self._spanning()
        self._spans_values = set(np.unique(ledger.group[spanning]).tolist())
        self.alike, self.firsts = self._alike(spanning)
        self.is_long: Column = is_long[self.firsts]
        self._lines: dict[int, tuple[Line | Unpriced, Sum] | None] = {}
        self._sums: dict[tuple[int, bool], Sum] = {}
        keys = ledger.group[self.rows].astype(np.int64) * len(self.firsts) + self.alike
        pairs, counts = np.unique(keys, return_counts=True)
        groups, numbers = np.divmod(pairs, max(1, len(self.firsts)))
        self._numbers, self._counts = numbers.astype(np.int32), counts.astype(np.int32)
        self._pairs = np.searchsorted(groups, np.arange(len(ledger.starts))).tolist()

    def mean(self, group: int | None, month: Month, terms: Terms) -> MonthMean:
        """Give the mean of a month as `gate.mean_of` does; one without a group has no stays."""
        if group is None:
            return MonthMean(month, terms, 0, 0, 0)
        return MonthMean(month, terms, self._stays[group], self._days[group], self._day_zero[group])

    def of_group(self, group: int | None, name: Literal["protected", "entered", "moved"]) -> int:
        """Count the stays of a month that have a flag of `Columns`."""
        if group is None:
            return 0
        first, end = self.ledger.starts[group : group + 2].tolist()
        flags: Column = getattr(self.ledger.stays, name)
        return int(np.count_nonzero(flags[self.ledger.at[first:end]]))

    def sum(self, group: int | None, *, each: bool) -> Sum:
        """Add up the lines of a month's stays: of each of them, or of the long ones alone."""
        if group is None:
            return _NOTHING
        key = (group, each)
        if key not in self._sums:
            self._sums[key] = self._added(group, each=each)
        return self._sums[key]

    def line(self, number: int) -> Line | None:
        """Give the line, without an id, of stays that are alike; None where nothing is or can be billed."""
        found = self._line(number)
        return found[0] if found and isinstance(found[0], Line) else None

    def unpriced(self, group: int | None, *, each: bool) -> list[Unpriced]:
        """Give the stays of a month that a rate is missing for: of all of them, or of the long ones alone."""
        if group is None:
            return []
        ledger, found = self.ledger, []
        for place in np.flatnonzero(ledger.group[self.rows] == group).tolist():
            number = int(self.alike[place])
            line = self._line(number) if each or self.is_long[number] else None
            if line is not None and isinstance(line[0], Unpriced):
                name = ledger.stays.names[ledger.at[self.rows[place]]]
                found.append(replace(line[0], stay=name))
        return found

    def stays(self, group: int | None) -> list[Measured]:
        """Give the stays of a month, by their ids."""
        if group is None:
            return []
        ledger, rows = self.ledger, range(*self.ledger.starts[group : group + 2].tolist())
        names = [ledger.stays.names[at] for at in ledger.at[rows.start : rows.stop].tolist()]
        return [self._stay(row)._replace(stay=name) for row, name in zip(rows, names, strict=True)]

    def counted(self, group: int | None) -> tuple[Counted, ...]:
        """List the stays of a month that are in its mean, as `bill.counted_of` does."""
        return counted_of(self.stays(group))

    def spans_values(self, group: int | None) -> bool:
        """Whether the days of a stay of the month lie under two values of `first_payable_day`."""
        return group in self._spans_values

    def of_lines(self, modes: Column) -> Column:
        """Give the places in `rows` of stays with a line; `modes` by group: 2 for each, 1 for long ones."""
        mode = modes[self.ledger.group[self.rows]]
        asked = (mode == 2) | ((mode == 1) & self.is_long[self.alike])
        has_line = np.zeros(len(self.firsts), np.bool_)
        for number in np.unique(self.alike[asked]).tolist():
            has_line[number] = self.line(number) is not None
        return np.flatnonzero(asked & has_line[self.alike])

    def _of_kind(self, values: Iterable[object]) -> Column:
        return np.array(list(values))[self.ledger.kind] if self.kinds else np.zeros(0, np.bool_)

    def _spanning(self) -> Column:
        """Tell of each row whether its days lie under two values of `first_payable_day`."""
        ledger = self.ledger
        spans = np.zeros(len(ledger.kind), np.bool_)
        for number, kind in enumerate(self.kinds):
            starts = [start.toordinal() for start, _ in kind.terms.first_payable_from[1:]]
            if kind.out is not None or not starts:
                continue
            mine = ledger.kind == number
            for start in starts:
                spans |= mine & (ledger.zero + 1 < start) & (start <= ledger.ends)
        return spans

    def _add_up(self, is_long: Column, in_mean: Column) -> None:
        """Add up every month: stays in the mean, their days, home on day zero; long stays."""
        days = self.ledger.days
        columns = (in_mean, np.where(in_mean, days, 0), in_mean & (days == 0), is_long)
        starts = self.ledger.starts
        sums = [np.append(0, np.cumsum(column, dtype=np.int64))[starts] for column in columns]
        self._stays, self._days, self._day_zero, self.long_stays = (np.diff(one).tolist() for one in sums)

    def _alike(self, spanning: Column) -> tuple[Column, Column]:
        """Number the rows by what a bill sees of them, and give a row of the ledger for each number."""
        ledger, rows = self.ledger, self.rows
        kind, days, zero, end = (
            column[rows].astype(np.int64) for column in (ledger.kind, ledger.days, ledger.zero, ledger.ends)
        )
        year = _years_of(end)
        first, oldest = int(zero.min(initial=_NEVER)), int(year.min(initial=_NEVER))
        moves = self._of_kind(one.terms.unit is Unit.CALENDAR_DAYS for one in self.kinds)[rows]
        moves &= (year == _years_of(zero)) & ~spanning[rows]
        longest, span = int(days.max(initial=0)) + 1, int(end.max(initial=0)) - first + 1
        years = int(year.max(initial=oldest)) - oldest + 1
        by_length = (kind * years + year - oldest) * longest + days
        by_days = (kind * span + zero - first) * span + end - first
        number, count = np.zeros(len(rows), np.int32), 0
        for some, keys in ((np.flatnonzero(moves), by_length), (np.flatnonzero(~moves), by_days)):
            found, which = distinct(keys[some])
            number[some] = count + which
            count += len(found)
        firsts = np.zeros(count, np.int32)
        firsts[number] = rows
        return number, firsts

    def _added(self, group: int, *, each: bool) -> Sum:
        days, amount, rates, differ = 0, Decimal(), dict[int, Rate](), False
        unknown: frozenset[int] = frozenset()
        pairs = slice(self._pairs[group], self._pairs[group + 1])
        for number, count in zip(self._numbers[pairs].tolist(), self._counts[pairs].tolist(), strict=True):
            if found := self._line(number) if each or self.is_long[number] else None:
                one = found[1]
                days += count * one.days
                amount += count * one.amount
                unknown |= one.unknown
                for year, rate in one.rates.items():
                    differ |= rates.setdefault(year, rate) is not rate
        return Sum(days, amount, self._last_rates(group, each=each) if differ else rates, unknown)

    def _last_rates(self, group: int, *, each: bool) -> dict[int, Rate]:
        """Give the rates where care forms differ in them: of each year that of the last line, by id."""
        names = self.ledger.stays.names
        of_group = np.flatnonzero(self.ledger.group[self.rows] == group)
        ids = [names[at] for at in self.ledger.at[self.rows[of_group]].tolist()]
        rates: dict[int, Rate] = {}
        for _, number in sorted(zip(ids, self.alike[of_group].tolist(), strict=True)):
            if found := self._line(number) if each or self.is_long[number] else None:
                rates |= found[1].rates
        return rates

    def _line(self, number: int) -> tuple[Line | Unpriced, Sum] | None:
        if number not in self._lines:
            line = stay_line(self._stay(self.firsts[number]), self.prices)
            self._lines[number] = None if line is None else (line, _sum_of(line))
        return self._lines[number]

    def _stay(self, row: int) -> Measured:
        ledger = self.ledger
        kind: Kind = self.kinds[ledger.kind[row]]
        return kind.stay(int(ledger.zero[row]), int(ledger.ends[row]), int(ledger.days[row]))


def _sum_of(line: Line | Unpriced) -> Sum:
    if isinstance(line, Unpriced):
        return Sum(line.payable_days.numerator, Decimal(), {}, line.years)
    return Sum(line.payable_days.numerator, line.amount, {one.rate.year: one.rate for one in line.charges})


def _years_of(days: Column) -> Column:
    different, which = distinct(days)
    return np.array([date.fromordinal(max(1, day)).year for day in different.tolist()], np.int64)[which]
