"""The invoice and the credit notes of an issued statement: which there are, and what stands on each.

Owns settlement rules 8: a credit is a credit note with a number of its own, never a negative invoice. The
invoice has the lines of the month and the debits of earlier ones; credits stand on credit notes, one for each
set of invoices that the taken-back amounts were charged on. Does not own numbers (`adapter.store.invoices`)
nor how a document is written (`adapter.fhir.invoice`, `adapter.peppol`).

A statement may give an invoice, credit notes, both or none. One that was issued before documents had numbers
keeps the single invoice that it had, whatever its sign (`LEGACY`).
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from adapter.agreements.invoicing import Invoicing
from adapter.settlement.difference import Adjustment, Document, DocumentKind, Issued, Post, Reference
from adapter.settlement.statement import Charge, Line

_ORE = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class Claimed:
    """A line of a document: a charge of the month, or an adjustment of an earlier one."""

    line: Line | None
    charge: Charge | None
    adjustment: Adjustment | None

    @property
    def amount(self) -> Decimal:
        """SEK as the statement has it: negative where it is taken back."""
        return self.charge.amount if self.charge else self.adjustment.amount if self.adjustment else Decimal()


def documents_of(
    issued: Issued, history: Sequence[Issued], invoicing: Invoicing, dated: date
) -> tuple[Document, ...]:
    """Give the documents of a statement, without numbers: the invoice first, then the credit notes.

    `history` is what was issued to the payer before; `dated` is the invoice date.
    """
    statement = issued.statement
    terms = statement.mean.terms
    days = invoicing.payment_days if terms.payment_days is None else terms.payment_days
    due_on = None if days is None else dated + timedelta(days=days)
    vat = invoicing.vat
    debits = tuple(n for n, one in enumerate(issued.adjustments) if one.amount >= 0)
    found = []
    is_billed = not (statement.suspended or statement.no_rate)
    if debits or (is_billed and (statement.lines or terms.zero_invoice)):
        found.append(
            Document(
                DocumentKind.INVOICE,
                None,
                dated,
                due_on,
                vat,
                has_lines=is_billed,
                adjustments=debits,
                references=(),
            )
        )
    notes: dict[tuple[Reference, ...], list[int]] = {}
    for number, one in enumerate(issued.adjustments):
        if one.amount < 0:
            notes.setdefault(_charged_on(one, history), []).append(number)
    for references, taken_back in notes.items():
        found.append(
            Document(
                DocumentKind.CREDIT_NOTE,
                None,
                dated,
                None,
                vat,
                has_lines=False,
                adjustments=tuple(taken_back),
                references=references,
            )
        )
    return tuple(found)


def numbered(documents: Sequence[Document], numbers: Sequence[str]) -> tuple[Document, ...]:
    """Give the documents with these numbers, in order."""
    return tuple(replace(one, number=number) for one, number in zip(documents, numbers, strict=True))


def redated(documents: Sequence[Document], dated: date) -> tuple[Document, ...]:
    """Give the documents as of another invoice date; they fall due as many days after it."""
    return tuple(
        replace(
            one,
            dated=dated,
            due_on=one.due_on and one.dated and dated + (one.due_on - one.dated),
        )
        for one in documents
    )


def legacy(issued: Issued) -> tuple[Document, ...]:
    """Give the one invoice of a statement issued before documents had numbers; none if it had none."""
    statement = issued.statement
    has_any = bool(statement.lines or issued.adjustments) or statement.mean.terms.zero_invoice
    if statement.suspended or statement.no_rate or not has_any:
        return ()
    every = tuple(range(len(issued.adjustments)))
    return (Document(DocumentKind.LEGACY, None, None, None, None, True, every, ()),)


def claimed(issued: Issued, document: Document) -> Iterator[Claimed]:
    """Give the lines of a document: charges in the order of the statement, then adjustments."""
    if document.has_lines:
        for line in issued.statement.lines:
            for charge in line.charges:
                yield Claimed(line, charge, None)
    for number in document.adjustments:
        yield Claimed(None, None, issued.adjustments[number])


def total(issued: Issued, document: Document) -> Decimal:
    """SEK of a document, exact; positive on a credit note too, for its kind says who owes it."""
    summed = sum((one.amount for one in claimed(issued, document)), Decimal())
    return -summed if document.kind is DocumentKind.CREDIT_NOTE else summed


def to_ore(amount: Decimal) -> Decimal:
    """Round to whole öre, half up."""
    return amount.quantize(_ORE, ROUND_HALF_UP)


def _charged_on(one: Adjustment, history: Iterable[Issued]) -> tuple[Reference, ...]:
    """Give the invoices that the post of a credit was charged on, oldest first.

    Where none of them is known any more, the statement that the adjustment corrects.
    """
    found = dict.fromkeys(
        reference for each in history if _charges(each, one.post) for reference in _invoice_of(each)
    )
    return tuple(found) or (Reference(one.corrects, None),)


def _charges(issued: Issued, post: Post) -> bool:
    statement = issued.statement
    own = statement.key == post.key
    lines = any((line.stay, line.basis) == (post.stay, post.basis) for line in statement.lines)
    return (own and lines and not statement.suspended) or any(
        one.post == post and one.amount > 0 for one in issued.adjustments
    )


def _invoice_of(issued: Issued) -> Iterator[Reference]:
    """Give the invoice of a statement: its number, or the statement's id where it has none."""
    documents = issued.documents
    if documents is None:
        yield Reference(issued.id, None)
        return
    for one in documents:
        if one.kind is DocumentKind.INVOICE and one.number is not None:
            yield Reference(one.number, one.dated)


def documents_json(issued: Issued) -> list[dict[str, Any]]:
    """Give the JSON values of the documents of a statement; a draft has no `number`."""
    documents = legacy(issued) if issued.documents is None else issued.documents
    return [
        {
            "kind": one.kind.value,
            "number": one.number,
            "dated": one.dated and one.dated.isoformat(),
            "due_on": one.due_on and one.due_on.isoformat(),
            "amount": total(issued, one),
            "vat": one.vat and one.vat.statement,
            "corrects": [each.number for each in one.references],
        }
        for one in documents
    ]
