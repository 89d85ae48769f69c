"""The joint follow-up of a month: what its entries, and those of the months before, come to. Pure.

Owns what stands after corrections, which measures are carried over, and what is missing for the month to be
held. Does not own the entries' shapes (`joint_entries`), the counts (`following`) nor keeping any of it.

A follow-up is of one agreement, municipality, care form (`pooled` where the gate pools them) and month. Its
entries are only ever added to: a correction is an entry that names the one that it replaces. The follow-ups
of all months of the same payer are a series: a measure is carried from month to month until it is done.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from enum import StrEnum

from adapter.errors import Problem
from adapter.losus.days import Month
from adapter.settlement.joint_entries import (
    Because,
    Content,
    Deviation,
    Entered,
    Finding,
    Judged,
    Measure,
    Meeting,
    Opened,
    Outcome,
    Party,
    Result,
    Withdrawal,
)


class State(StrEnum):
    """How far a follow-up has come."""

    OPEN = "open"  # something is missing
    HELD = "held"  # all is there, and measures are not done
    COMPLETED = "completed"


class Progress(StrEnum):
    """How far a measure has come."""

    OPEN = "open"
    DONE = "done"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class Head:
    """What a follow-up is of."""

    id: str
    agreement: str
    municipality: str
    care_form: str
    month: Month

    @property
    def series(self) -> tuple[str, str, str]:
        """What all months of a payer have in common."""
        return self.agreement, self.municipality, self.care_form


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry of a follow-up: its number there, from 1 without a gap; `party` None: the adapter itself.

    `author` is who wrote it, by the name that the audit log has; a party reads its own authors alone.
    """

    follow_up: str
    number: int
    at: datetime
    party: Party | None
    author: str
    content: Content

    @property
    def corrects(self) -> int | None:
        """The entry that this one replaces or takes back; None: none."""
        content = self.content
        return None if isinstance(content, Opened | Judged) else content.corrects


@dataclass(frozen=True, slots=True)
class Followed:
    """What became of a measure by a month: the entry that says so, and the month that it was entered in."""

    month: Month
    entry: Entry
    result: Result
    due: date | None
    text: str | None


@dataclass(frozen=True, slots=True)
class Decided:
    """A measure: the follow-up and month that decided it, and what became of it, oldest first.

    `due` is the newest day. `measure` is as it was corrected last; its id stays. `version` counts the entries
    that it rests on.
    """

    id: str
    follow_up: str
    month: Month
    entry: Entry
    measure: Measure
    progress: Progress
    due: date
    outcomes: tuple[Followed, ...]
    version: int


@dataclass(frozen=True, slots=True)
class JointFollowUp:
    """A follow-up as its entries have it.

    `entries` are all of it, in order; `replaced` by the number of each that was corrected or withdrawn that
    of the entry that did so. `measures` were decided here, `carried` in earlier months and not done before.
    `missing`: what the month still needs to be held, by name.
    """

    head: Head
    opened_at: datetime
    because: Because
    judged: Judged | None
    judged_at: datetime | None
    meetings: tuple[Entry, ...]
    findings: tuple[Entry, ...]
    deviations: tuple[Entry, ...]
    measures: tuple[Decided, ...]
    carried: tuple[Decided, ...]
    entries: tuple[Entry, ...]
    replaced: dict[int, int]

    @property
    def is_over(self) -> bool:
        """Whether the month's mean is over its threshold: a joint analysis is to be made."""
        return self.judged is not None and self.judged.over

    @property
    def missing(self) -> tuple[str, ...]:
        """What the month still needs: representatives of both, and where it is over findings and measures.

        Each measure that is carried over is followed up in the month.
        """
        present = {one.party for meeting in self.meetings for one in _meeting(meeting).representatives}
        needs = [
            (Party.REGION not in present, "representatives-region"),
            (Party.MUNICIPALITY not in present, "representatives-municipality"),
            (self.is_over and not self.findings, "findings"),
            (self.is_over and not (self.measures or self.carried), "measures"),
            (any(not self._is_followed(one) for one in self.carried), "outcomes"),
        ]
        return tuple(name for is_missing, name in needs if is_missing)

    @property
    def state(self) -> State:
        """How far it has come."""
        if self.missing:
            return State.OPEN
        open_ = any(one.progress is Progress.OPEN for one in (*self.measures, *self.carried))
        return State.HELD if open_ else State.COMPLETED

    def _is_followed(self, one: Decided) -> bool:
        return any(outcome.month == self.head.month for outcome in one.outcomes)


