"""From the cited values of a file to the terms that hold for a care form on a day.

Owns the choice between a general value and its exceptions: the value for the care form goes before the
one for all, then the dated before the undated; two of the same rank on one day are a fault of the file.
Does not own what the terms do (`adapter.settlement`).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from fractions import Fraction
from typing import Any

from adapter.agreements.agreement import Agreement, AgreementFile
from adapter.agreements.federation import Federations
from adapter.agreements.groups import (
    FirstPayableTerm,
    LongHolidayRule,
    LongStays,
    OpeningHours,
    Term,
)
from adapter.agreements.terms import (
    FIRST_PAYABLE_BY,
    CareForm,
    Clause,
    Compare,
    EmptyMonth,
    GateKind,
    Late,
    Retroactive,
    StartIn,
    Terms,
)
from adapter.errors import Problem, SetupError
from adapter.losus.days import Hours, LongHoliday, Month
from adapter.losus.process import INTERRUPTION_REASONS
from adapter.losus.terms import Criterion
from adapter.marks import Place

_GROUPS = ("scope", "days", "gate", "bill", "process")
_FOREVER = date.max
_STARTED = "it_support_started"

#: What holds where a file says nothing. None of these moves money by itself: settlement 3 and 4 name the
#: first four as the default, the rest are what the statute asks for (LUS 2:2, 2:3, 4:3, LPT 7 a §).
_DEFAULTS: Mapping[str, Any] = {
    "round_mean": "no",
    "pool_care_forms": False,
    "empty_month": EmptyMonth.BELOW,
    "late": Late.FLAG,
    "long_stays": "none",
    "corrections_until_day": None,
    "zero_invoice": False,
    "payment_days": None,
    "criteria": tuple(Criterion),
    "admission_notice_hours": 24,
    "admission_notice_from": "need",
    "planned_date_in_notice": True,
    "sip_call_days": 3,
    "sip_offered_first": False,
    "coordinated_plan_first": True,
    "coordinator": False,
    "interruption_reasons": INTERRUPTION_REASONS,
    "reception": None,
    "long_holiday": None,
    "eves_are_free": False,
    "discharge": None,
}

#: What a term is where another one makes it mean nothing: the first name decides on the second.
_MEANINGLESS: Mapping[str, Any] = {
    "threshold": None,
    "compare": Compare.OVER,
    "measure_from": None,
    "start_after": 1,
    "start_in": StartIn.SAME_MONTH,
    "stop_after": 1,
    "retroactive": Retroactive.NONE,
    "first_payable_day": 1,
    "count_end_day": False,
}


@dataclass(frozen=True, slots=True)
class Period:
    """Terms from `start` up to, but not with, `end`."""

    start: date
    end: date
    terms: Terms


@dataclass(frozen=True, slots=True)
class Rules:
    """An agreement ready to settle by: the periods of each care form, in order, without gaps."""

    agreement: Agreement
    digest: str
    periods: Mapping[CareForm, tuple[Period, ...]]
    federations: Federations = field(default_factory=Federations)

    @property
    def id(self) -> str:
        """The agreement's id."""
        return self.agreement.id

    def on(self, day: date, care_form: CareForm) -> Terms:
        """Give the terms for that care form on that day."""
        for period in self.periods[care_form]:
            if day < period.end:
                return period.terms
        raise AssertionError("periods cover all days")  # pragma: no cover

    def changed(self, **changes: Any) -> "Rules":  # noqa: ANN401 - the fields of Terms
        """Give the same rules with some terms replaced everywhere: a variant to compare with."""
        return replace(
            self,
            periods={
                form: tuple(replace(period, terms=replace(period.terms, **changes)) for period in periods)
                for form, periods in self.periods.items()
            },
        )


def rules_of(file: AgreementFile) -> Rules:
    """Resolve all terms of a file; SetupError with every fault, each with file and line."""
    problems: list[Problem] = []
    periods = {form: tuple(_periods(file, form, problems)) for form in CareForm}
    if problems:
        raise SetupError(*dict.fromkeys(problems))
    return Rules(file.agreement, file.digest, periods)


