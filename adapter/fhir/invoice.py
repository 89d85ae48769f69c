"""The claim on the municipality: one Invoice for a statement, its lines the ChargeItems.

Owns the sum and who pays whom. Does not own what a line is (`charge`) nor whether there is one at all
(`Sheet.invoiced`).

An issued Invoice is never changed (settlement rules 8): a later statement corrects it by lines of its
own, which may be negative; then the sum may be too, and is owed by the region. There is no total with
VAT: nothing here says that there is any. No Account either: payments are outside this program.
"""

from collections.abc import Iterable
from typing import Any

from adapter.fhir.charge import Charged
from adapter.fhir.decimals import money
from adapter.fhir.elements import (
    Resource,
    extension,
    instant,
    month_period,
    municipality,
    narrative,
    region,
)
from adapter.fhir.sheet import Sheet
from adapter.fhir.vocabulary import INVOICE_TYPE, STATEMENT_IDENTIFIER, care_form


def invoice(sheet: Sheet, charges: Iterable[Charged]) -> Resource:
    """Give the Invoice: `issued`, or a `draft`; a provisional one rests on an amount not confirmed."""
    statement, edition = sheet.statement, sheet.edition
    extensions = [extension("settlement-care-form", valueCodeableConcept=care_form(statement.care_form))]
    month = month_period(statement.month)
    if not edition.r5:
        extensions.append(extension("settlement-period", valuePeriod=month))
    kind = "provisional" if statement.provisional else "monthly"
    english, swedish = INVOICE_TYPE.concepts[kind]
    total = money(sheet.due)
    made: Resource = {
        "resourceType": "Invoice",
        "id": sheet.name("Invoice"),
        "text": narrative(
            f"{swedish}, {sheet.headline[0]}: {total['value']} SEK",
            f"{english}, {sheet.headline[1]}: {total['value']} SEK",
        ),
        "extension": extensions,
        "identifier": [{"system": STATEMENT_IDENTIFIER, "value": sheet.id}],
        "status": "issued" if sheet.issued else "draft",
        "type": INVOICE_TYPE.concept(kind),
        "recipient": edition.reference("Organization", municipality(statement.municipality, edition)["id"]),
        "creation" if edition.r5 else "date": instant(sheet.at),
    }
    if edition.r5:
        made["periodPeriod"] = month
    if (paid := region(statement.agreement, edition)) is not None:
        made["issuer"] = edition.reference("Organization", paid["id"])
    if lines := _lines(sheet, charges):
        made["lineItem"] = lines
    return {**made, "totalNet": total}


def _lines(sheet: Sheet, charges: Iterable[Charged]) -> list[dict[str, Any]]:
    billed = [one for one in charges if one.price is not None]
    return [
        {
            "sequence": number,
            "chargeItemReference": sheet.edition.reference("ChargeItem", one.item["id"]),
            "priceComponent": one.price,
        }
        for number, one in enumerate(billed, 1)
    ]
