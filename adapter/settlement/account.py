"""The stays of a file, measured and sorted into accounts: by agreement, payer and month.

Owns which agreement settles a stay (the one named, or what is in force when it ended) and which month it
belongs to (`attribution: end-month`). Does not own statements (`settle`).
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import partial

from adapter.agreements.agreement import Agreement
from adapter.agreements.in_force import InForce, in_force
from adapter.agreements.rules import Rules
from adapter.agreements.terms import CareForm
from adapter.losus.days import DAY, Month, local_day
from adapter.settlement.gate import Counts, MonthMean, mean_of
from adapter.settlement.heard import Heard
from adapter.settlement.measure import Measured, measure
from adapter.settlement.stay import Stay

POOLED = "pooled"

#: Municipality (kommunkod) and care form (or `pooled`): whom a statement is for.
Payer = tuple[str, str]


def _always(_: Month) -> bool:
    return True


@dataclass(slots=True)
class Account:
    """The stays of one payer under one agreement: measured, by `Month.index` of their end; and those open.

    `closed`: of months that are not settled any more, whose stays are not here, the counts (by index).
    `knows` says of a month without stays whether it is known that there were none (`heard`).
    """

    rules: Rules
    months: dict[int, list[Measured]] = field(default_factory=dict)
    open: list[str] = field(default_factory=list)
    closed: Mapping[int, Counts] = field(default_factory=dict)
    knows: Callable[[Month], bool] = _always

    def mean(self, month: Month, form: CareForm) -> MonthMean:
        """Give the mean of a month: of its stays, or as it was when the month was closed."""
        terms, closed = self.rules.on(month.first, form), self.closed.get(month.index)
        if closed is not None:
            return MonthMean(month, terms, *closed)
        if not self.of(month) and not self.knows(month):
            return MonthMean(month, terms, 0, 0, 0, no_data=True)
        return mean_of(month, terms, self.of(month))

    def of(self, month: Month) -> Sequence[Measured]:
        """Give the stays that ended in a month, in no order."""
        return self.months.get(month.index, ())


Accounts = dict[tuple[str, Payer], Account]


def know(accounts: Mapping[tuple[str, Payer], Account], heard: Heard) -> None:
    """Tell accounts what is known of months without stays."""
    for (_, payer), account in accounts.items():
        account.knows = partial(heard.knows, payer[0], payer[1])


Choose = Callable[[str, CareForm, date], Rules]


def collect(stays: Iterable[Stay], choose: Choose, end: date) -> Accounts:
    """Measure the stays, and keep them by agreement, payer and month; `end` is the day after the last month.

    Stays that end later, or were admitted later, are not known yet.
    """
    accounts: Accounts = {}
    for stay in stays:
        ended_at = stay.ended_at
        day = end - DAY if ended_at is None else local_day(ended_at)
        if day >= end:
            continue
        liable, form = stay.placing_municipality or stay.municipality, stay.care_form
        rules = choose(liable, form, day)
        terms = rules.on(day, form)
        key = (rules.id, (liable, POOLED if terms.pool_care_forms else form.value))
        account = accounts.get(key)
        if account is None:
            account = accounts[key] = Account(rules)
        if ended_at is None:
            if local_day(stay.admitted_at) < end:
                account.open.append(stay.stay)
            continue
        index = day.year * 12 + day.month - 1
        month = account.months.get(index)
        if month is None:
            month = account.months[index] = []
        month.append(measure(stay, day, terms))
    return accounts


class Law:
    """What is in force, each question asked once."""

    def __init__(self, rules: Mapping[str, Rules]) -> None:
        self.rules = rules
        self.agreements: Mapping[str, Agreement] = {name: one.agreement for name, one in rules.items()}
        self.known: dict[tuple[str, str, date], InForce] = {}

    def choose(self, municipality: str, form: CareForm, day: date) -> Rules:
        """Give the rules that settle a stay that ended on that day."""
        return self.rules[self.on(municipality, form.value, day).agreement.id]

    def at(self, municipality: str, form: str, month: Month) -> InForce:
        """Say what is in force when the month ends."""
        return self.on(municipality, form, month.end - DAY)

    def on(self, municipality: str, form: str, day: date) -> InForce:
        """Say what is in force on a day; a pooled payer is asked for as somatic."""
        key = (municipality, form, day)
        if key not in self.known:
            care_form = CareForm.SOMATIC if form == POOLED else CareForm(form)
            self.known[key] = in_force(self.agreements, day, municipality, care_form)
        return self.known[key]
