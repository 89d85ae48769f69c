"""*Fast vårdkontakt*: who was appointed, by whom, and who coordinates where there are several.

Owns which of the appointments are one and the same contact. Does not own when a contact or a coordinator is
due (`deadlines`).

LUS 2:5: the unit in region-financed open care that received the notice appoints the contact. Bilaga 9: «Om
flera fasta vårdkontakter finns ska en samordnare tydliggöras.» A coordinator alone is no fast vårdkontakt.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Annotated, Any

from pydantic import Field

from adapter.losus import reading

_PARTS = ("name", "unit", "phone")


@dataclass(frozen=True, slots=True)
class CareContact:
    """A fast vårdkontakt, or the coordinator of several; `appointed_at` is never missing.

    `open_care`: whether region-financed open care made the appointment (LUS 2:5); None: not stated.
    """

    appointed_at: datetime
    name: str | None = None
    unit: str | None = None
    phone: str | None = None
    open_care: Annotated[
        bool | None,
        Field(
            description="appointed by region-financed open care (LUS 2:5); null: not stated",
            json_schema_extra={"x-added": "0.2"},
        ),
    ] = None


@dataclass(slots=True)
class Contacts:
    """Gathers appointments, in effective order.

    `newest` and `coordinator` are the last ones of their kind, `all` every distinct contact, oldest first.
    `appointed_at`: the first contact that is not known to be appointed by another than open care.
    `coordinated_at`: the first coordinator.
    """

    newest: CareContact | None = None
    coordinator: CareContact | None = None
    all: list[CareContact] = field(default_factory=list)
    appointed_at: datetime | None = None
    coordinated_at: datetime | None = None

    def take(self, at: datetime, fields: Mapping[str, Any]) -> bool:
        """Take in one appointment; return whether it is the one that LUS 2:5 asks for.

        It is not that of a coordinator alone, nor one that is known to be made by another than open care.
        """
        parts = reading.part(fields, "contact")
        name, unit, phone = (reading.text(parts, part) for part in _PARTS)
        contact = CareContact(at, name, unit, phone, reading.flag(fields, "open_care"))
        if reading.flag(fields, "coordinator"):
            self.coordinator = contact
            self.coordinated_at = self.coordinated_at or at
            return False
        self.newest = contact
        self._add(contact)
        if contact.open_care is False:
            return False
        self.appointed_at = self.appointed_at or at
        return True

    def _add(self, contact: CareContact) -> None:
        for place, known in enumerate(self.all):
            if _may_be_one(known, contact):
                self.all[place] = _joined(known, contact)
                return
        self.all.append(contact)


def _may_be_one(one: CareContact, other: CareContact) -> bool:
    """Whether nothing that is stated of both differs: two reports of one contact demand no coordinator."""
    pairs = ((one.name, other.name), (one.unit, other.unit))
    return all(a is None or b is None or a.casefold() == b.casefold() for a, b in pairs)


def _joined(known: CareContact, again: CareContact) -> CareContact:
    """Fill in what was not stated before; the first time stands."""
    return replace(
        known,
        name=known.name or again.name,
        unit=known.unit or again.unit,
        phone=again.phone or known.phone,
        open_care=known.open_care if again.open_care is None else again.open_care,
    )
