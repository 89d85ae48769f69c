"""The claim on the municipality: an Invoice for each document of a statement, its lines the ChargeItems.

Owns the sums, who pays whom, when, and the VAT statement. Does not own what a line is (`charge`) nor which
documents there are (`adapter.settlement.claim`).

An issued Invoice is never changed (settlement rules 8). A credit is an Invoice of type `credit-note`: FHIR
has no resource of its own for it, and its sums are positive, for the type says who owes them. The extension
`settlement-corrected-invoice` names the invoices that it takes something back of. A statement that was
issued before documents had numbers has the one Invoice that it had, known by the statement's id. No Account:
payments are outside this program.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from adapter.fhir.charge import Charged
from adapter.fhir.decimals import money
from adapter.fhir.elements import (
    Resource,
    buyer,
    extension,
    instant,
    month_period,
    narrative,
    profile,
    recipient,
    region,
)
from adapter.fhir.sheet import Sheet
from adapter.fhir.vocabulary import INVOICE_NUMBER, INVOICE_TYPE, PRICE, STATEMENT_IDENTIFIER, care_form
from adapter.settlement.claim import total
from adapter.settlement.difference import Document, DocumentKind
from adapter.settlement.statement import Statement


def invoices(sheet: Sheet, charges: Sequence[Charged]) -> Iterator[Resource]:
    """Give an Invoice for each document: `issued`, or a `draft`."""
    for position, document in enumerate(sheet.documents):
        yield _invoice(sheet, document, position, _on(sheet, document, charges))


def _invoice(sheet: Sheet, document: Document, position: int, charges: Iterable[Charged]) -> Resource:
    statement, edition = sheet.statement, sheet.edition
    is_note = document.kind is DocumentKind.CREDIT_NOTE
    kind = "credit-note" if is_note else "provisional" if statement.provisional else "monthly"
    english, swedish = INVOICE_TYPE.concepts[kind]
    due = money(total(sheet.claim, document))
    named = f" {document.number}" if document.number else ""
    number = [{"system": INVOICE_NUMBER, "value": document.number}] if document.number else []
    made: Resource = {
        "resourceType": "Invoice",
        "id": sheet.name("Invoice", "credit-note", str(position)) if is_note else sheet.name("Invoice"),
        "meta": profile("settlement-invoice"),
        "text": narrative(
            f"{swedish}{named}, {sheet.headline[0]}: {due['value']} SEK",
            f"{english}{named}, {sheet.headline[1]}: {due['value']} SEK",
        ),
        "extension": _extensions(sheet, document),
        "identifier": [*number, {"system": STATEMENT_IDENTIFIER, "value": sheet.id}],
        "status": "issued" if sheet.issued else "draft",
        "type": INVOICE_TYPE.concept(kind),
        "recipient": edition.reference("Organization", recipient(statement, edition)["id"]),
        "creation" if edition.r5 else "date": instant(sheet.at),
    }
    if edition.r5:
        made["periodPeriod"] = month_period(statement.month)
    made["issuer"] = edition.reference("Organization", region(statement.region, edition)["id"])
    if lines := _lines(sheet, charges):
        made["lineItem"] = lines
    made |= _totals(document, due)
    if notes := [*made.get("note", ()), *_addressed(statement)]:
        made["note"] = notes
    return made


def _addressed(statement: Statement) -> Iterator[dict[str, str]]:
    """Say that a federation is addressed for the municipality, and that no text confirms it."""
    federation = statement.recipient
    if federation is not None:
        assumed = "" if federation.verified else " (antagande / assumption)"
        yield {"text": f"{federation.name}: {statement.municipality}{assumed}"}


def _extensions(sheet: Sheet, document: Document) -> list[dict[str, Any]]:
    statement, edition = sheet.statement, sheet.edition
    made = [extension("settlement-care-form", valueCodeableConcept=care_form(statement.care_form))]
    if not edition.r5:
        made.append(extension("settlement-period", valuePeriod=month_period(statement.month)))
    if document.due_on is not None:
        made.append(extension("settlement-due-date", valueDate=document.due_on.isoformat()))
    reference = buyer(statement, edition.invoicing).buyer_reference
    if reference is not None and document.kind is not DocumentKind.LEGACY:
        made.append(extension("settlement-buyer-reference", valueString=reference))
    for one in document.references:
        system = STATEMENT_IDENTIFIER if one.dated is None else INVOICE_NUMBER
        corrected = {"type": "Invoice", "identifier": {"system": system, "value": one.number}}
        made.append(extension("settlement-corrected-invoice", valueReference=corrected))
    return made


def _totals(document: Document, due: dict[str, Any]) -> dict[str, Any]:
    """Give the sums, and why no VAT is added; when it is to be paid."""
    if document.vat is None:
        return {"totalNet": due}
    tax = {"type": "tax", "code": {**PRICE.concept("vat"), "text": document.vat.reason}, "amount": money(0)}
    made = {
        "totalPriceComponent": [tax],
        "totalNet": due,
        "totalGross": due,
        "note": [{"text": document.vat.statement}],
    }
    if document.due_on is not None:
        made["paymentTerms"] = f"Betalas senast {document.due_on} / To be paid by {document.due_on}"
    return made


def _on(sheet: Sheet, document: Document, charges: Iterable[Charged]) -> Iterator[Charged]:
    """Give the ChargeItems that stand on a document, in its order."""
    billed = [one for one in charges if one.price is not None]
    lines = len(billed) - len(sheet.adjustments)
    if document.has_lines:
        yield from billed[:lines]
    yield from (billed[lines + number] for number in document.adjustments)


def _lines(sheet: Sheet, charges: Iterable[Charged]) -> list[dict[str, Any]]:
    return [
        {
            "sequence": number,
            "chargeItemReference": sheet.edition.reference("ChargeItem", one.item["id"]),
            "priceComponent": one.price,
        }
        for number, one in enumerate(charges, 1)
    ]
