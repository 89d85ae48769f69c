"""Which statements there are to be of a month, and from which day each may be issued.

Owns what is to be issued even where nobody was in hospital, since silence is no answer. Pure. Does not own
what stays owe besides (`run`), nor the issuing (`issuing`).
"""

from collections.abc import Iterable, Iterator
from datetime import date, timedelta

from adapter.agreements.agreement import Agreement
from adapter.agreements.in_force import in_force
from adapter.agreements.load import Book
from adapter.agreements.terms import CareForm, Terms
from adapter.losus.days import DAY, Month, months
from adapter.settlement.account import POOLED, Payer
from adapter.settlement.statement import Key


def payers(book: Book, code: str, month: Month) -> Iterable[tuple[Agreement, Payer]]:
    """Give the statements there are to be even if nobody was in hospital: silence is no answer.

    They are those of the region of the installation; of another that treats, there is one where it treated.
    """
    for agreement, payer, _ in _settled(book, code, month):
        yield agreement, payer


def due(book: Book, codes: Iterable[str], first: Month, today: date) -> set[Key]:
    """Give the statements of these municipalities, from the month `first` on, that may be issued `today`.

    Those that are owed in any case: what stays under an earlier agreement owe besides is known only to a run.
    """
    return {
        Key(agreement.id, payer.municipality, payer.care_form, month, payer.region)
        for code in codes
        for month in months(first, Month.of(today))
        for agreement, payer, terms in _settled(book, code, month)
        if today >= first_day(month, terms)
    }


def first_day(month: Month, terms: Terms) -> date:
    """Give the first day on which a month may be issued: the day after the correction day of the terms."""
    return month.end + timedelta(days=terms.corrections_until_day or 0)


def _settled(book: Book, code: str, month: Month) -> Iterator[tuple[Agreement, Payer, Terms]]:
    agreements = {name: one.agreement for name, one in book.rules.items()}
    last, region = month.end - DAY, book.regions.home or code[:2]
    for form in CareForm:
        agreement = in_force(agreements, last, code, form, region).agreement
        terms = book.rules[agreement.id].on(last, form)
        yield agreement, Payer(code, POOLED if terms.pool_care_forms else form.value, region), terms