def _periods(file: AgreementFile, form: CareForm, problems: list[Problem]) -> Iterator[Period]:
    series = dict(_series(file.agreement))
    edges = sorted(
        {edge for terms in series.values() for term in terms for edge in _edges(term)} | {date.min}
    )
    for start, end in zip(edges, [*edges[1:], _FOREVER], strict=True):
        values, clauses = _resolve(file, series, form, start, problems)
        _by_day(series.get("first_payable_day", ()), form, values, clauses)
        terms = _terms(file, values, clauses, start, problems)
        if terms:
            yield Period(start, end, terms)


def measured_otherwise(file: AgreementFile) -> Iterator[tuple[date, date]]:
    """Give each `measure_from` that differs from what the start of the IT support gives, with the latter."""
    series = dict(_series(file.agreement))
    edges = {edge for terms in series.values() for term in terms for edge in _edges(term)} | {date.min}
    found: set[tuple[date, date]] = set()
    for form in CareForm:
        for day in edges:
            values, _ = _resolve(file, series, form, day, [])
            if "measure_from" in values and _STARTED in values:
                found.add((values["measure_from"], first_measured(values[_STARTED])))
    yield from sorted((given, derived) for given, derived in found if given != derived)


def first_measured(started: date) -> date:
    """Give the first day measured: the first of the month after the IT support started.

    Bilaga 9: «När IT-stödet är i drift börjar uppföljning och mätning … fr o m den 1:a i nästkommande månad».
    """
    return Month.of(started).end


def _series(agreement: Agreement) -> Iterator[tuple[str, tuple[Term[Any], ...]]]:
    for group in _GROUPS:
        values = getattr(agreement, group)
        for name in type(values).model_fields if values else ():
            terms = getattr(values, name)
            if terms:
                yield name, terms


def _edges(term: Term[Any]) -> Iterator[date]:
    if term.from_:
        yield term.from_
    if term.through:
        yield term.through + timedelta(days=1)


def _resolve(
    file: AgreementFile,
    series: Mapping[str, tuple[Term[Any], ...]],
    form: CareForm,
    day: date,
    problems: list[Problem],
) -> tuple[dict[str, Any], dict[str, Clause]]:
    values: dict[str, Any] = {}
    clauses: dict[str, Clause] = {}
    for name, terms in series.items():
        ranked = sorted((term for term in terms if _holds(term, form, day)), key=_rank)
        if not ranked:
            continue
        if len(ranked) > 1 and _rank(ranked[-1]) == _rank(ranked[-2]):
            since = "" if day == date.min else f" on {day}"
            problems.append(_fault(file, name, f"two values of the same rank for {form}{since}"))
        values[name] = ranked[-1].value
        clauses[name] = _clause(file.agreement, name, ranked[-1])
    return values, clauses


def _by_day(
    terms: Sequence[Term[Any]], form: CareForm, values: dict[str, Any], clauses: dict[str, Clause]
) -> None:
    """Keep every value of `first_payable_day` with its first day, where each day has its own (`by: day`)."""
    mine = [term for term in terms if term.care_form in (None, form)]
    chosen = [term for term in mine if isinstance(term, FirstPayableTerm) and term.by == "day"]
    if not chosen:
        return
    found: list[tuple[date, int]] = []
    for start in sorted({edge for term in mine for edge in _edges(term)} | {date.min}):
        ranked = sorted((term for term in mine if _holds(term, form, start)), key=_rank)
        if ranked and (not found or found[-1][1] != ranked[-1].value):
            found.append((start, ranked[-1].value))
    values["first_payable_from"] = tuple(found)
    assumption = next((term.assumption for term in chosen if term.assumption), None)
    if assumption is not None:
        clauses[FIRST_PAYABLE_BY] = Clause(FIRST_PAYABLE_BY, assumption=assumption)


