"""The stays of a file, measured and sorted into accounts: by agreement, payer and month.

Owns which agreement settles a stay (the one named, or what is in force when it ended) and which month it
belongs to (`attribution: end-month`). Does not own statements (`settle`).
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from typing import NamedTuple, Protocol

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


class Payer(NamedTuple):
    """Whom a statement is for, and who is paid: kommunkod, care form (or `pooled`), länskod."""

    municipality: str
    care_form: str
    region: str


class Treating(NamedTuple):
    """Which region treats, and whether that is assumed: neither stay nor settings say it."""

    county: str
    assumed: bool


def _always(_: Month) -> bool:
    return True


@dataclass(slots=True)
class Account:
    """The stays of one payer under one agreement: measured, by `Month.index` of their end; and those open.

    `closed`: of months that are not settled any more, whose stays are not here, the counts (by index).
    `knows` says of a month without stays whether it is known that there were none (`heard`).
    `assumed`: the months of stays of which nobody says in which region they are.
    """

    rules: Rules
    months: dict[int, list[Measured]] = field(default_factory=dict)
    open: list[str] = field(default_factory=list)
    closed: Mapping[int, Counts] = field(default_factory=dict)
    knows: Callable[[Month], bool] = _always
    assumed: set[int] = field(default_factory=set)

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
        account.knows = partial(heard.knows, payer.municipality, payer.care_form)


class Choice(Protocol):
    """By what stays are settled, and by whom they are paid."""

    def choose(self, municipality: str, form: CareForm, day: date, region: str) -> Rules:
        """Give the rules that settle a stay that ended on that day."""

    def treating(self, said: str | None, municipality: str) -> Treating:
        """Give the region that treats; `said`: what the stay says of it."""


def collect(stays: Iterable[Stay], choice: Choice, end: date) -> Accounts:
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
        region, assumed = choice.treating(stay.region, liable)
        rules = choice.choose(liable, form, day, region)
        terms = rules.on(day, form)
        key = (rules.id, Payer(liable, POOLED if terms.pool_care_forms else form.value, region))
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
        if assumed:
            account.assumed.add(index)
        month.append(measure(stay, day, terms))
    return accounts


@dataclass(frozen=True, slots=True)
class Named:
    """One agreement for all stays, whoever its parties are: its own region is paid.

    `home` is the region of the installation. `whole`: where the agreement names no region, a municipality's
    stays stand together all the same, as one side of a comparison.
    """

    rules: Rules
    home: str | None = None
    whole: bool = False

    def choose(self, municipality: str, form: CareForm, day: date, region: str) -> Rules:  # noqa: ARG002
        """Give the agreement."""
        return self.rules

    def treating(self, said: str | None, municipality: str) -> Treating:
        """Give the region of the agreement; of a statute, which names none, that of the stay."""
        named = self.rules.agreement.region
        if named is not None:
            return Treating(named.county, assumed=False)
        known = (None if self.whole else said) or self.home
        return Treating(known or municipality[:2], assumed=known is None)


class Law:
    """What is in force, each question asked once. `home`: the region of the installation; None: not known."""

    def __init__(self, rules: Mapping[str, Rules], home: str | None = None) -> None:
        self.rules = rules
        self.home = home
        self.agreements: Mapping[str, Agreement] = {name: one.agreement for name, one in rules.items()}
        self.known: dict[tuple[str, str, str, date], InForce] = {}

    def choose(self, municipality: str, form: CareForm, day: date, region: str) -> Rules:
        """Give the rules that settle a stay that ended on that day."""
        return self.rules[self.on(Payer(municipality, form.value, region), day).agreement.id]

    def treating(self, said: str | None, municipality: str) -> Treating:
        """Give the region that is said, else that of the installation, else the municipality's own."""
        known = said or self.home
        return Treating(known or municipality[:2], assumed=known is None)

    def of(self, stay: Stay, day: date) -> Rules:
        """Give the rules that settle a stay by what is in force on a day."""
        region, _ = self.treating(stay.region, stay.liable)
        return self.choose(stay.liable, CareForm(stay.care_form), day, region)

    def at(self, payer: Payer, month: Month) -> InForce:
        """Say what is in force when the month ends."""
        return self.on(payer, month.end - DAY)

    def on(self, payer: Payer, day: date) -> InForce:
        """Say what is in force on a day; a pooled payer is asked for as somatic."""
        key = (*payer, day)
        if key not in self.known:
            form = CareForm.SOMATIC if payer.care_form == POOLED else CareForm(payer.care_form)
            self.known[key] = in_force(self.agreements, day, payer.municipality, form, payer.region)
        return self.known[key]
