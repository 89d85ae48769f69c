"""The numbers of invoices and credit notes in a Bundle that was published.

Owns reading them back, for a database that lost what it issued.
"""

from typing import NamedTuple

from adapter.fhir.decimals import loads
from adapter.fhir.elements import Resource
from adapter.fhir.vocabulary import INVOICE_NUMBER, INVOICE_TYPE


class PublishedNumber(NamedTuple):
    """A number and the kind of document (`invoice` or `credit-note`) that has it."""

    number: str
    kind: str


def published_numbers(resources: list[Resource]) -> list[PublishedNumber]:
    """Give the numbers of the Invoices among resources, in their order; one without a number is left out."""
    return [
        PublishedNumber(str(identifier["value"]), _kind(resource))
        for resource in resources
        if resource["resourceType"] == "Invoice"
        for identifier in resource.get("identifier", ())
        if identifier.get("system") == INVOICE_NUMBER
    ]


def numbers_in(bundle: bytes) -> list[str]:
    """Give the numbers of a Bundle's Invoices, in their order."""
    entries = loads(bundle).get("entry", ())
    return [one.number for one in published_numbers([entry["resource"] for entry in entries])]


def _kind(invoice: Resource) -> str:
    codes = {(one.get("system"), one.get("code")) for one in invoice.get("type", {}).get("coding", ())}
    return "credit-note" if (INVOICE_TYPE.url, "credit-note") in codes else "invoice"
