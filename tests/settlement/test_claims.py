"""Which invoice and which credit notes a statement gives: settlement rules 8, never a negative invoice."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapter.agreements.invoicing import Invoicing, Vat
from adapter.losus.days import local_day
from adapter.settlement.claim import (
    claimed,
    documents_json,
    documents_of,
    legacy,
    numbered,
    redated,
    to_ore,
    total,
)
from adapter.settlement.difference import DocumentKind, Issued, Reference
from adapter.settlement.settle import settle
from adapter.settlement.stay import Stay
from tests.settlement.making import LUS, STHLM, VGR, at, book, rules, span, stay
from tests.settlement.test_corrections import LATER, issued

TERMS = Invoicing(payment_days=30)
TODAY = date(2019, 7, 1)

#: By the statute in 2019, 7 800 SEK a day from day 3: seven days are 4 payable (31 200 SEK).
MAY = stay("2019-05-13 10:00", "2019-05-20 15:00", "a")
OTHER = stay("2019-05-06 10:00", "2019-05-13 15:00", "b")
JUNE = stay("2019-06-03 10:00", "2019-06-07 15:00", "c")


def ended(one: Stay, when: str) -> Stay:
    return one._replace(ended_at=at(when))


def told(history: Sequence[Issued]) -> list[Issued]:
    """Give each statement its documents and numbers, oldest first, as issuing does."""
    done: list[Issued] = []
    for one in history:
        made = documents_of(one, done, TERMS, TODAY)
        numbers = [f"{one.statement.month}/{n}" for n, _ in enumerate(made, 1)]
        done.append(replace(one, documents=numbered(made, numbers)))
    return done


def run(*months: tuple[str, list[Stay]], name: str = LUS) -> list[Issued]:
    history: list[Issued] = []
    for month, stays in months:
        history = issued(stays, name, months[0][0], month, month, history)
    return told(history)


@dataclass(frozen=True)
class Row:
    """Months with the stays as known when each is issued; the documents of the last one; the clause."""

    what: str
    months: tuple[tuple[str, list[Stay]], ...]
    documents: list[tuple[str, str, list[str]]]
    because: str
    name: str = LUS


ROWS = (
    Row("charges alone", (("2019-05", [MAY]),), [("invoice", "31200", [])], "one invoice"),
    Row("nothing owed", (("2019-05", [ended(MAY, "2019-05-14 10:00")]),), [], "no document, so no number"),
    Row(
        "a debit of an earlier month",
        (("2019-05", [MAY]), ("2019-06", [ended(MAY, "2019-05-22 10:00"), JUNE])),
        [("invoice", "23400", [])],  # June: 1 payable of 4 days, 7 800; May: 2 days more, 15 600
        "debits are lines of the invoice",
    ),
    Row(
        "a credit as large as the month's charge",
        (("2019-05", [MAY]), ("2019-06", [ended(MAY, "2019-05-19 10:00"), JUNE])),
        [("invoice", "7800", []), ("credit-note", "7800", ["2019-05/1"])],
        "a credit is a document of its own, also where the sum is nothing",
    ),
    Row(
        "a credit larger than the month's charge",
        (("2019-05", [MAY]), ("2019-06", [ended(MAY, "2019-05-14 10:00"), JUNE])),
        [("invoice", "7800", []), ("credit-note", "31200", ["2019-05/1"])],
        "never a negative invoice",
    ),
    Row(
        "a credit in a month without charges",
        (("2019-05", [MAY]), ("2019-06", [ended(MAY, "2019-05-18 10:00")])),
        [("credit-note", "15600", ["2019-05/1"])],
        "a credit note alone",
    ),
    Row(
        "two credits of one invoice",
        (
            ("2019-05", [MAY, OTHER]),
            ("2019-06", [ended(MAY, "2019-05-19 10:00"), ended(OTHER, "2019-05-12 10:00")]),
        ),
        [("credit-note", "15600", ["2019-05/1"])],
        "one credit note for each corrected invoice",
    ),
    Row(
        "credits of two invoices",
        (
            ("2019-05", [MAY]),
            ("2019-06", [MAY, JUNE]),
            ("2019-07", [ended(MAY, "2019-05-19 10:00"), ended(JUNE, "2019-06-06 10:00")]),
        ),
        [("credit-note", "7800", ["2019-05/1"]), ("credit-note", "7800", ["2019-06/1"])],
        "one credit note for each corrected invoice",
    ),
    Row(
        "a credit of what a later invoice charged",
        (
            ("2019-05", [MAY]),
            ("2019-06", [ended(MAY, "2019-05-22 10:00")]),
            ("2019-07", [MAY]),
        ),
        [("credit-note", "15600", ["2019-05/1", "2019-06/1"])],
        "both invoices have charged the stay",
    ),
    Row(
        "a debit and a credit of one month",
        (
            ("2019-05", [MAY, OTHER]),
            ("2019-06", [ended(MAY, "2019-05-22 10:00"), ended(OTHER, "2019-05-12 10:00")]),
        ),
        [("invoice", "15600", []), ("credit-note", "7800", ["2019-05/1"])],
        "they are not set off against each other",
    ),
    Row(
        "no charge, and the agreement wants zeros",
        (("2019-05", [ended(MAY, "2019-05-14 10:00")._replace(municipality="1480")]),),
        [("invoice", "0", [])],
        "VGR: noll-faktura",
        VGR,
    ),
    Row(
        "a suspended month",
        (("2020-03", [stay("2020-03-02 10:00", "2020-03-09 15:00", "s")._replace(municipality="0180")]),),
        [],
        "Stockholm: computed, not invoiced",
        STHLM,
    ),
)


def seen(one: Issued) -> list[tuple[str, str, list[str]]]:
    return [
        (each.kind.value, f"{total(one, each):f}", [to.number for to in each.references])
        for each in one.documents or ()
    ]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.what)
def test_documents(row: Row) -> None:
    assert seen(run(*row.months, name=row.name)[-1]) == row.documents, row.because


def test_a_suspended_month_credits_earlier_ones() -> None:
    """Billing is suspended for the month, not for what was invoiced before: the municipality gets it back."""
    first = issued([MAY], LUS, "2019-05", "2019-05", "2019-05", [])
    later = issued([ended(MAY, "2019-05-18 10:00"), JUNE], LUS, "2019-05", "2019-06", "2019-06", first)
    last = replace(later[-1], statement=replace(later[-1].statement, suspended=True))
    assert seen(told([first[0], last])[-1]) == [("credit-note", "15600", ["2019-05/1"])]


def test_a_statement_of_before_keeps_its_one_invoice() -> None:
    history = issued([MAY], LUS, "2019-05", "2019-05", "2019-05", [])
    history = issued([ended(MAY, "2019-05-18 10:00")], LUS, "2019-05", "2019-06", "2019-06", history)
    (one,) = legacy(history[1])
    assert (one.kind, total(history[1], one)) == (DocumentKind.LEGACY, Decimal(-15600))
    assert [each["amount"] for each in documents_json(history[1])] == [Decimal(-15600)]
    (note,) = documents_of(history[1], history[:1], TERMS, TODAY)
    assert note.references == (Reference("2380-2019-05", None),), "it is known by the statement's id"


def test_dates() -> None:
    (one,) = run(("2019-05", [MAY]))[-1].documents or ()
    assert (one.dated, one.due_on) == (TODAY, date(2019, 7, 31))
    assert [each.due_on for each in redated((one,), date(2019, 6, 3))] == [date(2019, 7, 3)]
    credit = run(("2019-05", [MAY]), ("2019-06", [ended(MAY, "2019-05-18 10:00")]))[-1].documents or ()
    assert [each.due_on for each in credit] == [None], "nobody has to pay a credit note"


DUE = (
    (None, None, None, "neither agreement nor setting: no date is invented"),
    (None, 30, 30, "the setting, where the agreement is silent"),
    (20, 30, 20, "the agreement decides"),
    (0, 30, 0, "at once is a term too"),
)


@pytest.mark.parametrize(("agreed", "setting", "days", "because"), DUE)
def test_terms_of_payment(agreed: int | None, setting: int | None, days: int | None, because: str) -> None:
    changed = rules(LUS, payment_days=agreed)
    (made,) = settle([MAY], changed, book().rates, span("2019-05", "2019-05"))
    one = Issued("s", LATER, made, ())
    (found,) = documents_of(one, (), Invoicing(payment_days=setting), local_day(LATER))
    assert found.due_on == (None if days is None else local_day(LATER) + timedelta(days=days)), because


def test_vat_is_said_with_its_source_or_as_an_assumption() -> None:
    assert Vat().statement == "Sjukvård: undantaget från mervärdesskatt (antagande / assumption)"
    assert Vat(reason="Undantag", source="beslut 2026-01-02").statement == "Undantag (beslut 2026-01-02)"


ROUNDING = (
    ("0.004", "0.00", "below half"),
    ("0.005", "0.01", "half goes up"),
    ("0.015", "0.02", "half goes up, not to the even digit"),
    ("7800", "7800.00", "whole"),
)


@pytest.mark.parametrize(("amount", "ore", "because"), ROUNDING)
def test_rounding_to_ore(amount: str, ore: str, because: str) -> None:
    assert str(to_ore(Decimal(amount))) == ore, because


ENDS = st.integers(min_value=14, max_value=28)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(ENDS, ENDS), min_size=1, max_size=4), st.booleans())
def test_documents_come_to_what_is_due(ends: list[tuple[int, int]], has_june: bool) -> None:
    """Invoices less credit notes are what is due, no document is negative, no line stands twice."""

    def known(which: int) -> list[Stay]:
        stays = [
            stay("2019-05-13 10:00", f"2019-05-{days[which]} 15:00", f"s{n}") for n, days in enumerate(ends)
        ]
        return [*stays, JUNE] if has_june else stays

    for one in run(("2019-05", known(0)), ("2019-06", known(1)), ("2019-07", known(0))):
        documents: Any = one.documents
        signs = {DocumentKind.INVOICE: 1, DocumentKind.CREDIT_NOTE: -1}
        assert sum(signs[each.kind] * total(one, each) for each in documents) == one.due
        assert all(total(one, each) >= 0 for each in documents)
        lines = [(each.charge, each.adjustment) for document in documents for each in claimed(one, document)]
        assert len(lines) == sum(len(line.charges) for line in one.statement.lines) + len(one.adjustments)
