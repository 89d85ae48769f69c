"""Who invoices whom, as a Peppol document needs it: all that is missing is refused at once, by name.

Owns which facts such a document cannot be without. Does not own where they are from
(`adapter.agreements.invoicing`) nor how they are written (`document`).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from adapter.agreements.invoicing import InvoiceParty, Invoicing, Vat
from adapter.errors import LosusError, Problem
from adapter.settlement.difference import Document, DocumentKind


class IncompleteError(LosusError):
    """A document lacks what Peppol demands; each problem names whose fact it is and the setting."""

    status = 409


@dataclass(frozen=True, slots=True)
class Party:
    """A party of a document. `address` is scheme and identifier of its electronic address."""

    name: str
    organisation_number: str
    address: tuple[str, str]
    gln: str | None
    vat_number: str | None = None


@dataclass(frozen=True, slots=True)
class Facts:
    """What a document says beside its lines. `account`: the bank (`SE:BANKGIRO` …) and the account there."""

    number: str
    dated: date
    due_on: date | None
    vat: Vat
    seller: Party
    buyer: Party
    buyer_reference: str
    account: tuple[str, str] | None


@dataclass(frozen=True, slots=True)
class Named:
    """One of two parties as the agreements name it; where its organisation number and all else are set."""

    name: str
    party: InvoiceParty
    number_setting: str
    setting: str


def facts_of(document: Document, seller: Named, buyer: Named, invoicing: Invoicing) -> Facts:
    """Give what a document needs; IncompleteError naming everything that is missing of it."""
    problems = list(_missing(document, seller, buyer, invoicing))
    if problems or document.number is None or document.dated is None or document.vat is None:
        raise IncompleteError(*problems)
    exempt = document.vat.category == "E"
    account = None
    if document.kind is DocumentKind.INVOICE:
        account = _account(invoicing)
    return Facts(
        document.number,
        document.dated,
        document.due_on,
        document.vat,
        _party(seller, invoicing.vat_number if exempt else None),
        _party(buyer, None),
        buyer.party.buyer_reference or "",
        account,
    )


def _party(named: Named, vat_number: str | None) -> Party:
    party = named.party
    number = (party.organisation_number or "").replace("-", "")
    name = party.name or named.name
    return Party(name, number, party.endpoint or ("", ""), party.gln, vat_number)


def _account(invoicing: Invoicing) -> tuple[str, str] | None:
    if invoicing.bankgiro is not None:
        return "SE:BANKGIRO", invoicing.bankgiro
    return None if invoicing.plusgiro is None else ("SE:PLUSGIRO", invoicing.plusgiro)


def _missing(document: Document, seller: Named, buyer: Named, invoicing: Invoicing) -> Iterator[Problem]:
    if document.number is None or document.vat is None:
        yield Problem("business-rule", "a draft, or a statement issued before invoices had numbers, is none")
    for named in (seller, buyer):
        if named.party.organisation_number is None:
            yield Problem("required", f"{named.name} has no organisation number", named.number_setting)
        if named.party.endpoint is None:
            yield _lacks(named, "peppol", "no Peppol address, nor an organisation number to be one")
    if buyer.party.buyer_reference is None:
        yield _lacks(buyer, "buyer_reference", "no buyer reference")
    if document.vat is not None and document.vat.category == "E" and invoicing.vat_number is None:
        yield Problem("required", f"{seller.name} has no VAT number", "LOSUS_INVOICE__VAT_NUMBER")
    if document.kind is DocumentKind.INVOICE:
        if document.due_on is None:
            rule = "neither the agreement nor the settings name terms of payment"
            yield Problem("required", rule, "LOSUS_INVOICE__PAYMENT_DAYS")
        if _account(invoicing) is None:
            rule = f"{seller.name} has neither a bankgiro nor a plusgiro"
            yield Problem("required", rule, "LOSUS_INVOICE__BANKGIRO")


def _lacks(named: Named, field: str, what: str) -> Problem:
    return Problem("required", f"{named.name} has {what}", f"{named.setting}__{field.upper()}")
