"""Small parts that several settlement resources share: ids, references, extensions, narratives.

Owns how an id comes about and how one resource of a Bundle names another. Ids are version 5 UUIDs of
what they stand for: the same facts have the same ids wherever and whenever they are told.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from html import escape
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from adapter.agreements.invoicing import InvoiceParty, Invoicing
from adapter.agreements.regions import Regions
from adapter.fhir.decimals import dumps
from adapter.fhir.model import FhirVersion
from adapter.fhir.vocabulary import (
    CANONICAL,
    FEDERATION,
    GLN,
    KOMMUNKOD,
    LANSKOD,
    ORGANISATION_NUMBER,
    PARTICIPANT,
)
from adapter.losus.days import DAY, Month, local
from adapter.settlement.statement import Statement

Resource = dict[str, Any]

_NAMESPACE = uuid5(NAMESPACE_URL, CANONICAL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Edition:
    """How statements are to be told, and the facts around them.

    `made_at`: when (aware); an issued statement has its own time of issue. `regions`: who is paid.
    `municipalities`: names by kommunkod. `sources`: for a stay the resource versions that it rests on,
    each as `source resource version`; a stay that is not there has no Provenance of its own. `base`: the
    address of the FHIR server that has these resources; None where they are only in this Bundle. `invoicing`:
    how the parties are known to a finance department, and the terms of drafts.
    """

    made_at: datetime
    regions: Regions
    municipalities: Mapping[str, str]
    sources: Mapping[str, Sequence[str]] = field(default_factory=dict)
    version: FhirVersion = FhirVersion.R4
    base: str | None = None
    invoicing: Invoicing = field(default_factory=Invoicing)

    @property
    def r5(self) -> bool:
        """Whether the resources are those of R5; else R4's, which are R4B's too."""
        return self.version is FhirVersion.R5

    def full_url(self, resource: Resource) -> str:
        """Give the address of a resource as a Bundle's entry has it."""
        if self.base is None:
            return f"urn:uuid:{resource['id']}"
        return f"{self.base}/{resource['resourceType']}/{resource['id']}"

    def reference(self, kind: str, name: str) -> dict[str, str]:
        """Give the Reference to the resource of that type and id."""
        return {"reference": f"urn:uuid:{name}" if self.base is None else f"{kind}/{name}"}

    def earlier(self, kind: str, name: str) -> dict[str, Any]:
        """Give the Reference to a resource of an earlier Bundle: by its address, or else by its id alone."""
        if self.base is not None:
            return {"type": kind, **self.reference(kind, name)}
        return {"type": kind, "identifier": {"system": f"{CANONICAL}/identifier/resource", "value": name}}


def uuid_of(*parts: str) -> str:
    """Give the id that stands for these parts."""
    return str(uuid5(_NAMESPACE, "|".join(parts)))


def digest(resource: Resource) -> str:
    """Give the first 16 hex digits of the SHA-256 of the resource's JSON: a version by content."""
    return hashlib.sha256(dumps(resource)).hexdigest()[:16]


def canonical(resource: Resource) -> Resource:
    """Give a definition its version and id by content: one that says something else is another."""
    version = digest(resource)
    return {
        "resourceType": resource["resourceType"],
        "id": uuid_of(resource["resourceType"], resource["url"], version),
        **resource,
        "version": version,
    }


def profile(name: str) -> dict[str, list[str]]:
    """Give the `meta` of a resource that keeps the profile `name` of this project."""
    return {"profile": [f"{CANONICAL}/StructureDefinition/{name}"]}


def extension(name: str, **value: object) -> dict[str, Any]:
    """Give the extension `name` of this project with its value, as `valueMoney=…`."""
    return {"url": f"{CANONICAL}/StructureDefinition/{name}", **value}


def parts(name: str, **values: tuple[str, object]) -> dict[str, Any]:
    """Give an extension of parts, each as `amount=("Money", …)`; an underscore in a name is a hyphen."""
    inner = [{"url": part.replace("_", "-"), f"value{kind}": value} for part, (kind, value) in values.items()]
    return {"url": f"{CANONICAL}/StructureDefinition/{name}", "extension": inner}


def narrative(swedish: str, english: str) -> dict[str, str]:
    """Give the text that people read, in both languages."""
    lines = "".join(
        f'<p lang="{language}" xml:lang="{language}">{escape(words)}</p>'
        for language, words in (("sv", swedish), ("en", english))
    )
    return {"status": "generated", "div": f'<div xmlns="http://www.w3.org/1999/xhtml">{lines}</div>'}


def both(swedish: str, english: str) -> str:
    """Give a text in both languages where FHIR has room for one string."""
    return f"{swedish} / {english}"


def instant(at: datetime) -> str:
    """Give an instant by the Swedish clock, with its offset, to the second."""
    return local(at).isoformat(timespec="seconds")


def period(first: date, last: date) -> dict[str, str]:
    """Give the Period of whole days from `first` to `last`, both of them in it.

    FHIR's Period is closed at the precision of its dates («If the high value is missing … 2012-02-03,
    this includes any time on that day»), unlike the half-open ranges of the rest of this project.
    """
    return {"start": first.isoformat(), "end": last.isoformat()}


def month_period(month: Month) -> dict[str, str]:
    """Give the Period of a calendar month, its last day included."""
    return period(month.first, month.end - DAY)


def municipality(code: str, edition: Edition) -> Resource:
    """Give the Organization that is the municipality."""
    return _organization(KOMMUNKOD, code, edition.municipalities.get(code), edition.invoicing.party(code))


def recipient(statement: Statement, edition: Edition) -> Resource:
    """Give the Organization that an invoice is addressed to: the municipality or its federation."""
    federation = statement.recipient
    if federation is None:
        return municipality(statement.municipality, edition)
    return _organization(FEDERATION, federation.id, federation.name, buyer(statement, edition.invoicing))


def buyer(statement: Statement, invoicing: Invoicing) -> InvoiceParty:
    """Give how a finance department knows who an invoice is addressed to."""
    federation = statement.recipient
    if federation is None:
        return invoicing.party(statement.municipality)
    return invoicing.federation(federation.id, federation.party)


def region(county: str | None, edition: Edition) -> Resource:
    """Give the Organization that is paid and reports: the region of that länskod (settlement rules 3).

    With its organisation number where that is known; without it nothing is issued (`settling.issuing`).
    SetupError where the region is not known.
    """
    found = edition.regions.get(county)
    seller = edition.invoicing.seller_of(found.organisation_number)
    return _organization(LANSKOD, found.county, found.name, seller)


def _organization(system: str, code: str, name: str | None, party: InvoiceParty) -> Resource:
    """Give an Organization; its id changes with the numbers that it is known by."""
    scheme, _, participant = (party.peppol or "").partition(":")
    numbers = [
        {"system": of, "value": value}
        for of, value in (
            (ORGANISATION_NUMBER, party.organisation_number),
            (GLN, party.gln),
            (f"{PARTICIPANT}:{scheme}", participant),
        )
        if value
    ]
    return {
        "resourceType": "Organization",
        "id": uuid_of("Organization", system, code, *(one["value"] for one in numbers)),
        "text": narrative(name or code, name or code),
        "identifier": [{"system": system, "value": code}, *numbers],
        "active": True,
        **({"name": name} if name else {}),
    }
