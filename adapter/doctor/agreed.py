"""Agreements: sound files, what is in force for each subscriber today, amounts for this year and the next.

Owns when the next year's amount is asked for; does not own a rule of agreements.
"""

from collections.abc import Sequence
from datetime import date

from adapter.agreements.check import check
from adapter.agreements.in_force import InForce, in_force
from adapter.agreements.load import Book
from adapter.agreements.terms import CareForm
from adapter.doctor.deployment import Deployment
from adapter.doctor.findings import Told, fail, ok, warn
from adapter.errors import SetupError

#: From this month on the next year's amount should be there: it is decided in the autumn.
_NEXT_YEAR_FROM = 11
_MEND = "`losus agreements check` names file and line"


async def files(it: Deployment) -> Sequence[Told]:
    """The findings of `losus agreements check`; a value that is to be read up again can wait."""
    book = it.book
    found = check(book.files, book.rates, book.municipalities, it.today, book.federations, book.regions)
    told = [
        (warn if one.rule == "stale" else fail)(one.words, _MEND, f"{one.rule} {one.where}")
        for one in found
        if one.severity == "fault"
    ]
    return told or [ok(f"{len(book.files)} agreements are sound")]


async def region(it: Deployment) -> Sequence[Told]:
    """Who is paid: without the region and its organisation number nothing is settled or issued."""
    made = warn if it.is_sandbox else fail
    mend = "set LOSUS_REGION: {county, organisation_number}, and restart"
    regions = it.book.regions
    counties = {regions.home, *it.settings.regions, *(one.region for one in it.settings.sources.values())}
    told = []
    known = sorted(one for one in counties if one)
    for county in known if regions.home else (None, *known):
        try:
            found = regions.get(county)
            told.append(ok(f"{found.name}, organisation number {found.number}", found.county))
        except SetupError as error:
            told.append(made(error.problems[0].rule, mend, county or ""))
    return told


async def in_force_today(it: Deployment) -> Sequence[Told]:
    """What each subscriber is settled by today, for each form of care."""
    book, today = it.book, it.today
    told = []
    for code in it.settings.municipalities:
        try:
            held = [_holds(book, today, code, form) for form in CareForm]
        except SetupError as error:
            told.append(fail(error.problems[0].rule, _MEND, code))
        else:
            names = dict.fromkeys(one.agreement.id for one in held)
            told.append(ok(", ".join(names), code))
    return told


async def rates(it: Deployment) -> Sequence[Told]:
    """The amount per day for this year and, from November on, for the next."""
    book, today = it.book, it.today
    lacking = _lacking(book, it, today, today.year)
    mend = "losus rates add YEAR AMOUNT --source … puts the year's amount beside the shipped ones"
    if lacking:
        found = f"no amount for {today.year}: nothing of this year can be settled"
        made = warn if it.is_sandbox else fail
        return [made(found, mend, name) for name in lacking]
    if today.month >= _NEXT_YEAR_FROM:
        lacking = _lacking(book, it, today, today.year + 1)
        if lacking:
            return [warn(f"no amount for {today.year + 1} yet", mend, name) for name in lacking]
    return [ok(f"there is an amount for {today.year}")]


def _lacking(book: Book, it: Deployment, today: date, year: int) -> list[str]:
    """The series that subscribers are settled by and that lack the year's amount."""
    used = set()
    for code in it.settings.municipalities:
        for form in CareForm:
            try:
                agreement = _holds(book, today, code, form).agreement
            except SetupError:
                continue  # told of by `in_force_today`
            used.add((book.rules[agreement.id].on(today, form).rate, form))
    return sorted({series for series, form in used if book.rates.find(series, year, form) is None})


def _holds(book: Book, day: date, code: str, form: CareForm) -> InForce:
    agreements = {name: one.agreement for name, one in book.rules.items()}
    return in_force(agreements, day, code, form, book.regions.home)
