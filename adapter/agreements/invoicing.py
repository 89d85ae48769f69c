"""What an invoice needs beside what is owed: numbers of the parties, VAT, terms of payment, accounts.

Owns the values, and how a region's own settings are laid over what ships. Does not own numbers' check digits
(`identifiers`), which documents there are (`adapter.settlement.claim`) nor how they are written
(`adapter.fhir`, `adapter.peppol`). Nothing here is guessed: what no document states is None, and a format
that needs it is refused by name.
"""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field

from adapter.agreements.agreement import MunicipalityCode
from adapter.agreements.groups import Frozen
from adapter.agreements.identifiers import (
    ORGANISATION_SCHEME,
    Bankgiro,
    Gln,
    OrganisationNumber,
    PeppolAddress,
    Plusgiro,
    VatNumber,
)

Text = Annotated[str, Field(min_length=1, max_length=200)]


class InvoiceParty(Frozen):
    """How one is known to a finance department.

    `peppol`: where an electronic invoice goes; without it the organisation number is the address.
    `buyer_reference`: what the municipality wants on every invoice. `because`: why a number is missing.
    """

    name: Text | None = None
    organisation_number: OrganisationNumber | None = None
    gln: Gln | None = None
    peppol: PeppolAddress | None = None
    buyer_reference: Text | None = None
    because: str | None = None

    @property
    def endpoint(self) -> tuple[str, str] | None:
        """Give scheme and identifier of the electronic address; None where nothing is known to have one."""
        if self.peppol is not None:
            scheme, _, value = self.peppol.partition(":")
            return scheme, value
        number = self.organisation_number
        return None if number is None else (ORGANISATION_SCHEME, number.replace("-", ""))

    def under(self, other: "InvoiceParty") -> "InvoiceParty":
        """Give these values with those of `other`, where it has any, laid over them."""
        return self.model_copy(update=other.model_dump(exclude_none=True))


class Seller(Frozen):
    """How the region is known besides: its name and organisation number are those of `region`."""

    gln: Gln | None = None
    peppol: PeppolAddress | None = None


class Vat(Frozen):
    """Why no VAT is charged: `E` exempt, `O` not subject to VAT; and the words that the invoice says it in.

    `source` None: the words are an assumption, which the invoice says too.
    """

    category: Literal["E", "O"] = "E"
    reason: Text = "Sjukvård: undantaget från mervärdesskatt"
    source: Text | None = None

    @property
    def statement(self) -> str:
        """Give the words with their source, or marked as an assumption."""
        return f"{self.reason} ({self.source or 'antagande / assumption'})"


class Invoicing(Frozen):
    """All that a region says of its invoices: `parties` by kommunkod, `seller` is of the region itself.

    `federations` are parties too, by the id that `federations.yaml` has of them.
    `payment_days` holds where the agreement names no terms of payment; None: no due date is known.
    """

    payment_days: Annotated[int, Field(ge=0, le=365)] | None = None
    vat: Vat = Vat()
    vat_number: VatNumber | None = None
    bankgiro: Bankgiro | None = None
    plusgiro: Plusgiro | None = None
    seller: Seller = Seller()
    parties: Mapping[MunicipalityCode, InvoiceParty] = Field(default_factory=dict)
    federations: Mapping[str, InvoiceParty] = Field(default_factory=dict)

    def federation(self, name: str, shipped: InvoiceParty) -> InvoiceParty:
        """Give what is known of a federation: these settings laid over what ships with the agreements."""
        return shipped.under(self.federations.get(name, InvoiceParty()))

    def party(self, code: str) -> InvoiceParty:
        """Give what is known of a municipality; nothing at all where it is not listed."""
        return self.parties.get(code, InvoiceParty())

    def seller_of(self, organisation_number: str | None) -> InvoiceParty:
        """Give the region that is paid, which has that organisation number."""
        seller = self.seller
        return InvoiceParty(organisation_number=organisation_number, gln=seller.gln, peppol=seller.peppol)

    def over(self, shipped: Mapping[str, InvoiceParty]) -> "Invoicing":
        """Lay these settings over the parties that ship with the agreements."""
        codes = {**shipped, **self.parties}
        laid = {code: shipped.get(code, InvoiceParty()).under(self.party(code)) for code in codes}
        return self.model_copy(update={"parties": laid})


class ShippedParties(Frozen):
    """The section `invoicing` of `municipalities.yaml`; `because` says why numbers are missing there."""

    because: str
    parties: Mapping[MunicipalityCode, InvoiceParty] = Field(default_factory=dict)
