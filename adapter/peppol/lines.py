"""The lines of a Peppol document: what they are of, days, price and amount, without a word on a person.

Owns how a charge or an adjustment becomes a line, and the rounding: each line to whole öre, half up
(BR-DEC-23). Does not own which lines there are (`adapter.settlement.claim`) nor their XML (`document`).
"""

from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from fractions import Fraction

from adapter.fhir.reason_words import in_words
from adapter.fhir.vocabulary import BASIS
from adapter.losus.days import DAY, Month
from adapter.settlement.claim import Claimed, claimed, to_ore
from adapter.settlement.difference import Adjustment, Document, DocumentKind, Issued
from adapter.settlement.reasons import DisputeReason
from adapter.settlement.statement import Charge, Line, exact

#: UN/ECE Recommendation 20: a day, and one of something.
DAYS, ONE = "DAY", "C62"
_MOST_DECIMALS = 4
_SWEDISH = 1


@dataclass(frozen=True, slots=True)
class InvoiceLine:
    """A line: `name` of what is charged, `text` on it; `stay` by its pseudonym; `span` with its last day."""

    name: str
    text: str
    stay: str | None
    span: tuple[date, date]
    quantity: Decimal
    unit: str
    price: Decimal
    amount: Decimal


def lines_of(issued: Issued, document: Document) -> tuple[InvoiceLine, ...]:
    """Give the lines of a document; one of nothing where it charges nothing (BR-16 wants one)."""
    sign = -1 if document.kind is DocumentKind.CREDIT_NOTE else 1
    made = tuple(_line(issued, one, sign) for one in claimed(issued, document))
    return made or (_nothing(issued.statement.month),)


def span_of(document: Document, month: Month, lines: tuple[InvoiceLine, ...]) -> tuple[date, date]:
    """Give the days that a document is of: what its lines lie in, on an invoice the month besides."""
    spans = [one.span for one in lines]
    if document.kind is DocumentKind.INVOICE:
        spans.append(_days_of(month))
    return min(first for first, _ in spans), max(last for _, last in spans)


def _line(issued: Issued, one: Claimed, sign: int) -> InvoiceLine:
    if one.line is not None and one.charge is not None:
        return _charged(issued.statement.month, one.line, one.charge)
    if one.adjustment is None:
        raise AssertionError("a line is a charge or an adjustment")  # pragma: no cover
    return _adjusted(one.adjustment, sign)


def _charged(month: Month, line: Line, charge: Charge) -> InvoiceLine:
    first, last = charge.first_day, charge.last_day
    span = _days_of(month) if first is None or last is None else (first, last)
    return InvoiceLine(
        BASIS.concepts[line.basis.value][_SWEDISH],
        f"{charge.rate.amount:f} SEK per dygn {charge.rate.year}",
        line.stay,
        span,
        exact(charge.days),
        DAYS,
        charge.rate.amount,
        to_ore(charge.amount),
    )


def _adjusted(one: Adjustment, sign: int) -> InvoiceLine:
    post, amount, days = one.post, sign * one.amount, sign * one.payable_days
    price = _price_of_a_day(amount, days)
    quantity, unit = (Decimal(1), ONE) if price is None else (exact(days), DAYS)
    return InvoiceLine(
        BASIS.concepts[f"adjustment-{one.kind}"][_SWEDISH],
        f"{post.month}: {_why(one)}",
        post.stay,
        _days_of(post.month),
        quantity,
        unit,
        amount if price is None else price,
        to_ore(amount),
    )


def _why(one: Adjustment) -> str:
    """Give the reasons in words, without those of a dispute: what people wrote stays out of accounting."""
    bare = (
        replace(reason, words=None) if isinstance(reason, DisputeReason) else reason for reason in one.reasons
    )
    return "; ".join(in_words(reason, "sv") for reason in bare) or "skälet är inte registrerat"


def _price_of_a_day(amount: Decimal, days: Fraction) -> Decimal | None:
    """Give the price by which the days make the amount; None where there is none with few decimals."""
    if days <= 0:
        return None
    scaled = Fraction(amount) / days * 10**_MOST_DECIMALS
    if scaled.denominator != 1:
        return None
    return exact(scaled / 10**_MOST_DECIMALS)


def _nothing(month: Month) -> InvoiceLine:
    name, text = BASIS.concepts["no-charge"][_SWEDISH], "Ingenting att betala för månaden"
    return InvoiceLine(name, text, None, _days_of(month), Decimal(1), ONE, Decimal(), to_ore(Decimal()))


def _days_of(month: Month) -> tuple[date, date]:
    return month.first, month.end - DAY
