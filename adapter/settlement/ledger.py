"""The stays of a file, counted and sorted by agreement, payer and month, as columns.

Owns where a stay belongs. Does not own how it counts (`counting`), which agreement it falls under
(`account.Law`) nor what a month costs (`priced`, `bulk`).
"""

from bisect import bisect_right
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple, Self

import numpy as np

from adapter.agreements.in_force import InForce, span_of
from adapter.agreements.rules import Rules
from adapter.agreements.terms import CareForm, Terms
from adapter.losus.days import DAY, Month
from adapter.settlement.account import POOLED, Account, Choice, Law, Named, Payer
from adapter.settlement.columns import FORMS, Column, Columns, distinct, sorted_places
from adapter.settlement.counting import Counting, Kind
from adapter.settlement.measure import Measured, Reason

#: The days on which something may change for a municipality.
Edges = Callable[[str], Collection[date]]


@dataclass(slots=True)
class Held(Account):
    """An account whose stays are in the ledger; of each month, `months` holds some that stand for them all.

    They have the terms, the care forms and, where terms or agreement change within the month, the days of the
    end that are found in it. `groups` gives the place of the month in the ledger.
    """

    groups: dict[int, int] = field(default_factory=dict)


class Ledger:
    """Stays that ended before `end`, counted; those open on the day before stand in `accounts` by name.

    The columns have a row for each stay that ended, those of a group (an account's month) side by side:
    `group` is g in the rows from `starts[g]` up to `starts[g + 1]`. `at` is a stay's place in `stays`, `ends`
    its last day, `kind` its place in `kinds`; `zero` and `days` are as in `counting.Counted`.
    """

    def __init__(self, stays: Columns, choice: Choice, edges: Edges, end: date) -> None:
        self.stays, self.end = stays, end
        self.accounts: dict[tuple[str, Payer], Held] = {}
        self.kinds: list[Kind] = []
        self._choice, self._edges = choice, edges
        self._changes: dict[str, Collection[int]] = {}
        self._countings: dict[tuple[int, CareForm], tuple[int, Counting]] = {}
        self._groups = 0
        closed = np.flatnonzero((stays.end > 0) & (stays.end < end.toordinal()))
        group, counting = self._placed(closed)
        order = sorted_places(group)
        self.at, counting = closed[order].astype(np.int32), counting[order]
        self.group = group[order]
        self.starts = np.append(0, np.cumsum(np.bincount(group, minlength=self._groups)))
        self.ends = stays.end[self.at]
        self.zero, self.days, self.kind = (np.zeros(len(closed), np.int32) for _ in range(3))
        for number, one in self._countings.values():
            rows = np.flatnonzero(counting == number)
            self.zero[rows], self.days[rows], self.kind[rows] = one.count(stays, self.at[rows])
        self._keep_open()

    def _placed(self, closed: Column) -> tuple[Column, Column]:
        """Give group and counting of stays: by payer and month, or by day where something changes in it."""
        liable, form, region = (
            column[closed].astype(np.int64)
            for column in (self.stays.liable, self.stays.form, self.stays.region)
        )
        payers, payer = distinct((liable * len(FORMS) + form) * _COUNTIES + region)
        days, day = distinct(self.stays.end[closed].astype(np.int64))
        numbers, number = distinct(np.array([_month(one).index for one in days.tolist()], np.int64))
        months = [Month.at(index) for index in numbers.tolist()]
        spots, spot = distinct(payer * len(months) + number[day])
        whom = [_whom(one) for one in payers.tolist()]
        asked = [(whom[one // len(months)], months[one % len(months)]) for one in spots.tolist()]
        changes = np.array([month.index in self._changing(one.liable) for one, month in asked], np.bool_)
        lasts = {month: month.end - DAY for month in months}
        places = [
            (0, 0) if apart else self._place(*one, lasts[one[1]])
            for one, apart in zip(asked, changes.tolist(), strict=True)
        ]
        rows = np.flatnonzero(changes[spot])
        by_day, which = distinct(spot[rows] * len(days) + day[rows])
        spot[rows] = len(places) + which
        places += [
            self._place(*asked[int(one // len(days))], date.fromordinal(days[one % len(days)]))
            for one in by_day.tolist()
        ]
        found = np.array(places, np.int32).reshape(-1, 2)
        return found[spot, 0], found[spot, 1]

    def _changing(self, liable: str) -> Collection[int]:
        """Give the `Month.index` of those within which something changes; on their first day, all may."""
        if liable not in self._changes:
            self._changes[liable] = {Month.of(day).index for day in self._edges(liable) if day.day > 1}
        return self._changes[liable]

    def _place(self, whom: "_Whom", month: Month, on: date) -> tuple[int, int]:
        """Give group and counting of a payer's month, by what holds on a day of it."""
        form = whom.form
        account, terms, assumed = self._account(whom, on)
        if assumed:
            account.assumed.add(month.index)
        if month.index not in account.groups:
            account.groups[month.index] = self._groups
            account.months[month.index] = []
            self._groups += 1
        account.months[month.index].append(Measured("", form, on, terms, None, 0, Reason.NOT_READY, (), ()))
        key = (id(terms), form)
        if key not in self._countings:
            counting = Counting(terms, form, len(self.kinds))
            self._countings[key] = len(self._countings), counting
            self.kinds += counting.kinds
        return account.groups[month.index], self._countings[key][0]

    def _account(self, whom: "_Whom", day: date) -> tuple[Held, Terms, bool]:
        """Give the account and the terms of a day, and whether it is assumed which region treats."""
        liable, form, said = whom
        region, assumed = self._choice.treating(said, liable)
        rules = self._choice.choose(liable, form, day, region)
        terms = rules.on(day, form)
        key = (rules.id, Payer(liable, POOLED if terms.pool_care_forms else form.value, region))
        if key not in self.accounts:
            self.accounts[key] = Held(rules)
        return self.accounts[key], terms, assumed

    def _keep_open(self) -> None:
        """Put the open stays where they stand by what holds on the day before the end."""
        for at in np.flatnonzero(self.stays.end == 0).tolist():
            liable, form, region = (
                int(column[at]) for column in (self.stays.liable, self.stays.form, self.stays.region)
            )
            account, *_ = self._account(_Whom.of(liable, form, region), self.end - DAY)
            if self.stays.admitted[at] < self.end.toordinal():
                account.open.append(self.stays.names[at])


class _Whom(NamedTuple):
    """What of a stay decides whose it is: liable municipality, care form, and the region that it says."""

    liable: str
    form: CareForm
    region: str | None

    @classmethod
    def of(cls, liable: int, form: int, region: int) -> Self:
        """Read it from the columns."""
        return cls(f"{liable:04d}", FORMS[form], f"{region:02d}" if region else None)


def _whom(number: int) -> _Whom:
    """Read whose a number of `_placed` is."""
    rest, region = divmod(number, _COUNTIES)
    return _Whom.of(*divmod(rest, len(FORMS)), region)


#: More than there are länskoder: two digits.
_COUNTIES = 100


def _month(day: int) -> Month:
    return Month.of(date.fromordinal(day))


def months_of(stays: Columns) -> list[Month]:
    """Give the months in which stays ended, in order."""
    ended, _ = distinct(stays.end[stays.end > 0])
    return [Month.at(index) for index in sorted({_month(day).index for day in ended.tolist()})]


class Lasting(Law):
    """What is in force, asked once for all days between two on which something may change."""

    def __init__(self, rules: Mapping[str, Rules], home: str | None = None) -> None:
        super().__init__(rules, home)
        self._common = _edges_of(rules.values())
        self._edges: dict[str, list[date]] = {}
        self._held: dict[tuple[str, str, str, int], InForce] = {}

    def edges(self, municipality: str) -> Sequence[date]:
        """Give the days, in order, on which something may change for a municipality."""
        if municipality not in self._edges:
            spans = (span_of(self.agreements, one, municipality) for one in self.agreements.values())
            own = {edge for span in spans if span for edge in (span.start, span.end) if edge}
            self._edges[municipality] = sorted(self._common | own)
        return self._edges[municipality]

    def on(self, payer: Payer, day: date) -> InForce:
        """Say what is in force on a day."""
        key = (*payer, bisect_right(self.edges(payer.municipality), day))
        if key not in self._held:
            self._held[key] = super().on(payer, day)
        return self._held[key]


def by_name(
    stays: Columns, rules: Rules, end: date, home: str | None = None, *, whole: bool = False
) -> Ledger:
    """Open a ledger for one agreement, whoever its parties are; `home` and `whole` as in `Named`."""
    edges = _edges_of((rules,))
    return Ledger(stays, Named(rules, home, whole), lambda _: edges, end)


def by_law(stays: Columns, law: Lasting, end: date) -> Ledger:
    """Open a ledger for what is in force for each stay when it ends."""
    return Ledger(stays, law, law.edges, end)


def _edges_of(rules: Iterable[Rules]) -> set[date]:
    """Give the days on which terms change, or an agreement begins or ends for all."""
    found: set[date] = set()
    for one in rules:
        found |= {period.start for periods in one.periods.values() for period in periods}
        life = one.agreement.life
        last = (life.valid.through, *(prolonged.through for prolonged in life.prolonged))
        found |= {life.valid.from_} | {day + DAY for day in last if day}
    return found