def _holds(term: Term[Any], form: CareForm, day: date) -> bool:
    return (
        term.care_form in (None, form)
        and (term.from_ is None or term.from_ <= day)
        and (term.through is None or day <= term.through)
    )


def _rank(term: Term[Any]) -> tuple[bool, bool]:
    return term.care_form is not None, bool(term.from_ or term.through)


def _clause(agreement: Agreement, name: str, term: Term[Any]) -> Clause:
    if term.source is None:
        return Clause(name, assumption=term.assumption)
    title = agreement.documents[term.source.document].title
    of_choice = isinstance(term, FirstPayableTerm) and term.by == "day"  # stands under FIRST_PAYABLE_BY
    assumption = None if of_choice else term.assumption
    return Clause(name, title, term.source.section, term.source.words, assumption)


def _terms(
    file: AgreementFile, given: dict[str, Any], clauses: dict[str, Clause], day: date, problems: list[Problem]
) -> Terms | None:
    if not file.agreement.settles:
        return None
    given, clauses = _measured(given, clauses)
    missing = [name for name in _needed(given) if name not in given]
    since = "" if day == date.min else f" from {day}"
    problems += [_fault(file, name, f"`{name}` has no value{since}") for name in missing]
    if missing:
        return None
    values = {**_DEFAULTS, **_MEANINGLESS, **given}
    for name in ("care_forms", "on_withdrawal", "attribution", "municipality_at"):
        values.pop(name, None)  # one value only, by the shape of the file
    long_stays: LongStays | str = values.pop("long_stays")
    return Terms(
        **{
            **values,
            "cutoff": None if values["cutoff"] == "none" else values["cutoff"],
            "threshold": None if values["gate"] is GateKind.NONE else Fraction(values["threshold"]),
            "round_mean": None if values["round_mean"] == "no" else values["round_mean"],
            "long_stays_over": long_stays.over if isinstance(long_stays, LongStays) else None,
            "reception": _hours(values["reception"]),
            "discharge": _hours(values["discharge"]),
            "long_holiday": _long_holiday(values["long_holiday"]),
        },
        clauses=clauses,
    )


def _measured(given: dict[str, Any], clauses: dict[str, Clause]) -> tuple[dict[str, Any], dict[str, Clause]]:
    """Derive `measure_from` where the file has the start of the IT support, which then decides alone."""
    if _STARTED not in given:
        return given, clauses
    values = {**given, "measure_from": first_measured(given[_STARTED])}
    cited = {**clauses, "measure_from": replace(clauses[_STARTED], term="measure_from")}
    return (
        {name: value for name, value in values.items() if name != _STARTED},
        {name: clause for name, clause in cited.items() if name != _STARTED},
    )


def _needed(given: Mapping[str, Any]) -> Iterator[str]:
    """Name the terms that money depends on, given what the file has chosen so far."""
    yield from ("compulsory", "clock", "unit", "cutoff", "cutoff_inclusive", "on_withdrawal")
    yield from ("gate", "billing", "requires", "rate")
    if given.get("gate") is GateKind.MEAN:
        yield from ("threshold", "compare", "attribution", "measure_from", "start_after", "start_in")
        yield from ("retroactive",)
        if given.get("start_in") is StartIn.NEXT_MONTH:
            yield "stop_after"
    if given.get("billing") == "individual-days" or isinstance(given.get("long_stays"), LongStays):
        yield from ("first_payable_day", "count_end_day")


def _hours(value: OpeningHours | None) -> Hours | None:
    return Hours(value.days, value.from_, value.to) if value else None


def _long_holiday(value: LongHolidayRule | None) -> LongHoliday | None:
    return LongHoliday(value.longer_than_days, value.act_on_day) if value else None


def _fault(file: AgreementFile, name: str, rule: str) -> Problem:
    return Problem("business-rule", rule, file.where(_place(file.agreement, name)))


def _place(agreement: Agreement, name: str) -> Place:
    for group in _GROUPS:
        values = getattr(agreement, group)
        if values and name in type(values).model_fields:
            return (group, name)
    return ()
