"""The Peppol documents of an issued statement: its invoice and credit notes, each by its number.

Owns which documents are written, and the note on each. Does not own what one holds (`document`) nor what it
needs (`parties`).
"""

from collections.abc import Iterator
from dataclasses import dataclass

from adapter.agreements.invoicing import Invoicing
from adapter.fhir.elements import buyer
from adapter.fhir.vocabulary import CARE_FORMS, INVOICE_TYPE
from adapter.peppol.document import document_xml
from adapter.peppol.parties import Named, facts_of
from adapter.settlement.claim import legacy
from adapter.settlement.difference import Document, DocumentKind, Issued
from adapter.settlement.statement import Statement

_SWEDISH = 1


@dataclass(frozen=True, slots=True)
class Creditor:
    """The region that is paid; `organisation_number` None where it is not known."""

    name: str
    organisation_number: str | None


@dataclass(frozen=True, slots=True)
class Written:
    """A document as XML, and its number."""

    number: str
    xml: bytes


def documents_as_xml(
    issued: Issued, creditor: Creditor, payer: str, invoicing: Invoicing
) -> Iterator[Written]:
    """Give the documents of an issued statement; `payer` is the name of the municipality.

    IncompleteError, at the first document that lacks something, with all that it lacks.
    """
    seller = Named(
        creditor.name,
        invoicing.seller_of(creditor.organisation_number),
        "LOSUS_REGION__ORGANISATION_NUMBER",
        "LOSUS_INVOICE__SELLER",
    )
    addressed = _buyer(issued.statement, payer, invoicing)
    documents = legacy(issued) if issued.documents is None else issued.documents
    for one in documents:
        facts = facts_of(one, seller, addressed, invoicing)
        yield Written(facts.number, document_xml(issued, one, facts, _note(issued, one)))


def _buyer(statement: Statement, municipality: str, invoicing: Invoicing) -> Named:
    """Name who is addressed: the municipality, or the federation that pays for it."""
    federation = statement.recipient
    party = buyer(statement, invoicing)
    if federation is None:
        setting = f"LOSUS_INVOICE__PARTIES__{statement.municipality}"
        return Named(municipality, party, f"{setting}__ORGANISATION_NUMBER", setting)
    setting = f"LOSUS_INVOICE__FEDERATIONS__{federation.id.upper()}"
    return Named(federation.name, party, f"{setting}__ORGANISATION_NUMBER", setting)


def _note(issued: Issued, document: Document) -> str:
    """Say in a sentence what is settled; that an amount per day is not confirmed, where that is so."""
    statement = issued.statement
    is_note = document.kind is DocumentKind.CREDIT_NOTE
    kind = "credit-note" if is_note else "provisional" if statement.provisional else "monthly"
    care_form = CARE_FORMS[statement.care_form][0].lower()
    words = INVOICE_TYPE.concepts[kind][_SWEDISH]
    return f"{words}: {statement.title}, {care_form}, {statement.month}. Avräkning {issued.id}."