def measure_id(follow_up: str, number: int) -> str:
    """Return the id of the measure that entry `number` of a follow-up decides first."""
    return f"{follow_up}-{number}"


def series_of(heads: Iterable[Head], entries: Iterable[Entry]) -> dict[str, JointFollowUp]:
    """Return the follow-ups of one series by id; `entries` in the order in which they were added."""
    by_id: dict[str, list[Entry]] = {}
    for entry in entries:
        by_id.setdefault(entry.follow_up, []).append(entry)
    ordered = [head for head in sorted(heads, key=lambda head: head.month) if head.id in by_id]
    months = {head.id: head.month for head in ordered}
    standing = {name: _Standing.of(mine) for name, mine in by_id.items()}
    told = _Outcomes()
    for name, month in months.items():
        told.add(month, standing[name], by_id[name])
    decided = [one for head in ordered for one in _decided(head, standing[head.id], by_id[head.id])]
    return {head.id: _follow_up(head, by_id[head.id], standing[head.id], decided, told) for head in ordered}


def refused(
    series: dict[str, JointFollowUp], follow_up: str, party: Party, content: Entered
) -> list[Problem]:
    """Return what stands in the way of an entry: rules, and no value of it."""
    mine = series[follow_up]
    problems = list(_correction(mine, party, content))
    if isinstance(content, Outcome):
        problems += _outcome(mine, content)
    return problems


@dataclass(slots=True)
class _Standing:
    """The entries that stand: neither corrected nor withdrawn. `root`: of each the number of its first."""

    entries: list[Entry] = field(default_factory=list)
    replaced: dict[int, int] = field(default_factory=dict)
    root: dict[int, int] = field(default_factory=dict)

    @classmethod
    def of(cls, entries: Sequence[Entry]) -> "_Standing":
        made = cls()
        for entry in entries:
            before = entry.corrects
            made.root[entry.number] = made.root.get(before, before) if before else entry.number
            if before:
                made.replaced[before] = entry.number
        made.entries = [
            entry
            for entry in entries
            if entry.number not in made.replaced and not isinstance(entry.content, Withdrawal)
        ]
        return made


@dataclass(slots=True)
class _Outcomes:
    """What became of measures: by measure what stands, and the month of each entry about it."""

    standing: dict[str, list[Followed]] = field(default_factory=dict)
    entered: dict[str, list[Month]] = field(default_factory=dict)

    def add(self, month: Month, standing: _Standing, entries: Iterable[Entry]) -> None:
        """Add what the entries of a month say of measures."""
        measures = {
            entry.number: entry.content.measure for entry in entries if isinstance(entry.content, Outcome)
        }
        for entry in entries:
            if (name := measures.get(standing.root[entry.number])) is not None:
                self.entered.setdefault(name, []).append(month)
        for entry in standing.entries:
            if isinstance(content := entry.content, Outcome):
                followed = Followed(month, entry, content.result, content.due, content.text)
                self.standing.setdefault(content.measure, []).append(followed)


def _follow_up(
    head: Head,
    entries: Sequence[Entry],
    standing: _Standing,
    decided: Sequence[Decided],
    told: _Outcomes,
) -> JointFollowUp:
    first = entries[0]
    if not isinstance(first.content, Opened):
        raise TypeError("the first entry opens the follow-up")
    judged = [one for one in standing.entries if isinstance(one.content, Judged)]
    last = judged[-1].content if judged else None
    return JointFollowUp(
        head,
        first.at,
        first.content.because,
        last if isinstance(last, Judged) else None,
        judged[-1].at if judged else None,
        _of(standing, Meeting),
        _of(standing, Finding),
        _of(standing, Deviation),
        tuple(_by(one, told, None) for one in decided if one.follow_up == head.id),
        tuple(_carried(head.month, decided, told)),
        tuple(entries),
        standing.replaced,
    )


