"""Which reasons an adjustment has: what a line rested on before and now, compared kind by kind.

Owns the naming of settlement rules 8. Each kind is looked at by itself, so that several at once are all
named, in the order of `reasons.ORDER`; what is left without any is `agreement` (or a fact that was not
recorded), so that no adjustment is without a reason. Does not own what is adjusted (`difference`) nor what is
recorded (`inputs`). Pure.

A fact that changed without effect on how the stay counts is no reason, and of several that changed only those
are named without which it would count as before.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Any, Literal, NamedTuple

from adapter.agreements.rules import Rules
from adapter.agreements.terms import Clause
from adapter.losus.days import DAY, Month, local_day
from adapter.settlement.difference import Adjustment, Issued, Post, whose_of
from adapter.settlement.gate import MonthMean
from adapter.settlement.gate_causes import gate_change
from adapter.settlement.holding import Dispute
from adapter.settlement.inputs import Inputs, MonthCounts, StayInput, Whose, form_of, recorded
from adapter.settlement.measure import Reason, measure
from adapter.settlement.reasons import (
    NOT_RECORDED,
    AdjustmentReason,
    AgreementReason,
    DisputeReason,
    FactChange,
    FactReason,
    GateReason,
    MunicipalityReason,
    RateReason,
    TermChange,
)
from adapter.settlement.statement import Statement
from adapter.settlement.stay import stay_of


@dataclass(frozen=True, slots=True)
class Context:
    """What the reasons of a municipality's adjustments are found by.

    `now`: what its statements rest on now, by payer. `history`: what was issued to it.
    `rules` by agreement; `disputed`: all that it ever disputed.
    """

    now: Mapping[Whose, Inputs]
    history: Sequence[Issued]
    rules: Mapping[str, Rules]
    disputed: Sequence[Dispute]


def with_reasons(adjustments: Iterable[Adjustment], context: Context) -> tuple[Adjustment, ...]:
    """Give the adjustments of a municipality, each with its reasons."""
    before = {
        payer: recorded(one.recorded for one in context.history if whose_of(one.statement) == payer)
        for payer in {whose_of(one.statement) for one in context.history}
    }
    return tuple(
        replace(one, reasons=reasons_of(one, before.get(whose_of(one.post)), context)) for one in adjustments
    )


def reasons_of(
    adjustment: Adjustment, before: Inputs | None, context: Context
) -> tuple[AdjustmentReason, ...]:
    """Give the reasons of an adjustment.

    `before`: what its payer's statements rested on when the last of them was issued; None: not recorded.
    """
    now = context.now.get(whose_of(adjustment.post))
    if now is None:
        return (NOT_RECORDED,)
    was = before or _of_statements(context, adjustment.post, now)
    one = _Causes(adjustment, was, now, context, is_recorded=before is not None)
    found = tuple(one.all())
    if found:
        return found
    return (NOT_RECORDED,) if before is None else (one.otherwise(),)


def _of_statements(context: Context, post: Post, now: Inputs) -> Inputs:
    """Give what the statements themselves contain, where an earlier release recorded nothing more.

    The stays and the disputes are taken to be as they are now: the statements do not contain them.
    """
    mine = [one.statement for one in context.history if _is_of(one.statement, post)]
    rates = {rate.year: rate.amount for one in mine for rate in one.rates}
    return replace(
        now,
        runs={post.agreement: _run_of(mine, now.runs.get(post.agreement, ()))},
        rates={post.agreement: rates},
        moved={},
    )


def _is_of(statement: Statement, post: Post) -> bool:
    return (statement.agreement, whose_of(statement)) == (post.agreement, whose_of(post))


def _run_of(statements: Sequence[Statement], now: Sequence[MonthCounts]) -> tuple[MonthCounts, ...]:
    """Give the gate's months through the last one issued: of those not issued, the counts of now."""
    if not statements:
        return ()
    means = {one.month.index: one.mean for one in statements}
    last = max(means)
    return tuple(
        one._replace(stays=mean.stays, days=mean.days, day_zero=mean.day_zero, no_data=mean.no_data)
        if (mean := means.get(one.month_index)) is not None
        else one
        for one in now
        if one.month_index <= last
    )


class _Count(NamedTuple):
    """How a stay counts: its month, and what decides on mean and bill."""

    month: Month
    out: Reason | None
    released: tuple[Reason, ...]
    zero: date | None
    end: date
    days: int
    long: bool


