"""The Peppol documents of issued statements, with the region's and the parties' numbers as known now.

Owns who is paid and who pays by name. Does not own what a document needs (`adapter.peppol.parties`) nor how
it is written (`adapter.peppol.document`). What is claimed is what was issued; electronic addresses,
references and accounts are those of today, for they say where a document goes and not what is owed.
"""

from adapter.peppol.statement import Creditor, Written, documents_as_xml
from adapter.settlement.difference import Issued
from adapter.settling.issuing import Ledger


def documents_of_issued(ledger: Ledger, issued: Issued) -> tuple[Written, ...]:
    """Give the documents of an issued statement; IncompleteError naming whatever they lack."""
    statement, book = issued.statement, ledger.book
    paid = ledger.creditor(statement)
    creditor = Creditor(paid.name, paid.organisation_number)
    payer = book.municipalities.get(statement.municipality, statement.municipality)
    return tuple(documents_as_xml(issued, creditor, payer, book.invoicing))
