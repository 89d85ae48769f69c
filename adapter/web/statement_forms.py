"""A month in the forms in which it is answered: the stored Bundle, another FHIR version, a Peppol document.

Owns which form a request asks for. Does not own the address (`settlements`), how a Bundle is made
(`adapter.fhir.summary`) nor a document (`adapter.peppol`).

The stored Bundle is answered as it was published, byte for byte. In another FHIR version the same statement
is told again, with the same ids; its references lead to resources of the same Bundle alone.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Literal

from fastapi import Request, Response

from adapter.errors import LosusError, Problem
from adapter.fhir import decimals
from adapter.fhir.elements import instant, uuid_of
from adapter.fhir.model import FhirVersion
from adapter.fhir.summary import bundle
from adapter.settling.documents import documents_of_issued
from adapter.settling.issuing import Ledger, edition_of_issued
from adapter.store.database import Connection
from adapter.store.statements import Kept
from adapter.web.negotiation import respond, wanted

#: What is asked for by `format`; without it FHIR, or JSON by Accept.
Form = Literal["peppol"]
_XML = "application/xml"


class NoDocumentError(LosusError):
    """No invoice or credit note is of that number, or none was issued."""

    status = 404


class SeveralDocumentsError(LosusError):
    """Several documents fit, and one answer holds one of them."""

    status = 409


def peppol(request: Request, found: Sequence[Kept], number: str | None) -> Response:
    """Answer with the one document of these statements, or the one of that `number`, as Peppol's XML.

    SeveralDocumentsError naming their numbers where several fit; IncompleteError naming what is missing.
    """
    ledger: Ledger = request.app.state.settling()
    numbers = [each.number for one in found for each in one.issued.documents or () if each.number]
    if number is None and len(numbers) > 1:
        rule = f"there are several: ask for one by `number`: {', '.join(numbers)}"
        raise SeveralDocumentsError(Problem("multiple-matches", rule))
    wanted_number = number or next(iter(numbers), None)
    if wanted_number not in numbers:
        raise NoDocumentError(Problem("not-found", "no invoice or credit note was issued of that number"))
    statement = next(
        one.issued
        for one in found
        if any(each.number == wanted_number for each in one.issued.documents or ())
    )
    documents = [each for each in statement.documents or () if each.number == wanted_number]
    (written,) = documents_of_issued(ledger, replace(statement, documents=tuple(documents)))
    name = f'attachment; filename="{written.number}.xml"'
    return Response(written.xml, media_type=_XML, headers={"content-disposition": name})


async def fhir(request: Request, connection: Connection, found: Sequence[Kept]) -> Response:
    """Answer with the Bundle of these statements in the FHIR version that `Accept` asks for."""
    ledger: Ledger = request.app.state.settling()
    version = asked_version(request, ledger.version)
    bundles = [one.bundle for one in found]
    if _family(version) != _family(ledger.version):
        bundles = [await _again(connection, ledger, one, version) for one in found]
    told = bundles[0] if len(bundles) == 1 else _together(bundles, found)
    return respond(request, told, version=version)


def asked_version(request: Request, stored: FhirVersion) -> FhirVersion:
    """Give the version that the request names, or that of what is stored."""
    return wanted(request).fhir or stored


def _family(version: FhirVersion) -> bool:
    """R4 and R4B have the same resources here."""
    return version is FhirVersion.R5


async def _again(connection: Connection, ledger: Ledger, one: Kept, version: FhirVersion) -> bytes:
    edition = await edition_of_issued(connection, ledger, one.issued)
    return decimals.dumps(bundle([one.issued], replace(edition, version=version, base=None)))


def _together(bundles: Sequence[bytes], found: Sequence[Kept]) -> bytes:
    """Give the Bundles of several care forms as one; what they share stands once."""
    entries: dict[str, Any] = {}
    for one in bundles:
        for entry in decimals.loads(one)["entry"]:
            entries.setdefault(entry["fullUrl"], entry)
    made = {
        "resourceType": "Bundle",
        "id": uuid_of("Bundle", "care forms", *(one.issued.id for one in found)),
        "type": "collection",
        "timestamp": instant(max(one.issued.issued_at for one in found)),
        "entry": list(entries.values()),
    }
    return decimals.dumps(made)