@dataclass(frozen=True, slots=True)
class _Causes:
    """Looks at each kind of reason for one post."""

    adjustment: Adjustment
    before: Inputs
    now: Inputs
    context: Context
    is_recorded: bool

    @property
    def post(self) -> Post:
        """What the adjustment is posted on."""
        return self.adjustment.post

    def all(self) -> Iterator[AdjustmentReason]:
        """Give what is found, kind by kind, in the order of `reasons.ORDER`."""
        yield from self._facts()
        yield from self._municipality()
        yield from self._gate()
        yield from self._disputes()
        yield from self._rates()
        yield from self._agreement()

    def otherwise(self) -> AgreementReason:
        """Give the reason that is left where the inputs are the same: they are counted otherwise."""
        return AgreementReason(self.post.agreement, self.post.agreement, (), self._cite(("billing",)))

    @property
    def _rules(self) -> Rules:
        return self.context.rules[self.post.agreement]

    def _cite(self, names: Iterable[str]) -> tuple[Clause, ...]:
        terms = self._rules.on(self.post.month.end - DAY, form_of(self.post.care_form))
        return terms.cite(*dict.fromkeys(names))

    def _stays(self) -> list[str]:
        """Give the stays that the line is of; that of a mean's excess, of all that are in the month."""
        if self.post.stay is not None:
            return [self.post.stay]
        both = (*self.before.stays.items(), *self.now.stays.items())
        month = str(self.post.month)
        mine = {name for name, one in both if (one.agreement, one.month) == (self.post.agreement, month)}
        return sorted(mine)

    def _facts(self) -> Iterator[FactReason]:
        changes = [
            change
            for name in self._stays()
            if name not in self.now.moved
            for change in self._changes(name, self.before.stays.get(name), self.now.stays.get(name))
        ]
        if changes:
            names = (term for one in changes for term in _TERMS.get(one.field.split(".")[-1], ()))
            yield FactReason(tuple(changes), self._cite(names))

    def _changes(self, name: str, was: StayInput | None, one: StayInput | None) -> Iterator[FactChange]:
        if was is None and one is None:
            return
        if was is None or one is None:
            yield FactChange(name, "stay", *(None if row is None else "recorded" for row in (was, one)))
            return
        old, new = facts_of(was.row), facts_of(one.row)
        if old == new or (count := self._count(new)) == self._count(old):
            return
        differing = [field for field in _ordered(old, new) if old.get(field) != new.get(field)]
        needed = [field for field in differing if self._count({**new, field: old.get(field)}) != count]
        for field in needed or differing:
            yield FactChange(name, field, old.get(field), new.get(field))

    def _count(self, facts: Mapping[str, str | None]) -> _Count | None:
        """Count a stay by its facts and the terms of now; None where they make no stay that has ended."""
        try:
            stay = stay_of(row_from(facts))
        except (ValueError, KeyError, TypeError):
            return None
        if stay.ended_at is None:
            return None
        end = local_day(stay.ended_at)
        one = measure(stay, end, self._rules.on(end, stay.care_form))
        return _Count(Month.of(end), one.out, one.released, one.zero, end, one.days, one.long)

    def _municipality(self) -> Iterator[MunicipalityReason]:
        for name in self._stays():
            moved = self.now.moved.get(name)
            if moved is not None and (name in self.now.stays) != (name in self.before.stays):
                how: Literal["moved", "corrected"] = "corrected" if moved.corrected else "moved"
                cited = self._cite(("municipality_at",))
                yield MunicipalityReason(name, name in self.now.stays, how, moved.since, cited)

    def _gate(self) -> Iterator[GateReason]:
        agreement = self.post.agreement
        was, now = (one.runs.get(agreement, ()) for one in self._both)
        if not was or not now:
            return
        first = min(was[0].month_index, now[0].month_index)
        found = gate_change(self.post.month, self._run(was, first), self._run(now, first))
        if found is not None:
            yield replace(found, clauses=self._cite(_GATE))

    @property
    def _both(self) -> tuple[Inputs, Inputs]:
        return self.before, self.now

    def _run(self, counts: Sequence[MonthCounts], first: int) -> tuple[MonthMean, ...]:
        """Give the means of a run, under the terms of now: those that were changed are named apart.

        From `first` on; a month before the first that anything was known of had no stays.
        """
        form = form_of(self.post.care_form)
        before = [MonthCounts(index, 0, 0, 0) for index in range(first, counts[0].month_index)]
        return tuple(
            MonthMean(month, self._rules.on(month.first, form), *one[1:])
            for one in (*before, *counts)
            for month in (Month.at(one.month_index),)
        )

    def _disputes(self) -> Iterator[DisputeReason]:
        """Name the disputes by which the line is off the invoice now and was not, or the other way."""
        excess = None if self.post.stay is not None else (self.post.agreement, self.post.care_form)
        mine = [
            one
            for one in self.context.disputed
            if (one.municipality, one.month, one.stay, one.excess)
            == (self.post.municipality, self.post.month, self.post.stay, excess)
        ]
        if self.is_recorded:
            was_off = [one for one in mine if self.before.disputes.get(one.id) in {"requested", "completed"}]
        else:  # what is posted was not off; what was off is not posted
            was_off = [] if self.adjustment.days_posted else mine
        is_off = [one for one in mine if one.upheld is not False]
        if bool(was_off) == bool(is_off):
            return
        for one in was_off or is_off:
            yield DisputeReason(one.id, one.status, one.reason)

    def _rates(self) -> Iterator[RateReason]:
        was, now = (one.rates.get(self.post.agreement, {}) for one in self._both)
        for year in sorted(was.keys() & now.keys() & self._years()):
            if was[year] != now[year]:
                yield RateReason(year, was[year], now[year], self._cite(("rate",)))

    def _years(self) -> set[int]:
        """Give the years that the line was, or may be, charged for."""
        years = {line.year for line in self.adjustment.lines if line.year is not None}
        years.add(self.post.month.year)
        one = self.now.stays.get(self.post.stay or "")
        count = None if one is None else self._count(facts_of(one.row))
        if count is not None and count.zero is not None:
            years |= set(range(count.zero.year, count.end.year + 1))
        return years

    def _agreement(self) -> Iterator[AgreementReason]:
        was, one = (inputs.stays.get(self.post.stay or "") for inputs in self._both)
        if was is not None and one is not None and was.agreement != one.agreement and was.month == one.month:
            yield AgreementReason(was.agreement, one.agreement, (), self._cite(("billing",)))
            return
        if changes := tuple(self._terms()):
            name = self.post.agreement
            yield AgreementReason(name, name, changes, self._cite(change.term for change in changes))

    def _terms(self) -> Iterator[TermChange]:
        """Name the terms of the month that were changed; one that an earlier release did not know is none."""
        was, now = (_on(one, self.post) for one in self._both)
        for name in sorted(was.keys() & now.keys()):
            if was[name] != now[name]:
                yield TermChange(name, was[name], now[name])


