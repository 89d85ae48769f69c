"""The amounts that a municipality's days of a year are charged by, and when they are to be announced.

Owns which amounts belong to a municipality's year. Pure. Does not own the amounts (`rates`), what is in force
(`in_force`) nor the announcing (`adapter.settling.announcing`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from adapter.agreements.in_force import in_force
from adapter.agreements.load import Book
from adapter.agreements.rates import Rate
from adapter.agreements.terms import CareForm

#: The month in which the next year's amount is to be announced.
_DECEMBER = 12
#: From this month on a run without a year announces the next one.
_AUTUMN = 10


@dataclass(frozen=True, slots=True)
class Amount:
    """The amount of a year; `care_form` None: the same for both forms."""

    care_form: CareForm | None
    rate: Rate


def year_to_announce(today: date) -> int:
    """Return the year that a run without a year announces: the next one from October on, else this one."""
    return today.year + 1 if today.month >= _AUTUMN else today.year


def years_due(today: date) -> Mapping[str, int]:
    """Return the years that are to be announced by now: `current` always, `next` from 1 December on.

    Bilaga 9, footnote 5: «Regionen ansvarar för att meddela kommunerna beloppet i december inför kommande
    år».
    """
    current = {"current": today.year}
    return current | {"next": today.year + 1} if today.month == _DECEMBER else current


def amounts_of(book: Book, municipality: str, year: int) -> tuple[Amount, ...]:
    """Return the known amounts of a municipality's year, by what is in force for it on 1 January.

    One amount for both care forms where they are equal. Empty where none is known. SetupError where nothing
    can be in force.
    """
    day = date(year, 1, 1)
    agreements = {name: one.agreement for name, one in book.rules.items()}
    known: dict[CareForm, Rate] = {}
    for form in CareForm:
        agreement = in_force(agreements, day, municipality, form, book.regions.home).agreement
        rate = book.rates.find(book.rules[agreement.id].on(day, form).rate, year, form)
        if rate is not None:
            known[form] = rate
    if len(known) == len(CareForm) and len({(one.amount, one.verified) for one in known.values()}) == 1:
        return (Amount(None, known[CareForm.SOMATIC]),)
    return tuple(Amount(form, rate) for form, rate in known.items())
