"""An invoice or a credit note as UBL 2.1 XML by Peppol BIS Billing 3.

Owns the order and names of the elements, and the totals. Does not own what the lines are (`lines`) nor the
parties' numbers (`parties`). Sources: Peppol BIS Billing 3.0 (CustomizationID, ProfileID, one Note), EN
16931-1 (sums: BR-CO-10 to BR-CO-16), UBL 2.1 Invoice and CreditNote, the Swedish rules SE-R-001 to
SE-R-013.

Sums. Each line is rounded to whole öre, half up; the sum of the lines is what the document comes to. Where
the exact sum rounded once is another, the difference is the rounding amount (BT-114), so that what is paid
is the exact sum rounded once. No VAT: one tax group with the reason, of 0.00.
"""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from xml.etree import ElementTree as ET

from adapter.agreements.identifiers import GLN_SCHEME, ORGANISATION_SCHEME
from adapter.agreements.invoicing import Vat
from adapter.peppol.lines import InvoiceLine, lines_of, span_of
from adapter.peppol.parties import Facts, Party
from adapter.settlement.claim import to_ore, total
from adapter.settlement.difference import Document, DocumentKind, Issued

_UBL = "urn:oasis:names:specification:ubl:schema:xsd"
_CAC = f"{{{_UBL}:CommonAggregateComponents-2}}"
_CBC = f"{{{_UBL}:CommonBasicComponents-2}}"
_CUSTOMIZATION = "urn:cen.eu:en16931:2017#compliant#urn:fdc:peppol.eu:2017:poacc:billing:3.0"
_PROFILE = "urn:fdc:peppol.eu:2017:poacc:billing:01:1.0"
_CURRENCY = "SEK"
#: UNTDID 4461: a credit transfer.
_CREDIT_TRANSFER = "30"


@dataclass(frozen=True, slots=True)
class _Shape:
    """What differs between the two documents of UBL; `code` is UNTDID 1001."""

    root: str
    type_name: str
    code: str
    line: str
    quantity: str


_SHAPES = {
    DocumentKind.INVOICE: _Shape("Invoice", "InvoiceTypeCode", "380", "InvoiceLine", "InvoicedQuantity"),
    DocumentKind.CREDIT_NOTE: _Shape(
        "CreditNote", "CreditNoteTypeCode", "381", "CreditNoteLine", "CreditedQuantity"
    ),
}


def document_xml(issued: Issued, document: Document, facts: Facts, note: str) -> bytes:
    """Give the document as XML in UTF-8; `note` is the one text that stands on it as a whole."""
    shape, lines = _SHAPES[document.kind], lines_of(issued, document)
    root = ET.Element(f"{{{_UBL}:{shape.root}-2}}{shape.root}")
    _head(root, shape, facts, note)
    _period(root, span_of(document, issued.statement.month, lines))
    for one in document.references:
        reference = _in(_in(root, "BillingReference"), "InvoiceDocumentReference")
        _text(reference, "ID", one.number)
        if one.dated is not None:
            _text(reference, "IssueDate", one.dated.isoformat())
    _text(_in(root, "ContractDocumentReference"), "ID", issued.statement.agreement)
    _party(_in(root, "AccountingSupplierParty"), facts.seller)
    _party(_in(root, "AccountingCustomerParty"), facts.buyer)
    if facts.account is not None:
        _account(root, facts.number, *facts.account)
    if facts.due_on is not None:
        _text(_in(root, "PaymentTerms"), "Note", f"Betalas senast {facts.due_on}")
    _sums(root, facts.vat, sum((one.amount for one in lines), Decimal()), to_ore(total(issued, document)))
    for number, line in enumerate(lines, 1):
        _line(root, shape, facts.vat, number, line)
    _name_spaces(shape)
    ET.indent(root)
    made: bytes = ET.tostring(root, encoding="UTF-8", xml_declaration=True)
    return made + b"\n"


def _name_spaces(shape: _Shape) -> None:
    """Write the customary prefixes; the document's own names stand without one."""
    ET.register_namespace("", f"{_UBL}:{shape.root}-2")
    ET.register_namespace("cac", _CAC[1:-1])
    ET.register_namespace("cbc", _CBC[1:-1])