def _of(standing: _Standing, kind: type) -> tuple[Entry, ...]:
    return tuple(one for one in standing.entries if isinstance(one.content, kind))


def _decided(head: Head, standing: _Standing, entries: Sequence[Entry]) -> Iterator[Decided]:
    """Yield the measures of a month, those that were withdrawn too."""
    by_number = {entry.number: entry for entry in entries}
    newest = {standing.root[one.number]: one for one in _of(standing, Measure)}
    for number, first in by_number.items():
        if not isinstance(first.content, Measure) or first.corrects:
            continue
        entry = newest.get(number)
        progress = Progress.OPEN if entry is not None else Progress.WITHDRAWN
        entry = entry or _last_measure(number, standing, by_number)
        measure = entry.content
        if isinstance(measure, Measure):
            chain = sum(root == number for root in standing.root.values())
            name = measure_id(head.id, number)
            yield Decided(name, head.id, head.month, entry, measure, progress, measure.due, (), chain)


def _last_measure(number: int, standing: _Standing, by_number: dict[int, Entry]) -> Entry:
    """Return the last of the entries of a withdrawn measure that decides it."""
    numbers = [one for one, root in standing.root.items() if root == number]
    return [by_number[one] for one in numbers if isinstance(by_number[one].content, Measure)][-1]


def _by(one: Decided, told: _Outcomes, month: Month | None) -> Decided:
    """Return the measure with what became of it by a month (None: by now), in the order of the months."""
    known = told.standing.get(one.id, ())
    ordered = tuple(
        sorted((each for each in known if month is None or each.month <= month), key=lambda each: each.month)
    )
    progress, due = one.progress, one.due
    for each in ordered:
        due = each.due if each.due is not None else due
    if progress is Progress.OPEN and ordered and ordered[-1].result is Result.DONE:
        progress = Progress.DONE
    entered = sum(month is None or at <= month for at in told.entered.get(one.id, ()))
    return replace(one, progress=progress, due=due, outcomes=ordered, version=one.version + entered)


def _carried(month: Month, decided: Iterable[Decided], told: _Outcomes) -> Iterator[Decided]:
    for one in decided:
        if one.month < month and _by(one, told, month.plus(-1)).progress is Progress.OPEN:
            yield _by(one, told, month)


def _meeting(entry: Entry) -> Meeting:
    content = entry.content
    if not isinstance(content, Meeting):  # pragma: no cover - chosen by its kind
        raise TypeError(content.kind)
    return content


def _correction(mine: JointFollowUp, party: Party, content: Entered) -> Iterator[Problem]:
    """A party corrects what it wrote itself, by an entry of the same kind, once."""
    if content.corrects is None:
        return
    before = next((one for one in mine.entries if one.number == content.corrects), None)
    if before is None or before.party is None or isinstance(before.content, Withdrawal):
        yield Problem("business-rule", "there is no such entry to correct", "corrects")
    elif before.party is not party:
        yield Problem("business-rule", "a party corrects its own entries alone", "corrects")
    elif before.number in mine.replaced:
        yield Problem("business-rule", "the entry was corrected already: correct the newer one", "corrects")
    elif not isinstance(content, Withdrawal) and content.kind != before.content.kind:
        yield Problem("business-rule", "an entry is corrected by one of its kind", "corrects")
    elif (
        isinstance(content, Outcome)
        and isinstance(before.content, Outcome)
        and before.content.measure != content.measure
    ):
        yield Problem("business-rule", "a correction is on the same measure", "measure")


def _outcome(mine: JointFollowUp, content: Outcome) -> Iterator[Problem]:
    found = next((one for one in (*mine.measures, *mine.carried) if one.id == content.measure), None)
    if found is None:
        yield Problem("not-found", "no such measure is decided here or carried over to here", "measure")
    elif found.progress is Progress.WITHDRAWN:
        yield Problem("business-rule", "the measure was withdrawn", "measure")
    elif found.progress is Progress.DONE and content.corrects is None:
        yield Problem("business-rule", "the measure is done: correct the entry that says so", "measure")
    if (content.result is Result.MOVED) != (content.due is not None):
        yield Problem("business-rule", "a measure that is moved, and no other, has a new day", "due")
