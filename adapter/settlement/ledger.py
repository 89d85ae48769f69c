"""A file of stays in little memory: by agreement, payer and month, each stay its id and how it counts.

Owns where a stay is kept. Does not own how it counts (`counting`), which agreement it falls under
(`account.Law`) nor what a month costs (`bulk`).
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date

from adapter.agreements.in_force import span_of
from adapter.agreements.rules import Rules
from adapter.agreements.terms import CareForm, Terms
from adapter.losus.days import DAY, Month
from adapter.settlement.account import POOLED, Account, Choose, Law, Payer
from adapter.settlement.counting import Counting
from adapter.settlement.measure import Measured
from adapter.settlement.plain import Plain

#: The days on which something may change for a municipality.
Edges = Callable[[str], Collection[date]]


@dataclass(slots=True)
class Held(Account):
    """An account whose stays have no id; the ids stand in `names`, in the same places."""

    names: dict[int, list[str]] = field(default_factory=dict)

    def whole(self) -> Account:
        """Give the account with every stay by its id."""
        months = {
            index: [one._replace(stay=name) for name, one in zip(self.names[index], held, strict=True)]
            for index, held in self.months.items()
        }
        return Account(self.rules, months, self.open)


@dataclass(frozen=True, slots=True)
class _Place:
    """Where the stays of one payer go that end within a month under the same terms."""

    names: list[str]
    held: list[Measured]
    counting: Counting


class _MonthOf(dict[int, int]):
    """The `Month.index` of a day."""

    def __missing__(self, day: int) -> int:
        found = Month.of(date.fromordinal(day)).index
        self[day] = found
        return found


class Ledger:
    """Takes stays one by one; `closed` gives the accounts. Stays that end on `stop` or later are left out."""

    def __init__(self, choose: Choose, edges: Edges, stop: date | None = None) -> None:
        self.choose, self.edges = choose, edges
        self.stop = date.max.toordinal() if stop is None else stop.toordinal()
        self.accounts: dict[tuple[str, Payer], Held] = {}
        self.ends: set[int] = set()  # Month.index of every end
        self._open: dict[Payer, list[tuple[str, int]]] = {}
        self._months = _MonthOf()
        self._places: dict[tuple[str, str, int], _Place] = {}
        self._odd: dict[tuple[str, str, int], _Place] = {}
        self._countings: dict[tuple[int, str], Counting] = {}
        self._changes: dict[str, Collection[date]] = {}

    def take(self, plain: Plain) -> None:
        """Keep a stay."""
        liable, form, end = plain[1], plain[2], plain[5]
        if end is None:
            self._open.setdefault((liable, form), []).append((plain[0], plain[4]))
            return
        month = self._months[end]
        place = self._places.get((liable, form, month))
        if place is None:
            self.ends.add(month)
            if end >= self.stop:
                return
            place = self._placed(liable, form, month, end)
        place.names.append(plain[0])
        place.held.append(place.counting.count(plain, end))

    def closed(self, end: date) -> dict[tuple[str, Payer], Held]:
        """Give the accounts as known on the day before `end`, open stays by what holds on it."""
        for (liable, form), stays in self._open.items():
            rules, terms = self._rules(liable, form, end - DAY)
            account = self._account(rules, terms, liable, form)
            account.open = [*account.open, *(stay for stay, day in stays if day < end.toordinal())]
        self._open.clear()
        return self.accounts

    def _placed(self, liable: str, form: str, month: int, end: int) -> _Place:
        """Find the place of a day: that of its month, but where something changes within the month."""
        odd = self._odd.get((liable, form, end))
        if odd is not None:
            return odd
        rules, terms = self._rules(liable, form, date.fromordinal(end))
        account = self._account(rules, terms, liable, form)
        held, names = account.months.setdefault(month, []), account.names.setdefault(month, [])
        place = _Place(names, held, self._counting(terms, form))
        if self._changes_within(liable, Month.at(month)):
            self._odd[liable, form, end] = place
        else:
            self._places[liable, form, month] = place
        return place

    def _rules(self, liable: str, form: str, day: date) -> tuple[Rules, Terms]:
        rules = self.choose(liable, CareForm(form), day)
        return rules, rules.on(day, CareForm(form))

    def _account(self, rules: Rules, terms: Terms, liable: str, form: str) -> Held:
        key = (rules.id, (liable, POOLED if terms.pool_care_forms else form))
        if key not in self.accounts:
            self.accounts[key] = Held(rules)
        return self.accounts[key]

    def _counting(self, terms: Terms, form: str) -> Counting:
        key = (id(terms), form)
        if key not in self._countings:
            self._countings[key] = Counting(terms, CareForm(form))
        return self._countings[key]

    def _changes_within(self, liable: str, month: Month) -> bool:
        if liable not in self._changes:
            self._changes[liable] = self.edges(liable)
        return self.stop < month.end.toordinal() or any(
            month.first < day < month.end for day in self._changes[liable]
        )


def by_name(rules: Rules, stop: date | None = None) -> Ledger:
    """Open a ledger for one agreement, whoever its parties are."""
    edges = _edges_of((rules,))
    return Ledger(lambda *_: rules, lambda _: edges, stop)


def by_law(law: Law, stop: date | None = None) -> Ledger:
    """Open a ledger for what is in force for each stay when it ends."""
    common = _edges_of(law.rules.values())

    def edges(municipality: str) -> Collection[date]:
        spans = (span_of(law.agreements, one, municipality) for one in law.agreements.values())
        own = {edge for span in spans if span for edge in (span.start, span.end) if edge}
        return common | own

    return Ledger(law.choose, edges, stop)


def _edges_of(rules: Iterable[Rules]) -> set[date]:
    """Give the days on which terms change, or an agreement begins or ends for all."""
    found: set[date] = set()
    for one in rules:
        found |= {period.start for periods in one.periods.values() for period in periods}
        life = one.agreement.life
        last = (life.valid.through, *(prolonged.through for prolonged in life.prolonged))
        found |= {life.valid.from_} | {day + DAY for day in last if day}
    return found


def months_seen(ledgers: Sequence[Ledger]) -> list[Month]:
    """Give the months in which stays ended, in order."""
    return [Month.at(index) for index in sorted({index for one in ledgers for index in one.ends})]