def _head(root: ET.Element, shape: _Shape, facts: Facts, note: str) -> None:
    _text(root, "CustomizationID", _CUSTOMIZATION)
    _text(root, "ProfileID", _PROFILE)
    _text(root, "ID", facts.number)
    _text(root, "IssueDate", facts.dated.isoformat())
    if facts.due_on is not None and shape.code == _SHAPES[DocumentKind.INVOICE].code:
        _text(root, "DueDate", facts.due_on.isoformat())
    _text(root, shape.type_name, shape.code)
    _text(root, "Note", note)
    _text(root, "DocumentCurrencyCode", _CURRENCY)
    _text(root, "BuyerReference", facts.buyer_reference)


def _party(role: ET.Element, party: Party) -> None:
    made = _in(role, "Party")
    scheme, address = party.address
    _text(made, "EndpointID", address, schemeID=scheme)
    if party.gln is not None:
        _text(_in(made, "PartyIdentification"), "ID", party.gln, schemeID=GLN_SCHEME)
    _text(_in(made, "PartyName"), "Name", party.name)
    _text(_in(_in(made, "PostalAddress"), "Country"), "IdentificationCode", "SE")
    if party.vat_number is not None:
        scheme_of_tax = _in(made, "PartyTaxScheme")
        _text(scheme_of_tax, "CompanyID", party.vat_number)
        _text(_in(scheme_of_tax, "TaxScheme"), "ID", "VAT")
    legal = _in(made, "PartyLegalEntity")
    _text(legal, "RegistrationName", party.name)
    _text(legal, "CompanyID", party.organisation_number, schemeID=ORGANISATION_SCHEME)


def _account(root: ET.Element, number: str, bank: str, account: str) -> None:
    means = _in(root, "PaymentMeans")
    _text(means, "PaymentMeansCode", _CREDIT_TRANSFER)
    _text(means, "PaymentID", number)
    payee = _in(means, "PayeeFinancialAccount")
    _text(payee, "ID", account)
    _text(_in(payee, "FinancialInstitutionBranch"), "ID", bank)


def _sums(root: ET.Element, vat: Vat, lines: Decimal, due: Decimal) -> None:
    tax = _in(root, "TaxTotal")
    _money(tax, "TaxAmount", Decimal("0.00"))
    group = _in(tax, "TaxSubtotal")
    _money(group, "TaxableAmount", lines)
    _money(group, "TaxAmount", Decimal("0.00"))
    _tax_category(group, "TaxCategory", vat, reason=vat.statement)
    sums = _in(root, "LegalMonetaryTotal")
    for name in ("LineExtensionAmount", "TaxExclusiveAmount", "TaxInclusiveAmount"):
        _money(sums, name, lines)
    if due != lines:
        _money(sums, "PayableRoundingAmount", due - lines)
    _money(sums, "PayableAmount", due)


def _tax_category(parent: ET.Element, name: str, vat: Vat, reason: str | None = None) -> None:
    category = _in(parent, name)
    _text(category, "ID", vat.category)
    if vat.category == "E":  # a rate of 0; what is not subject to VAT has none (BR-O-05)
        _text(category, "Percent", "0")
    if reason is not None:
        _text(category, "TaxExemptionReason", reason)
    _text(_in(category, "TaxScheme"), "ID", "VAT")


def _line(root: ET.Element, shape: _Shape, vat: Vat, number: int, line: InvoiceLine) -> None:
    made = _in(root, shape.line)
    _text(made, "ID", str(number))
    _text(made, shape.quantity, f"{line.quantity:f}", unitCode=line.unit)
    _money(made, "LineExtensionAmount", line.amount)
    _period(made, line.span)
    item = _in(made, "Item")
    _text(item, "Description", line.text)
    _text(item, "Name", line.name)
    _tax_category(item, "ClassifiedTaxCategory", vat)
    if line.stay is not None:
        stay = _in(item, "AdditionalItemProperty")
        _text(stay, "Name", "Vårdtillfälle (pseudonym)")
        _text(stay, "Value", line.stay)
    _money(_in(made, "Price"), "PriceAmount", line.price)


def _period(parent: ET.Element, span: tuple[date, date]) -> None:
    made = _in(parent, "InvoicePeriod")
    _text(made, "StartDate", span[0].isoformat())
    _text(made, "EndDate", span[1].isoformat())


def _in(parent: ET.Element, name: str) -> ET.Element:
    return ET.SubElement(parent, f"{_CAC}{name}")


def _text(parent: ET.Element, name: str, value: str, **attributes: str) -> None:
    ET.SubElement(parent, f"{_CBC}{name}", attributes).text = value


def _money(parent: ET.Element, name: str, amount: Decimal) -> None:
    _text(parent, name, f"{amount:f}", currencyID=_CURRENCY)
