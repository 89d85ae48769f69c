"""Announcements of a year's amount in the database: one row each, never changed.

Owns the statements of SQL. Does not own which amount holds nor whether it is to be announced
(`adapter.settling.announcing`). Nothing here is about a person.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from adapter.store.database import Connection


@dataclass(frozen=True, slots=True)
class AnnouncementRow:
    """An amount as it was announced; `care_form` is empty where one amount is for both care forms."""

    year: int
    municipality: str
    care_form: str
    version: int
    amount: Decimal
    verified: bool
    source: str
    announced_at: datetime


async def announce_alone(connection: Connection) -> None:
    """Let nobody else announce amounts on this database until the transaction ends; waits for who does."""
    await connection.execute("select pg_advisory_xact_lock(hashtextextended('rate announcements', 0))")


async def announcements(
    connection: Connection, years: Iterable[int], municipalities: Iterable[str]
) -> list[AnnouncementRow]:
    """Return what was announced of these years to these municipalities, oldest version first."""
    rows = await connection.fetch(
        """select year, municipality, care_form, version, amount, verified, source, announced_at
           from rate_announcement where year = any ($1::integer[]) and municipality = any ($2::text[])
           order by year, municipality, care_form, version""",
        sorted(set(years)),
        sorted(set(municipalities)),
    )
    return [AnnouncementRow(*row.values()) for row in rows]


async def add_announcement(connection: Connection, row: AnnouncementRow) -> bool:
    """Add an announcement; False where that version of it is there already."""
    done = await connection.execute(
        """insert into rate_announcement (year, municipality, care_form, version, amount, verified, source,
                                          announced_at)
           values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict do nothing""",
        row.year,
        row.municipality,
        row.care_form,
        row.version,
        row.amount,
        row.verified,
        row.source,
        row.announced_at,
    )
    return bool(done == "INSERT 0 1")
