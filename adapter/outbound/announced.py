"""The amount of a coming year as it is announced to a municipality on `.settlements`.

Owns the shape of the event `se.losus.rate.announced.v1`. Does not own which amount holds
(`adapter.agreements.amounts`) nor to whom and when it is announced (`adapter.settling.announcing`). Bilaga 9,
footnote 5: «Regionen ansvarar för att meddela kommunerna beloppet i december inför kommande år».
"""

from datetime import datetime
from decimal import Decimal
from typing import Literal
from uuid import NAMESPACE_URL, uuid5

from pydantic import BaseModel, ConfigDict, Field

from adapter.outbound.events import RATE_ANNOUNCED, rate_event
from adapter.store.intake import EventRow
from adapter.store.rates import AnnouncementRow


class AnnouncedRate(BaseModel):
    """One year's amount per day of care, as the region knew it when it was announced."""

    model_config = ConfigDict(frozen=True)

    year: int = Field(ge=2018, description="the days of this year are charged by the amount")
    municipality: str = Field(pattern="^[0-9]{4}$", description="kommunkod of the municipality notified")
    care_form: Literal["somatic", "psychiatric"] | None = Field(
        description="the care form that the amount is for; null: both"
    )
    amount: str = Field(pattern=r"^[0-9]+(\.[0-9]+)?$", description="per day of care, exact, without VAT")
    currency: Literal["SEK"] = Field(description="ISO 4217")
    status: Literal["verified", "provisional"] = Field(
        description="provisional: not confirmed by the regulation's text; statements that use it say so"
    )
    source: str = Field(description="the document that the amount stands in")
    version: int = Field(
        ge=1, description="contiguous from 1 for each year, care form and municipality; the last one holds"
    )
    replaces: str | None = Field(description="the amount announced before; null in the first version")
    announced_at: datetime = Field(description="when the region announced it")


def announcement_event(row: AnnouncementRow, before: AnnouncementRow | None) -> EventRow:
    """Return the event of an announcement; `before`: the version that it replaces."""
    payload = AnnouncedRate.model_validate(
        {
            "year": row.year,
            "municipality": row.municipality,
            "care_form": row.care_form or None,
            "amount": _text(row.amount),
            "currency": "SEK",
            "status": "verified" if row.verified else "provisional",
            "source": row.source,
            "version": row.version,
            "replaces": None if before is None else _text(before.amount),
            "announced_at": row.announced_at,
        }
    )
    key = announcement_id(row.year, row.care_form)
    return rate_event(key, row.version, row.municipality, payload.model_dump_json().encode())


def announcement_id(year: int, care_form: str) -> str:
    """Return the key of a year's records: the same for every municipality."""
    return str(uuid5(NAMESPACE_URL, "|".join((RATE_ANNOUNCED, str(year), care_form))))


def announcement_of(payload: bytes) -> AnnouncementRow:
    """Return the announcement that a published event holds."""
    event = AnnouncedRate.model_validate_json(payload)
    return AnnouncementRow(
        event.year,
        event.municipality,
        event.care_form or "",
        event.version,
        Decimal(event.amount),
        event.status == "verified",
        event.source,
        event.announced_at,
    )


def _text(amount: Decimal) -> str:
    """Return the amount without an exponent and without zeros that add nothing."""
    text = f"{amount:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