def _on(inputs: Inputs, post: Post) -> Mapping[str, str]:
    day = post.month.end - DAY
    periods = [one for one in inputs.terms.get(post.agreement, ()) if one.start <= day]
    return periods[-1].values if periods else {}


_GATE = ("gate", "threshold", "start_after", "start_in", "stop_after", "retroactive")
#: The terms by which a fact matters, by the name of its field.
_TERMS: Mapping[str, tuple[str, ...]] = {
    "stay": ("clock", "unit"),
    "ended_at": ("unit", "count_end_day"),
    "sent_at": ("clock", "cutoff"),
    "withdrawn_at": ("on_withdrawal",),
    "home_ready_at": ("clock",),
    "admitted_at": ("requires", "late"),
    "notice_sent_at": ("requires", "late"),
    "sip_required": ("requires", "late"),
    "sip_called_at": ("requires", "late"),
    "open_care_available": ("requires",),
    "opposed": ("requires",),
    "compulsory": ("compulsory",),
    "care_form": ("first_payable_day", "threshold"),
}

#: Fields that are no fact of how the stay counts: whose it is has a reason of its own.
_NO_FACTS = frozenset(
    ("stay", "municipality", "placing_municipality", "region", "protected", "entered", "municipalities")
)


def facts_of(row: Mapping[str, Any]) -> dict[str, str | None]:
    """Give the facts of a row, each as text, instants in UTC; an episode's as `ready.1.sent_at`."""
    found: dict[str, str | None] = {}
    for name, value in row.items():
        if name == "ready":
            for number, episode in enumerate(value, 1):
                found.update({f"ready.{number}.{key}": _fact(key, at) for key, at in episode.items()})
        elif name not in _NO_FACTS:
            found[name] = _fact(name, value)
    return found


def _fact(name: str, value: object) -> str | None:
    if value is None:
        return None
    if isinstance(value, bool):
        return str(value).lower()
    text = str(value)
    return _utc(text) if name.endswith("_at") else text


def _utc(text: str) -> str:
    at = datetime.fromisoformat(text)
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def row_from(facts: Mapping[str, str | None]) -> dict[str, Any]:
    """Give the row of a stay from its facts; whose it is does not matter to how it counts."""
    row: dict[str, Any] = {"stay": "s", "municipality": "0000"}
    episodes: dict[str, dict[str, str | None]] = {}
    for name, value in facts.items():
        if name.startswith("ready."):
            _, number, key = name.split(".")
            episodes.setdefault(number, {})[key] = value
        else:
            row[name] = {"true": True, "false": False}.get(value or "", value)
    known = [episodes[number] for number in sorted(episodes, key=int)]
    row["ready"] = [one for one in known if any(at is not None for at in one.values())]
    return row


def _ordered(*facts: Mapping[str, str | None]) -> list[str]:
    """Name the facts of both in the order of a stays file."""
    return list(dict.fromkeys(name for one in facts for name in one))
